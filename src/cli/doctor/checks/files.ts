// The files that the bridge is started with: whether it would take them, and who can read them.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { adviseOn, adviseOnRegistration } from "../../../config/checks/advice.ts";
import { requireCertificates } from "../../../config/checks/certificates.ts";
import { loadConfig } from "../../../config/load.ts";
import { toRegistrationFacts } from "../../../config/mapping/mapping.ts";
import { toSpendingPolicy } from "../../../config/mapping/spending-mapping.ts";
import { ConfigError, formatPath, type ConfigFinding, type ConfigPath } from "../../../config/reading/problem.ts";
import type { SecretSources } from "../../../config/reading/secrets.ts";
import { readYaml } from "../../../config/reading/yaml-source.ts";
import { encryptionSecretPath } from "../../../config/registration/encryption-secret.ts";
import { loadPeopleToken, peopleRegistrationPath } from "../../../config/registration/people-registration.ts";
import { loadRegistration, type Registration } from "../../../config/registration/registration.ts";
import type { Config } from "../../../config/schema/schema.ts";
import { finding, ok, skipped, type Check, type Finding, type Problem } from "../check.ts";

export interface FilePaths {
  readonly configPath: string;
  readonly registrationPath: string;
  /** Instead of `appservice.listen.port`. */
  readonly port: number | undefined;
  readonly env: SecretSources["env"];
}

export interface ReadFiles {
  /** Undefined: the bridge would not take it, and the check says why. */
  readonly config: Config | undefined;
  readonly registration: Registration | undefined;
  readonly checks: readonly Check[];
}

const advised = "docs/configuration.md says what it is for";

export function readFiles(paths: FilePaths): ReadFiles {
  const { configPath, registrationPath, env } = paths;
  const config = attempt(() => {
    const read = loadConfig(configPath, env);
    requireCertificates(read, configPath);
    // Reads the price list.
    toSpendingPolicy(read);
    return read;
  });
  if (config.value === undefined) {
    return { config: undefined, registration: undefined, checks: [found("config", config.finding)] };
  }
  const facts = toRegistrationFacts(config.value);
  const isThere = existsSync(registrationPath);
  const registration = isThere
    ? attempt(() => loadRegistration(registrationPath, facts))
    : notWritten(registrationPath);
  const { value } = registration;
  const advice = value && adviseOnRegistration(value, config.value, paths.port ?? config.value.appservice.listen.port);
  return {
    config: config.value,
    registration: value,
    checks: [
      found("config", advisedOn(configPath, adviseOn(config.value))),
      found("registration", registration.finding ?? advisedOn(registrationPath, advice ?? [])),
      ...(config.value.inbound.join_for_people ? [peopleCheck(value)] : []),
      found("file-modes", checkReaders(paths)),
      found("encryption-secret", checkSecret(config.value, paths)),
    ],
  };

  function peopleCheck(own: Registration | undefined): Check {
    const path = peopleRegistrationPath(registrationPath);
    const run = (): Finding =>
      attempt(() => own && loadPeopleToken(path, facts, own, env)).finding ?? ok(`${path} is good`);
    return { id: "people-registration", needs: ["registration"], run };
  }
}

function found(id: Check["id"], what: Finding): Check {
  return { id, needs: [], run: () => what };
}

type Attempt<Value> = { readonly value: Value; readonly finding?: undefined } | Failure;
interface Failure {
  readonly value: undefined;
  readonly finding: Finding;
}

function attempt<Value>(read: () => Value): Attempt<Value> {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.message.split("\n").map((line) => ({ found: line, mend: advised }));
    return { value: undefined, finding: { kind: "failed", problems } };
  }
}

function notWritten(path: string): Failure {
  const mend = "write it: matrix-appservice-sip -r -u URL, with the URL at which the homeserver reaches the bridge";
  return { value: undefined, finding: { kind: "failed", problems: [{ found: `${path} does not exist yet`, mend }] } };
}

function advisedOn(file: string, findings: Iterable<ConfigFinding>): Finding {
  const problems = [...findings].map(({ path, message }) => ({
    found: `${file}: ${formatPath(path)} ${message}`,
    mend: advised,
  }));
  return finding("warning", problems, `${file} is good`);
}

const secretKeys = /^(?:password|credential|key|token)(_file)?$/;

/** Every secret in the text of the configuration, by where it stands. */
function* secretsIn(value: unknown, path: ConfigPath = []): Generator<{ path: ConfigPath; file: string | undefined }> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    const named = Array.isArray(value) ? null : secretKeys.exec(key);
    if (key === "url" && typeof inner === "string" && URL.parse(inner)?.password) yield { path: at, file: undefined };
    else if (named && typeof inner === "string") yield { path: at, file: named[1] === undefined ? undefined : inner };
    else yield* secretsIn(inner, at);
  }
}

function checkReaders({ configPath, registrationPath }: FilePaths): Finding {
  const secrets = [...secretsIn(readYaml(readFileSync(configPath, "utf8")).value)];
  const inline = secrets.find(({ file }) => file === undefined);
  const files = new Map<string, string>([
    [registrationPath, "the tokens"],
    [peopleRegistrationPath(registrationPath), "a token that can act as every user of the homeserver"],
  ]);
  if (inline) files.set(configPath, formatPath(inline.path));
  for (const { path, file } of secrets) {
    if (file !== undefined) files.set(resolve(dirname(configPath), file), formatPath(path));
  }
  return finding("warning", readByAll(files), `nobody else on this machine can read ${[...files.keys()].join(", ")}`);
}

function readByAll(files: Iterable<readonly [file: string, secret: string]>): readonly Problem[] {
  return [...files].flatMap(([file, secret]) => {
    // The registrations may not be there yet, or never.
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o004) === 0) return [];
    return [{ found: `${file}: contains ${secret}, and everybody on this machine can read it`, mend: "chmod o-rwx" }];
  });
}

function checkSecret(config: Config, paths: FilePaths): Finding {
  const { rooms, encryption } = config;
  const path = encryptionSecretPath({ ...paths, config });
  if (encryption.mode === "off") return skipped("encryption.mode is off: the bridge reads no encrypted rooms");
  if (existsSync(path)) return finding("warning", readByAll([[path, "the secret of the numbers' identities"]]), path);
  const problem = {
    found: `${paths.configPath}: rooms.encrypted has no effect: there is no secret in ${path}`,
    mend: "write it with -r",
  };
  if (rooms.encrypted === "always") return { kind: "warning", problems: [problem] };
  return skipped(`there is no secret in ${path}: the bridge reads no encrypted rooms; -r writes one`);
}
