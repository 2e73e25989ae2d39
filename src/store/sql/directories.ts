// Ghosts, rooms, what was said only once, and settings: small tables without rules of their own.
import type { UserId } from "../../core/ids.ts";
import type { GhostDirectory, RoomDirectory, Settings } from "../../ports/store.ts";
import type { Access } from "./access.ts";

export function sqlGhostDirectory({ read, change }: Access): GhostDirectory {
  return {
    async find(user) {
      const row = await read((db) =>
        db.selectFrom("ghost").select(["display_name", "picture"]).where("user", "=", user).executeTakeFirst(),
      );
      return row && { displayName: row.display_name ?? undefined, picture: row.picture ?? undefined };
    },
    async save(user, profile) {
      const display_name = profile.displayName ?? null;
      const picture = profile.picture ?? null;
      await change((db) =>
        db
          .insertInto("ghost")
          .values({ user, display_name, picture })
          .onConflict((conflict) => conflict.column("user").doUpdateSet({ display_name, picture }))
          .execute(),
      );
    },
    async list() {
      const rows = await read((db) => db.selectFrom("ghost").select("user").orderBy("user").execute());
      return rows.map(({ user }) => user as UserId);
    },
  };
}

export function sqlRoomDirectory({ read, change }: Access): RoomDirectory {
  return {
    async ours(room) {
      const rows = await read((db) =>
        db.selectFrom("own_member").select("user").where("room", "=", room).orderBy("user").execute(),
      );
      return rows.map((row) => row.user as UserId);
    },
    async saveOurs(room, user) {
      await change((db) =>
        db
          .insertInto("own_member")
          .values({ room, user })
          .onConflict((conflict) => conflict.columns(["room", "user"]).doNothing())
          .execute(),
      );
    },
    async removeOurs(room, user) {
      await change((db) => db.deleteFrom("own_member").where("room", "=", room).where("user", "=", user).execute());
    },
    async forget(room) {
      await change(async (db) => {
        await db.deleteFrom("conversation").where("room", "=", room).execute();
        await db.deleteFrom("own_member").where("room", "=", room).execute();
        await db.deleteFrom("said").where("room", "=", room).execute();
      });
    },
    async firstTime(room, subject) {
      const row = await change((db) =>
        db
          .insertInto("said")
          .values({ room, subject })
          .onConflict((conflict) => conflict.columns(["room", "subject"]).doNothing())
          .returning("room")
          .executeTakeFirst(),
      );
      return row !== undefined;
    },
  };
}

export function sqlSettings({ read, change }: Access): Settings {
  return {
    async get(key) {
      const row = await read((db) =>
        db.selectFrom("setting").select("value").where("key", "=", key).executeTakeFirst(),
      );
      return row?.value;
    },
    async set(key, value) {
      await change((db) =>
        db
          .insertInto("setting")
          .values({ key, value })
          .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
          .execute(),
      );
    },
  };
}
