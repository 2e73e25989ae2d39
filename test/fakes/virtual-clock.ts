// A clock that moves only when told to, so that no test waits.
import type { Clock } from "../../src/ports/clock.ts";

export class VirtualClock implements Clock {
  #nowMs: number;
  #wallAheadMs = 0;
  #ids = 0;
  #timers: { readonly atMs: number; readonly callBack: () => void }[] = [];

  constructor(startMs = 1_800_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallAheadMs;
  }

  /** Somebody sets the machine's clock. */
  setWall(byMs: number): void {
    this.#wallAheadMs += byMs;
  }

  at(atMs: number, then: () => void): () => void {
    const timer = { atMs, callBack: then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Callbacks that are still to come. */
  get pending(): number {
    return this.#timers.length;
  }

  newId(): string {
    this.#ids += 1;
    return `id${this.#ids}`;
  }

  /** Moves on, calling back what is due, in order. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.callBack();
    }
    this.#nowMs = untilMs;
  }
}
