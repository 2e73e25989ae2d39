// Ghosts that rang a person in the bot's room: who is there now, and who was there last.
import type { RoomId } from "../../core/ids.ts";
import type { Visit, Visits } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import type { Tables } from "./schema.ts";
import { statement } from "./statement.ts";

const begin = statement((db, { room, ghost, person, atMs }: Visit) =>
  db
    .insertInto("visit")
    .values({ room, ghost, person, begun_at_ms: atMs, ended: 0 })
    .onConflict((conflict) => conflict.columns(["room", "ghost"]).doUpdateSet({ person, begun_at_ms: atMs, ended: 0 })),
);
const end = statement((db, { room, ghost }: Pick<Visit, "room" | "ghost">) =>
  db.updateTable("visit").set({ ended: 1 }).where("room", "=", room).where("ghost", "=", ghost),
);
const listOpen = statement((db) => db.selectFrom("visit").selectAll().where("ended", "=", 0).orderBy("begun_at_ms"));
const listLatest = statement((db, { room, limit }: { room: RoomId; limit: number }) =>
  db.selectFrom("visit").selectAll().where("room", "=", room).orderBy("begun_at_ms", "desc").limit(limit),
);

export function sqlVisits({ read, change }: Access): Visits {
  return {
    async begin(visit) {
      await change(begin, visit);
    },
    async end(room, ghost) {
      await change(end, { room, ghost });
    },
    async open() {
      return (await read(listOpen, {})).map(visitOf);
    },
    async latest(room, limit) {
      return (await read(listLatest, { room, limit })).map(visitOf);
    },
  };
}

function visitOf({ room, ghost, person, begun_at_ms: atMs }: Tables["visit"]): Visit {
  return { room, ghost, person, atMs };
}
