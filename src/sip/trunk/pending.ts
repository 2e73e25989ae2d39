// What is still owed to a peer: a trunk that stops waits for it, but not for ever.
import type { Clock } from "../../ports/clock.ts";

export class Debts {
  readonly #open = new Set<symbol>();
  #paid: () => void = () => {};

  /** Something is owed until the returned function is called. */
  owe(): () => void {
    const debt = Symbol("debt");
    this.#open.add(debt);
    return () => {
      this.#open.delete(debt);
      if (this.#open.size === 0) this.#paid();
    };
  }

  /** When all is paid, or after `patienceMs`. */
  settled(clock: Clock, patienceMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.at(clock.nowMs() + patienceMs, resolve);
      this.#paid = () => {
        cancel();
        resolve();
      };
    });
  }
}
