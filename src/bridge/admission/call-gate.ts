// Whether calls may begin now, whomever they are for: not while the bridge drains or stops, nor while the store cannot be
// written, nor over a trunk that an admin has paused. Calls that are up go on.
import type { Cause } from "../../core/call/model/cause.ts";
import type { TrunkName } from "../../core/ids.ts";

/** Why no call begins, whichever trunk it would take. */
export type Closed = Extract<Cause, "restarting" | "draining" | "cannot-store">;

export class CallGate {
  readonly #storeFails: () => boolean;
  readonly #paused = new Set<TrunkName>();
  #shut: "draining" | "restarting" | undefined;

  constructor(storeFails: () => boolean) {
    this.#storeFails = storeFails;
  }

  /** Undefined while calls may begin. */
  get closed(): Closed | undefined {
    return this.#shut ?? (this.#storeFails() ? "cannot-store" : undefined);
  }

  /** Whether the bridge is being stopped: whatever still begins ends at once. */
  get isStopping(): boolean {
    return this.#shut === "restarting";
  }

  /** For good. A bridge that stops does not drain any more. */
  shut(why: "draining" | "restarting"): void {
    if (!this.isStopping) this.#shut = why;
  }

  isPaused(trunk: TrunkName): boolean {
    return this.#paused.has(trunk);
  }

  /** False where it was so already. */
  pause(trunk: TrunkName): boolean {
    if (this.#paused.has(trunk)) return false;
    this.#paused.add(trunk);
    return true;
  }

  resume(trunk: TrunkName): boolean {
    return this.#paused.delete(trunk);
  }
}
