// The store in SQL, for every database that dialect.ts knows.
import { Kysely, sql } from "kysely";
import type { Log } from "../ports/telemetry.ts";
import type { Store } from "../ports/store.ts";
import { type Database, sqliteDatabase } from "./dialect.ts";
import { migrate } from "./migrations/all.ts";
import type { Tables } from "./schema.ts";
import { sqlCallLedger } from "./sql-calls.ts";
import { sqlConversations } from "./sql-conversations.ts";
import { sqlGhostDirectory, sqlRoomDirectory, sqlSettings } from "./sql-directories.ts";
import { sqlVisits } from "./sql-visits.ts";
import { sqlInbox } from "./sql-inbox.ts";

/** Every rejection of the inner store becomes a StoreError. */
function guarded<T extends object>(part: T, database: Database): T {
  return new Proxy(part, {
    get(target, name, receiver): unknown {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(member, target, args);
        } catch (cause) {
          throw database.errorOf(cause);
        }
      };
    },
  });
}

async function openSqlStore(database: Database, log: Log | undefined): Promise<Store> {
  const db = new Kysely<Tables>({ dialect: database.dialect });
  try {
    await migrate(db, database);
  } catch (cause) {
    await db.destroy();
    throw database.errorOf(cause);
  }
  return {
    inbox: guarded(sqlInbox(db, database), database),
    calls: guarded(sqlCallLedger(db, log), database),
    ghosts: guarded(sqlGhostDirectory(db), database),
    rooms: guarded(sqlRoomDirectory(db), database),
    conversations: guarded(sqlConversations(db), database),
    visits: guarded(sqlVisits(db), database),
    settings: guarded(sqlSettings(db), database),
    async check() {
      try {
        // A write that changes nothing still takes the write lock and touches the file.
        await sql`update schema_version set version = version`.execute(db);
      } catch (cause) {
        throw database.errorOf(cause);
      }
    },
    close: () => db.destroy(),
  };
}

/** Opens or creates the database file and brings its schema up to date. Throws StoreError. */
export async function openSqliteStore(path: string, log?: Log): Promise<Store> {
  return openSqlStore(sqliteDatabase(path), log);
}
