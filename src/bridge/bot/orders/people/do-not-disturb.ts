// `do-not-disturb on`, `off`, `for 2 h`, `until 8:00`: calls do not ring the person.
import type { UserId } from "../../../../core/ids.ts";
import { momentText, nextTime, type TimeOfDay } from "../../../../core/policy/spending/calendar.ts";
import type { Clock } from "../../../../ports/clock.ts";
import { asked, order, wrong, type Order } from "../order.ts";
import { lengthText, reply } from "../reply.ts";

export interface Quiet {
  isQuiet(person: UserId): boolean;
  begin(person: UserId, forMs: number | undefined): Promise<void>;
  end(person: UserId): Promise<void>;
}

type Wish = "ask" | "off" | { readonly forMs: number | undefined } | { readonly until: TimeOfDay };

export interface DoNotDisturbParts {
  readonly quiet: Quiet;
  readonly door: () => { readonly spending: { readonly zone: string } };
  readonly clock: Pick<Clock, "wallMs">;
}

const minuteMs = 60_000;
const mostMinutes = 30 * 24 * 60;

/** `8:00`, `8.30`, `20:15`, `8 am`, `8:30pm`. */
function timeOfDay(text: string): TimeOfDay | undefined {
  const [, hours = "", minutes, half] = /^(\d{1,2})(?:[:.](\d{2}))?(?: ?([ap])\.?m\.?)?$/i.exec(text) ?? [];
  const [shown, minute] = [Number(hours), Number(minutes ?? 0)];
  const isHalf = half !== undefined;
  if (hours === "" || minute > 59 || shown > (isHalf ? 12 : 23) || (isHalf && shown === 0)) return undefined;
  if (!isHalf) return minutes === undefined ? undefined : { hour: shown, minute };
  return { hour: (shown % 12) + (half.toLowerCase() === "p" ? 12 : 0), minute };
}

export function doNotDisturbOrder({ quiet, door, clock }: DoNotDisturbParts): Order {
  return order<Wish>({
    words: ["do-not-disturb", "dnd"],
    who: "people",
    behind: "[on | off | for TIME | until TIME]",
    does: "no calls ring you, for as long as you say; you read who has called, and texts reach you as ever",
    example: "do-not-disturb for 2 h",
    parse(rest) {
      if (rest === "") return asked("ask");
      if (/^on$/i.test(rest)) return asked({ forMs: undefined });
      if (/^off$/i.test(rest)) return asked("off");
      const [, clockTime] = /^(?:un)?till? (.+)$/i.exec(rest) ?? [];
      if (clockTime !== undefined) {
        const until = timeOfDay(clockTime);
        return until === undefined ? wrong("Until which time? As 8:00, 20:15 or 8 am.") : asked({ until });
      }
      const [, count = "", unit = ""] = /^for (\d{1,5}) ?(m|min|minutes?|h|hours?|d|days?)$/i.exec(rest) ?? [];
      const perUnit = { m: 1, h: 60, d: 24 * 60 }[unit.charAt(0).toLowerCase()];
      const minutes = Number(count) * (perUnit ?? 0);
      if (!(minutes > 0)) return wrong("On, off, for how long, or until when?");
      return minutes > mostMinutes ? wrong("For 30 days at most.") : asked({ forMs: minutes * minuteMs });
    },
    async run(wish, { person }) {
      if (wish === "ask") return reply(quiet.isQuiet(person) ? "No calls ring you now." : "Calls ring you.");
      if (wish === "off") {
        await quiet.end(person);
        return reply("Calls ring you again.");
      }
      if ("until" in wish) {
        const { zone } = door().spending;
        const now = clock.wallMs();
        const untilMs = nextTime(wish.until, now, zone);
        await quiet.begin(person, untilMs - now);
        return reply(`No calls ring you until ${momentText(untilMs, zone)}.`);
      }
      const { forMs } = wish;
      await quiet.begin(person, forMs);
      const until = forMs === undefined ? "until you write “do-not-disturb off”" : `for ${lengthText(forMs)}`;
      return reply(`No calls ring you ${until}.`);
    },
  });
}
