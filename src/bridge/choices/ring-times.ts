// How long people want their clients to ring, where the number's entry would ring them longer.
import type { UserId } from "../../core/ids.ts";
import { shortened, type RingStage } from "../../core/number/plan/ring-stage.ts";
import type { Settings } from "../../ports/store.ts";
import { OwnChoices } from "./own-choices.ts";

export const shortestRingS = 5;
export const longestRingS = 120;

export class RingTimes {
  readonly #seconds: OwnChoices<number>;

  constructor(settings: Settings) {
    this.#seconds = new OwnChoices({ settings, key: "how long people are rung", parse: secondsOf });
  }

  /** Rejects with StoreError. */
  load(): Promise<void> {
    return this.#seconds.load();
  }

  /** In seconds; undefined: as the number's entry says. */
  of(person: UserId): number | undefined {
    return this.#seconds.of(person);
  }

  /** Rejects with StoreError; then nothing is changed. */
  choose(person: UserId, seconds: number | undefined): Promise<void> {
    return this.#seconds.choose(person, seconds);
  }

  shorten(stages: readonly RingStage[]): readonly RingStage[] {
    return shortened(stages, (person) => {
      const seconds = this.of(person);
      return seconds === undefined ? undefined : seconds * 1000;
    });
  }
}

function secondsOf(stored: unknown): number | undefined {
  if (typeof stored !== "number" || !Number.isInteger(stored)) return undefined;
  return stored >= shortestRingS && stored <= longestRingS ? stored : undefined;
}
