// The store in SQL, for every database that dialect.ts knows.
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Kysely } from "kysely";
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

/** Of the settings, what only proves that something can be written. */
const checkKey = "write check";
const checkBytes = 32_768;

/** A lock of another process, a backup's say, is waited for so long. */
const lockWaitMs = 1_000;
const lockTryMs = 25;

/** What finds the database locked has changed nothing, and is tried again. Throws StoreError. */
async function persistently<T>(database: Database, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += lockTryMs) {
    try {
      return await work();
    } catch (cause) {
      const error = database.errorOf(cause);
      if (error.code !== "locked" || waitedMs >= lockWaitMs) throw error;
      await setTimeout(lockTryMs);
    }
  }
}

/** Every rejection of the inner store becomes a StoreError. */
function guarded<T extends object>(part: T, database: Database): T {
  return new Proxy(part, {
    get(target, name, receiver): unknown {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      return (...args: readonly unknown[]): Promise<unknown> =>
        persistently(database, async () => (await Reflect.apply(member, target, args)) as unknown);
    },
  });
}

/** Brings the schema of an opened database up to date. Throws StoreError. */
export async function openSqlStore(database: Database, log: Log | undefined): Promise<Store> {
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
    // A full disk still takes what fits into space that the file already has, so this is larger than most of what is stored.
    check: () =>
      persistently(database, () => sqlSettings(db).set(checkKey, randomBytes(checkBytes / 2).toString("hex"))),
    close: () => db.destroy(),
  };
}

/** Opens or creates the database file and brings its schema up to date. Throws StoreError. */
export async function openSqliteStore(path: string, log?: Log): Promise<Store> {
  return openSqlStore(sqliteDatabase(path), log);
}
