// The crypto worker as the rest of the edge knows it: started when first needed, and again when it has died.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import { WorkerLink } from "./worker-link.ts";

/** One that dies at once, again and again, must not take the machine's time. */
const restMs = 500;

export class CryptoWorker {
  readonly #clock: Clock;
  readonly #log: Log;
  #link: WorkerLink | undefined;
  #cancelStart: (() => void) | undefined;
  #stopped = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** A worker that runs; undefined for a moment after one has died, and after the stop. */
  get link(): WorkerLink | undefined {
    if (this.#stopped || this.#cancelStart !== undefined) return undefined;
    if (this.#link?.isRunning !== true) this.#link = new WorkerLink(this.#clock, this.#log, () => this.#died());
    return this.#link;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelStart?.();
    await this.#link?.stop();
  }

  #died(): void {
    this.#cancelStart = this.#clock.at(this.#clock.nowMs() + restMs, () => {
      this.#cancelStart = undefined;
      void this.link;
    });
  }
}
