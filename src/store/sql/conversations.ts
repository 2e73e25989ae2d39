// Conversations: which rooms a person has with a telephone number, and in which of them they spoke last.
import type { NumberKey, UserId } from "../../core/ids.ts";
import type { Conversation, ConversationDirectory } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import { statement, type Run } from "./statement.ts";

type Spoken = { readonly spoken: number };

const find = statement((db, { person, number }: Pick<Conversation, "person" | "number">) =>
  db
    .selectFrom("conversation")
    .select(["room", "ghost"])
    .where("person", "=", person)
    .where("number", "=", number)
    .orderBy("spoken", "desc")
    .orderBy("room"),
);
const latestOf = statement((db, { person, limit }: { person: UserId; limit: number }) =>
  db
    .selectFrom("conversation")
    .select(["room", "ghost", "number"])
    .where("person", "=", person)
    .orderBy("spoken", "desc")
    .orderBy("room")
    .limit(limit),
);
const save = statement((db, { room, person, number, ghost, spoken }: Conversation & Spoken) =>
  db
    .insertInto("conversation")
    .values({ room, person, number, ghost, spoken })
    .onConflict((conflict) => conflict.column("room").doUpdateSet({ person, number, ghost, spoken })),
);
const add = statement((db, { room, person, number, ghost }: Conversation) =>
  db
    .insertInto("conversation")
    .values({ room, person, number, ghost, spoken: 0 })
    .onConflict((conflict) => conflict.column("room").doNothing()),
);
const speak = statement((db, { room, person, spoken }: Pick<Conversation, "room" | "person"> & Spoken) =>
  db.updateTable("conversation").set({ spoken }).where("room", "=", room).where("person", "=", person),
);
const highest = statement((db) => db.selectFrom("conversation").select((all) => all.fn.max("spoken").as("spoken")));
const listKeys = statement((db) => db.selectFrom("conversation").select(["ghost", "number"]).distinct());
const rekey = statement((db, { ghost, number, formerly }: { ghost: UserId; number: string; formerly: string }) =>
  db.updateTable("conversation").set({ number }).where("ghost", "=", ghost).where("number", "=", formerly),
);

export function sqlConversations({ read, change, changeTogether, onLost }: Access): ConversationDirectory {
  let last: number | undefined;
  onLost(() => (last = undefined));
  /** Higher than any before; a number and no time, so that a clock that is set back changes nothing. */
  const next = async (run: Run): Promise<number> => {
    last ??= (await run(highest, {})).rows[0]?.spoken ?? 0;
    last += 1;
    return last;
  };
  return {
    async find(person, number) {
      const rows = await read(find, { person, number });
      return rows.map(({ room, ghost }) => ({ room, person, number, ghost }));
    },

    async latest(person, limit) {
      const rows = await read(latestOf, { person, limit });
      return rows.map(({ room, ghost, number }) => ({ room, person, number: number as NumberKey, ghost }));
    },

    async save(conversation) {
      await changeTogether(async (run) => run(save, { ...conversation, spoken: await next(run) }));
    },

    async add(conversation) {
      await change(add, conversation);
    },

    async spoke(room, person) {
      const { numAffectedRows = 0n } = await changeTogether(async (run) =>
        run(speak, { room, person, spoken: await next(run) }),
      );
      return numAffectedRows > 0n;
    },

    async rekey(keyOf) {
      await changeTogether(async (run) => {
        const { rows } = await run(listKeys, {});
        for (const { ghost, number: formerly } of rows) {
          const number: NumberKey = keyOf(ghost);
          if (number !== formerly) await run(rekey, { ghost, number, formerly });
        }
      });
    },
  };
}
