// What calls have used of limits, charges of calls in progress, and what admins have stopped.
import type { Kysely } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("usage")
    .addColumn("scope", database.text, (column) => column.notNull())
    .addColumn("window", database.text, (column) => column.notNull())
    .addColumn("seconds", "bigint", (column) => column.notNull())
    .addColumn("money", "bigint", (column) => column.notNull())
    .addColumn("told", database.text, (column) => column.notNull())
    .addPrimaryKeyConstraint("usage_of_window", ["scope", "window"])
    .execute();
  await db.schema
    .createTable("charge")
    .addColumn("id", database.text, (column) => column.primaryKey())
    .addColumn("charge", database.text, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("bar")
    .addColumn("id", database.text, (column) => column.primaryKey())
    .addColumn("bar", database.text, (column) => column.notNull())
    .execute();
}
