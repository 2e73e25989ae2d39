// Which trunk leg a call has: the one it began with, until an INVITE with Replaces puts another in its place (RFC
// 3891). The call sees a new offer of the far end, which it answers or refuses like any other.
import type { SipOrder } from "../../core/call/model/order.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import type { CallId } from "../../core/ids.ts";
import type { SipTrunks } from "../../ports/sip.ts";
import { sdpIn } from "../../core/media-description.ts";

/** Whose fact it is. */
interface LegFact {
  readonly call: CallId;
  readonly fact: SipFact;
}

/** ITU-T Q.850. */
const normalClearing = 16;

export class TrunkLegs {
  readonly #sip: SipTrunks;
  /** By call, where it is not the leg that the call began with. */
  readonly #current = new Map<CallId, CallId>();
  /** By call, the leg that is to take the place of its own. */
  readonly #next = new Map<CallId, { readonly leg: CallId; readonly wantsOffer: boolean }>();
  /** The call of each of those legs. */
  readonly #owners = new Map<CallId, CallId>();
  /** Calls whose next leg gave up before the call's answer; true where that leg wanted our offer. */
  readonly #givenUp = new Map<CallId, boolean>();
  /** By call, the one in which the media of its leg began. */
  readonly #media = new Map<CallId, CallId>();

  constructor(sip: SipTrunks) {
    this.#sip = sip;
  }

  /** False where another leg is about to take that place already. */
  replace(call: CallId, leg: CallId, wantsOffer: boolean): boolean {
    if (this.#next.has(call) || this.#givenUp.has(call)) return false;
    this.#next.set(call, { leg, wantsOffer });
    this.#owners.set(leg, call);
    return true;
  }

  /** The leg that a call has now is `call`'s, in which its far end goes on. */
  adopt(call: CallId, from: CallId): void {
    const leg = this.#current.get(from) ?? from;
    this.#current.delete(from);
    this.#current.set(call, leg);
    this.#owners.set(leg, call);
    this.#media.set(call, this.mediaLegOf(from));
  }

  /** The id of the leg's media, which stays the same in whichever call its far end goes on. */
  mediaLegOf(call: CallId): CallId {
    return this.#media.get(call) ?? call;
  }

  /** Carries out an order on the leg that the call has now; what it brings at once. */
  order(call: CallId, order: SipOrder): SipFact | undefined {
    if (this.#takes(call, order)) return undefined;
    const wantedOffer = order.kind === "sip.answerReoffer" ? this.#givenUp.get(call) : undefined;
    if (wantedOffer !== undefined) {
      this.#givenUp.delete(call);
      return wantedOffer ? { kind: "sip.offerRefused", status: 487 } : undefined;
    }
    if (order.kind === "sip.refuseReoffer") this.#givenUp.delete(call);
    tellTrunk(order, this.#current.get(call) ?? call, this.#sip);
    return undefined;
  }

  /** What is meant for the leg that is to come. */
  #takes(call: CallId, order: SipOrder): boolean {
    const leg = this.#next.get(call)?.leg;
    if (leg === undefined) return false;
    switch (order.kind) {
      case "sip.answerReoffer": {
        const before = this.#swap(call, leg);
        // What it says at once, its dialog above all, is the call's already.
        this.#sip.accept(leg, sdpIn(order.description));
        this.#sip.bye(before, normalClearing);
        return true;
      }
      case "sip.refuseReoffer":
        this.#refuse(call, leg, order.status);
        return true;
      case "sip.bye":
        this.#refuse(call, leg, 481);
        return false;
      default:
        return false;
    }
  }

  /** Undefined: it is of a leg that no call has any more, or not yet. */
  heard(leg: CallId, fact: SipFact): LegFact | undefined {
    const call = this.#owners.get(leg);
    if (call === undefined) return this.#current.has(leg) ? undefined : { call: leg, fact };
    const next = this.#next.get(call);
    if (next?.leg !== leg) return { call, fact };
    // Whoever gives up before it was answered leaves everything as it was.
    if (fact.kind === "sip.cancelled" || fact.kind === "sip.hungUp") {
      this.#givenUp.set(call, next.wantsOffer);
      this.#drop(call, leg);
    }
    return undefined;
  }

  /** The call that has this leg, or is to have it. */
  callOf(leg: CallId): CallId {
    return this.#owners.get(leg) ?? leg;
  }

  /** The call is over. Whoever still waits for its place hears so. Gives the leg's media if no call has it any more. */
  forget(call: CallId): CallId | undefined {
    const next = this.#next.get(call);
    if (next !== undefined) this.#refuse(call, next.leg, 481);
    const current = this.#current.get(call);
    if (current !== undefined) this.#owners.delete(current);
    this.#current.delete(call);
    this.#givenUp.delete(call);
    const media = this.mediaLegOf(call);
    this.#media.delete(call);
    return [...this.#media.values()].includes(media) ? undefined : media;
  }

  /** Gives the leg that was the call's before. */
  #swap(call: CallId, leg: CallId): CallId {
    const before = this.#current.get(call) ?? call;
    this.#owners.delete(before);
    this.#next.delete(call);
    this.#current.set(call, leg);
    return before;
  }

  #refuse(call: CallId, leg: CallId, status: number): void {
    this.#drop(call, leg);
    this.#sip.reject(leg, status);
  }

  #drop(call: CallId, leg: CallId): void {
    this.#next.delete(call);
    this.#owners.delete(leg);
  }
}

function tellTrunk(order: SipOrder, call: CallId, sip: SipTrunks): void {
  switch (order.kind) {
    case "sip.invite":
      return sip.invite(call, {
        trunk: order.trunk,
        target: order.target,
        identity: order.identity,
        sdp: sdpIn(order.description),
      });
    case "sip.cancel":
      return sip.cancel(call, order.q850);
    case "sip.bye":
      return sip.bye(call, order.q850);
    case "sip.ring":
      return sip.ring(call, order.status);
    case "sip.accept":
      return sip.accept(call, sdpIn(order.description));
    case "sip.reject":
      return sip.reject(call, order.status, order.q850, order.retryAfterS);
    case "sip.dismiss":
      return sip.dismiss(call, order.incoming, order.status);
    case "sip.info":
      return sip.info(call, order.digit, order.durationMs);
    case "sip.refer":
      return sip.refer(call, order.target);
    case "sip.replace": {
      const { trunk, target, identity, description, replaces } = order;
      return sip.replace(call, { trunk, target, identity, sdp: sdpIn(description), replaces });
    }
    case "sip.refuseRefer":
      return sip.refuseRefer(call, order.status);
    case "sip.reoffer":
      return sip.reoffer(call, sdpIn(order.description));
    case "sip.answerReoffer":
      return sip.answerReoffer(call, sdpIn(order.description));
    case "sip.refuseReoffer":
      return sip.refuseReoffer(call, order.status);
    case "sip.resume":
      return sip.resume(call, order.dialog);
    case "sip.abandon":
      return sip.abandon(call, order.invite);
  }
}
