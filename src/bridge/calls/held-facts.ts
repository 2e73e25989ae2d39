// Facts of a call that arrive before its invite: trickled candidates, or an end that overtook it. Kept for as long as
// an invite lives, and only a limited number, because anybody can send them.
import type { MatrixLegFact } from "../../core/call/model/fact.ts";
import type { DeviceId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";

export interface HeldFact {
  readonly sender: UserId;
  readonly device: DeviceId | undefined;
  readonly fact: Extract<MatrixLegFact, { kind: "matrix.candidates" | "matrix.selected" | "matrix.hungUp" }>;
}

const keptMs = 60_000;
/** In facts and candidates together: of one call, more than any client has; of all, some megabytes. */
const keptOfCall = 300;
const keptInAll = 10_000;

interface Kept {
  readonly sinceMs: number;
  readonly facts: HeldFact[];
  weight: number;
}

export class HeldFacts {
  readonly #clock: Clock;
  /** In order of their first fact. */
  readonly #calls = new Map<string, Kept>();
  #weight = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keep(key: string, fact: HeldFact): void {
    const kept = this.#calls.get(key) ?? { sinceMs: this.#clock.nowMs(), facts: [], weight: 0 };
    const weight = weightOf(fact);
    if (kept.weight + weight > keptOfCall) return;
    kept.facts.push(fact);
    kept.weight += weight;
    this.#weight += weight;
    this.#calls.set(key, kept);
    this.#forget();
  }

  take(key: string): readonly HeldFact[] {
    this.#forget();
    const kept = this.#calls.get(key);
    this.#drop(key);
    return kept?.facts ?? [];
  }

  /** What is too old, and the oldest of what is too much. */
  #forget(): void {
    const now = this.#clock.nowMs();
    for (const [key, { sinceMs }] of this.#calls) {
      if (now - sinceMs < keptMs && this.#weight <= keptInAll) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#weight -= this.#calls.get(key)?.weight ?? 0;
    this.#calls.delete(key);
  }
}

function weightOf({ fact }: HeldFact): number {
  return 1 + (fact.kind === "matrix.candidates" ? fact.candidates.length : 0);
}
