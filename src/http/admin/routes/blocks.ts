// The block list.
import * as z from "zod";
import type { AdminDoor } from "../../../ports/admin/admin-door.ts";
import type { AddedBlock, RemovedBlock } from "../../../ports/admin/blocks-door.ts";
import { AdminError } from "../wire/admin-error.ts";
import { block, blockList, blockOf, blockOrder, unblockOrder } from "../wire/blocks.ts";
import { flagParameter } from "../wire/scalars.ts";
import { route, wholeIfAllowed, type Tools } from "./route.ts";

type Why = Extract<AddedBlock | RemovedBlock, { kind: "none" }>["why"];

const words: Readonly<Record<Exclude<Why, "not-there">, string>> = {
  "not-a-number": "should be a number, its beginning with * behind it, a SIP address, or anonymous",
  "prefix-too-short": "the beginning of a number should have two digits at least",
  emergency: "emergency numbers cannot be blocked",
  "too-many": "there are as many entries as there may be; a beginning with * can take the place of several",
};

function refusal(why: Why): AdminError {
  const field = "callers";
  if (why === "not-there") return new AdminError("not_found", "the block list has no such entry", { field });
  return new AdminError("unprocessable", `callers: ${words[why]}`, { field });
}

/** As the log may show it. */
function detailOf({ callers, person }: z.output<typeof unblockOrder>, { door }: Tools): string {
  const shown = door.shownNumber(callers);
  return person === undefined ? shown : `${shown} for ${person}`;
}

/** What people have blocked for themselves is nobody else's business, and hidden as other numbers are. */
function shownIn(door: AdminDoor, isWhole: boolean) {
  return (one: Parameters<typeof blockOf>[0]): z.infer<typeof block> =>
    blockOf(one, isWhole || one.person === undefined ? one.what : door.shownNumber(one.what));
}

export const blockRoutes = [
  route({
    method: "get",
    at: "/blocks",
    operation: "listBlocks",
    summary: "The block list, the latest first",
    query: z.strictObject({
      whole_numbers: flagParameter.describe(
        "Numbers of people's own entries without asterisks; needs admin.whole_numbers",
      ),
    }),
    answer: blockList,
    errors: ["forbidden"],
    handle({ query }, tools) {
      const isWhole = wholeIfAllowed(query.whole_numbers, tools);
      return { blocks: tools.door.blocks.list().map(shownIn(tools.door, isWhole)) };
    },
  }),
  route({
    method: "post",
    at: "/blocks",
    operation: "addBlock",
    summary: "Puts callers on the block list, for everybody or for one person",
    body: blockOrder,
    answer: block,
    errors: ["unprocessable", "unavailable"],
    action: "block",
    detail: ({ body }, tools) => detailOf(body, tools),
    async handle({ body: { callers: text, person, response } }, { door }, { who }) {
      const added = await door.blocks.add({ text, person, response, by: who });
      if (added.kind === "none") throw refusal(added.why);
      return blockOf(added.block, added.block.what);
    },
  }),
  route({
    method: "post",
    at: "/blocks/remove",
    operation: "removeBlock",
    summary: "Takes callers off the block list",
    body: unblockOrder,
    answer: block,
    errors: ["not_found", "unprocessable", "unavailable"],
    action: "unblock",
    detail: ({ body }, tools) => detailOf(body, tools),
    async handle({ body: { callers: text, person } }, { door }) {
      const removed = await door.blocks.remove({ text, person });
      if (removed.kind === "none") throw refusal(removed.why);
      return blockOf(removed.block, removed.block.what);
    },
  }),
];
