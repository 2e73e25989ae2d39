// The homeserver's TURN servers (client-server API, `/voip/turnServer`), kept for as long as their password is good.
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { IceServer } from "../../ports/media.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { HomeserverClient } from "./homeserver-client.ts";
import { failureOf } from "./request-failure.ts";

/** A call waits for this, so not long: many calls work without TURN. */
const patience = { again: "never", giveUpAfterMs: 3_000 } as const;
/** For how long an empty answer, or none, is believed. */
const emptyForMs = 60_000;
const sweepIntervalMs = 60_000;

const answerForm = z.object({
  uris: z.array(z.string().regex(/^(turns?|stuns?):/i)).min(1),
  username: z.string().optional(),
  password: z.string().optional(),
  ttl: z.number().positive().optional().catch(undefined),
});

interface Kept {
  readonly servers: readonly IceServer[];
  readonly untilMs: number;
}

export class TurnServers {
  readonly #client: HomeserverClient;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kept = new Map<UserId, Kept>();
  #sweepAtMs = 0;

  constructor(client: HomeserverClient, clock: Clock, log: Log) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
  }

  /** Never throws: without TURN a call may still work. */
  async of(user: UserId): Promise<readonly IceServer[]> {
    const nowMs = this.#clock.nowMs();
    this.#sweep(nowMs);
    const known = this.#kept.get(user);
    if (known !== undefined && known.untilMs > nowMs) return known.servers;
    const fresh = await this.#ask(user);
    this.#kept.set(user, fresh);
    return fresh.servers;
  }

  /** Now and then, so that a call does not pay for all who called before it. */
  #sweep(nowMs: number): void {
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + sweepIntervalMs;
    for (const [user, { untilMs }] of this.#kept) if (untilMs <= nowMs) this.#kept.delete(user);
  }

  async #ask(user: UserId): Promise<Kept> {
    const empty: Kept = { servers: [], untilMs: this.#clock.nowMs() + emptyForMs };
    let answer: unknown;
    try {
      answer = await this.#client.request(user, { method: "GET", path: ["v3", "voip", "turnServer"] }, patience);
    } catch (cause) {
      this.#log.warn("could not get TURN servers from the homeserver", { code: failureOf(cause).error.code });
      return empty;
    }
    const parsed = answerForm.safeParse(answer);
    // `{}` is what a homeserver without TURN says.
    if (!parsed.success) return empty;
    const { uris, username, password, ttl } = parsed.data;
    const server: IceServer = {
      urls: uris,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { credential: password }),
    };
    // A call that starts late in the password's life must still be able to refresh its allocation.
    return { servers: [server], untilMs: this.#clock.nowMs() + (ttl === undefined ? emptyForMs : ttl * 500) };
  }
}
