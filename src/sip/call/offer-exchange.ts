// Offers and answers on a confirmed dialog, both ways, and their collisions (RFC 3261 s14, RFC 3264, RFC 3311).
import type { Clock } from "../../ports/clock.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { refusalHeaders } from "./not-acceptable.ts";
import type { Emit } from "./sip-call.ts";
import { Alarm } from "../transport/alarm.ts";
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

/**
 * An offer of ours (RFC 3261 s14.1):
 *
 * ```
 * none --ordered--> asked --2xx, refusal--> none
 *                    | ^
 *                491 | | time
 *                    v |
 *                 waiting --too many 491--> none
 * ```
 */
type Ours =
  | { readonly phase: "none" }
  /** `next`: ordered meanwhile. It takes this one's place, whose answer nobody waits for any more. */
  | { readonly phase: "asked"; readonly next: string | undefined }
  | { readonly phase: "waiting"; readonly sdp: string }
  | { readonly phase: "over" };

/**
 * An offer of the peer's, or its wish for one (RFC 3261 s14.2):
 *
 * ```
 * none --re-INVITE, UPDATE--> open --answer, refusal--> none
 *                              | '--our offer--> answersInAck --ACK--> none
 *                              '--CANCEL where it wanted ours--> withdrawn --our offer--> none
 * ```
 */
type Theirs =
  | { readonly phase: "none" }
  | { readonly phase: "open"; readonly offer: PeerOffer }
  /** Our 200 carried the offer, so the ACK carries the answer. */
  | { readonly phase: "answersInAck" }
  /** Whoever makes our offer has to hear that no answer will come. */
  | { readonly phase: "withdrawn" }
  | { readonly phase: "over" };

export class OfferExchange {
  readonly #options: OfferExchangeOptions;
  /** For the end of a wait after a collision. */
  readonly #alarm: Alarm;
  #ours: Ours = { phase: "none" };
  #theirs: Theirs;
  #agreed: OfferExchangeOptions["agreed"];

  constructor(options: OfferExchangeOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
    this.#theirs = { phase: options.answerInAck ? "answersInAck" : "none" };
    this.#agreed = options.agreed;
  }

  /** Our description that stands; undefined where none is known, or another is being agreed upon. */
  get localSdp(): string | undefined {
    const { phase } = this.#theirs;
    return this.#ours.phase === "none" && (phase === "none" || phase === "withdrawn") ? this.#agreed?.local : undefined;
  }

  offered(offer: PeerOffer): void {
    // RFC 4028 s7.4: the same again only says that the peer is there, and has the same answer (RFC 3264 s8).
    if (offer.sdp !== undefined && offer.sdp === this.#agreed?.answers && this.#ours.phase === "none") {
      offer.accept(this.#agreed.local);
      return;
    }
    this.#theirs = { phase: "open", offer };
    const { emit } = this.#options;
    emit(offer.sdp === undefined ? { kind: "sip.offerWanted" } : { kind: "sip.offered", description: offer.sdp });
  }

  withdrawn(): void {
    if (this.#theirs.phase !== "open") return;
    this.#theirs = { phase: this.#theirs.offer.sdp === undefined ? "withdrawn" : "none" };
  }

  acknowledged(sdp: string | undefined): void {
    if (this.#theirs.phase !== "answersInAck") return;
    this.#theirs = { phase: "none" };
    // RFC 3261 s13.2.1: an offer in the 2xx must be answered in the ACK.
    this.#options.emit(
      sdp === undefined ? { kind: "sip.offerRefused", status: 488 } : { kind: "sip.reanswered", description: sdp },
    );
  }

  reoffer(sdp: string): void {
    const ours = this.#ours;
    if (ours.phase === "none") this.#offer(sdp, 0);
    else if (ours.phase === "asked") this.#ours = { ...ours, next: sdp };
    else if (ours.phase === "waiting") this.#ours = { ...ours, sdp };
  }

  answer(sdp: string): void {
    const theirs = this.#theirs;
    if (theirs.phase === "withdrawn") {
      this.#theirs = { phase: "none" };
      this.#options.emit({ kind: "sip.offerRefused", status: 487 });
    }
    if (theirs.phase !== "open") return;
    const { offer } = theirs;
    this.#theirs = { phase: offer.sdp === undefined ? "answersInAck" : "none" };
    this.#agreed = { local: sdp, answers: offer.sdp };
    offer.accept(sdp);
  }

  refuse(status: number): void {
    const theirs = this.#theirs;
    if (theirs.phase !== "open") return;
    this.#theirs = { phase: "none" };
    theirs.offer.refuse(status, refusalHeaders(status, theirs.offer.sdp, this.#options.media));
  }

  stop(): void {
    this.#ours = { phase: "over" };
    this.#theirs = { phase: "over" };
    this.#alarm.stop();
  }

  #offer(sdp: string, collisions: number): void {
    const { session, offerHeaders } = this.#options;
    // An exchange the other way is under way here: the same as a 491 from there.
    if (!session.mayOffer) {
      this.#collided(sdp, collisions);
      return;
    }
    this.#ours = { phase: "asked", next: undefined };
    session.offer(sdp, (outcome) => this.#offerDone(outcome, sdp, collisions), offerHeaders());
  }

  #offerDone(outcome: Outcome, sdp: string, collisions: number): void {
    if (this.#ours.phase !== "asked") return;
    const { next } = this.#ours;
    const { emit, changed, heard, lost } = this.#options;
    const status = statusOf(outcome);
    if (status === 491) {
      this.#collided(next ?? sdp, collisions);
      return;
    }
    // RFC 3261 s12.2.1.2: the peer knows nothing of the dialog any more.
    if (status === 481 || status === 408) {
      lost();
      return;
    }
    this.#ours = { phase: "none" };
    changed();
    const accepted = typeof outcome === "object" && status < 300 ? outcome : undefined;
    const answer = accepted && sdpOf(accepted);
    if (answer !== undefined) this.#agreed = { local: sdp, answers: undefined };
    if (next !== undefined) this.#offer(next, 0);
    else if (answer !== undefined) emit({ kind: "sip.reanswered", description: answer });
    else emit({ kind: "sip.offerRefused", status: status < 300 ? 488 : status });
    if (accepted !== undefined) heard(accepted);
  }

  #collided(sdp: string, collisions: number): void {
    const { emit, callIdIsOurs } = this.#options;
    if (collisions >= MAX_COLLISIONS) {
      this.#ours = { phase: "none" };
      emit({ kind: "sip.offerRefused", status: 491 });
      return;
    }
    this.#ours = { phase: "waiting", sdp };
    const [fromMs, toMs] = callIdIsOurs ? [2_100, 4_000] : [0, 2_000];
    this.#alarm.set(fromMs + Math.floor((Math.random() * (toMs - fromMs)) / 10) * 10, () => {
      if (this.#ours.phase === "waiting") this.#offer(this.#ours.sdp, collisions + 1);
    });
  }
}
