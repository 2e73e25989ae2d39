// Tables of the first release.
import { type Kysely, sql } from "kysely";
import type { Database } from "../dialect.ts";
import type { Tables } from "../schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("inbox")
    .addColumn("seq", "integer", (column) => database.numbered(column))
    .addColumn("event_id", "text", (column) => column.notNull().unique())
    .addColumn("room", "text", (column) => column.notNull())
    .addColumn("received_at_ms", "bigint", (column) => column.notNull())
    .addColumn("json", "text")
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
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("room", "text", (column) => column.notNull())
    .addColumn("matrix_call_id", "text", (column) => column.notNull())
    .addColumn("call", "text")
    .addColumn("record", "text")
    .addColumn("ended_at_ms", "bigint")
    .execute();
  await db.schema.createIndex("call_known").on("call").columns(["room", "matrix_call_id"]).execute();
  await db.schema.createIndex("call_open").on("call").column("id").where(sql.ref("call"), "is not", null).execute();
  await db.schema.createIndex("call_ended").on("call").column("ended_at_ms").execute();

  await db.schema
    .createTable("ghost")
    .addColumn("user", "text", (column) => column.primaryKey())
    .addColumn("display_name", "text")
    .execute();

  await db.schema
    .createTable("direct_room")
    .addColumn("ghost", "text", (column) => column.notNull())
    .addColumn("person", "text", (column) => column.notNull())
    .addColumn("room", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("direct_room_key", ["ghost", "person"])
    .execute();
  await db.schema.createIndex("direct_room_room").on("direct_room").column("room").execute();

  await db.schema
    .createTable("own_member")
    .addColumn("room", "text", (column) => column.notNull())
    .addColumn("user", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("own_member_key", ["room", "user"])
    .execute();

  await db.schema
    .createTable("said")
    .addColumn("room", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("said_key", ["room", "subject"])
    .execute();

  await db.schema
    .createTable("setting")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
}
