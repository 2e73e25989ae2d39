// Direct rooms become conversations, and ghosts have pictures. The telephone number of each ghost is filled in when the bridge starts: only core
// knows it. The rooms in which people called last come last, so that they are the ones that ring.
import { type Kysely, sql } from "kysely";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>, database: Database): Promise<void> {
  await db.schema
    .createTable("conversation")
    .addColumn("room", database.text, (column) => column.primaryKey())
    .addColumn("person", database.text, (column) => column.notNull())
    .addColumn("number", database.text, (column) => column.notNull())
    .addColumn("ghost", database.text, (column) => column.notNull())
    .addColumn("spoken", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("conversation_pair").on("conversation").columns(["person", "number"]).execute();
  await sql`
    insert into conversation (room, person, number, ghost, spoken)
    select room, person, '', ghost,
      coalesce((select max(ended_at_ms) from "call" where "call".room = direct_room.room), 0)
    from direct_room
    where not exists (
      select 1 from direct_room as other
      where other.room = direct_room.room
        and (other.ghost, other.person) < (direct_room.ghost, direct_room.person)
    )`.execute(db);
  await db.schema.dropTable("direct_room").execute();
  await db.schema.alterTable("ghost").addColumn("picture", database.text).execute();
}
