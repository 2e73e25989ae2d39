// Ghosts that rang a person in the bot's room.
import type { Kysely } from "kysely";
import type { Tables } from "../schema.ts";

export async function up(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("visit")
    .addColumn("room", "text", (column) => column.notNull())
    .addColumn("ghost", "text", (column) => column.notNull())
    .addColumn("person", "text", (column) => column.notNull())
    .addColumn("begun_at_ms", "bigint", (column) => column.notNull())
    .addColumn("ended", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("visit_key", ["room", "ghost"])
    .execute();
}
