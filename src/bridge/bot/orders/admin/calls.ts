// `calls`, `hangup ID`, `hangup all`.
import { callId, type UserId } from "../../../../core/ids.ts";
import type { LiveCall } from "../../../../ports/admin/observed-call.ts";
import { asked, nothing, order, wrong, type Order } from "../order.ts";
import { lengthText, reply, type Item } from "../reply.ts";
import { countOf, type AdminOrdersParts } from "./parts.ts";

const mostShown = 30;

export function callsOrder({ door, clock }: Omit<AdminOrdersParts, "noteAction">): Order {
  const item = ({ id, person, direction, number, phase, sinceMs, trunk }: LiveCall): Item => {
    const way = direction === "inbound" ? "from" : "to";
    const over = trunk === undefined ? "" : `, over ${trunk}`;
    return {
      code: id,
      text: `${person ?? "nobody yet"} ${way} ${number}, ${phase} for ${lengthText(clock.wallMs() - sinceMs)}${over}`,
    };
  };
  return order({
    words: ["calls"],
    who: "admins",
    behind: "",
    does: "lists the calls of the moment",
    example: "calls",
    parse: nothing,
    async run() {
      const all = await door().calls();
      const more = all.length - mostShown;
      if (all.length === 0) return reply("There are no calls.");
      const items = all.slice(0, mostShown).map(item);
      return reply(`${countOf(all.length, "call")}:`, items, more > 0 ? `And ${more} more.` : "");
    },
  });
}

export function hangUpOrder({ door, noteAction }: AdminOrdersParts): Order {
  async function end(ids: readonly string[], person: UserId): Promise<number> {
    let ended = 0;
    for (const id of ids) {
      const isEnded = door().end(callId(id), `${person} told the bot`);
      if (isEnded) ended += 1;
      await noteAction({ who: person, action: "hang up call", target: id, outcome: isEnded ? "done" : "not_found" });
    }
    return ended;
  }
  return order({
    words: ["hangup", "hang-up"],
    who: "admins",
    behind: "ID | all",
    does: "ends a call, or all of them; people read that an administrator did",
    example: "hangup c-0Tq9mZr2VfYc3bXw8kLp51",
    parse: (rest) => (/^[\w.-]{1,100}$/.test(rest) ? asked(rest) : wrong("Which call? “calls” shows them.")),
    async run(which, { person }) {
      const isAll = which.toLowerCase() === "all";
      const ended = await end(isAll ? (await door().calls()).map(({ id }) => id) : [which], person);
      if (ended > 0) return reply(`${countOf(ended, "call")} ended.`);
      return reply(isAll ? "There are no calls." : "There is no such call, or it ends already.");
    },
  });
}
