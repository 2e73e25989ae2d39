// The kill switch: an admin has stopped calls, of everybody, of a person, or over a trunk. It holds until an admin undoes it,
// restarts included.
import type { TrunkName, UserId } from "../../core/ids.ts";
import { barKey, type Bar } from "../../core/policy/spending/bar.ts";
import type { StopOrder } from "../../ports/admin/spending-door.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SpendingStore } from "../../ports/spending.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface CallStopsParts {
  readonly store: Pick<SpendingStore, "bars" | "setBar" | "removeBar">;
  readonly emit: (event: BridgeEvent) => void;
  readonly clock: Clock;
  readonly log: Log;
}

type StopScope = StopOrder["scope"];

const words: Readonly<Record<StopScope["kind"], string>> = {
  bridge: "An administrator has stopped telephone calls here. Please try again later.",
  user: "An administrator has stopped your telephone calls. Please ask them.",
  trunk: "An administrator has stopped calls over this telephone line. Please try again later.",
};

export class CallStops {
  readonly #parts: CallStopsParts;
  readonly #bars = new Map<string, Bar>();

  constructor(parts: CallStopsParts) {
    this.#parts = parts;
  }

  /** Rejects with StoreError: nobody may call while it is not known whether calls are stopped. */
  async load(): Promise<void> {
    for (const bar of await this.#parts.store.bars()) if (bar.kind === "stopped") this.#bars.set(barKey(bar), bar);
    if (this.#bars.size > 0) this.#parts.log.warn("calls are stopped: an admin undoes it by `calls start`");
  }

  get list(): readonly Bar[] {
    return [...this.#bars.values()].toSorted((one, other) => other.atMs - one.atMs);
  }

  /** What the person reads who may not call now. */
  whyNot(person: UserId): string | undefined {
    if (this.#has({ kind: "bridge", name: "" })) return words.bridge;
    return this.#has({ kind: "user", name: person }) ? words.user : undefined;
  }

  /** What the person reads where calls over a trunk are stopped. */
  whyNotOver(name: TrunkName): string | undefined {
    return this.#has({ kind: "trunk", name }) ? words.trunk : undefined;
  }

  get stopsInbound(): boolean {
    return this.#bars.get(keyOf({ kind: "bridge", name: "" }))?.inbound === true;
  }

  /** It holds at once, even if the store cannot keep it: then it rejects with StoreError. */
  async stop({ scope, inbound, who, why }: StopOrder): Promise<void> {
    const { clock, log, emit, store } = this.#parts;
    const atMs = clock.wallMs();
    const bar: Bar = { kind: "stopped", scope, prefix: "", inbound, who, why: why ?? "", atMs, untilMs: undefined };
    this.#bars.set(barKey(bar), bar);
    log.warn("calls stopped: none begin until an admin undoes it", { scope: scope.kind, of: scope.name, inbound, who });
    emit({ kind: "calls.stopped", atMs, scope, inbound, who });
    await store.setBar(bar);
  }

  async start(scope: StopScope): Promise<boolean> {
    const { clock, log, emit, store } = this.#parts;
    const bar = this.#bars.get(keyOf(scope));
    if (bar === undefined) return false;
    await store.removeBar(bar);
    this.#bars.delete(barKey(bar));
    log.info("calls may begin again", { scope: scope.kind, of: scope.name });
    emit({ kind: "calls.started", atMs: clock.wallMs(), scope });
    return true;
  }

  #has(scope: StopScope): boolean {
    return this.#bars.has(keyOf(scope));
  }
}

function keyOf(scope: StopScope): string {
  return barKey({ kind: "stopped", scope, prefix: "" });
}
