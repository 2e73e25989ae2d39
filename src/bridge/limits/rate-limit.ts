// How often somebody may make the bridge act: so many times at once, then evenly over the minute. Remembers only those
// who acted recently.
import type { Clock } from "../../ports/clock.ts";

/** More people than this are never slowed down at a time: the oldest get away. */
const remembered = 10_000;

export class RateLimit {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  /** When everything somebody did will have been worked off (on the clock that never steps), in order of their last act. */
  readonly #workedOff = new Map<string, number>();

  constructor(perMinute: number, clock: Clock) {
    this.#intervalMs = 60_000 / perMinute;
    this.#clock = clock;
  }

  /** False where it is too often. What was not allowed does not count. */
  allows(who: string): boolean {
    const now = this.#clock.nowMs();
    const backlogMs = Math.max(0, (this.#workedOff.get(who) ?? now) - now);
    const nextMs = backlogMs + this.#intervalMs;
    // Half a millisecond is for rounding.
    if (nextMs > 60_000 + 0.5) return false;
    this.#workedOff.delete(who);
    this.#workedOff.set(who, now + nextMs);
    this.#forget(now);
    return true;
  }

  #forget(now: number): void {
    for (const [who, atMs] of this.#workedOff) {
      if (atMs > now && this.#workedOff.size <= remembered) return;
      this.#workedOff.delete(who);
    }
  }
}
