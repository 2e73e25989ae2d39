// The block list.
import { parseUserId } from "../../core/ids.ts";
import { blockResponses, type Block } from "../../core/policy/block-list.ts";
import type { StoredBlocks } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import type { Tables } from "./schema.ts";
import { statement } from "./statement.ts";

const listAll = statement((db) => db.selectFrom("block").selectAll().orderBy("at_ms").orderBy("what"));
const save = statement((db, { person, what, response, put_by, at_ms }: Tables["block"]) =>
  db
    .insertInto("block")
    .values({ person, what, response, put_by, at_ms })
    .onConflict((conflict) => conflict.columns(["person", "what"]).doUpdateSet({ response, put_by, at_ms })),
);
const forget = statement((db, { person, what }: Pick<Tables["block"], "person" | "what">) =>
  db.deleteFrom("block").where("person", "=", person).where("what", "=", what),
);

export function sqlBlocks({ read, change, log }: Access): StoredBlocks {
  return {
    async list() {
      const rows = await read(listAll, {});
      return rows.flatMap((row) => {
        const block = blockOf(row);
        if (block === undefined) log?.error("an entry of the block list cannot be read", { person: row.person });
        return block ?? [];
      });
    },
    async save({ person, what, response, by, atMs }) {
      const row = { person: person ?? forAll, what, response: response ?? null, put_by: by, at_ms: atMs };
      await change(save, row);
    },
    async remove(what, person) {
      await change(forget, { person: person ?? forAll, what });
    },
  };
}

const forAll = "";

/** Undefined: it belongs to nobody. What an unknown release answered such callers is as the configuration says. */
function blockOf({ person, what, response, put_by: by, at_ms: atMs }: Tables["block"]): Block | undefined {
  const user = parseUserId(person);
  if (person !== forAll && user === undefined) return undefined;
  return { what, person: user, response: blockResponses.find((known) => known === response), by, atMs };
}
