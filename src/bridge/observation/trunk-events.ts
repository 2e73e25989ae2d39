// Tells the bridge's watchers when a trunk goes up or down.
import type { TrunkName } from "../../core/ids.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import type { TrunkHealth } from "../../ports/sip.ts";

export class TrunkEvents {
  readonly #emit: (event: BridgeEvent) => void;
  readonly #clock: Clock;
  readonly #states = new Map<TrunkName, TrunkHealth["state"]>();

  constructor(emit: (event: BridgeEvent) => void, clock: Clock) {
    this.#emit = emit;
    this.#clock = clock;
  }

  /** A change of the reason alone is no news. */
  changed({ name, state, detail }: TrunkHealth): void {
    if (this.#states.get(name) === state) return;
    this.#states.set(name, state);
    if (state !== "unknown") this.#emit({ kind: `trunk.${state}`, atMs: this.#clock.wallMs(), trunk: name, detail });
  }
}
