// When the bridge hears that the client should be shown the telephone's hold, or its end: at once, again where the client
// did not answer, and not for ever.
import type { Direction } from "../../../core/sdp/direction.ts";
import { untold } from "../../../core/sdp/exchange.ts";
import type { Exchange } from "../../../core/sdp/turn.ts";

/** A client that has not answered in this time lost our offer, or dropped it for one of its own. */
const answerMs = 12_000;
/** A client that calls ignores an offer that comes while it works on another one (Matrix spec, m.call.negotiate). */
const breathMs = 1_000;
const mostTries = 3;
/** So often the bridge is told, once a second, of what it has no use for: the client cannot renegotiate, say. */
const mostReports = 120;

export class HoldNews {
  #wanted: Direction | undefined;
  #tries = 0;
  #reports = 0;
  #offeredAtMs = Number.NEGATIVE_INFINITY;

  /** An offer of ours to the client is on its way. */
  offered(nowMs: number): void {
    this.#tries += 1;
    this.#offeredAtMs = nowMs;
  }

  /** Whether the client should be offered something now. */
  isDue(exchange: Exchange, nowMs: number): boolean {
    const wanted = untold(exchange);
    if (wanted !== this.#wanted) {
      this.#tries = 0;
      this.#reports = 0;
    }
    this.#wanted = wanted;
    if (wanted === undefined || this.#tries >= mostTries || this.#reports >= mostReports) return false;
    const isUnanswered = exchange.told === undefined;
    if (isUnanswered && nowMs - this.#offeredAtMs < (this.#tries > 0 ? answerMs : breathMs)) return false;
    this.#reports += 1;
    return true;
  }
}
