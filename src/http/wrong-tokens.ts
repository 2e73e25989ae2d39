// Who brings wrong tokens: ten at once, then one every six seconds. An address that has used that up is not listened to, so
// that guessing leads nowhere.
import type { Clock } from "../ports/clock.ts";
import { Tally } from "../ports/tally.ts";
import type { Log } from "../ports/telemetry.ts";

const intervalMs = 6_000;
const windowMs = 60_000;
/** Of more addresses than this, those that were wrong longest ago are forgotten. */
const remembered = 1_000;

export class WrongTokens {
  readonly #clock: Clock;
  readonly #tally: Tally;
  /** When each address will have worked off what it did, in the order of their last wrong token. */
  readonly #workedOff = new Map<string, number>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#tally = new Tally(log, clock, "a request for admins had a wrong token");
  }

  /** How long this address has to wait until it is listened to again; 0: not at all. */
  waitMs(address: string): number {
    const backlogMs = (this.#workedOff.get(address) ?? 0) - this.#clock.nowMs();
    return Math.max(0, backlogMs + intervalMs - windowMs);
  }

  add(address: string): void {
    const nowMs = this.#clock.nowMs();
    const fromMs = Math.max(nowMs, this.#workedOff.get(address) ?? nowMs);
    this.#workedOff.delete(address);
    this.#workedOff.set(address, fromMs + intervalMs);
    for (const [other, atMs] of this.#workedOff) {
      if (atMs > nowMs && this.#workedOff.size <= remembered) break;
      this.#workedOff.delete(other);
    }
    this.#tally.add({ peer: address });
  }
}
