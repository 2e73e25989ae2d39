// People who take no calls for now. They read who has called; texts reach them as ever.
import { parseUserId, type UserId } from "../../core/ids.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Settings } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { Conversations } from "../rooms/conversations.ts";

export interface QuietPeopleParts {
  readonly settings: Settings;
  readonly conversations: Pick<Conversations, "open">;
  readonly homeserver: Pick<Homeserver, "bot" | "notice">;
  readonly clock: Clock;
  readonly log: Log;
}

const key = "people who take no calls";
/** Of one person, in a minute: a caller who tries again and again is told of often enough. */
const linesPerMinute = 5;

export class QuietPeople {
  readonly #parts: QuietPeopleParts;
  /** Until when (ms since the epoch); undefined: until they say otherwise. */
  readonly #untilMs = new Map<UserId, number | undefined>();
  readonly #lines: RateLimit;

  constructor(parts: QuietPeopleParts) {
    this.#parts = parts;
    this.#lines = new RateLimit(linesPerMinute, parts.clock);
  }

  /** Rejects with StoreError. */
  async load(): Promise<void> {
    for (const [person, untilMs] of readStored(await this.#parts.settings.get(key))) this.#untilMs.set(person, untilMs);
  }

  isQuiet(person: UserId): boolean {
    if (!this.#untilMs.has(person)) return false;
    const untilMs = this.#untilMs.get(person);
    return untilMs === undefined || untilMs > this.#parts.clock.wallMs();
  }

  /** `forMs`: undefined for as long as they do not say otherwise. Rejects with StoreError; then nothing is changed. */
  async begin(person: UserId, forMs: number | undefined): Promise<void> {
    const untilMs = forMs === undefined ? undefined : this.#parts.clock.wallMs() + forMs;
    await this.#save(new Map([...this.#untilMs, [person, untilMs]]));
    this.#untilMs.set(person, untilMs);
  }

  /** Rejects with StoreError; then nothing is changed. */
  async end(person: UserId): Promise<void> {
    await this.#save(new Map([...this.#untilMs].filter(([one]) => one !== person)));
    this.#untilMs.delete(person);
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

  /** Without those whose time is over. */
  #save(people: ReadonlyMap<UserId, number | undefined>): Promise<void> {
    const now = this.#parts.clock.wallMs();
    const kept = [...people].filter(([, untilMs]) => untilMs === undefined || untilMs > now);
    return this.#parts.settings.set(
      key,
      JSON.stringify(Object.fromEntries(kept.map(([one, at]) => [one, at ?? null]))),
    );
  }
}

/** What makes no sense is nobody's wish. */
function readStored(text: string | undefined): readonly (readonly [UserId, number | undefined])[] {
  try {
    const stored: unknown = JSON.parse(text ?? "{}");
    if (typeof stored !== "object" || stored === null) return [];
    return Object.entries(stored).flatMap(([name, untilMs]: readonly [string, unknown]) => {
      const person = parseUserId(name);
      if (person === undefined || (untilMs !== null && typeof untilMs !== "number")) return [];
      return [[person, untilMs ?? undefined] as const];
    });
  } catch {
    return [];
  }
}
