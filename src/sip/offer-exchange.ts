// Offers and answers on a confirmed dialog, both ways, and their collisions (RFC 3261 s14, RFC 3264, RFC 3311).
import type { Clock } from "../ports/clock.ts";
import { sdpOf } from "./body.ts";
import type { Emit } from "./sip-call.ts";
import type { Outcome } from "./sipjs/peer-request.ts";
import { statusOf } from "./sipjs/peer-request.ts";
import type { PeerOffer, Session } from "./sipjs/session.ts";
import type { SipResponse } from "./wire/message.ts";

export interface OfferExchangeOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly emit: Emit;
  /** We made the Call-ID, which decides who waits longer after a collision (RFC 3261 s14.1). */
  readonly callIdIsOurs: boolean;
  /** The answer to an offer in our 200 to the INVITE is still to come, in its ACK. */
  readonly answerInAck: boolean;
  /** A final response to an offer of ours. */
  readonly heard: (response: SipResponse) => void;
  /** Target or CSeq changed. */
  readonly changed: () => void;
  /** The peer no longer answers inside the dialog. */
  readonly lost: () => void;
}

/** A peer that answers 491 for ever is not asked for ever. */
const MAX_COLLISIONS = 5;

export class OfferExchange {
  readonly #options: OfferExchangeOptions;
  #pending: PeerOffer | undefined;
  /** Our 200 carried the offer, so the ACK carries the answer. */
  #answerInAck: boolean;
  /** The peer wanted our offer and no longer does: whoever makes it has to hear that no answer will come. */
  #withdrawnEmpty = false;
  #stopWaiting: () => void = () => {};
  #offering = false;
  #over = false;

  constructor(options: OfferExchangeOptions) {
    this.#options = options;
    this.#answerInAck = options.answerInAck;
  }

  offered(offer: PeerOffer): void {
    this.#pending = offer;
    this.#withdrawnEmpty = false;
    const { emit } = this.#options;
    emit(offer.sdp === undefined ? { kind: "sip.offerWanted" } : { kind: "sip.offered", sdp: offer.sdp });
  }

  withdrawn(): void {
    this.#withdrawnEmpty = this.#pending?.sdp === undefined;
    this.#pending = undefined;
  }

  acknowledged(sdp: string | undefined): void {
    if (this.#over || !this.#answerInAck) return;
    this.#answerInAck = false;
    // RFC 3261 s13.2.1: an offer in the 2xx must be answered in the ACK.
    this.#options.emit(sdp === undefined ? { kind: "sip.offerRefused", status: 488 } : { kind: "sip.reanswered", sdp });
  }

  reoffer(sdp: string): void {
    if (this.#over || this.#offering) return;
    this.#offering = true;
    this.#offer(sdp, 0);
  }

  answer(sdp: string): void {
    const pending = this.#pending;
    if (this.#over) return;
    if (pending === undefined) {
      if (this.#withdrawnEmpty) this.#options.emit({ kind: "sip.offerRefused", status: 487 });
      this.#withdrawnEmpty = false;
      return;
    }
    this.#pending = undefined;
    this.#answerInAck = pending.sdp === undefined;
    pending.accept(sdp);
  }

  refuse(status: number): void {
    const pending = this.#pending;
    if (this.#over || pending === undefined) return;
    this.#pending = undefined;
    pending.refuse(status);
  }

  stop(): void {
    this.#over = true;
    this.#pending = undefined;
    this.#stopWaiting();
  }

  #offer(sdp: string, collisions: number): void {
    const { session } = this.#options;
    // An exchange the other way is under way here: the same as a 491 from there.
    if (session.mayOffer) session.offer(sdp, (outcome) => this.#offerDone(outcome, sdp, collisions));
    else this.#collided(sdp, collisions);
  }

  #offerDone(outcome: Outcome, sdp: string, collisions: number): void {
    if (this.#over) return;
    const { emit, changed, heard, lost } = this.#options;
    const status = statusOf(outcome);
    if (status === 491) {
      this.#collided(sdp, collisions);
      return;
    }
    // RFC 3261 s12.2.1.2: the peer knows nothing of the dialog any more.
    if (status === 481 || status === 408) {
      lost();
      return;
    }
    this.#offering = false;
    changed();
    const accepted = typeof outcome === "object" && status < 300 ? outcome : undefined;
    const answer = accepted && sdpOf(accepted);
    if (answer !== undefined) emit({ kind: "sip.reanswered", sdp: answer });
    else emit({ kind: "sip.offerRefused", status: status < 300 ? 488 : status });
    if (accepted !== undefined) heard(accepted);
  }

  #collided(sdp: string, collisions: number): void {
    const { clock, emit, callIdIsOurs } = this.#options;
    if (collisions >= MAX_COLLISIONS) {
      this.#offering = false;
      emit({ kind: "sip.offerRefused", status: 491 });
      return;
    }
    const [fromMs, toMs] = callIdIsOurs ? [2_100, 4_000] : [0, 2_000];
    const waitMs = fromMs + Math.floor((Math.random() * (toMs - fromMs)) / 10) * 10;
    this.#stopWaiting = clock.at(clock.nowMs() + waitMs, () => {
      if (!this.#over) this.#offer(sdp, collisions + 1);
    });
  }
}
