// A call on a confirmed dialog: BYE both ways, new offers both ways and their collisions (RFC 3261 s14).
import type { SipDialogState } from "../core/call/dialog-state.ts";
import type { Clock } from "../ports/clock.ts";
import { sdpOf } from "./body.ts";
import { q850Header, q850Of } from "./reason.ts";
import { CallInOneState, type Emit } from "./sip-call.ts";
import type { Outcome } from "./sipjs/peer-request.ts";
import type { DialogFields, PeerOffer, Session } from "./sipjs/session.ts";

export interface ConfirmedCallOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly stateOf: (fields: DialogFields) => SipDialogState;
  /** We made the Call-ID, which decides who waits longer after a collision (RFC 3261 s14.1). */
  readonly callIdIsOurs: boolean;
  /** A BYE of ours is under way until the returned function is called. */
  readonly owe: () => () => void;
  readonly over: () => void;
}

/** A peer that answers 491 for ever is not asked for ever. */
const MAX_COLLISIONS = 5;

export class ConfirmedCall extends CallInOneState {
  readonly #options: ConfirmedCallOptions;
  #pending: PeerOffer | undefined;
  /** Our 200 carried the offer, so the ACK carries the answer. */
  #answerInAck = false;
  /** The peer wanted our offer and no longer does: whoever makes it has to hear that no answer will come. */
  #withdrawnEmpty = false;
  #stopWaiting: () => void = () => {};
  #offering = false;
  #over = false;

  constructor(options: ConfirmedCallOptions) {
    super();
    this.#options = options;
    const { session, emit } = options;
    session.listen({
      bye: (request) => {
        if (this.#over) return;
        this.#finish();
        emit({ kind: "sip.hungUp", q850: q850Of(request) });
        options.over();
      },
      offered: (offer) => {
        if (this.#over) return;
        this.#pending = offer;
        this.#withdrawnEmpty = false;
        emit(offer.sdp === undefined ? { kind: "sip.offerWanted" } : { kind: "sip.offered", sdp: offer.sdp });
      },
      offerWithdrawn: () => {
        this.#withdrawnEmpty = this.#pending?.sdp === undefined;
        this.#pending = undefined;
      },
      acknowledged: (sdp) => {
        if (this.#over || !this.#answerInAck) return;
        this.#answerInAck = false;
        // RFC 3261 s13.2.1: an offer in the 2xx must be answered in the ACK.
        emit(sdp === undefined ? { kind: "sip.offerRefused", status: 488 } : { kind: "sip.reanswered", sdp });
      },
      unacknowledged: () => this.#lost(),
      changed: () => this.#changed(),
      heard: () => {},
      asked: ({ request, reply }) => reply(request.method === "INFO" ? 200 : 480),
    });
  }

  get dialog(): SipDialogState {
    return this.#options.stateOf(this.#options.session.fields);
  }

  /** Too late: whoever cancels has not heard of the answer yet, and says BYE when it does. */
  cancel(): void {}

  bye(q850: number | undefined): void {
    if (this.#over) return;
    this.#finish();
    const { session, emit, over, owe } = this.#options;
    const paid = owe();
    session.bye(q850 === undefined ? undefined : q850Header(q850), () => {
      paid();
      emit({ kind: "sip.ended" });
      over();
    });
  }

  override reoffer(sdp: string): void {
    if (this.#over || this.#offering) return;
    this.#offering = true;
    this.#offer(sdp, 0);
  }

  override answerReoffer(sdp: string): void {
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

  override refuseReoffer(status: number): void {
    const pending = this.#pending;
    if (this.#over || pending === undefined) return;
    this.#pending = undefined;
    pending.refuse(status);
  }

  drop(): void {
    this.#finish();
  }

  #offer(sdp: string, collisions: number): void {
    const { session } = this.#options;
    // An exchange the other way is under way here: the same as a 491 from there.
    if (session.mayOffer) session.offer(sdp, (outcome) => this.#offerDone(outcome, sdp, collisions));
    else this.#collided(sdp, collisions);
  }

  #offerDone(outcome: Outcome, sdp: string, collisions: number): void {
    if (this.#over) return;
    const { emit } = this.#options;
    if (outcome === "timeout") {
      this.#lost();
      return;
    }
    const status = outcome === "transport" ? 503 : outcome.statusCode;
    if (status === 491) {
      this.#collided(sdp, collisions);
      return;
    }
    // RFC 3261 s12.2.1.2: the peer knows nothing of the dialog any more.
    if (status === 481 || status === 408) {
      this.#lost();
      return;
    }
    this.#offering = false;
    this.#changed();
    const answer = outcome !== "transport" && status < 300 ? sdpOf(outcome) : undefined;
    if (answer !== undefined) emit({ kind: "sip.reanswered", sdp: answer });
    else emit({ kind: "sip.offerRefused", status: status < 300 ? 488 : status });
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

  /** The peer no longer answers inside the dialog: BYE for good measure, and the call is over. */
  #lost(): void {
    if (this.#over) return;
    this.#finish();
    const { session, emit, over, owe } = this.#options;
    session.bye(undefined, owe());
    emit({ kind: "sip.hungUp", q850: undefined });
    over();
  }

  #changed(): void {
    if (!this.#over) this.#options.emit({ kind: "sip.dialogChanged", dialog: this.dialog });
  }

  #finish(): void {
    this.#over = true;
    this.#pending = undefined;
    this.#stopWaiting();
  }
}
