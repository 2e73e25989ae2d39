// The block list.
import type { Kysely } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("block")
    .addColumn("person", database.text, (column) => column.notNull())
    .addColumn("what", database.text, (column) => column.notNull())
    .addColumn("response", database.text)
    .addColumn("put_by", database.text, (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("block_key", ["person", "what"])
    .execute();
}
