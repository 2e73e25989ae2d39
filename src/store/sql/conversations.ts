// Conversations: which rooms a person has with a telephone number, and in which of them they spoke last.
import { sql } from "kysely";
import { roomId, type NumberKey, type UserId } from "../../core/ids.ts";
import type { ConversationDirectory } from "../../ports/store.ts";
import type { Access } from "./access.ts";

/** Higher than any before; a number and no time, so that a clock that is set back changes nothing. */
const now = sql<number>`(select coalesce(max(spoken), 0) + 1 from conversation)`;

export function sqlConversations({ read, change }: Access): ConversationDirectory {
  return {
    async find(person, number) {
      const rows = await read((db) =>
        db
          .selectFrom("conversation")
          .select(["room", "ghost"])
          .where("person", "=", person)
          .where("number", "=", number)
          .orderBy("spoken", "desc")
          .orderBy("room")
          .execute(),
      );
      return rows.map(({ room, ghost }) => ({ room: roomId(room), person, number, ghost: ghost as UserId }));
    },

    async save({ room, person, number, ghost }) {
      await change((db) =>
        db
          .insertInto("conversation")
          .values({ room, person, number, ghost, spoken: now })
          .onConflict((conflict) => conflict.column("room").doUpdateSet({ person, number, ghost, spoken: now }))
          .execute(),
      );
    },

    async add({ room, person, number, ghost }) {
      await change((db) =>
        db
          .insertInto("conversation")
          .values({ room, person, number, ghost, spoken: 0 })
          .onConflict((conflict) => conflict.column("room").doNothing())
          .execute(),
      );
    },

    async spoke(room, person) {
      const { numUpdatedRows } = await change((db) =>
        db
          .updateTable("conversation")
          .set({ spoken: now })
          .where("room", "=", room)
          .where("person", "=", person)
          .executeTakeFirst(),
      );
      return numUpdatedRows > 0n;
    },

    async rekey(keyOf) {
      await change(async (db) => {
        const rows = await db.selectFrom("conversation").select(["ghost", "number"]).distinct().execute();
        for (const row of rows) {
          const number: NumberKey = keyOf(row.ghost as UserId);
          if (number === row.number) continue;
          await db
            .updateTable("conversation")
            .set({ number })
            .where("ghost", "=", row.ghost)
            .where("number", "=", row.number)
            .execute();
        }
      });
    },
  };
}
