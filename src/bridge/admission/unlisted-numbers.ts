// Logs calls to numbers that the number table does not have: one line for each number, then a count. A scanner may try
// them all, so only the latest numbers are remembered.
import { RecentMap } from "../../core/recent-map.ts";
import type { TrunkName } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";

const remembered = 100;

export interface UnlistedCall {
  readonly trunk: TrunkName;
  /** As the trunk wrote it. */
  readonly called: string;
  /** As an entry of the table would be written. */
  readonly number: string;
}

export class UnlistedNumbers {
  readonly #clock: Clock;
  readonly #log: Log;
  /** In the order of their first calls. */
  readonly #tallies = new RecentMap<string, Tally>(remembered);

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  called({ trunk, called, number }: UnlistedCall): void {
    const key = `${trunk} ${called}`;
    this.#tallyOf(key).add({ trunk, called, number });
  }

  #tallyOf(key: string): Tally {
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    const message = "call refused: inbound.numbers has no entry for the called number on this trunk";
    const fresh = new Tally(this.#log, this.#clock, message);
    this.#tallies.set(key, fresh);
    return fresh;
  }
}
