// A database on a PostgreSQL server: changes over the one connection that holds the lock, queries over a few others.
import { PostgresDialect, type PostgresPool, sql } from "kysely";
import { Pool, type PoolClient } from "pg";
import type { PostgresServer, StoreError } from "../../ports/store.ts";
import type { Database } from "../sql/database.ts";
import { clientConfig, greet, PatientClient } from "./connection.ts";
import { failureOf } from "./failures.ts";
import { OwnSession } from "./own-session.ts";

const readConnections = 4;
const idleMs = 60_000;

/** Connects when it is used first. */
export function postgresDatabase(server: PostgresServer): Database {
  const listeners: ((error: StoreError) => void)[] = [];
  const session = new OwnSession(server, (error) => {
    for (const listener of listeners) listener(error);
  });
  return {
    dialect: new PostgresDialect({ pool: session }),
    readDialect: new PostgresDialect({ pool: async () => readers(server) }),
    // The order of other collations changes with the system's library, and indexes built before are wrong then.
    text: sql`text collate "C"`,
    rowNumber: "bigint",
    numbered: (column) => column.generatedByDefaultAsIdentity().primaryKey(),
    // Every commit is on the disk, unless the server is told otherwise.
    flush: async () => undefined,
    async unhurried(db, work) {
      session.isPatient = true;
      try {
        await sql`set statement_timeout = 0`.execute(db);
        const result = await work();
        await sql`reset statement_timeout`.execute(db);
        return result;
      } finally {
        session.isPatient = false;
      }
    },
    errorOf: (cause) => failureOf(server, cause),
    onFailure: (listener) => void listeners.push(listener),
  };
}

function readers(server: PostgresServer): PostgresPool {
  const pool = new Pool({ ...clientConfig(server), max: readConnections, idleTimeoutMillis: idleMs });
  // One that is idle has broken: the pool forgets it, and the next query opens another.
  pool.on("error", () => undefined);
  const clients = new WeakMap<PoolClient, PatientClient>();
  return {
    options: {},
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = clients.get(client);
      if (known !== undefined) return known;
      const fresh = new PatientClient(client, () => client.release());
      await greet(fresh).catch((error: unknown) => {
        client.release(true);
        throw error;
      });
      clients.set(client, fresh);
      return fresh;
    },
  };
}
