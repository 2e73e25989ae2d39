// Values that may come from a file or the environment instead of the configuration: passwords, certificates, keys, PINs.
// Nothing here puts a value into a message.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ConfigFinding, ConfigPath } from "./problem.ts";
import type { Config } from "../schema/schema.ts";

export interface SecretSources {
  /** Paths in the configuration are relative to the folder of this file. */
  readonly configPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function environmentName(...parts: readonly string[]): string {
  return ["MATRIX_SIP", ...parts].map((part) => part.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")).join("_");
}

/** A section with that secret, itself or in a file. */
type Holding<Key extends string> = { readonly [Name in Key | `${Key}_file`]?: string | undefined };

/** The configuration with every secret in its plain key and no `_file` left, and what could not be had. */
export function resolveSecrets(
  config: Config,
  sources: SecretSources,
): { config: Config; findings: readonly ConfigFinding[] } {
  const findings: ConfigFinding[] = [];
  const take = <Key extends string>(
    path: ConfigPath,
    key: Key,
    section: Holding<Key>,
    variable?: string,
  ): string | undefined =>
    takeSecret({ path, key, inline: section[key], file: section[`${key}_file`], variable }, sources, findings);
  const trunks = config.trunks.map((trunk, index) => {
    const { tls, credentials, challenge } = trunk;
    const at = (key: string): ConfigPath => ["trunks", index, key];
    const resolvedTls = {
      ca: take(at("tls"), "ca", tls),
      certificate: take(at("tls"), "certificate", tls),
      key: take(at("tls"), "key", tls, environmentName("TRUNK", trunk.name, "TLS_KEY")),
      server_name: tls.server_name,
    };
    const passwordOf = (
      key: "credentials" | "challenge",
      section: Holding<"password">,
      variable: string,
    ): string | undefined => {
      const before = findings.length;
      const password = take(at(key), "password", section, variable);
      if (password === undefined && findings.length === before) {
        findings.push({
          path: [...at(key), "password"],
          message: `is missing: give password, password_file or the environment variable ${variable}`,
        });
      }
      return password;
    };
    // Not MATRIX_SIP_TRUNK_..., where it could be the password of a trunk with a longer name.
    const names = {
      credentials: environmentName("TRUNK", trunk.name, "PASSWORD"),
      challenge: environmentName("CHALLENGE", trunk.name, "PASSWORD"),
    };
    return {
      ...trunk,
      tls: resolvedTls,
      credentials: credentials && {
        username: credentials.username,
        realms: credentials.realms,
        password: passwordOf("credentials", credentials, names.credentials),
      },
      challenge: challenge && {
        algorithms: challenge.algorithms,
        realm: challenge.realm,
        username: challenge.username,
        password: passwordOf("challenge", challenge, names.challenge),
      },
    };
  });
  const servers = config.media.ice.servers.map((server, index) => ({
    urls: server.urls,
    username: server.username,
    credential: take(
      ["media", "ice", "servers", index],
      "credential",
      server,
      environmentName("ICE", String(index + 1), "CREDENTIAL"),
    ),
  }));
  const media = { ...config.media, ice: { ...config.media.ice, servers } };
  const { password_file: _, ...rest } = config.database;
  const database = {
    ...rest,
    password: take(["database"], "password", config.database, environmentName("DATABASE", "PASSWORD")),
  };
  const { token_file: __, ...restOfAdmin } = config.admin;
  const admin = { ...restOfAdmin, token: take(["admin"], "token", config.admin, environmentName("ADMIN", "TOKEN")) };
  const webhook = config.webhook && {
    ...config.webhook,
    secret_file: undefined,
    secret: take(["webhook"], "secret", config.webhook, environmentName("WEBHOOK", "SECRET")),
  };
  const { homer } = config.ladders;
  const ladders = {
    ...config.ladders,
    homer: homer && {
      ...homer,
      auth_key_file: undefined,
      auth_key: take(["ladders", "homer"], "auth_key", homer, environmentName("HOMER", "AUTH_KEY")),
    },
  };
  const numbers = config.inbound.numbers.map((entry, index) => {
    const { pin_file: file, ...known } = entry;
    const variable = environmentName("PIN", (entry.number ?? entry.pattern ?? entry.prefix ?? "").replace(/^\W+/, ""));
    return { ...known, pin: take(["inbound", "numbers", index], "pin", { pin: entry.pin, pin_file: file }, variable) };
  });
  const inbound = { ...config.inbound, numbers };
  return { config: { ...config, database, trunks, media, admin, webhook, inbound, ladders }, findings };
}

interface Secret {
  readonly path: ConfigPath;
  readonly key: string;
  readonly inline: string | undefined;
  readonly file: string | undefined;
  readonly variable: string | undefined;
}

/** The environment goes before the file system, and that before the configuration's own text. */
function takeSecret(secret: Secret, sources: SecretSources, findings: ConfigFinding[]): string | undefined {
  const { path, key, inline, file, variable } = secret;
  if (inline !== undefined && file !== undefined) {
    findings.push({ path: [...path, key], message: `is given twice: keep ${key} or ${key}_file` });
    return undefined;
  }
  const fromEnvironment = variable === undefined ? undefined : sources.env[variable];
  if (fromEnvironment) return fromEnvironment;
  if (file === undefined) return inline;
  try {
    const text = readFileSync(resolve(dirname(sources.configPath), file), "utf8").replace(/\r?\n$/, "");
    if (text !== "") return text;
    findings.push({ path: [...path, `${key}_file`], message: "names a file that is empty" });
  } catch (error) {
    findings.push({ path: [...path, `${key}_file`], message: `names a file that cannot be read: ${codeOf(error)}` });
  }
  return undefined;
}

/** `ENOENT` and its like in words. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EACCES: "permission denied",
    EISDIR: "it is a folder",
  };
  return words[code] ?? code;
}
