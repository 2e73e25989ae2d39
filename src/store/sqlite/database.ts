// A SQLite file: the store of an ordinary installation.
import { closeSync, openSync } from "node:fs";
import { versions } from "node:process";
import SqliteDatabase from "better-sqlite3";
import { type SqliteDatabase as DriverDatabase, SqliteDialect, type SqliteStatement } from "kysely";
import { StoreError } from "../../ports/store.ts";
import type { Database } from "../sql/database.ts";
import { flushing, realDisk } from "./flush.ts";

/** Opening waits this long for another process's lock. Later nobody waits inside the driver, which would block the thread. */
const lockWaitMs = 1_000;

const lockedCodes = /^SQLITE_(BUSY|LOCKED)/;
const fullCodes = /^(?:SQLITE_FULL|ENOSPC)/;
const corruptCodes = /^SQLITE_(CORRUPT|NOTADB)/;
const refusedCodes = /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/;

/** better-sqlite3 13 is built against Node-API 10 (Node 22.14, 23.6); an older Node does not refuse it, it crashes. */
const neededNodeApi = 10;

export function sqliteErrorOf(path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (lockedCodes.test(code))
    return new StoreError("locked", `database is locked by another process: ${path}`, { cause });
  if (fullCodes.test(code)) return new StoreError("full", `disk is full: ${path}`, { cause });
  if (corruptCodes.test(code)) return new StoreError("corrupt", `not a sound SQLite database: ${path}`, { cause });
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (refusedCodes.test(code) || cause instanceof RangeError)
    return new StoreError("refused", `database refused a change: ${path}: ${detail}`, { cause });
  return new StoreError("unavailable", `database cannot be used: ${path}: ${detail}`, { cause });
}

/** What may be prepared once and run again. Not pragmas, some of which act while they are prepared. */
const repeatable = /^(?:select|insert|update|delete|begin|commit|rollback)\b/;

/** On a full disk SQLite has ended the transaction by itself, and the complaint about that would hide the reason. */
function rollback(file: SqliteDatabase.Database): SqliteStatement {
  const statement: SqliteStatement = file.prepare("rollback");
  const none = { changes: 0, lastInsertRowid: 0 };
  return {
    reader: false,
    all: (given) => statement.all(given),
    iterate: (given) => statement.iterate(given),
    run: (given) => (file.inTransaction ? statement.run(given) : none),
  };
}

/** The driver prepares a query each time it runs, which costs as much as to run it. Texts are few: none is made from outside. */
function preparingOnce(file: SqliteDatabase.Database, release: () => void): DriverDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare(text) {
      const known = statements.get(text);
      if (known !== undefined) return known;
      const statement = text === "rollback" ? rollback(file) : file.prepare(text);
      if (repeatable.test(text)) statements.set(text, statement);
      return statement;
    },
    close() {
      statements.clear();
      file.close();
      release();
    },
  };
}

/** Creates a file readable by its owner alone; SQLite gives the files beside it the same mode. */
function createPrivately(path: string): void {
  closeSync(openSync(path, "a", 0o600));
}

/**
 * Two bridges on one file would end each other's calls and act on every event twice. SQLite lets two processes write, so
 * a second, empty file is locked for as long as this process lives; the system lets go of it however the process ends.
 */
function own(path: string): () => void {
  const lockPath = `${path}-lock`;
  createPrivately(lockPath);
  const lock = new SqliteDatabase(lockPath, { timeout: 0 });
  try {
    lock.exec("begin exclusive");
  } catch (cause) {
    lock.close();
    const isHeld = cause instanceof SqliteDatabase.SqliteError && lockedCodes.test(cause.code);
    throw isHeld ? new StoreError("locked", `another bridge runs on ${path}`, { cause }) : cause;
  }
  return () => lock.close();
}

/** Opens or creates the file at `path`. `disk` is another one in tests only. Throws StoreError. */
export function sqliteDatabase(path: string, disk = realDisk()): Database {
  if (Number(versions["napi"]) < neededNodeApi) {
    throw new StoreError("unavailable", `SQLite needs Node 22.14 or newer, this is ${versions.node}`);
  }
  let file: SqliteDatabase.Database;
  let release = (): void => undefined;
  try {
    release = own(path);
    createPrivately(path);
    file = new SqliteDatabase(path, { timeout: lockWaitMs });
    // Readers (backups, a curious admin) never block the bridge's writes, nor the other way round.
    file.pragma("journal_mode = WAL");
    file.pragma("foreign_keys = ON");
    // In WAL mode NORMAL survives the death of the process, but the last commits may be lost with the power.
    // That is enough for calls, which a restart ends anyway; for what was acknowledged see `flush`.
    file.pragma("synchronous = NORMAL");
    // Copying pages from the WAL into the file waits for the disk, and all calls with it. The WAL grows to four times the usual 4 MB.
    file.pragma("wal_autocheckpoint = 4000");
    // What finds the file locked is tried again by commits.ts, with the thread free in between.
    file.pragma("busy_timeout = 0");
  } catch (cause) {
    release();
    throw sqliteErrorOf(path, cause);
  }
  return {
    dialect: new SqliteDialect({
      database: preparingOnce(file, () => {
        disk.close();
        release();
      }),
    }),
    readDialect: undefined,
    text: "text",
    rowNumber: "integer",
    numbered: (column) => column.primaryKey().autoIncrement(),
    flush: flushing(path, disk),
    unhurried: (_db, work) => work(),
    errorOf: (cause) => sqliteErrorOf(path, cause),
    onFailure: () => undefined,
  };
}
