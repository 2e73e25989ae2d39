// Deletes the records of calls that ended long ago, what admins did before that, and what limits had used in earlier months. The intake deletes its own events.
import type { Clock } from "../../ports/clock.ts";
import type { AdminActions, CallLedger } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface RetentionParts {
  readonly ledger: Pick<CallLedger, "prune">;
  readonly actions: Pick<AdminActions, "prune">;
  readonly spending: { forgetOldMonths(): Promise<void> };
  readonly keepCallsMs: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

const intervalMs = 24 * 3_600_000;

export class Retention {
  readonly #parts: RetentionParts;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Once now, then once a day. Never rejects. */
  async start(): Promise<void> {
    const { clock, keepCallsMs, ledger, actions, spending, log } = this.#parts;
    try {
      const beforeMs = clock.wallMs() - keepCallsMs();
      const calls = await ledger.prune(beforeMs);
      await actions.prune(beforeMs);
      await spending.forgetOldMonths();
      if (calls > 0) log.info("deleted the records of old calls", { calls });
    } catch (error) {
      log.warn("could not delete the records of old calls", { error });
    }
    if (!this.#stopped) this.#cancel = clock.at(clock.nowMs() + intervalMs, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}
