// The intake's table: an event is stored, then acknowledged, then acted on, then done.
import type { Kysely } from "kysely";
import { eventId, roomId } from "../core/ids.ts";
import type { Inbox, InboxEntry } from "../ports/store.ts";
import type { Database } from "./dialect.ts";
import type { Tables } from "./schema.ts";

export function sqlInbox(db: Kysely<Tables>, database: Database): Inbox {
  return {
    async take(entries) {
      if (entries.length === 0) return [];
      return database.durably(db, (held) =>
        held.transaction().execute(async (transaction) => {
          const fresh: InboxEntry[] = [];
          for (const entry of entries) {
            const row = await transaction
              .insertInto("inbox")
              .values({
                event_id: entry.eventId,
                room: entry.room,
                received_at_ms: entry.receivedAtMs,
                json: entry.json,
              })
              .onConflict((conflict) => conflict.column("event_id").doNothing())
              .returning("seq")
              .executeTakeFirst();
            if (row !== undefined) fresh.push(entry);
          }
          return fresh;
        }),
      );
    },

    async done(event) {
      await db.updateTable("inbox").set({ json: null }).where("event_id", "=", event).execute();
    },

    async pending() {
      const rows = await db
        .selectFrom("inbox")
        .select(["event_id", "room", "received_at_ms", "json"])
        .where("json", "is not", null)
        .orderBy("seq")
        .execute();
      return rows.map((row) => ({
        eventId: eventId(row.event_id),
        room: roomId(row.room),
        receivedAtMs: row.received_at_ms,
        json: row.json ?? "",
      }));
    },

    async prune(beforeMs) {
      const result = await db
        .deleteFrom("inbox")
        .where("received_at_ms", "<", beforeMs)
        .where("json", "is", null)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
