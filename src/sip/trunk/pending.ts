// Goodbyes that are still in flight: a trunk that stops waits for them, but not for ever.
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";

export class Pending {
  readonly #open = new Set<symbol>();
  #allSettled: () => void = () => {};

  /** Something is in flight until the returned function is called. */
  pend(): () => void {
    const entry = Symbol("pending");
    this.#open.add(entry);
    return () => {
      this.#open.delete(entry);
      if (this.#open.size === 0) this.#allSettled();
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Resolves when nothing is in flight any more, or after `patienceMs`. */
  async settled(clock: Clock, patienceMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#allSettled = resolve;
    await doneWithin(patienceMs, promise, clock);
  }
}
