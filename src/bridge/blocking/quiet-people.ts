// People who take no calls for now. They read who has called; texts reach them as ever.
import type { UserId } from "../../core/ids.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Settings } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { OwnChoices } from "../choices/own-choices.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { Conversations } from "../rooms/conversations.ts";

export interface QuietPeopleParts {
  readonly settings: Settings;
  readonly conversations: Pick<Conversations, "open">;
  readonly homeserver: Pick<Homeserver, "bot" | "notice">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Of one person, in a minute: a caller who tries again and again is told of often enough. */
const linesPerMinute = 5;

export class QuietPeople {
  readonly #parts: QuietPeopleParts;
  /** Until when (ms since the epoch); null: until they say otherwise. */
  readonly #untilMs: OwnChoices<number | null>;
  readonly #lines: RateLimit;

  constructor(parts: QuietPeopleParts) {
    this.#parts = parts;
    const { settings, clock } = parts;
    this.#untilMs = new OwnChoices({
      settings,
      key: "people who take no calls",
      parse: (stored) => (stored === null || typeof stored === "number" ? stored : undefined),
      isOver: (untilMs) => untilMs !== null && untilMs <= clock.wallMs(),
    });
    this.#lines = new RateLimit(linesPerMinute, clock);
  }

  /** Rejects with StoreError. */
  load(): Promise<void> {
    return this.#untilMs.load();
  }

  isQuiet(person: UserId): boolean {
    const untilMs = this.#untilMs.of(person);
    if (untilMs === undefined) return false;
    return untilMs === null || untilMs > this.#parts.clock.wallMs();
  }

  /** `forMs`: undefined for as long as they do not say otherwise. Rejects with StoreError; then nothing is changed. */
  begin(person: UserId, forMs: number | undefined): Promise<void> {
    return this.#untilMs.choose(person, forMs === undefined ? null : this.#parts.clock.wallMs() + forMs);
  }

  /** Rejects with StoreError; then nothing is changed. */
  end(person: UserId): Promise<void> {
    return this.#untilMs.choose(person, undefined);
  }

  /** Somebody has called them. Never rejects. */
  async missed(person: UserId, caller: string): Promise<void> {
    const { conversations, homeserver, log } = this.#parts;
    if (!this.#lines.allows(person)) return;
    const told = conversations
      .open(person, homeserver.bot)
      .then(({ room }) =>
        homeserver.notice(room, homeserver.bot, `Missed call from ${caller}: you take no calls now.`),
      );
    await attempt(told, log, "could not tell a person who takes no calls of one", { person });
  }
}
