// How often somebody may make the bridge act: so many times at once, then evenly over a minute, or over
// another time. Remembers only those
// who acted recently.
import type { Clock } from "../../ports/clock.ts";

/** More people than this are never slowed down at a time: the oldest get away. */
const remembered = 10_000;

/** What somebody did and has not been worked off: so many times, at a moment of the clock that never steps. */
interface Acts {
  readonly times: number;
  readonly atMs: number;
}

export class RateLimit {
  readonly #times: () => number;
  readonly #withinMs: number;
  readonly #clock: Clock;
  /** In the order of their last act. */
  readonly #acts = new Map<string, Acts>();

  /** A limit that can change is a function: what somebody did before counts on. */
  constructor(times: number | (() => number), clock: Clock, withinMs = 60_000) {
    this.#times = typeof times === "number" ? () => times : times;
    this.#withinMs = withinMs;
    this.#clock = clock;
  }

  /** False where it is too often. What was not allowed does not count. */
  allows(who: string): boolean {
    if (this.isSpent(who)) return false;
    const now = this.#clock.nowMs();
    this.#note(who, this.#backlog(who, now) + 1, now);
    this.#forget(now);
    return true;
  }

  /** Whether it would be too often now. */
  isSpent(who: string): boolean {
    const times = this.#times();
    // Half a millisecond is for rounding.
    return this.#backlog(who, this.#clock.nowMs()) + 1 > times * (1 + 0.5 / this.#withinMs);
  }

  /** So many of the times that were allowed count no more. */
  forgive(who: string, times: number): void {
    const now = this.#clock.nowMs();
    if (this.#acts.has(who)) this.#note(who, Math.max(0, this.#backlog(who, now) - times), now);
  }

  #backlog(who: string, now: number): number {
    const acts = this.#acts.get(who);
    return acts === undefined ? 0 : Math.max(0, acts.times - ((now - acts.atMs) * this.#times()) / this.#withinMs);
  }

  #note(who: string, times: number, atMs: number): void {
    this.#acts.delete(who);
    this.#acts.set(who, { times, atMs });
  }

  #forget(now: number): void {
    for (const who of this.#acts.keys()) {
      if (this.#backlog(who, now) > 0 && this.#acts.size <= remembered) return;
      this.#acts.delete(who);
    }
  }
}
