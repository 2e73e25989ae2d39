// How often somebody may make the bridge act: so many times at once, then evenly over a minute, or over
// another time. Remembers only those
// who acted recently.
import type { Clock } from "../../ports/clock.ts";

/** More people than this are never slowed down at a time: the oldest get away. */
const remembered = 10_000;

export class RateLimit {
  readonly #intervalMs: number;
  readonly #withinMs: number;
  readonly #clock: Clock;
  /** When everything somebody did will have been worked off (on the clock that never steps), in order of their last act. */
  readonly #workedOff = new Map<string, number>();

  constructor(times: number, clock: Clock, withinMs = 60_000) {
    this.#intervalMs = withinMs / times;
    this.#withinMs = withinMs;
    this.#clock = clock;
  }

  /** False where it is too often. What was not allowed does not count. */
  allows(who: string): boolean {
    if (this.isSpent(who)) return false;
    const now = this.#clock.nowMs();
    this.#note(who, now + this.#backlogMs(who, now) + this.#intervalMs);
    this.#forget(now);
    return true;
  }

  /** Whether it would be too often now. */
  isSpent(who: string): boolean {
    const nextMs = this.#backlogMs(who, this.#clock.nowMs()) + this.#intervalMs;
    // Half a millisecond is for rounding.
    return nextMs > this.#withinMs + 0.5;
  }

  /** So many of the times that were allowed count no more. */
  forgive(who: string, times: number): void {
    const atMs = this.#workedOff.get(who);
    if (atMs !== undefined) this.#note(who, atMs - times * this.#intervalMs);
  }

  #backlogMs(who: string, now: number): number {
    return Math.max(0, (this.#workedOff.get(who) ?? now) - now);
  }

  #note(who: string, workedOffAtMs: number): void {
    this.#workedOff.delete(who);
    this.#workedOff.set(who, workedOffAtMs);
  }

  #forget(now: number): void {
    for (const [who, atMs] of this.#workedOff) {
      if (atMs > now && this.#workedOff.size <= remembered) return;
      this.#workedOff.delete(who);
    }
  }
}
