// `allow @PERSON [PREFIX]`: releases calls that are held because they look like fraud.
import { parseUserId, type UserId } from "../../../../core/ids.ts";
import { StoreError } from "../../../../ports/store.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { reply } from "../reply.ts";
import type { AdminOrdersParts } from "./parts.ts";

interface Release {
  readonly whose: UserId;
  readonly prefix: string | undefined;
}

export function allowOrder({ door, noteAction }: AdminOrdersParts): Order {
  return order<Release>({
    words: ["allow"],
    who: "admins",
    behind: "@PERSON [PREFIX]",
    does: "lets a person call again where their calls are held because they look like fraud",
    example: "allow @alice:example.org +37129",
    parse: (rest) => {
      const [, name = "", prefix] = /^(@\S+)(?: \+?(\d{1,15}))?$/.exec(rest) ?? [];
      const whose = parseUserId(name);
      return whose === undefined ? wrong("Whose calls, and to which numbers?") : asked({ whose, prefix });
    },
    async run({ whose, prefix }, { person }) {
      const action = { who: person, action: "allow calls", target: whose, detail: prefix ? `+${prefix}` : "" };
      let released: readonly string[];
      try {
        released = await door().spending.allow({ person: whose, prefix, who: person });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        await noteAction({ ...action, outcome: "unavailable" });
        return reply("The database cannot be written, so these calls stay held. Please try again later.");
      }
      await noteAction({ ...action, outcome: released.length > 0 ? "done" : "not_found" });
      const held = door().spending.held();
      if (released.length > 0) return reply(`${whose} may call ${released.map((one) => `+${one}…`).join(", ")} again.`);
      if (held.length === 0) return reply("No calls are held.");
      return reply(
        "Such calls are not held. These are:",
        held.map((one) => `${one.person} +${one.prefix}: ${one.why}`),
      );
    },
  });
}
