// Ghosts, rooms, what was said only once, and settings: small tables without rules of their own.
import type { RoomId, UserId } from "../../core/ids.ts";
import type { GhostDirectory, GhostProfile, RoomDirectory, Settings } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import { Remembered } from "./remembered.ts";
import type { Tables } from "./schema.ts";
import { statement } from "./statement.ts";

type InRoom = Pick<Tables["own_member"], "room">;

const findGhost = statement((db, { user }: { user: UserId }) =>
  db.selectFrom("ghost").select(["display_name", "picture"]).where("user", "=", user),
);
const saveGhost = statement((db, { user, display_name, picture }: Tables["ghost"]) =>
  db
    .insertInto("ghost")
    .values({ user, display_name, picture })
    .onConflict((conflict) => conflict.column("user").doUpdateSet({ display_name, picture })),
);
const listGhosts = statement((db) => db.selectFrom("ghost").select("user").orderBy("user"));

export function sqlGhostDirectory({ read, change, onLost }: Access): GhostDirectory {
  const profiles = new Remembered<UserId, GhostProfile | undefined>(onLost);
  return {
    find: (user) =>
      profiles.get(user, async () => {
        const [row] = await read(findGhost, { user });
        return row && { displayName: row.display_name ?? undefined, picture: row.picture ?? undefined };
      }),
    async save(user, profile) {
      const row = { user, display_name: profile.displayName ?? null, picture: profile.picture ?? null };
      const saved = change(saveGhost, row);
      await profiles.set(
        user,
        saved.then(() => profile),
      );
    },
    async list() {
      return (await read(listGhosts, {})).map(({ user }) => user);
    },
  };
}

const listOurs = statement((db, { room }: InRoom) =>
  db.selectFrom("own_member").select("user").where("room", "=", room).orderBy("user"),
);
const saveOurs = statement((db, { room, user }: Tables["own_member"]) =>
  db
    .insertInto("own_member")
    .values({ room, user })
    .onConflict((conflict) => conflict.columns(["room", "user"]).doNothing()),
);
const removeOurs = statement((db, { room, user }: Tables["own_member"]) =>
  db.deleteFrom("own_member").where("room", "=", room).where("user", "=", user),
);
const forgetRoom = (["conversation", "own_member", "said"] as const).map((table) =>
  statement((db, { room }: InRoom) => db.deleteFrom(table).where("room", "=", room)),
);
const say = statement((db, { room, subject }: Tables["said"]) =>
  db
    .insertInto("said")
    .values({ room, subject })
    .onConflict((conflict) => conflict.columns(["room", "subject"]).doNothing())
    .returning("room"),
);

export function sqlRoomDirectory({ read, change, changeTogether, onLost }: Access): RoomDirectory {
  const members = new Remembered<RoomId, readonly UserId[]>(onLost);
  return {
    ours: (room) => members.get(room, async () => (await read(listOurs, { room })).map(({ user }) => user)),
    async saveOurs(room, user) {
      members.forget(room);
      await change(saveOurs, { room, user });
    },
    async removeOurs(room, user) {
      members.forget(room);
      await change(removeOurs, { room, user });
    },
    async forget(room) {
      members.forget(room);
      await changeTogether(async (run) => {
        for (const forget of forgetRoom) await run(forget, { room });
      });
    },
    async firstTime(room, subject) {
      const { rows } = await change(say, { room, subject });
      return rows.length > 0;
    },
  };
}

const findSetting = statement((db, { key }: { key: string }) =>
  db.selectFrom("setting").select("value").where("key", "=", key),
);
const saveSetting = statement((db, { key, value }: Tables["setting"]) =>
  db
    .insertInto("setting")
    .values({ key, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value })),
);

export function sqlSettings({ read, change }: Access): Settings {
  return {
    async get(key) {
      const [row] = await read(findSetting, { key });
      return row?.value;
    },
    async set(key, value) {
      await change(saveSetting, { key, value });
    },
  };
}
