// `stop`, `start`: the kill switch for outgoing calls, of everybody, of a person, or over a trunk.
import { parseUserId, trunkName } from "../../../../core/ids.ts";
import { wholeBridge } from "../../../../core/policy/spending/allowance.ts";
import type { StopOrder } from "../../../../ports/admin/spending-door.ts";
import { StoreError } from "../../../../ports/store.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { reply } from "../reply.ts";
import { countOf, stopLines, trunkLines, whose, type AdminOrdersParts } from "./parts.ts";

type Scope = StopOrder["scope"];

const everybody: Scope = { kind: "bridge", name: wholeBridge.name as "" };

/** A word that is neither `all` nor a person is a trunk's name. */
function parse(rest: string) {
  if (/^(?:all)?$/i.test(rest)) return asked<Scope>(everybody);
  if (rest.startsWith("@")) {
    const person = parseUserId(rest);
    return person === undefined ? wrong("That is no Matrix user.") : asked<Scope>({ kind: "user", name: person });
  }
  const [, name] = /^(?:trunk )?(\S{1,255})$/i.exec(rest) ?? [];
  if (name === undefined) return wrong("Whose calls? All, those of a person, or those over a trunk.");
  return asked<Scope>({ kind: "trunk", name: trunkName(name) });
}

export function stopOrders(parts: AdminOrdersParts): readonly Order[] {
  const { door, noteAction } = parts;
  const isThere = ({ kind, name }: Scope): boolean =>
    kind !== "trunk" ||
    door()
      .trunks()
      .some(({ health }) => health.name === name);
  const noTrunk = (action: string) =>
    reply(`There is no such trunk, so nothing is ${action}. There are:`, trunkLines(parts));

  const stop = order<Scope>({
    words: ["stop"],
    who: "admins",
    behind: "[all | @PERSON | TRUNK]",
    does: "ends outgoing calls and lets none begin: all, those of a person, or those over a trunk; emergency calls go on",
    example: "stop @alice:example.org",
    parse,
    async run(scope, { person }) {
      const note = (outcome: string) =>
        noteAction({ who: person, action: "stop calls", target: scope.name || "all calls", outcome });
      if (!isThere(scope)) {
        await note("not_found");
        return noTrunk("stopped");
      }
      const open = `“start${scope.name && ` ${scope.name}`}” lets them begin again.`;
      const head = `No ${whose(scope)} begin any more, calls to emergency numbers excepted.`;
      try {
        const ended = await door().spending.stop({ scope, inbound: false, who: person, why: undefined });
        await note("done");
        return reply(`${head} ${countOf(ended, "call")} ended. ${open}`);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        await note("unavailable");
        return reply(`${head} But I cannot store that: a restart of the bridge would undo it. ${open}`);
      }
    },
  });

  const start = order<Scope>({
    words: ["start"],
    who: "admins",
    behind: "[all | @PERSON | TRUNK]",
    does: "lets calls begin again that “stop” has stopped",
    example: "start @alice:example.org",
    parse,
    async run(scope, { person }) {
      const isStarted = await door().spending.start(scope);
      const outcome = isStarted ? "done" : "not_found";
      await noteAction({ who: person, action: "start calls", target: scope.name || "all calls", outcome });
      if (!isStarted && !isThere(scope)) return noTrunk("started");
      const head = isStarted ? `The ${whose(scope)} may begin again.` : `The ${whose(scope)} are not stopped.`;
      return reply(head, stopLines(parts));
    },
  });
  return [stop, start];
}
