// Checks of this machine before the bridge starts: who can read its secrets, whether its ports are free, whether the
// database has a folder or can be reached. Leaves nothing open and writes nothing.
import { createSocket } from "node:dgram";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { encryptionSecretPath } from "../config/registration/encryption-secret.ts";
import { peopleRegistrationPath } from "../config/registration/people-registration.ts";
import { formatPath, type ConfigFinding, type ConfigPath } from "../config/reading/problem.ts";
import { toStorePlace } from "../config/mapping/database-mapping.ts";
import type { Config } from "../config/schema/schema.ts";
import { codeOf } from "../config/reading/secrets.ts";
import { readYaml } from "../config/reading/yaml-source.ts";

export interface MachineChecks {
  readonly configPath: string;
  readonly registrationPath: string;
  readonly config: Config;
  /** Instead of `appservice.listen.port`. */
  readonly port: number | undefined;
}

/** One line for each thing that should be looked at. Never rejects. */
export async function checkMachine(checks: MachineChecks): Promise<readonly string[]> {
  return [
    ...checkReaders(checks),
    ...checkEncryption(checks),
    ...(await checkDatabase(checks)),
    ...(await checkPorts(checks)),
  ];
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

function* checkReaders(checks: MachineChecks): Generator<string> {
  const { configPath, registrationPath } = checks;
  const secrets = [...secretsIn(readYaml(readFileSync(configPath, "utf8")).value)];
  const inline = secrets.find(({ file }) => file === undefined);
  const files = new Map<string, string>([
    [registrationPath, "the tokens"],
    [peopleRegistrationPath(registrationPath), "a token that can act as every user of the homeserver"],
    [encryptionSecretPath(checks), "the secret of the numbers' identities"],
  ]);
  if (inline) files.set(configPath, formatPath(inline.path));
  for (const { path, file } of secrets) {
    if (file !== undefined) files.set(resolve(dirname(configPath), file), formatPath(path));
  }
  for (const [file, secret] of files) {
    if (isReadByAll(file)) yield `${file}: contains ${secret}, and everybody on this machine can read it; chmod o-rwx`;
  }
}

function* checkEncryption(checks: MachineChecks): Generator<string> {
  const { rooms, encryption } = checks.config;
  const path = encryptionSecretPath(checks);
  if (rooms.encrypted === "always" && encryption.mode !== "off" && !existsSync(path))
    yield `${checks.configPath}: rooms.encrypted has no effect: there is no secret in ${path}; write it with -r`;
}

function isReadByAll(file: string): boolean {
  // The registrations may not be there yet, or never.
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & 0o004) !== 0;
}

async function checkDatabase({ config, configPath }: MachineChecks): Promise<readonly string[]> {
  const place = toStorePlace(config);
  if (place.kind === "postgres") {
    // The driver is loaded only where it is used.
    const { probePostgres } = await import("../store/postgres/probe.ts");
    return probePostgres(place.server).then(
      () => [],
      (error: unknown) => [`${configPath}: ${error instanceof Error ? error.message : String(error)}`],
    );
  }
  const folder = dirname(resolve(place.path));
  try {
    accessSync(folder, constants.W_OK);
    return [];
  } catch (error) {
    return [
      `${configPath}: database.path needs the folder ${folder}, and the bridge cannot write there: ${codeOf(error)}`,
    ];
  }
}

interface Listener {
  readonly path: ConfigFinding["path"];
  readonly kind: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
}

async function checkPorts({ config, configPath, port: given }: MachineChecks): Promise<readonly string[]> {
  const { appservice, http, admin, trunks } = config;
  const listeners: readonly Listener[] = [
    { path: ["appservice", "listen"], kind: "tcp", ...appservice.listen, port: given ?? appservice.listen.port },
    { path: ["http", "listen"], kind: "tcp", ...http.listen },
    ...(admin.listen === undefined ? [] : [{ path: ["admin", "listen"], kind: "tcp", ...admin.listen } as const]),
    ...trunks.map(({ transport, listen: { host, port } }, index): Listener => {
      return { path: ["trunks", index, "listen"], kind: transport === "udp" ? "udp" : "tcp", host, port };
    }),
  ];
  const lines: string[] = [];
  for (const listener of listeners) {
    const code = await bindingFailure(listener);
    const words = code === undefined ? undefined : (wordsByCode[code] ?? `cannot be used (${code})`);
    if (words !== undefined)
      lines.push(`${configPath}: ${formatPath(listener.path)}: ${listener.host}:${listener.port} ${words}`);
  }
  return lines;
}

const wordsByCode: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: by another program, or by the bridge if it is running",
  EADDRNOTAVAIL: "does not belong to this machine",
  EACCES: "needs more rights; choose a port above 1023",
  ENOTFOUND: "is a host name that this machine does not know",
};

function bindingFailure({ kind, host, port }: Listener): Promise<string | undefined> {
  return new Promise((done) => {
    const failed = (error: NodeJS.ErrnoException): void => done(error.code ?? error.message);
    if (kind === "udp") {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      socket.once("error", (error) => (socket.close(), failed(error)));
      socket.bind(port, host, () => socket.close(() => done(undefined)));
    } else {
      const server = createServer();
      server.once("error", failed);
      server.listen(port, host, () => server.close(() => done(undefined)));
    }
  });
}
