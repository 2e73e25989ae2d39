// `history [N]`, `usage`: a person's own calls.
import { describeCause, type Cause } from "../../../../core/call/model/cause.ts";
import type { UserId } from "../../../../core/ids.ts";
import type { CallerBadge } from "../../../../core/policy/caller-badge.ts";
import { spans } from "../../../../core/policy/spending/allowance.ts";
import { endOf, momentText } from "../../../../core/policy/spending/calendar.ts";
import { useWords } from "../../../../core/policy/spending/words.ts";
import type { BridgeDoor, RecordPage } from "../../../../ports/admin/admin-door.ts";
import type { EndedCall } from "../../../../ports/admin/observed-call.ts";
import type { Clock } from "../../../../ports/clock.ts";
import { asked, nothing, order, wrong, type Order } from "../order.ts";
import type { NumberWords } from "../numbers.ts";
import { agoText, lengthText, reply } from "../reply.ts";

export interface HistoryOrdersParts {
  readonly door: () => Pick<BridgeDoor, "records" | "spending">;
  readonly numbers: Pick<NumberWords, "named">;
  readonly clock: Pick<Clock, "wallMs">;
}

const usual = 10;
const most = 50;
/** Each looks through so many calls of everybody (observation/history.ts) that a person's own are worth it. */
const mostPages = 5;
const dayMs = 24 * 3_600_000;
const monthMs = 30 * dayMs;

export function historyOrders({ door, numbers, clock }: HistoryOrdersParts): readonly Order[] {
  async function callsOf(person: UserId, limit: number, fromMs?: number): Promise<readonly EndedCall[]> {
    const found: EndedCall[] = [];
    let after: RecordPage["next"];
    for (let page = 0; page < mostPages && found.length < limit; page += 1) {
      const left = limit - found.length;
      const { records, next } = await door().records({ person, fromMs, after, limit: left, wholeNumbers: true });
      found.push(...records);
      if (next === undefined) break;
      after = next;
    }
    return found;
  }

  const line = (call: EndedCall, now: number): string => {
    const way = call.direction === "outbound" ? "To" : "From";
    const badge = call.badge === undefined ? "" : ` (${shortBadges[call.badge]})`;
    return `${way} ${numbers.named(call.number)}${badge}: ${outcomeOf(call)}, ${agoText(now - call.endedAtMs)}`;
  };

  const history = order({
    words: ["history"],
    who: "people",
    behind: "[N]",
    does: `shows your last ${usual} calls, or as many as you say`,
    example: "history 20",
    parse: (rest) => {
      const count = rest === "" ? usual : Number(rest);
      if (!Number.isInteger(count) || count < 1 || count > most) return wrong(`How many? From 1 to ${most}.`);
      return asked(count);
    },
    async run(count, { person }) {
      const calls = await callsOf(person, count);
      const now = clock.wallMs();
      if (calls.length === 0) return reply("You have had no calls that I remember.");
      return reply(
        "Your last calls:",
        calls.map((call) => line(call, now)),
      );
    },
  });

  const usage = order({
    words: ["usage"],
    who: "people",
    behind: "",
    does: "shows how much you have called, how many minutes and how much money that was, and what is left of your limits",
    example: "usage",
    parse: nothing,
    async run(_, { person }) {
      const now = clock.wallMs();
      const calls = (await callsOf(person, mostCounted, now - monthMs)).filter(
        ({ direction }) => direction === "outbound",
      );
      const inDay = calls.filter(({ endedAtMs }) => endedAtMs >= now - dayMs);
      const atLeast = calls.length >= mostCounted ? "at least " : "";
      const { spending } = door();
      const { currency, zone } = spending;
      const uses = spending.usesOf(person);
      const [day, month] = spans.map((span) => momentText(endOf(span, now, zone), zone));
      const isLimited = uses.some(({ limit }) => limit !== undefined);
      return reply(
        "Your calls to telephones:",
        [
          `in the last day: ${sumOf(inDay)}`,
          `in the last 30 days: ${atLeast}${sumOf(calls)}`,
          ...uses.map((use) => useWords(use, currency)),
        ],
        isLimited ? `A new day begins at ${day}, a new month at ${month}.` : "",
      );
    },
  });
  return [history, usage];
}

const shortBadges: Readonly<Record<CallerBadge, string>> = {
  verified: "✓ verified",
  forged: "⚠ perhaps forged",
  spam: "⚠ probably spam",
};

const mostCounted = 2_000;

function sumOf(calls: readonly EndedCall[]): string {
  const talkedMs = calls.reduce((sum, call) => sum + (talkedMsOf(call) ?? 0), 0);
  const answered = calls.filter((call) => talkedMsOf(call) !== undefined).length;
  return `${calls.length} ${calls.length === 1 ? "call" : "calls"}, ${answered} answered, ${lengthText(talkedMs)}`;
}

function talkedMsOf({ answeredAtMs, endedAtMs }: EndedCall): number | undefined {
  return answeredAtMs === undefined ? undefined : endedAtMs - answeredAtMs;
}

const causeWords: Readonly<Partial<Record<Cause, string>>> = {
  busy: "busy",
  declined: "declined",
  missed: "missed",
  "no-answer": "no answer",
  "caller-cancelled": "given up",
  "answered-elsewhere": "answered elsewhere",
  "anonymous-refused": "refused",
  "anonymous-to-voicemail": "sent to voicemail",
  "do-not-disturb": "you took no calls",
  "spam-refused": "refused",
  "spam-to-voicemail": "sent to voicemail",
  blocked: "blocked",
  "blocked-unwanted": "blocked",
  "blocked-busy": "blocked",
  "blocked-unavailable": "blocked",
};

function outcomeOf(call: EndedCall): string {
  const talkedMs = talkedMsOf(call);
  if (talkedMs !== undefined) return lengthText(talkedMs);
  const words = causeWords[call.cause] ?? describeCause(call.cause).words;
  return words === undefined
    ? "did not come about"
    : words.replace(/\.$/, "").replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}
