// Indexes that a call's changes leave alone. Each save of an open call touched the index of open calls, and each event those of
// pending events: pages that every commit wrote anew. Pending events are looked for once, at the start.
import { type Kysely, sql } from "kysely";
import type { Tables } from "../sql/schema.ts";

export async function up(db: Kysely<Tables>): Promise<void> {
  await db.schema.dropIndex("inbox_pending").execute();
  await db.schema.dropIndex("call_open").execute();
  await db.schema.createIndex("call_open").on("call").column("id").where(sql.ref("ended_at_ms"), "is", null).execute();
}
