// A call on a confirmed dialog: BYE both ways, keys, transfers, and who is at the other end. Offers are in
// offer-exchange.ts, REFER in refer-out.ts and refer-in.ts; here they are held together.
import type { ReferTarget } from "../../core/call/model/order.ts";
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";
import { sayBye } from "../trunk/bye.ts";
import { judgeInfo, DtmfSender } from "./info-dtmf.ts";
import { OfferExchange, type OfferExchangeOptions } from "./offer-exchange.ts";
import { TALKING, type ConfirmedState } from "./confirmed-state.ts";
import { PeerLimits, type PeerLimitsOptions } from "./peer-limits.ts";
import { q850Header, q850Of } from "../headers/reason.ts";
import { ReferIn } from "../transfer/refer-in.ts";
import type { Replacement, ReplacementEvents } from "./replacement.ts";
import { ReferOut } from "../transfer/refer-out.ts";
import { readReference, replacesHeader } from "../headers/refer-to.ts";
import type { RemoteParty } from "./remote-party.ts";
import type { DialogId, DialogPhase } from "../headers/replaces.ts";
import type { SessionTerms, SessionTimerSettings } from "../headers/session-expires.ts";
import { SessionTimer } from "./session-timer.ts";
import { SipCall, type ReplaceOrder } from "./sip-call.ts";
import type { PeerRequest } from "../user-agent/peer-request.ts";
import type { DialogFields } from "../user-agent/dialog.ts";
import { addressHeader, tokensHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header, type SipMessage, type SipRequest } from "../wire/message.ts";

export interface ConfirmedCallOptions
  extends
    Pick<OfferExchangeOptions, "session" | "clock" | "emit" | "callIdIsOurs" | "media">,
    Pick<PeerLimitsOptions, "log" | "followsRefer"> {
  readonly stateOf: (fields: DialogFields) => SipDialogState;
  /** Our 200 carried the offer: the answer comes in the ACK. */
  readonly answerInAck?: boolean;
  /** As in OfferExchange. */
  readonly agreed?: { readonly local: string; readonly answers: string | undefined };
  /** What was agreed about the session's time with the INVITE (RFC 4028). */
  readonly terms?: SessionTerms | undefined;
  readonly sessionTimer: SessionTimerSettings;
  /** Who is there, as far as the call has heard. */
  readonly party: RemoteParty;
  /** The trunk is worth asking with REFER. */
  readonly takesRefer: boolean;
  /** An INVITE that is to take this call over, not yet sent. */
  readonly replacement: (
    order: ReplaceOrder,
    headers: readonly HeaderLine[],
    events: ReplacementEvents,
  ) => Replacement | undefined;
  /** A text inside the call. */
  readonly messaged: (request: PeerRequest) => void;
  /** A BYE of ours is under way until the returned function is called. */
  readonly pend: () => () => void;
  readonly over: () => void;
}

export class ConfirmedCall extends SipCall {
  readonly #options: ConfirmedCallOptions;
  readonly #offers: OfferExchange;
  readonly #keys: DtmfSender;
  readonly #timer: SessionTimer;
  readonly #limits: PeerLimits;
  #referring: ReferOut | undefined;
  #references = 0;
  #state: ConfirmedState = TALKING;

  constructor(options: ConfirmedCallOptions) {
    super();
    this.#options = options;
    const { session, log, clock, party, answerInAck = false, agreed } = options;
    this.#limits = new PeerLimits({
      ...options,
      call: () => ({ sipCall: this.dialog.sipCallId, trunk: this.dialog.trunk }),
    });
    this.#timer = new SessionTimer({
      settings: options.sessionTimer,
      clock,
      terms: options.terms,
      // RFC 3311 s4: not to those who have not said so. One that answers nothing it does not know would count as gone.
      takesUpdate: () => party.saysItTakes("UPDATE"),
      update: (headers, done) => void session.ask("UPDATE", { headers }, done),
      reinvite: (headers, done) => {
        const sdp = this.#offers.localSdp;
        if (sdp === undefined || !session.mayOffer) return false;
        session.offer(sdp, done, headers);
        return true;
      },
      expired: () => this.#lost(),
    });
    this.#offers = new OfferExchange({
      ...options,
      answerInAck,
      agreed,
      offerHeaders: () => this.#timer.headers,
      heard: (response) => {
        this.#timer.answered(response);
        this.hears(response);
      },
      changed: () => this.#changed(),
      lost: () => this.#lost(),
    });
    this.#keys = new DtmfSender({
      ask: (parts, done) => void session.ask("INFO", parts, done),
      lost: () => this.#lost(),
      log,
    });
    session.listen({
      bye: (request) => this.#hungUp(request),
      offered: (offer) => {
        if (this.#state.phase === "over") return;
        const refusal = this.#limits.refusesOffer();
        if (refusal === undefined) this.#offers.offered(offer);
        else offer.refuse(refusal.status, refusal.headers);
      },
      offerWithdrawn: () => this.#offers.withdrawn(),
      acknowledged: (sdp) => this.#offers.acknowledged(sdp),
      unacknowledged: () => this.#lost(),
      changed: () => this.#changed(),
      heard: (request) => this.hears(request),
      judge: (request) => this.#timer.judge(request),
      agreed: (verdict) => this.#timer.agreed(verdict),
      asked: (request) => this.#asked(request),
    });
  }

  get dialog(): SipDialogState {
    return this.#options.stateOf(this.#options.session.fields);
  }

  override phaseOf({ trunk, sipCallId, localTag, remoteTag }: DialogId): DialogPhase | undefined {
    const { dialog } = this;
    const same = dialog.sipCallId === sipCallId && dialog.localTag === localTag && dialog.remoteTag === remoteTag;
    return same && dialog.trunk === trunk && this.#state.phase !== "over" ? "confirmed" : undefined;
  }

  /** Told when it says another identity than before, be it in a request or a response. */
  hears(message: SipMessage): void {
    if (this.#state.phase === "over") return;
    const identity = this.#options.party.hears(message);
    if (identity !== undefined) this.#options.emit({ kind: "sip.identified", identity });
  }

  /** Too late: whoever cancels has not heard of the answer yet, and says BYE when it does. */
  cancel(): void {}

  bye(q850: number | undefined): void {
    const before = this.#state;
    if (before.phase === "over") return;
    const { session, log, emit, over, pend } = this.#options;
    let unsettled = 0;
    const pending = (): (() => void) => {
      unsettled += 1;
      return () => {
        unsettled -= 1;
        if (unsettled > 0) return;
        emit({ kind: "sip.ended" });
        over();
      };
    };
    const settled = pending();
    const replaced = before.phase === "replacing" || before.phase === "left";
    this.#finish(487, replaced ? pending() : undefined);
    // Whoever took part in the transfer is let go on both sides.
    if (replaced) before.replacement.cancel(q850);
    if (before.phase === "left") {
      settled();
      return;
    }
    const settle = pend();
    sayBye(session, log, q850 === undefined ? undefined : q850Header(q850), () => {
      settle();
      settled();
    });
  }

  override reoffer(sdp: string): void {
    // Nobody is there to answer; whether somebody will be is known once the transfer is over.
    if (this.#state.phase === "left") this.#options.emit({ kind: "sip.offerRefused", status: 481 });
    else this.#offers.reoffer(sdp);
  }

  override answerReoffer(sdp: string): void {
    this.#offers.answer(sdp);
  }

  override refuseReoffer(status: number): void {
    this.#offers.refuse(status);
  }

  override info(digit: string, durationMs: number): void {
    if (this.#here) this.#keys.press({ digit, durationMs });
  }

  override refer(target: ReferTarget): void {
    if (this.#state.phase === "over") return;
    const { session, clock, emit, takesRefer, party } = this.#options;
    if (!takesRefer || !party.takes("REFER")) {
      emit({ kind: "sip.referRefused", status: 405 });
      return;
    }
    if (this.#state.phase === "left" || this.#state.phase === "replacing" || this.#referring?.open === true) {
      emit({ kind: "sip.referRefused", status: 491 });
      return;
    }
    this.#referring?.drop();
    try {
      this.#referring = new ReferOut({ session, clock, emit, target, lost: () => this.#lost() });
    } catch (error) {
      this.#options.log.error("could not send REFER", { error });
      emit({ kind: "sip.referRefused", status: 400 });
    }
  }

  override replace(order: ReplaceOrder): void {
    const state = this.#state;
    const { emit, replacement: replacementOf } = this.#options;
    if (state.phase === "over") return;
    if (state.phase !== "referred") {
      emit({ kind: "sip.replaceFailed", status: 481 });
      return;
    }
    const { referred } = state;
    const { arrival, reference } = referred;
    const headers = order.replaces === undefined ? [] : [replacesHeader(order.replaces)];
    // RFC 3892 s3: on whose word, for whoever is called.
    const { referredBy } = reference;
    if (referredBy !== undefined) headers.push(addressHeader("Referred-By", { uri: referredBy }));
    arrival.followed();
    const replacement = replacementOf(order, headers, {
      progressed: (status) => arrival.progress(status),
      accepted: () => this.#replaced(arrival),
      failed: (status) => this.#replaceFailed(status),
      ended: () => {
        if (this.#state.phase === "over") this.#state.abandoned?.();
      },
    });
    if (replacement === undefined) {
      this.#replaceFailed(500);
      return;
    }
    this.#state = { phase: "replacing", referred, replacement };
    replacement.start();
  }

  override refuseRefer(status: number): void {
    if (this.#state.phase !== "referred") return;
    this.#state.referred.arrival.end(status);
    this.#state = TALKING;
  }

  drop(): void {
    const state = this.#state;
    if (state.phase === "replacing" || state.phase === "left") state.replacement.drop();
    this.#referring?.drop();
    if (state.phase !== "talking" && state.phase !== "over") state.referred.arrival.drop();
    this.#finish(503);
  }

  /** The peer is at the other end, as far as we know. */
  get #here(): boolean {
    return this.#state.phase !== "over" && this.#state.phase !== "left";
  }

  #hungUp(request: SipRequest): void {
    if (!this.#here) return;
    const q850 = q850Of(request);
    // Whoever transfers may leave before the transfer is done (RFC 5589 s6.1): the call goes on with the other.
    if (this.#state.phase === "replacing") {
      this.#leave(this.#state, q850);
      return;
    }
    this.#finish(487);
    this.#options.emit({ kind: "sip.hungUp", q850 });
    this.#options.over();
  }

  #leave({ referred, replacement }: Extract<ConfirmedState, { phase: "replacing" }>, q850: number | undefined): void {
    this.#state = { phase: "left", referred, replacement, q850 };
    this.#offers.stop();
    this.#keys.stop();
    this.#timer.stop();
  }

  /** The call has gone over to the new dialog: the old one is told, and ended. */
  #replaced(arrival: ReferIn): void {
    const { session, log, pend } = this.#options;
    const left = this.#state.phase === "left";
    this.#state = TALKING;
    this.#finish(200);
    const settle = pend();
    arrival.end(200, () => {
      if (left) settle();
      else sayBye(session, log, undefined, settle);
    });
  }

  #replaceFailed(status: number): void {
    const { emit, over } = this.#options;
    const state = this.#state;
    if (state.phase === "talking" || state.phase === "over") return;
    state.referred.arrival.end(status);
    this.#state = TALKING;
    emit({ kind: "sip.replaceFailed", status });
    if (state.phase !== "left") return;
    this.#finish(487);
    emit({ kind: "sip.hungUp", q850: state.q850 });
    over();
  }

  #asked(asked: PeerRequest): void {
    const { request, reply } = asked;
    if (this.#state.phase === "over") {
      reply(481);
      return;
    }
    switch (request.method) {
      case "INFO": {
        const { status, headers, key } = judgeInfo(request);
        reply(status, headers);
        if (key !== undefined) this.#options.emit({ kind: "sip.dtmf", ...key });
        return;
      }
      case "REFER":
        this.#referredBy(asked);
        return;
      case "MESSAGE":
        this.#options.messaged(asked);
        return;
      default:
        // NOTIFY of no subscription of ours (RFC 6665 s4.1.3).
        if (header(request, "Event")?.split(";", 1)[0]?.trim().toLowerCase() === "refer") reply(481);
        else reply(489, [tokensHeader("Allow-Events", ["refer"])]);
    }
  }

  #referredBy(asked: PeerRequest): void {
    const { session, clock, emit } = this.#options;
    const refusal = this.#limits.refusesRefer();
    if (refusal !== undefined) {
      asked.reply(refusal.status, refusal.headers);
      return;
    }
    if (this.#state.phase !== "talking" || this.#referring?.open === true) {
      asked.reply(491);
      return;
    }
    const reference = readReference(asked.request);
    if (typeof reference === "number") {
      asked.reply(reference);
      return;
    }
    const repeated = this.#references > 0;
    this.#references += 1;
    const arrival = new ReferIn({ asked, session, clock, repeated });
    this.#state = { phase: "referred", referred: { arrival, reference } };
    const { target, replaces } = reference;
    emit({ kind: "sip.referred", target, replaces });
  }

  /** The peer no longer answers inside the dialog: BYE for good measure, and the call is over. */
  #lost(): void {
    if (!this.#here) return;
    const { session, log, emit, over, pend } = this.#options;
    sayBye(session, log, undefined, pend());
    if (this.#state.phase === "replacing") {
      this.#leave(this.#state, undefined);
      return;
    }
    this.#finish(487);
    emit({ kind: "sip.hungUp", q850: undefined });
    over();
  }

  #changed(): void {
    if (this.#here) {
      this.#options.emit({ kind: "sip.dialogChanged", dialog: this.dialog });
    }
  }

  /** `status`: what a REFER of the trunk that is still open is told. `abandoned`: as in the state. */
  #finish(status: number, abandoned?: () => void): void {
    const state = this.#state;
    this.#state = { phase: "over", abandoned };
    this.#offers.stop();
    this.#timer.stop();
    this.#keys.stop();
    this.#referring?.callEnded();
    if (state.phase !== "talking" && state.phase !== "over") state.referred.arrival.end(status);
  }
}
