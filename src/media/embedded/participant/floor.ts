// Of several who speak at once one is heard: who has the floor keeps it until they are silent for a moment.

/** Longer than the pauses between words, which clients fill or not, and short enough to miss little of the next speaker. */
const silentMs = 300;

export class Floor {
  #holder: string | undefined;
  #heardAtMs = 0;

  /** A packet of `who` has come: is it heard? */
  takes(who: string, nowMs: number): boolean {
    if (who !== this.#holder && this.#holder !== undefined && nowMs - this.#heardAtMs < silentMs) return false;
    this.#holder = who;
    this.#heardAtMs = nowMs;
    return true;
  }
}
