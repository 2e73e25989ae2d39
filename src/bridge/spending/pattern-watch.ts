// Holds calls that look like fraud (core/policy/spending/patterns.ts) until an admin allows them. What is held survives
// restarts; what was called within the last hour does not.
import type { E164, UserId } from "../../core/ids.ts";
import type { Country } from "../../core/number/e164.ts";
import { barKey, type Bar } from "../../core/policy/spending/bar.ts";
import { hourAt } from "../../core/policy/spending/calendar.ts";
import {
  heldWords,
  rangeOf,
  RecentCalls,
  suspicionWords,
  type Suspicion,
} from "../../core/policy/spending/patterns.ts";
import type { Rate } from "../../core/policy/spending/rate.ts";
import { isExpensive, type SpendingPolicy } from "../../core/policy/spending/spending-policy.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";
import type { HeldCalls } from "../../ports/admin/spending-door.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SpendingStore } from "../../ports/spending.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

export interface PatternWatchParts {
  readonly store: Pick<SpendingStore, "bars" | "setBar" | "removeBar">;
  readonly spending: () => SpendingPolicy;
  readonly home: () => Country | undefined;
  readonly emit: (event: BridgeEvent) => void;
  readonly telemetry: Pick<Telemetry, "log" | "callsHeld">;
  readonly clock: Clock;
}

type RangeBar = Bar & { readonly kind: "held" | "allowed"; readonly scope: { readonly kind: "user" } };

const dayMs = 24 * 3_600_000;

export class PatternWatch {
  readonly #parts: PatternWatchParts;
  readonly #recent = new RecentCalls();
  readonly #bars = new Map<string, RangeBar>();

  constructor(parts: PatternWatchParts) {
    this.#parts = parts;
  }

  /** Rejects with StoreError: nobody may call while it is not known what is held. */
  async load(): Promise<void> {
    for (const bar of await this.#parts.store.bars()) if (isOfRange(bar)) this.#bars.set(barKey(bar), bar);
    for (const { person, prefix } of this.held)
      this.#parts.telemetry.log.warn("calls are held: an admin releases them by `calls allow`", { person, prefix });
  }

  /** The latest first. */
  get held(): readonly HeldCalls[] {
    return [...this.#bars.values()]
      .filter(({ kind }) => kind === "held")
      .map(({ scope, prefix, why, atMs }) => ({ person: scope.name, prefix, why, atMs }))
      .toSorted((one, other) => other.atMs - one.atMs);
  }

  /** What the person reads whose calls to that number are held, or are from now on. */
  whyNot(person: UserId, number: E164 | undefined, rates: readonly Rate[]): string | undefined {
    if (number === undefined) return undefined;
    const held = this.held.find((one) => one.person === person && number.slice(1).startsWith(one.prefix));
    if (held !== undefined) return heldWords(held.prefix, held.why);
    const { spending, home } = this.#parts;
    const { patterns } = spending();
    if (!isExpensive(number, rates, home(), patterns) || this.#isAllowed(person, number)) return undefined;
    const range = rangeOf(number);
    const suspicion = this.#recent.suspicion(person, { range, ...this.#now }, patterns);
    return suspicion && heldWords(range, this.#hold(person, range, suspicion));
  }

  began(person: UserId, id: string, number: E164 | undefined, rates: readonly Rate[]): void {
    const { spending, home } = this.#parts;
    if (number === undefined || !isExpensive(number, rates, home(), spending().patterns)) return;
    this.#recent.began(person, { id, number, ...this.#now });
  }

  ended(person: UserId, id: string, talkedS: number): void {
    this.#recent.ended(person, id, talkedS);
  }

  /** Without a prefix, all that is held of the person. Gives what was. Rejects with StoreError if a restart would undo it. */
  async allow(person: UserId, prefix: string | undefined, who: string): Promise<readonly string[]> {
    const { store, clock, spending, telemetry } = this.#parts;
    const atMs = clock.wallMs();
    const released = [...this.#bars.values()].filter(
      (bar) => bar.kind === "held" && bar.scope.name === person && (prefix ?? bar.prefix) === bar.prefix,
    );
    for (const bar of released) {
      const untilMs = atMs + spending().patterns.allowedDays * dayMs;
      const allowed: RangeBar = { ...bar, kind: "allowed", who, atMs, untilMs };
      await store.setBar(allowed);
      this.#bars.set(barKey(allowed), allowed);
      await store.removeBar(bar);
      this.#bars.delete(barKey(bar));
      telemetry.log.info("held calls are allowed", { person, prefix: bar.prefix, who });
    }
    await this.#forgetAllowed(atMs);
    return released.map((bar) => bar.prefix);
  }

  /** Holds at once, even if the store cannot keep it. */
  #hold(person: UserId, prefix: string, suspicion: Suspicion): string {
    const { store, clock, emit, telemetry } = this.#parts;
    const { log } = telemetry;
    const atMs = clock.wallMs();
    const why = suspicionWords(suspicion, prefix);
    const scope = { kind: "user", name: person } as const;
    const bar: RangeBar = {
      kind: "held",
      scope,
      prefix,
      inbound: false,
      who: "the bridge",
      why,
      atMs,
      untilMs: undefined,
    };
    this.#bars.set(barKey(bar), bar);
    const { shape, calls } = suspicion;
    log.warn("calls held: they look like fraud, an admin releases them by `calls allow`", {
      person,
      prefix,
      shape,
      calls,
    });
    telemetry.callsHeld(shape);
    emit({ kind: "pattern.held", atMs, person, prefix, shape, why });
    store.setBar(bar).catch((error: unknown) => {
      log.error("cannot store that calls are held: a restart would release them", { person, prefix, error });
    });
    return why;
  }

  #isAllowed(person: UserId, number: E164): boolean {
    const atMs = this.#parts.clock.wallMs();
    return [...this.#bars.values()].some(
      ({ kind, scope, prefix, untilMs = 0 }) =>
        kind === "allowed" && scope.name === person && number.slice(1).startsWith(prefix) && atMs < untilMs,
    );
  }

  async #forgetAllowed(atMs: number): Promise<void> {
    for (const [key, bar] of this.#bars) {
      if (bar.kind !== "allowed" || (bar.untilMs ?? 0) > atMs) continue;
      await this.#parts.store.removeBar(bar);
      this.#bars.delete(key);
    }
  }

  get #now(): { readonly atMs: number; readonly hour: number } {
    const { clock, spending } = this.#parts;
    return { atMs: clock.nowMs(), hour: hourAt(clock.wallMs(), spending().zone) };
  }
}

function isOfRange(bar: Bar): bar is RangeBar {
  return bar.kind !== "stopped" && bar.scope.kind === "user";
}
