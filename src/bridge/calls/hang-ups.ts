// Ends many calls that nobody asked to end: all of them when the bridge stops, those that a dead process left when it
// starts. So many at once, then a pause: a bridge ends 500 calls a second, and more drown a trunk that serves them all.
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";
import { pause } from "../../ports/pause.ts";
import type { CallIndex } from "./call-index.ts";

const atOnce = 50;
const pauseMs = 100;

export class HangUps {
  readonly #index: CallIndex;
  readonly #clock: Clock;
  #count = 0;

  constructor(index: CallIndex, clock: Clock) {
    this.#index = index;
    this.#clock = clock;
  }

  /** Ends every call, and waits until nothing is owed to anybody, but no longer than `patienceMs`. */
  async endAll(patienceMs: number): Promise<void> {
    const allEnded = this.#stopAll().then(() => this.#index.whenEmpty());
    await doneWithin(patienceMs, allEnded, this.#clock);
  }

  /** After each hang-up: waits where it was the last of so many. */
  async pace(): Promise<void> {
    this.#count += 1;
    if (this.#count % atOnce !== 0) return;
    await pause(pauseMs, this.#clock);
  }

  async #stopAll(): Promise<void> {
    for (const runner of this.#index.runners) {
      void runner.post({ kind: "bridge.stopped" });
      await this.pace();
    }
  }
}
