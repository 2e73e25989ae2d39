// `do-not-disturb on`, `off`, `for 2 h`: calls do not ring the person.
import type { UserId } from "../../../../core/ids.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { lengthText, reply } from "../reply.ts";

export interface Quiet {
  isQuiet(person: UserId): boolean;
  begin(person: UserId, forMs: number | undefined): Promise<void>;
  end(person: UserId): Promise<void>;
}

type Wish = "ask" | "off" | { readonly forMs: number | undefined };

const minuteMs = 60_000;
const mostMinutes = 30 * 24 * 60;

export function doNotDisturbOrder({ quiet }: { readonly quiet: Quiet }): Order {
  return order<Wish>({
    words: ["do-not-disturb", "dnd"],
    who: "people",
    behind: "[on | off | for TIME]",
    does: "no calls ring you, for as long as you say; you read who has called, and texts reach you as ever",
    example: "do-not-disturb for 2 h",
    parse(rest) {
      if (rest === "") return asked("ask");
      if (/^on$/i.test(rest)) return asked({ forMs: undefined });
      if (/^off$/i.test(rest)) return asked("off");
      const [, count = "", unit = ""] = /^for (\d{1,5}) ?(m|min|minutes?|h|hours?|d|days?)$/i.exec(rest) ?? [];
      const perUnit = { m: 1, h: 60, d: 24 * 60 }[unit.charAt(0).toLowerCase()];
      const minutes = Number(count) * (perUnit ?? 0);
      if (!(minutes > 0)) return wrong("On, off, or for how long?");
      return minutes > mostMinutes ? wrong("For 30 days at most.") : asked({ forMs: minutes * minuteMs });
    },
    async run(wish, { person }) {
      if (wish === "ask") return reply(quiet.isQuiet(person) ? "No calls ring you now." : "Calls ring you.");
      if (wish === "off") {
        await quiet.end(person);
        return reply("Calls ring you again.");
      }
      const { forMs } = wish;
      await quiet.begin(person, forMs);
      const until = forMs === undefined ? "until you write “do-not-disturb off”" : `for ${lengthText(forMs)}`;
      return reply(`No calls ring you ${until}.`);
    },
  });
}
