// From the section `database` to where the store is.
import type { StorePlace } from "../../ports/store.ts";
import { readPostgresUrl } from "../schema/postgres-url.ts";
import type { Config } from "../schema/schema.ts";

/** Of a configuration that has been checked. */
export function toStorePlace({ database: { path, url, password } }: Config): StorePlace {
  if (url === undefined) return { kind: "sqlite", path };
  const server = readPostgresUrl(url);
  if ("problem" in server) throw new Error(`database.url ${server.problem}`);
  return { kind: "postgres", server: { ...server, password: password ?? server.password } };
}
