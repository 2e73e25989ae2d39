// Connections to a PostgreSQL server: how they are made, how long they wait, and what they tell the server first.
import { readFileSync } from "node:fs";
import type { PostgresPoolClient, PostgresQueryResult } from "kysely";
import { type Client, type ClientConfig, types } from "pg";
import { StoreError, type PostgresServer, type PostgresTls } from "../../ports/store.ts";
import { placeOf } from "./failures.ts";
import { fromColumn, toColumn } from "./text.ts";

const connectTimeoutMs = 5_000;
/** The server gives up after so long. */
const statementTimeoutMs = 5_000;
/** An answer that has not come by then never will: the server would have given up. */
const answerTimeoutMs = 7_000;
const keepAliveMs = 10_000;

/** A bridge whose machine is gone keeps its lock until the server notices, which by default takes two hours. */
const keepAlive = `
  set tcp_keepalives_idle = 10;
  set tcp_keepalives_interval = 5;
  set tcp_keepalives_count = 3;
  set tcp_user_timeout = 20000;
  set idle_in_transaction_session_timeout = 60000;`;

export async function greet(client: PatientClient): Promise<void> {
  await client.query(`${keepAlive} set statement_timeout = ${statementTimeoutMs}`);
}

const bigint: number = types.builtins.INT8;
const textTypes: ReadonlySet<number> = new Set([types.builtins.TEXT, types.builtins.VARCHAR]);

/** All of our numbers fit into a double. */
const parsers: NonNullable<ClientConfig["types"]> = {
  getTypeParser: (type: number) => {
    if (type === bigint) return Number;
    return textTypes.has(type) ? fromColumn : (types.getTypeParser(type) as (value: string) => unknown);
  },
};

/** Throws StoreError if a file that the URL names cannot be read. */
export function clientConfig(server: PostgresServer): ClientConfig {
  const { host, port, user, password, database } = server;
  return {
    host,
    port,
    user,
    password,
    database,
    ssl: tlsOptions(server),
    application_name: "matrix-appservice-sip",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    types: parsers,
  };
}

function tlsOptions(server: PostgresServer): ClientConfig["ssl"] {
  const { mode, ca, certificate, key } = server.tls;
  if (mode === "disable") return false;
  const read = (parameter: string, path: string | undefined): string | undefined => {
    try {
      return path === undefined ? undefined : readFileSync(path, "utf8");
    } catch (cause) {
      const words = `${placeOf(server)}: the file of ${parameter} in database.url cannot be read`;
      throw new StoreError("unavailable", words, { cause });
    }
  };
  return {
    ca: read("sslrootcert", ca),
    cert: read("sslcert", certificate),
    key: read("sslkey", key),
    // As in libpq, `require` with a CA is `verify-ca`.
    rejectUnauthorized: mode !== "require" || ca !== undefined,
    ...(namesHost(mode) ? {} : { checkServerIdentity: () => undefined }),
  };
}

function namesHost(mode: PostgresTls["mode"]): boolean {
  return mode === "verify-full";
}

/** The server parses and plans a statement with a name once for each connection. Texts are few: none is made from outside. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `statement ${names.size + 1}`;
  names.set(text, name);
  return name;
}

/** A connection as the query builder uses it. */
export class PatientClient implements PostgresPoolClient {
  readonly #client: Client;
  readonly #release: () => void;
  readonly #isPatient: () => boolean;
  #isLost = false;

  /** `isPatient`: whether an answer may take as long as it takes. */
  constructor(client: Client, release: () => void, isPatient: () => boolean = () => false) {
    this.#client = client;
    this.#release = release;
    this.#isPatient = isPatient;
    for (const event of ["error", "end"] as const) client.on(event, () => void (this.#isLost = true));
  }

  query(cursor: never): never;
  query<Row>(text: string, values?: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  async query(text: string, values: readonly unknown[] = []): Promise<unknown> {
    // The server has rolled back by itself, and the complaint about that would hide the reason.
    if (this.#isLost && text === "rollback") return { command: "ROLLBACK", rowCount: 0, rows: [] };
    const giveUp = (): void => void this.#client.connection.stream.destroy(new Error("no answer"));
    const timer = this.#isPatient() ? undefined : setTimeout(giveUp, answerTimeoutMs);
    try {
      if (values.length === 0) return await this.#client.query(text);
      return await this.#client.query({ name: nameOf(text), text, values: values.map(toColumn) });
    } finally {
      clearTimeout(timer);
    }
  }

  release(): void {
    this.#release();
  }
}
