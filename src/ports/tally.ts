// What happens often and is worth one line: the first time, and after that a count at most once a minute.
import type { Clock } from "./clock.ts";
import type { Log, LogFields } from "./telemetry.ts";

const reportMs = 60_000;

export class Tally {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #message: string;
  #count = 0;
  #reportedAtMs: number | undefined;

  constructor(log: Log, clock: Clock, message: string) {
    this.#log = log;
    this.#clock = clock;
    this.#message = message;
  }

  /** `fields` are those of the last one. */
  add(fields: LogFields = {}): void {
    this.#count += 1;
    const nowMs = this.#clock.nowMs();
    if (this.#reportedAtMs !== undefined && nowMs - this.#reportedAtMs < reportMs) return;
    this.#reportedAtMs = nowMs;
    this.#log.warn(this.#message, { ...fields, refusedSoFar: this.#count });
  }
}
