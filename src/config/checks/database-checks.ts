// The section `database`: one place for the store, and one for its password.
import type { ConfigFinding } from "../reading/problem.ts";
import { defaultDatabasePath } from "../schema/database-schema.ts";
import { readPostgresUrl } from "../schema/postgres-url.ts";
import type { Config } from "../schema/schema.ts";

export function* checkDatabase({ database: { path, url, password, password_file } }: Config): Generator<ConfigFinding> {
  if (url === undefined) {
    const given = Object.entries({ password, password_file }).find(([, value]) => value !== undefined);
    if (given !== undefined) yield { path: ["database", given[0]], message: "belongs to url, which is missing" };
    return;
  }
  if (path !== defaultDatabasePath)
    yield { path: ["database", "path"], message: "is given besides url: keep one of them" };
  const server = readPostgresUrl(url);
  if ("problem" in server) yield { path: ["database", "url"], message: server.problem };
  else if (server.password !== undefined && (password ?? password_file) !== undefined)
    yield { path: ["database", "url"], message: "has a password, and there is another beside it: keep one of them" };
}
