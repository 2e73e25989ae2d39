// What a server must be before the bridge uses it.
import { StoreError, type PostgresServer } from "../../ports/store.ts";
import type { PatientClient } from "./connection.ts";
import { placeOf } from "./failures.ts";

/** The oldest that its makers still mended when this was written. */
const leastVersion = 14;

interface ServerFacts {
  readonly version: number;
  readonly encoding: string;
  readonly schema: string | null;
  readonly standby: boolean;
}

const question = `
  select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
    current_schema() as schema, pg_is_in_recovery() as standby`;

/** Throws StoreError if the server cannot keep the store, and whatever the driver throws. */
export async function examine(client: PatientClient, server: PostgresServer): Promise<{ readonly schema: string }> {
  const { rows } = await client.query<ServerFacts>(question);
  const [facts] = rows;
  const fail = (words: string): never => {
    throw new StoreError("unavailable", `${placeOf(server)}: ${words}`);
  };
  if (facts === undefined) return fail("it does not say what it is");
  const { version, encoding, schema, standby } = facts;
  const major = Math.floor(version / 10_000);
  if (major < leastVersion) return fail(`the server is PostgreSQL ${major}, and ${leastVersion} or newer is needed`);
  if (encoding !== "UTF8")
    return fail(`its encoding is ${encoding}, and UTF8 is needed: createdb --encoding=UTF8 --template=template0`);
  if (standby) return fail("it is a standby, which cannot be written (database.url)");
  if (schema === null) return fail("none of the schemas in the user's search_path exists");
  return { schema };
}
