// Facts of a call that arrived before its invite: trickled candidates, or a hang-up that overtook it.
// Kept for as long as an invite lives, and only so many: whoever sends them is not to be trusted.
import type { CallFact } from "../core/call/event.ts";
import type { PartyId, UserId } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";

export interface EarlyFact {
  readonly sender: UserId;
  readonly party: PartyId | undefined;
  readonly fact: CallFact;
}

const keptMs = 60_000;
const keptCalls = 1_000;
const keptFacts = 50;

export class EarlyFacts {
  readonly #clock: Clock;
  /** In order of their first fact. */
  readonly #calls = new Map<string, { readonly sinceMs: number; readonly facts: EarlyFact[] }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keep(key: string, fact: EarlyFact): void {
    this.#forget();
    const kept = this.#calls.get(key);
    if (kept === undefined) this.#calls.set(key, { sinceMs: this.#clock.nowMs(), facts: [fact] });
    else if (kept.facts.length < keptFacts) kept.facts.push(fact);
  }

  take(key: string): readonly EarlyFact[] {
    this.#forget();
    const kept = this.#calls.get(key);
    this.#calls.delete(key);
    return kept?.facts ?? [];
  }

  #forget(): void {
    const now = this.#clock.nowMs();
    for (const [key, kept] of this.#calls) {
      if (now - kept.sinceMs < keptMs && this.#calls.size <= keptCalls) return;
      this.#calls.delete(key);
    }
  }
}
