// Who is logged in to the console. Sessions are in memory alone: when the bridge restarts, admins log in again.
import { createHash, randomBytes } from "node:crypto";
import type { UserId } from "../../../core/ids.ts";
import type { Clock } from "../../../ports/clock.ts";

export interface Session {
  /** For the log of what admins do. */
  readonly who: string;
  /** Undefined: whoever had the token. */
  readonly person: UserId | undefined;
  /** ms since the epoch. */
  readonly startedAtMs: number;
  /** At the latest (ms since the epoch). */
  readonly endsAtMs: number;
  end(): void;
  /** Calls back once when it ends; the function that it gives takes that back. */
  onEnd(then: () => void): () => void;
}

/** A session in which nothing is asked for so long ends. */
export const idleMs = 30 * 60_000;
const longestMs = 12 * 3_600_000;
/** Of more, the one that was used longest ago ends. */
const mostSessions = 50;

interface Held {
  readonly session: Session;
  usedMs: number;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #isAdmin: (person: UserId) => boolean;
  /** By the hash of their secret, so that a look into the memory gives nobody a session; in the order of their last use. */
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock, isAdmin: (person: UserId) => boolean) {
    this.#clock = clock;
    this.#isAdmin = isAdmin;
  }

  /** The secret is what its browser has to bring. */
  begin(who: string, person: UserId | undefined): { readonly secret: string; readonly session: Session } {
    const secret = randomBytes(32).toString("base64url");
    const key = hashOf(secret);
    const beganMs = this.#clock.nowMs();
    const startedAtMs = this.#clock.wallMs();
    const listeners = new Set<() => void>();
    let cancel = (): void => {};
    const end = (): void => {
      if (!this.#held.delete(key)) return;
      cancel();
      for (const listener of listeners) listener();
    };
    const session: Session = {
      who,
      person,
      startedAtMs,
      endsAtMs: startedAtMs + longestMs,
      end,
      onEnd(then) {
        listeners.add(then);
        return () => void listeners.delete(then);
      },
    };
    const held: Held = { session, usedMs: beganMs };
    const watch = (): void => {
      const untilMs = Math.min(held.usedMs + idleMs, beganMs + longestMs);
      if (untilMs <= this.#clock.nowMs()) end();
      else cancel = this.#clock.at(untilMs, watch);
    };
    this.#held.set(key, held);
    watch();
    const [oldest] = this.#held.values();
    if (this.#held.size > mostSessions) oldest?.session.end();
    return { secret, session };
  }

  /** Undefined: there is none, or it has ended. */
  use(secret: string): Session | undefined {
    const key = hashOf(secret);
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    const { person } = held.session;
    if (person !== undefined && !this.#isAdmin(person)) {
      held.session.end();
      return undefined;
    }
    held.usedMs = this.#clock.nowMs();
    this.#held.delete(key);
    this.#held.set(key, held);
    return held.session;
  }

  stop(): void {
    for (const { session } of this.#held.values()) session.end();
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64");
}
