// `trunks`, `trunks pause NAME`, `trunks resume NAME`.
import { trunkName, type TrunkName } from "../../../../core/ids.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { reply } from "../reply.ts";
import { trunkLines, type AdminOrdersParts } from "./parts.ts";

interface Change {
  readonly verb: "pause" | "resume";
  readonly trunk: TrunkName;
}

export function trunksOrder({ door, noteAction, clock }: AdminOrdersParts): Order {
  return order<Change | undefined>({
    words: ["trunks"],
    who: "admins",
    behind: "[pause | resume NAME]",
    does: "lists the trunks; on a paused one no calls begin",
    example: "trunks pause main",
    parse: (rest) => {
      if (rest === "") return asked(undefined);
      const [, verb, name] = /^(pause|resume) (.{1,255})$/i.exec(rest) ?? [];
      if (verb === undefined || name === undefined) return wrong("Which trunk shall be paused, or resumed?");
      return asked({ verb: verb.toLowerCase() === "pause" ? "pause" : "resume", trunk: trunkName(name) });
    },
    async run(change, { person }) {
      if (change === undefined) return reply("Trunks:", trunkLines({ door, clock }));
      const { verb, trunk } = change;
      const isThere = door()[verb](trunk);
      await noteAction({
        who: person,
        action: `${verb} trunk`,
        target: trunk,
        outcome: isThere ? "done" : "not_found",
      });
      if (!isThere) return reply("There is no such trunk. There are:", trunkLines({ door, clock }));
      return reply(verb === "pause" ? `No calls begin over ${trunk} any more.` : `Calls begin over ${trunk} again.`);
    },
  });
}
