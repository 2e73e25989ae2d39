// What the log says of requests that are refused at the door: the first of a kind from an address is a line at once, those
// that follow are counted, and the count is told at growing intervals. Nobody can fill the log by asking.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";

const firstIntervalMs = 60_000;
const longestIntervalMs = 3_600_000;
/** Addresses that have lines of their own; from then on the others share one. */
const distinguished = 100;

interface Refused {
  more: number;
  intervalMs: number;
  cancel: () => void;
}

export class RefusedRequests {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #refused = new Map<string, Refused>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `message` is a constant string. */
  note(message: string, from: string | undefined): void {
    const known = this.#refused.has(`${message}\n${from}`);
    const peer = known || this.#refused.size < distinguished ? from : "others";
    const key = `${message}\n${peer}`;
    const refused = this.#refused.get(key);
    if (refused !== undefined) {
      refused.more += 1;
      return;
    }
    this.#log.warn(message, { peer });
    const fresh: Refused = { more: 0, intervalMs: firstIntervalMs, cancel: () => {} };
    this.#refused.set(key, fresh);
    this.#await(key, message, peer, fresh);
  }

  stop(): void {
    for (const { cancel } of this.#refused.values()) cancel();
    this.#refused.clear();
  }

  #await(key: string, message: string, peer: string | undefined, refused: Refused): void {
    refused.cancel = this.#clock.at(this.#clock.nowMs() + refused.intervalMs, () => {
      if (refused.more === 0) {
        this.#refused.delete(key);
        return;
      }
      this.#log.warn(message, { peer, more: refused.more });
      refused.more = 0;
      refused.intervalMs = Math.min(refused.intervalMs * 2, longestIntervalMs);
      this.#await(key, message, peer, refused);
    });
  }
}
