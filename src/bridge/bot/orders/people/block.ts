// `block NUMBER`, `unblock NUMBER`, `blocks`: whose calls and texts do not reach a person; with `for all` behind it, nobody.
import type { AddedBlock, BlocksDoor, RemovedBlock } from "../../../../ports/admin/blocks-door.ts";
import { asked, nothing, order, wrong, type Asker, type Order } from "../order.ts";
import type { NoteAction } from "../actions.ts";
import type { NumberWords } from "../numbers.ts";
import { reply, type Reply } from "../reply.ts";

export interface BlockOrdersParts {
  readonly blocks: Pick<BlocksDoor, "add" | "list" | "remove">;
  readonly numbers: Pick<NumberWords, "shown">;
  readonly noteAction: NoteAction;
}

interface Callers {
  readonly text: string;
  readonly forAll: boolean;
}

const whyWords: Readonly<Record<Extract<AddedBlock | RemovedBlock, { kind: "none" }>["why"], string>> = {
  "not-a-number": "That is neither a number, nor its beginning with * behind it, nor “anonymous”.",
  "prefix-too-short": "The beginning of a number needs two digits at least.",
  emergency: "Emergency numbers cannot be blocked: whoever answers there may have to call back.",
  "too-many": "The list is full. A beginning with * can take the place of several numbers.",
  "not-there": "That is not blocked. “blocks” shows what is.",
};

const mostShown = 50;

function parse(rest: string, { isAdmin }: Asker) {
  const [, text = rest, forAll] = /^(.*?)( for (?:all|everybody|everyone))?$/i.exec(rest) ?? [];
  if (text === "") return wrong("Which number?");
  if (forAll !== undefined && !isAdmin) return wrong("Only admins can do that for all.");
  return asked<Callers>({ text, forAll: forAll !== undefined });
}

export function blockOrders({ blocks, numbers, noteAction }: BlockOrdersParts): readonly Order[] {
  const whose = (what: string): string => (what === "anonymous" ? "Callers who withhold their number" : whom(what));
  const whom = (what: string): string =>
    what.endsWith("*") ? `Numbers that begin with ${what.slice(0, -1)}` : numbers.shown(what);

  async function change(
    action: "block" | "unblock",
    { text, forAll }: Callers,
    { person }: Asker,
    by: () => Promise<AddedBlock | RemovedBlock>,
  ): Promise<Reply> {
    const done = await by();
    const outcome = done.kind === "none" ? done.why : "done";
    if (forAll) await noteAction({ who: person, action, detail: text, outcome });
    if (done.kind === "none") return reply(whyWords[done.why]);
    const { what } = done.block;
    const who = forAll ? "anybody" : "you";
    if (done.kind === "removed") return reply(`${whose(what)} can reach ${who} again.`);
    const also = forAll && what !== "anonymous" ? " Nobody can call there either." : "";
    return reply(`${whose(what)} will not reach ${who} any more.${also}`);
  }

  const block = order({
    words: ["block"],
    who: "people",
    behind: "NUMBER [for all]",
    does: "calls and texts from that number do not reach you; also the beginning of numbers with * behind it, or “anonymous” (for all: admins)",
    example: "block +44 1632 960123",
    parse,
    run: ({ text, forAll }: Callers, asker) => {
      const person = forAll ? undefined : asker.person;
      const add = () => blocks.add({ text, person, response: undefined, by: asker.person });
      return change("block", { text, forAll }, asker, add);
    },
  });
  const unblock = order({
    words: ["unblock"],
    who: "people",
    behind: "NUMBER [for all]",
    does: "lets them reach you again (for all: admins)",
    example: "unblock +44 1632 960123",
    parse,
    run: ({ text, forAll }: Callers, asker) =>
      change("unblock", { text, forAll }, asker, () =>
        blocks.remove({ text, person: forAll ? undefined : asker.person }),
      ),
  });
  const list = order({
    words: ["blocks", "blocked"],
    who: "people",
    behind: "",
    does: "shows whom you have blocked",
    example: "blocks",
    parse: nothing,
    run: (_, { person, isAdmin }) => {
      const own = blocks.list().filter((one) => one.person === person);
      const forAll = isAdmin ? blocks.list().filter((one) => one.person === undefined) : [];
      const lines = [
        ...own.map(({ what }) => whose(what)),
        ...forAll.map(({ what, by }) => `${whose(what)}: for all, by ${by}`),
      ];
      if (lines.length === 0) return reply("You have blocked nobody.");
      const more = lines.length - mostShown;
      return reply("Blocked:", lines.slice(0, mostShown), more > 0 ? `And ${more} more.` : "");
    },
  });
  return [block, unblock, list];
}
