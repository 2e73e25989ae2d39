// Ghosts that rang a person in the bot's room: who is there now, and who was there last.
import { roomId, type UserId } from "../../core/ids.ts";
import type { Visit, Visits } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import type { Tables } from "./schema.ts";

export function sqlVisits({ read, change }: Access): Visits {
  return {
    async begin({ room, ghost, person, atMs }) {
      const row = { room, ghost, person, begun_at_ms: atMs, ended: 0 };
      await change((db) =>
        db
          .insertInto("visit")
          .values(row)
          .onConflict((conflict) =>
            conflict.columns(["room", "ghost"]).doUpdateSet({ person, begun_at_ms: atMs, ended: 0 }),
          )
          .execute(),
      );
    },
    async end(room, ghost) {
      await change((db) =>
        db.updateTable("visit").set({ ended: 1 }).where("room", "=", room).where("ghost", "=", ghost).execute(),
      );
    },
    async open() {
      const rows = await read((db) =>
        db.selectFrom("visit").selectAll().where("ended", "=", 0).orderBy("begun_at_ms").execute(),
      );
      return rows.map(visitOf);
    },
    async latest(room, limit) {
      const rows = await read((db) =>
        db
          .selectFrom("visit")
          .selectAll()
          .where("room", "=", room)
          .orderBy("begun_at_ms", "desc")
          .limit(limit)
          .execute(),
      );
      return rows.map(visitOf);
    },
  };
}

function visitOf(row: Tables["visit"]): Visit {
  return {
    room: roomId(row.room),
    ghost: row.ghost as UserId,
    person: row.person as UserId,
    atMs: row.begun_at_ms,
  };
}
