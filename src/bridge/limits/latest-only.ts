// Passes a change on at once, and after that at most once per interval: of the changes in between, only the latest. For
// news of which only the last state counts.
import type { Clock } from "../../ports/clock.ts";

interface Rest<Value> {
  readonly stop: () => void;
  /** What came since, if anything did. */
  latest: { readonly value: Value } | undefined;
}

export class LatestOnly<Key, Value> {
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #pass: (key: Key, value: Value) => void;
  readonly #resting = new Map<Key, Rest<Value>>();

  constructor(everyMs: number, clock: Clock, pass: (key: Key, value: Value) => void) {
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#pass = pass;
  }

  take(key: Key, value: Value): void {
    const rest = this.#resting.get(key);
    if (rest === undefined) this.#passOn(key, value);
    else rest.latest = { value };
  }

  /** What waits for that thing is not passed on any more. */
  forget(key: Key): void {
    this.#resting.get(key)?.stop();
    this.#resting.delete(key);
  }

  stop(): void {
    for (const key of this.#resting.keys()) this.forget(key);
  }

  #passOn(key: Key, value: Value): void {
    const stop = this.#clock.at(this.#clock.nowMs() + this.#everyMs, () => {
      const latest = this.#resting.get(key)?.latest;
      this.#resting.delete(key);
      if (latest !== undefined) this.#passOn(key, latest.value);
    });
    this.#resting.set(key, { stop, latest: undefined });
    this.#pass(key, value);
  }
}
