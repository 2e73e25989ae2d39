// Notices that a side has gone quiet. RTCP counts as life, and so does every packet we do not forward; on hold nobody
// has to say anything.
import type { MediaSide } from "../../../core/call/model/media-side.ts";

export class Silence {
  readonly #timeoutMs: number;
  readonly #since: Record<MediaSide, number | undefined> = { matrix: undefined, trunk: undefined };
  readonly #isTold: Record<MediaSide, boolean> = { matrix: false, trunk: false };

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * True once when `side` has been quiet for too long; again only after it was heard.
   * @param isExpected false before there is anything to hear, and on hold: the time starts anew after it
   */
  isTimedOut(side: MediaSide, isExpected: boolean, lastHeardAtMs: number | undefined, nowMs: number): boolean {
    if (!isExpected) {
      this.#since[side] = undefined;
      return false;
    }
    this.#since[side] ??= nowMs;
    const quietSince = Math.max(this.#since[side], lastHeardAtMs ?? 0);
    const isQuiet = nowMs - quietSince >= this.#timeoutMs;
    const isNews = isQuiet && !this.#isTold[side];
    this.#isTold[side] = isQuiet;
    return isNews;
  }
}
