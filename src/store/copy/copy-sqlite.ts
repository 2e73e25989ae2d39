// `database copy`: from the SQLite file to the PostgreSQL server.
import { existsSync } from "node:fs";
import { StoreError, type PostgresServer } from "../../ports/store.ts";
import { postgresDatabase } from "../postgres/database.ts";
import { sqliteDatabase } from "../sqlite/database.ts";
import { copyStore, type CopyProgress } from "./copy.ts";

/** As `copyStore`. Throws StoreError `locked` while a bridge runs on either. */
export async function copySqliteToPostgres(
  path: string,
  server: PostgresServer,
  onProgress: (progress: CopyProgress) => void,
): Promise<number> {
  // Opening would create it.
  if (!existsSync(path)) throw new StoreError("unavailable", `there is no file ${path}`);
  return copyStore(sqliteDatabase(path), postgresDatabase(server), onProgress);
}
