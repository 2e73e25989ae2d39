// One timer of its owner's: to set it again takes back what it was set for.
import type { Clock } from "../../ports/clock.ts";

export class Alarm {
  readonly #clock: Clock;
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(afterMs: number, then: () => void): void {
    this.#cancel();
    this.#cancel = this.#clock.at(this.#clock.nowMs() + afterMs, then);
  }

  stop(): void {
    this.#cancel();
  }
}
