// Offers and answers on a confirmed dialog, both ways, and their collisions (RFC 3261 s14, RFC 3264, RFC 3311).
import type { Clock } from "../../ports/clock.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { refusalHeaders } from "./not-acceptable.ts";
import type { Emit } from "./sip-call.ts";
import type { Outcome } from "../user-agent/peer-request.ts";
import { statusOf } from "../user-agent/peer-request.ts";
import type { Session } from "../user-agent/session.ts";
import type { PeerOffer } from "../user-agent/session-events.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipResponse } from "../wire/message.ts";

export interface OfferExchangeOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly emit: Emit;
  /** We made the Call-ID, which decides who waits longer after a collision (RFC 3261 s14.1). */
  readonly callIdIsOurs: boolean;
  /** The answer to an offer in our 200 to the INVITE is still to come, in its ACK. */
  readonly answerInAck: boolean;
  /** What stands from the INVITE: our description, and the peer's where ours is the answer to it. */
  readonly agreed: { readonly local: string; readonly answers: string | undefined } | undefined;
  /** Of the session's time (RFC 4028), for an offer of ours. */
  readonly offerHeaders: () => readonly HeaderLine[];
  readonly media: TrunkSettings["media"];
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
  #agreed: OfferExchangeOptions["agreed"];
  /** Our 200 carried the offer, so the ACK carries the answer. */
  #answerInAck: boolean;
  /** The peer wanted our offer and no longer does: whoever makes it has to hear that no answer will come. */
  #withdrawnEmpty = false;
  #stopWaiting: () => void = () => {};
  #offering = false;
  /** Ordered while another offer of ours was under way: it takes that one's place, whose answer nobody waits for any more. */
  #next: string | undefined;
  #over = false;

  constructor(options: OfferExchangeOptions) {
    this.#options = options;
    this.#answerInAck = options.answerInAck;
    this.#agreed = options.agreed;
  }

  /** Our description that stands; undefined where none is known, or another is being agreed upon. */
  get localSdp(): string | undefined {
    return this.#offering || this.#pending !== undefined || this.#answerInAck ? undefined : this.#agreed?.local;
  }

  offered(offer: PeerOffer): void {
    // RFC 4028 s7.4: the same again only says that the peer is there, and has the same answer (RFC 3264 s8).
    if (offer.sdp !== undefined && offer.sdp === this.#agreed?.answers && !this.#offering) {
      offer.accept(this.#agreed.local);
      return;
    }
    this.#pending = offer;
    this.#withdrawnEmpty = false;
    const { emit } = this.#options;
    emit(offer.sdp === undefined ? { kind: "sip.offerWanted" } : { kind: "sip.offered", description: offer.sdp });
  }

  withdrawn(): void {
    this.#withdrawnEmpty = this.#pending?.sdp === undefined;
    this.#pending = undefined;
  }

  acknowledged(sdp: string | undefined): void {
    if (this.#over || !this.#answerInAck) return;
    this.#answerInAck = false;
    // RFC 3261 s13.2.1: an offer in the 2xx must be answered in the ACK.
    this.#options.emit(
      sdp === undefined ? { kind: "sip.offerRefused", status: 488 } : { kind: "sip.reanswered", description: sdp },
    );
  }

  reoffer(sdp: string): void {
    if (this.#over) return;
    if (this.#offering) {
      this.#next = sdp;
      return;
    }
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
    this.#agreed = { local: sdp, answers: pending.sdp };
    pending.accept(sdp);
  }

  refuse(status: number): void {
    const pending = this.#pending;
    if (this.#over || pending === undefined) return;
    this.#pending = undefined;
    pending.refuse(status, refusalHeaders(status, pending.sdp, this.#options.media));
  }

  stop(): void {
    this.#over = true;
    this.#pending = undefined;
    this.#stopWaiting();
  }

  #offer(sdp: string, collisions: number): void {
    const { session } = this.#options;
    // An exchange the other way is under way here: the same as a 491 from there.
    if (session.mayOffer) {
      session.offer(sdp, (outcome) => this.#offerDone(outcome, sdp, collisions), this.#options.offerHeaders());
    } else this.#collided(sdp, collisions);
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
    this.#offering = this.#next !== undefined;
    changed();
    const accepted = typeof outcome === "object" && status < 300 ? outcome : undefined;
    const answer = accepted && sdpOf(accepted);
    if (answer !== undefined) this.#agreed = { local: sdp, answers: undefined };
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#offer(next, 0);
    else if (answer !== undefined) emit({ kind: "sip.reanswered", description: answer });
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
      if (this.#over) return;
      const latest = this.#next ?? sdp;
      this.#next = undefined;
      this.#offer(latest, collisions + 1);
    });
  }
}
