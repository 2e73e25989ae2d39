// What a webhook has yet to be told.
import type { Kysely } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("webhook")
    .addColumn("seq", database.rowNumber, (column) => database.numbered(column))
    .addColumn("id", database.text, (column) => column.notNull().unique())
    .addColumn("subject", database.text, (column) => column.notNull())
    .addColumn("body", database.text, (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("due_at_ms", "bigint", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .execute();
}
