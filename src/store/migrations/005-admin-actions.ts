// What admins had the bridge do.
import type { Kysely } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("admin_action")
    .addColumn("seq", database.rowNumber, (column) => database.numbered(column))
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("who", database.text, (column) => column.notNull())
    .addColumn("action", database.text, (column) => column.notNull())
    .addColumn("target", database.text)
    .addColumn("detail", database.text)
    .addColumn("outcome", database.text, (column) => column.notNull())
    .execute();
}
