// Would the bridge be able to use this file? Asks, and changes nothing.
import SqliteDatabase from "better-sqlite3";
import { StoreError } from "../../ports/store.ts";
import { schemaVersion } from "../migrations/all.ts";
import { sqliteErrorOf } from "./database.ts";

/** Throws StoreError. A bridge that runs on it does not matter. */
export function probeSqlite(path: string): void {
  let file: SqliteDatabase.Database | undefined;
  try {
    file = new SqliteDatabase(path, { readonly: true, fileMustExist: true, timeout: 500 });
    const hasTables = file.prepare("select 1 from sqlite_master where name = 'schema_version'").get();
    if (hasTables === undefined) return;
    const row = file.prepare("select version from schema_version").get() as { readonly version?: unknown } | undefined;
    if (Number(row?.version ?? 0) > schemaVersion)
      throw new StoreError("newer-schema", `a newer release has written ${path}`);
  } catch (cause) {
    throw sqliteErrorOf(path, cause);
  } finally {
    file?.close();
  }
}
