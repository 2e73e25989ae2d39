// The account's way to the store. What is not written yet waits here, the latest of each thing, and is written once the store
// works again. Nobody waits for it: whoever asks the store for something later is served after it.
import type { Usage } from "../../core/policy/spending/account.ts";
import { scopeKey } from "../../core/policy/spending/allowance.ts";
import type { RunningCharge, SpendingChanges, SpendingStore } from "../../ports/spending.ts";
import { StoreError } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface SpendingLedgerParts {
  readonly store: Pick<SpendingStore, "save">;
  /** Knows whether the store can be written. */
  readonly watch: {
    readonly failure: StoreError | undefined;
    /** What waited is written before the store counts as mended. */
    beforeMended(catchUp: () => Promise<number>): void;
  };
  readonly log: Log;
}

export class SpendingLedger {
  readonly #parts: SpendingLedgerParts;
  readonly #usages = new Map<string, Usage>();
  /** Undefined: settled. */
  readonly #charges = new Map<string, RunningCharge | undefined>();

  constructor(parts: SpendingLedgerParts) {
    this.#parts = parts;
    parts.watch.beforeMended(() => this.#write());
  }

  /** Never rejects. */
  take({ usages, running, settled }: SpendingChanges): void {
    for (const usage of usages) this.#usages.set(`${scopeKey(usage.scope)} ${usage.window}`, usage);
    for (const charge of running) this.#charges.set(charge.charge.id, charge);
    for (const id of settled) this.#charges.set(id, undefined);
    if (this.#parts.watch.failure !== undefined || this.#usages.size + this.#charges.size === 0) return;
    // Whoever watches the store has heard of it.
    this.#write().catch((error: unknown) => {
      if (!(error instanceof StoreError)) this.#parts.log.error("could not store what limits have used", { error });
    });
  }

  async #write(): Promise<number> {
    const usages = [...this.#usages];
    const charges = [...this.#charges];
    if (usages.length + charges.length === 0) return 0;
    this.#usages.clear();
    this.#charges.clear();
    try {
      await this.#parts.store.save({
        usages: usages.map(([, usage]) => usage),
        running: charges.flatMap(([, charge]) => charge ?? []),
        settled: charges.flatMap(([id, charge]) => (charge === undefined ? [id] : [])),
      });
      return usages.length + charges.length;
    } catch (error) {
      // What has changed since is newer.
      for (const [key, usage] of usages) if (!this.#usages.has(key)) this.#usages.set(key, usage);
      for (const [id, charge] of charges) if (!this.#charges.has(id)) this.#charges.set(id, charge);
      throw error;
    }
  }
}
