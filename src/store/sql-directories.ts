// Ghosts, rooms, what was said only once, and settings: small tables without rules of their own.
import type { Kysely } from "kysely";
import type { UserId } from "../core/ids.ts";
import type { GhostDirectory, RoomDirectory, Settings } from "../ports/store.ts";
import type { Tables } from "./schema.ts";

export function sqlGhostDirectory(db: Kysely<Tables>): GhostDirectory {
  return {
    async find(user) {
      const row = await db
        .selectFrom("ghost")
        .select(["display_name", "picture"])
        .where("user", "=", user)
        .executeTakeFirst();
      return row && { displayName: row.display_name ?? undefined, picture: row.picture ?? undefined };
    },
    async save(user, profile) {
      const display_name = profile.displayName ?? null;
      const picture = profile.picture ?? null;
      await db
        .insertInto("ghost")
        .values({ user, display_name, picture })
        .onConflict((conflict) => conflict.column("user").doUpdateSet({ display_name, picture }))
        .execute();
    },
    async list() {
      const rows = await db.selectFrom("ghost").select("user").orderBy("user").execute();
      return rows.map(({ user }) => user as UserId);
    },
  };
}

export function sqlRoomDirectory(db: Kysely<Tables>): RoomDirectory {
  return {
    async ours(room) {
      const rows = await db.selectFrom("own_member").select("user").where("room", "=", room).orderBy("user").execute();
      return rows.map((row) => row.user as UserId);
    },
    async saveOurs(room, user) {
      await db
        .insertInto("own_member")
        .values({ room, user })
        .onConflict((conflict) => conflict.columns(["room", "user"]).doNothing())
        .execute();
    },
    async removeOurs(room, user) {
      await db.deleteFrom("own_member").where("room", "=", room).where("user", "=", user).execute();
    },
    async forget(room) {
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("conversation").where("room", "=", room).execute();
        await transaction.deleteFrom("own_member").where("room", "=", room).execute();
        await transaction.deleteFrom("said").where("room", "=", room).execute();
      });
    },
    async firstTime(room, subject) {
      const row = await db
        .insertInto("said")
        .values({ room, subject })
        .onConflict((conflict) => conflict.columns(["room", "subject"]).doNothing())
        .returning("room")
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}

export function sqlSettings(db: Kysely<Tables>): Settings {
  return {
    async get(key) {
      const row = await db.selectFrom("setting").select("value").where("key", "=", key).executeTakeFirst();
      return row?.value;
    },
    async set(key, value) {
      await db
        .insertInto("setting")
        .values({ key, value })
        .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
        .execute();
    },
  };
}
