// A real PostgreSQL server on 127.0.0.1 with a data folder of its own. It refuses to run as root, so that there it runs as
// the user that its package made.
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { postgresPrograms } from "../../setup/versions.ts";
import type { Certificate } from "../base/certificates.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import type { RunningProcess } from "../base/process.ts";
import type { Rig } from "../base/rig.ts";

const run = promisify(execFile);

const admin = "postgres";
const password = "p@ss word/:%";
const asItsUser = ["--reuid", admin, "--regid", admin, "--init-groups"];

/** The command as a user that the server accepts. */
function unprivileged(program: string, args: readonly string[]): { command: string; args: string[] } {
  if (process.getuid?.() !== 0) return { command: program, args: [...args] };
  return { command: "setpriv", args: [...asItsUser, "--pdeathsig", "TERM", "--", program, ...args] };
}

async function runUnprivileged(folder: string, name: string, args: readonly string[]): Promise<void> {
  const { command, args: all } = unprivileged(resolve(postgresPrograms(), name), args);
  await run(command, all, { cwd: folder });
}

export interface Postgres {
  readonly port: number;
  /** Of the administrator, `postgres`. */
  readonly password: string;
  /** The folder of its Unix socket. */
  readonly socketFolder: string;
  /** A URL as the administrator. */
  urlOf(database: string, query?: string): string;
  /** A new empty database; UTF-8 unless `form` says otherwise. */
  createDatabase(form?: string): Promise<{ readonly name: string; readonly url: string }>;
  /** A new user, and an empty schema of the user's own, which costs less than a database. */
  createSchema(): Promise<string>;
  /** What one statement gives, as administrator. */
  ask(statement: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Runs one statement on a connection that stays until it is released. */
  hold(statement: string, database: string): Promise<{ release(): Promise<void> }>;
  /** As in a crash: connections break, nothing is written any more. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

interface PostgresOptions {
  /** What it proves its name with. */
  readonly certificate?: Certificate;
}

/** Starts a server; it ends with the rig. */
export async function startPostgres(rig: Rig, { certificate }: PostgresOptions = {}): Promise<Postgres> {
  const port = await freePort();
  // Not in the rig's folder: its user might not be allowed to go there.
  const folder = await mkdtemp(join(tmpdir(), "postgres-"));
  rig.defer("PostgreSQL's folder", () => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o777);
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, `${password}\n`);
  // A language of its own sorts differently from bytes: whoever relies on the order has to say which.
  const locale = ["--locale-provider=icu", "--icu-locale=en"];
  const access = ["--auth=scram-sha-256", `--username=${admin}`, `--pwfile=${passwordFile}`];
  await runUnprivileged(folder, "initdb", ["-D", data, "--encoding=UTF8", "--no-sync", ...locale, ...access]);

  const settings: Record<string, string> = {
    port: `${port}`,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    // The machine does not lose its power during a test.
    fsync: "off",
    log_statement: "ddl",
  };
  if (certificate !== undefined) {
    // The key has to be its own file.
    for (const [name, file] of Object.entries(certificate)) {
      await chmod(String(file), 0o644);
      await runUnprivileged(folder, "/usr/bin/install", ["-m", "600", String(file), join(folder, name)]);
    }
    Object.assign(settings, {
      ssl: "on",
      ssl_cert_file: join(folder, "certificateFile"),
      ssl_key_file: join(folder, "keyFile"),
    });
  }

  let server: RunningProcess | undefined;
  const urlOf = (database: string, query = ""): string =>
    `postgres://${admin}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}${query}`;
  const connected = async (database: string): Promise<Client> => {
    const client = new Client({ host: "127.0.0.1", port, user: admin, password, database });
    await client.connect();
    return client;
  };
  const ask = async (statement: string, database = "postgres"): Promise<Record<string, unknown>[]> => {
    const client = await connected(database);
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  };
  const answers = (): Promise<boolean> =>
    ask("select 1").then(
      () => true,
      () => false,
    );
  let count = 0;

  const postgres: Postgres = {
    port,
    password,
    socketFolder: folder,
    urlOf,
    ask,
    async createDatabase(form = "encoding UTF8") {
      const name = `store_${(count += 1)}`;
      await ask(`create database ${name} template template0 ${form}`);
      return { name, url: urlOf(name) };
    },
    async createSchema() {
      const name = `user_${(count += 1)}`;
      await ask(`create user ${name} password '${name}'`);
      await ask(`create schema authorization ${name}`);
      return `postgres://${name}:${name}@127.0.0.1:${port}/postgres`;
    },
    async hold(statement, database) {
      const client = await connected(database);
      await client.query(statement);
      return { release: () => client.end() };
    },
    async kill() {
      server?.signal("SIGQUIT");
      await server?.exited;
    },
    async start() {
      const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
      const program = unprivileged(join(postgresPrograms(), "postgres"), ["-D", data, ...flags]);
      server = await rig.start("postgres", { ...program, cwd: folder });
      await server.until("PostgreSQL to answer", answers);
    },
  };
  await postgres.start();
  return postgres;
}
