// The store where the configuration says it is. Opening creates what is missing and brings the schema up to date.
import type { Store, StorePlace } from "../ports/store.ts";
import type { Log } from "../ports/telemetry.ts";
import { postgresDatabase } from "./postgres/database.ts";
import { openSqlStore } from "./sql-store.ts";
import { sqliteDatabase } from "./sqlite/database.ts";

/** Throws StoreError. */
export async function openStore(place: StorePlace, log?: Log): Promise<Store> {
  if (place.kind === "sqlite") return openSqliteStore(place.path, log);
  return openSqlStore(postgresDatabase(place.server), log);
}

/** Throws StoreError. */
export async function openSqliteStore(path: string, log?: Log): Promise<Store> {
  return openSqlStore(sqliteDatabase(path), log);
}
