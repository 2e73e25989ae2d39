// Whether the homeserver pushes what devices are told, and since when nothing of it was lost. Synapse forgets what is in a
// transaction besides events if the bridge does not take it at the first attempt.
import type { Clock } from "../../ports/clock.ts";

export class Pushing {
  readonly #clock: Clock;
  #sinceMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** On the clock that only goes forward; undefined: what is to be known must be fetched. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** A transaction told devices of keys. */
  seen(): void {
    this.#sinceMs ??= this.#clock.nowMs();
  }

  /** Something had to be fetched that should have been pushed. */
  missed(): void {
    this.#sinceMs = undefined;
  }
}
