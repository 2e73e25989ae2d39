// The intake's table: an event is stored, then acknowledged, then acted on, then done.
import type { EventId } from "../../core/ids.ts";
import type { Inbox, InboxEntry } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import { statement } from "./statement.ts";

/** Ids are remembered of so many events that may be stored or not. */
const largestDoubt = 10_000;

const insert = statement((db, { eventId: event_id, room, receivedAtMs: received_at_ms, json }: InboxEntry) =>
  db
    .insertInto("inbox")
    .values({ event_id, room, received_at_ms, json })
    .onConflict((conflict) => conflict.column("event_id").doNothing())
    .returning("event_id"),
);
const findPending = statement((db, { event }: { event: EventId }) =>
  db.selectFrom("inbox").select("event_id").where("event_id", "=", event).where("json", "is not", null),
);
const finish = statement((db, { event }: { event: EventId }) =>
  db.updateTable("inbox").set({ json: null }).where("event_id", "=", event),
);
const listPending = statement((db) =>
  db
    .selectFrom("inbox")
    .select(["event_id", "room", "received_at_ms", "json"])
    .where("json", "is not", null)
    .orderBy("seq"),
);
const forget = statement((db, { beforeMs }: { beforeMs: number }) =>
  db.deleteFrom("inbox").where("received_at_ms", "<", beforeMs).where("json", "is", null),
);

export function sqlInbox({ read, change, changeLater, changeTogether }: Access): Inbox {
  /**
   * Events of transactions whose commit was not answered: each may be stored without anybody having been given it. If it
   * is, whoever brings it again gets it as a new one.
   */
  const inDoubt = new Set<EventId>();

  return {
    async take(entries) {
      if (entries.length === 0) return [];
      let isAsked = false;
      try {
        const fresh = await changeTogether(async (run) => {
          const taken = new Set<EventId>();
          for (const entry of entries) {
            const event = entry.eventId;
            const { rows } = await run(insert, entry);
            const isNew =
              rows.length > 0 || (inDoubt.has(event) && (await run(findPending, { event })).rows.length > 0);
            if (isNew) taken.add(event);
          }
          isAsked = true;
          return taken;
        }, true);
        for (const { eventId: event } of entries) inDoubt.delete(event);
        // An event that comes twice is given once.
        return entries.filter((entry) => fresh.delete(entry.eventId));
      } catch (error) {
        if (isAsked && inDoubt.size < largestDoubt) for (const entry of entries) inDoubt.add(entry.eventId);
        throw error;
      }
    },

    async done(event) {
      await changeLater(finish, { event });
    },

    async pending() {
      const rows = await read(listPending, {});
      return rows.map((row) => ({
        eventId: row.event_id,
        room: row.room,
        receivedAtMs: row.received_at_ms,
        json: row.json ?? "",
      }));
    },

    async prune(beforeMs) {
      const { numAffectedRows } = await change(forget, { beforeMs });
      return Number(numAffectedRows);
    },
  };
}
