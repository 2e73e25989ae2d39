// Tables of the first release.
import { type Kysely, sql } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("inbox")
    .addColumn("seq", database.rowNumber, (column) => database.numbered(column))
    .addColumn("event_id", database.text, (column) => column.notNull().unique())
    .addColumn("room", database.text, (column) => column.notNull())
    .addColumn("received_at_ms", "bigint", (column) => column.notNull())
    .addColumn("json", database.text)
    .execute();
  await db.schema
    .createIndex("inbox_pending")
    .on("inbox")
    .column("seq")
    .where(sql.ref("json"), "is not", null)
    .execute();
  await db.schema.createIndex("inbox_received").on("inbox").column("received_at_ms").execute();

  await db.schema
    .createTable("call")
    .addColumn("id", database.text, (column) => column.primaryKey())
    .addColumn("room", database.text, (column) => column.notNull())
    .addColumn("matrix_call_id", database.text, (column) => column.notNull())
    .addColumn("call", database.text)
    .addColumn("record", database.text)
    .addColumn("ended_at_ms", "bigint")
    .execute();
  await db.schema.createIndex("call_known").on("call").columns(["room", "matrix_call_id"]).execute();
  await db.schema.createIndex("call_open").on("call").column("id").where(sql.ref("call"), "is not", null).execute();
  await db.schema.createIndex("call_ended").on("call").column("ended_at_ms").execute();

  await db.schema
    .createTable("ghost")
    .addColumn("user", database.text, (column) => column.primaryKey())
    .addColumn("display_name", database.text)
    .execute();

  await db.schema
    .createTable("direct_room")
    .addColumn("ghost", database.text, (column) => column.notNull())
    .addColumn("person", database.text, (column) => column.notNull())
    .addColumn("room", database.text, (column) => column.notNull())
    .addPrimaryKeyConstraint("direct_room_key", ["ghost", "person"])
    .execute();
  await db.schema.createIndex("direct_room_room").on("direct_room").column("room").execute();

  await db.schema
    .createTable("own_member")
    .addColumn("room", database.text, (column) => column.notNull())
    .addColumn("user", database.text, (column) => column.notNull())
    .addPrimaryKeyConstraint("own_member_key", ["room", "user"])
    .execute();

  await db.schema
    .createTable("said")
    .addColumn("room", database.text, (column) => column.notNull())
    .addColumn("subject", database.text, (column) => column.notNull())
    .addPrimaryKeyConstraint("said_key", ["room", "subject"])
    .execute();

  await db.schema
    .createTable("setting")
    .addColumn("key", database.text, (column) => column.primaryKey())
    .addColumn("value", database.text, (column) => column.notNull())
    .execute();
}
