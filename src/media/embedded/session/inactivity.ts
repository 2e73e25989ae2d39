// Notices that an end has gone quiet. RTCP counts as life, and so does every packet we do not forward; on hold nobody
// has to say anything.
import type { MediaEnd } from "../../../core/media-end.ts";

export class Inactivity {
  readonly #timeoutMs: number;
  readonly #since: Record<MediaEnd, number | undefined> = { a: undefined, b: undefined };
  readonly #isTold: Record<MediaEnd, boolean> = { a: false, b: false };

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * True once when `end` has been quiet for too long; again only after it was heard.
   * @param isExpected false before there is anything to hear, and on hold: the time starts anew after it
   */
  isTimedOut(end: MediaEnd, isExpected: boolean, lastHeardAtMs: number | undefined, nowMs: number): boolean {
    if (!isExpected) {
      this.#since[end] = undefined;
      return false;
    }
    this.#since[end] ??= nowMs;
    const quietSince = Math.max(this.#since[end], lastHeardAtMs ?? 0);
    const isQuiet = nowMs - quietSince >= this.#timeoutMs;
    const isNews = isQuiet && !this.#isTold[end];
    this.#isTold[end] = isQuiet;
    return isNews;
  }
}
