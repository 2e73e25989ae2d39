// Makes what keeps the limits, and what tells of them.
import type { UserId } from "../../core/ids.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Conversations } from "../rooms/conversations.ts";
import { CallStops } from "./call-stops.ts";
import { LimitNews, type LimitNewsParts } from "./limit-news.ts";
import { PatternWatch, type PatternWatchParts } from "./pattern-watch.ts";
import { Spending, type SpendingParts } from "./spending.ts";

export interface CreateSpendingParts
  extends
    Omit<SpendingParts, "news" | "stops" | "patterns">,
    Pick<LimitNewsParts, "emit" | "telemetry">,
    Pick<PatternWatchParts, "home"> {
  readonly telemetry: LimitNewsParts["telemetry"] & PatternWatchParts["telemetry"];
  readonly conversations: Pick<Conversations, "open">;
  readonly homeserver: Pick<Homeserver, "bot" | "notice">;
}

export interface SpendingRoom {
  readonly spending: Spending;
  readonly callStops: CallStops;
  readonly patterns: PatternWatch;
}

export function createSpending(parts: CreateSpendingParts): SpendingRoom {
  const { conversations, homeserver, log } = parts;

  async function tell(person: UserId, words: string): Promise<void> {
    try {
      const { room } = await conversations.open(person, homeserver.bot);
      await homeserver.notice(room, homeserver.bot, words);
    } catch (error) {
      const code = error instanceof HomeserverError ? error.code : undefined;
      log.warn("could not tell a person of their limit", { person, code, error });
    }
  }

  const news = new LimitNews({ ...parts, books: () => spending, tell: (person, words) => void tell(person, words) });
  const stops = new CallStops(parts);
  const patterns = new PatternWatch(parts);
  const spending: Spending = new Spending({ ...parts, news, stops, patterns });
  return { spending, callStops: stops, patterns };
}
