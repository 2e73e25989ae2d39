// Ghosts that rang a person in the bot's room.
import type { Kysely } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("visit")
    .addColumn("room", database.text, (column) => column.notNull())
    .addColumn("ghost", database.text, (column) => column.notNull())
    .addColumn("person", database.text, (column) => column.notNull())
    .addColumn("begun_at_ms", "bigint", (column) => column.notNull())
    .addColumn("ended", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("visit_key", ["room", "ghost"])
    .execute();
}
