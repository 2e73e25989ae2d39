// Would the bridge be able to use the database? Asks, and changes nothing.
import { Client } from "pg";
import { StoreError, type PostgresServer } from "../../ports/store.ts";
import { schemaVersion } from "../migrations/all.ts";
import { clientConfig, PatientClient } from "./connection.ts";
import { failureOf, placeOf } from "./failures.ts";
import { examine } from "./server-facts.ts";

const mayCreate = "select has_schema_privilege(current_schema(), 'create') as may";
const hasTables = "select to_regclass('schema_version') is not null as has";

/** Resolves if it would. Throws StoreError. A bridge that runs on it does not matter. */
export async function probePostgres(server: PostgresServer): Promise<void> {
  const client = new Client(clientConfig(server));
  client.on("error", () => undefined);
  const patient = new PatientClient(client, () => undefined);
  const fail = (code: StoreError["code"], words: string): never => {
    throw new StoreError(code, `${placeOf(server)}: ${words}`);
  };
  try {
    await client.connect();
    const { schema } = await examine(patient, server);
    const rights = await patient.query<{ may: boolean }>(mayCreate);
    if (rights.rows[0]?.may !== true) fail("unavailable", `the user may not create tables in the schema ${schema}`);
    const tables = await patient.query<{ has: boolean }>(hasTables);
    if (tables.rows[0]?.has !== true) return;
    const { rows } = await patient.query<{ version: number }>("select version from schema_version");
    if ((rows[0]?.version ?? 0) > schemaVersion) fail("newer-schema", "a newer release has written it");
  } catch (cause) {
    throw failureOf(server, cause);
  } finally {
    client.connection.stream.destroy();
  }
}
