// Every migration in its order: the schema's version is how many of them have run. Only ever append.
import type { Kysely } from "kysely";
import { StoreError } from "../../ports/store.ts";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";
import { up as start } from "./001-start.ts";
import { up as conversations } from "./002-conversations.ts";
import { up as visits } from "./003-visits.ts";
import { up as indexes } from "./004-indexes.ts";
import { up as adminActions } from "./005-admin-actions.ts";
import { up as blocks } from "./006-blocks.ts";
import { up as webhook } from "./007-webhook.ts";
import { up as spending } from "./008-spending.ts";

type Migration = (db: Kysely<Tables>, database: Database) => Promise<void>;

const migrations: readonly Migration[] = [
  start,
  conversations,
  visits,
  indexes,
  adminActions,
  blocks,
  webhook,
  spending,
];

/** What this release writes. */
export const schemaVersion = migrations.length;

/** Brings the schema to this release's version, each step in a transaction of its own. Throws StoreError `newer-schema`. */
export async function migrate(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("schema_version")
    .ifNotExists()
    .addColumn("version", "integer", (column) => column.notNull())
    .execute();
  const row = await db.selectFrom("schema_version").select("version").executeTakeFirst();
  const found = row?.version ?? 0;
  if (found > schemaVersion) {
    throw new StoreError(
      "newer-schema",
      `the database was written by a newer release (schema ${found}, this release knows ${schemaVersion})`,
    );
  }
  for (let version = found; version < schemaVersion; version++) {
    const migration = migrations[version];
    if (migration === undefined) continue;
    await db.transaction().execute(async (step) => {
      await migration(step, database);
      await step.deleteFrom("schema_version").execute();
      await step
        .insertInto("schema_version")
        .values({ version: version + 1 })
        .execute();
    });
  }
}
