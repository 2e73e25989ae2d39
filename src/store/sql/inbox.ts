// The intake's table: an event is stored, then acknowledged, then acted on, then done.
import { type EventId, eventId, roomId } from "../../core/ids.ts";
import type { Inbox, InboxEntry } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import type { Work } from "./database.ts";

/** Rows of one statement: of more than any homeserver sends at once there are several. */
const largestInsert = 100;
/** Ids are remembered of so many events that may be stored or not. */
const largestDoubt = 10_000;

export function sqlInbox({ read, change, changeDurably }: Access): Inbox {
  /**
   * Events of transactions whose commit was not answered: each may be stored without anybody having been given it. If it
   * is, whoever brings it again gets it as a new one.
   */
  const inDoubt = new Set<EventId>();

  const insert =
    (entries: readonly InboxEntry[]): Work<ReadonlySet<string>> =>
    async (db) => {
      const rows = await db
        .insertInto("inbox")
        .values(
          entries.map((entry) => ({
            event_id: entry.eventId,
            room: entry.room,
            received_at_ms: entry.receivedAtMs,
            json: entry.json,
          })),
        )
        .onConflict((conflict) => conflict.column("event_id").doNothing())
        .returning("event_id")
        .execute();
      const doubtful = entries.map((entry) => entry.eventId).filter((event) => inDoubt.has(event));
      const found =
        doubtful.length === 0
          ? []
          : await db
              .selectFrom("inbox")
              .select("event_id")
              .where("event_id", "in", doubtful)
              .where("json", "is not", null)
              .execute();
      return new Set([...rows, ...found].map((row) => row.event_id));
    };

  return {
    async take(entries) {
      if (entries.length === 0) return [];
      let isAsked = false;
      try {
        const fresh = await changeDurably(async (db) => {
          const taken = new Set<string>();
          for (let at = 0; at < entries.length; at += largestInsert) {
            for (const event of await insert(entries.slice(at, at + largestInsert))(db)) taken.add(event);
          }
          isAsked = true;
          return taken;
        });
        for (const { eventId: event } of entries) inDoubt.delete(event);
        // An event that comes twice is given once.
        return entries.filter((entry) => fresh.delete(entry.eventId));
      } catch (error) {
        if (isAsked && inDoubt.size < largestDoubt) for (const entry of entries) inDoubt.add(entry.eventId);
        throw error;
      }
    },

    async done(event) {
      await change((db) => db.updateTable("inbox").set({ json: null }).where("event_id", "=", event).execute());
    },

    async pending() {
      const rows = await read((db) =>
        db
          .selectFrom("inbox")
          .select(["event_id", "room", "received_at_ms", "json"])
          .where("json", "is not", null)
          .orderBy("seq")
          .execute(),
      );
      return rows.map((row) => ({
        eventId: eventId(row.event_id),
        room: roomId(row.room),
        receivedAtMs: row.received_at_ms,
        json: row.json ?? "",
      }));
    },

    async prune(beforeMs) {
      const { numDeletedRows } = await change((db) =>
        db.deleteFrom("inbox").where("received_at_ms", "<", beforeMs).where("json", "is", null).executeTakeFirst(),
      );
      return Number(numDeletedRows);
    },
  };
}
