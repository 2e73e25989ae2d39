// Orders that a call gives: `target.verb`. `bridge/effects/run-order` carries them out; what they bring comes back as events.
import type { SipUri, TelUri } from "../../address/uri.ts";
import type { CallId, PinName, TrunkName, UserId } from "../../ids.ts";
import type { SipDialogState, SipIncomingState, SipInviteState } from "./dialog-state.ts";
import type { CallFact, DeadlineName, IceCandidate } from "./fact.ts";
import type { RemoteIdentity, SipAddressee } from "../../policy/remote-identity.ts";
import type { LegAddress, LegSignal } from "./matrix-leg.ts";
import type { RingTarget } from "../../number/plan/ring-stage.ts";
import type { MediaEnd, Prompt } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { CallRecord } from "./record.ts";
import type { Handover, Recall } from "./bridged-call.ts";
import type { CallerIdentity } from "../../policy/caller-identity.ts";

/** Whom a REFER tells the far end to call: of a dialog, its other end, in the place that we have in it (RFC 3891). */
export type ReferTarget =
  | { readonly kind: "address"; readonly uri: SipUri | TelUri }
  | { readonly kind: "dialog"; readonly dialog: SipDialogState };

/** Orders for a trunk's leg. */
export type SipOrder = Extract<CallOrder, { kind: `sip.${string}` }>;

export type CallOrder =
  /** Opens the session (first time) and puts an offer to it. */
  | { readonly kind: "media.offer"; readonly from: MediaEnd; readonly description: MediaDescription }
  | { readonly kind: "media.answer"; readonly from: MediaEnd; readonly description: MediaDescription }
  /** Answers `from`'s pending offer without the other end. */
  | { readonly kind: "media.settle"; readonly from: MediaEnd }
  /** An offer of our own for that end. */
  | { readonly kind: "media.describe"; readonly end: MediaEnd }
  /** Both ends have offered: the trunk in its INVITE, the person in a call of their own. */
  | { readonly kind: "media.answerGlare"; readonly from: MediaEnd; readonly description: MediaDescription }
  /** Whoever is at that end, and in the call already, is to hear it ring at the other one. */
  | { readonly kind: "media.ring"; readonly end: MediaEnd }
  /** Whoever is at the other end of our tones is to hear one. */
  | { readonly kind: "media.prompt"; readonly prompt: Prompt }
  /** A key as RFC 4733 towards an end; `durationMs` as it was held. */
  | { readonly kind: "media.dtmf"; readonly to: MediaEnd; readonly digit: string; readonly durationMs: number }
  | { readonly kind: "media.candidates"; readonly candidates: readonly IceCandidate[] }
  /** Which end is not heard? `media.listened` follows. */
  | { readonly kind: "media.listen" }
  /** The trunk's leg at that end goes on in another session: its stream, keys and description are kept for that one. */
  | { readonly kind: "media.handOver"; readonly end: MediaEnd }
  | { readonly kind: "media.release" }
  | {
      readonly kind: "sip.invite";
      readonly trunk: TrunkName;
      readonly target: SipUri;
      readonly identity: CallerIdentity;
      readonly description: MediaDescription;
    }
  | { readonly kind: "sip.cancel"; readonly q850: number }
  | { readonly kind: "sip.bye"; readonly q850: number }
  | { readonly kind: "sip.reoffer"; readonly description: MediaDescription }
  | { readonly kind: "sip.answerReoffer"; readonly description: MediaDescription }
  | { readonly kind: "sip.refuseReoffer"; readonly status: number }
  /** After a restart: the dialog has to be rebuilt before it can be ended. */
  | { readonly kind: "sip.resume"; readonly dialog: SipDialogState }
  /** After a restart: an INVITE whose transaction is gone is cancelled by its stored ids. */
  | { readonly kind: "sip.abandon"; readonly invite: SipInviteState }
  /** 180, or 183 without a description, to the trunk's INVITE. */
  | { readonly kind: "sip.ring"; readonly status: 180 | 183 }
  /** 200 with our answer, or with our offer where the INVITE had none: the answer comes as `sip.reanswered`. */
  | { readonly kind: "sip.accept"; readonly description: MediaDescription }
  /** Final failure response to the trunk's INVITE; `sip.ended` follows. */
  | {
      readonly kind: "sip.reject";
      readonly status: number;
      readonly q850: number | undefined;
      /** When it is worth calling again; undefined where that cannot be said. */
      readonly retryAfterS?: number | undefined;
    }
  /** After a restart: refuses an INVITE whose transaction is gone; `sip.ended` follows. */
  | { readonly kind: "sip.dismiss"; readonly incoming: SipIncomingState; readonly status: number }
  /** A key in an INFO, for trunks without RFC 4733. */
  | { readonly kind: "sip.info"; readonly digit: string; readonly durationMs: number }
  | { readonly kind: "sip.refer"; readonly target: ReferTarget }
  /** Answers the trunk's REFER: an INVITE of ours to its target, and NOTIFY of how it goes (RFC 3515). */
  | {
      readonly kind: "sip.replace";
      readonly trunk: TrunkName;
      readonly target: SipUri;
      readonly identity: CallerIdentity;
      readonly description: MediaDescription;
      readonly replaces: string | undefined;
    }
  /** Refuses the trunk's REFER. */
  | { readonly kind: "sip.refuseRefer"; readonly status: number }
  /** Is that the PIN? `pin.checked` follows. `wrong`: how many of the call's were not. */
  | {
      readonly kind: "pin.check";
      readonly pin: PinName;
      readonly caller: UserId;
      readonly keys: string;
      readonly wrong: number;
    }
  /** Finds or makes the room of a target and the ghost; `matrix.roomFound` or `matrix.roomMissing` follows. */
  | { readonly kind: "matrix.findRoom"; readonly target: RingTarget; readonly ghost: UserId }
  | { readonly kind: "matrix.signal"; readonly leg: LegAddress; readonly signal: LegSignal }
  /** Words for the person, in the room. */
  | { readonly kind: "matrix.notice"; readonly leg: Pick<LegAddress, "room" | "ghost">; readonly text: string }
  /** What many clients show by themselves. It is written where the person needs more words, or the client shows nothing. */
  | { readonly kind: "matrix.tile"; readonly leg: Pick<LegAddress, "room" | "ghost" | "form">; readonly text: string }
  /** Where does a transfer lead? `transfer.planned` or `transfer.barred` follows. */
  | { readonly kind: "transfer.plan"; readonly to: UserId | SipAddressee; readonly person: UserId }
  /** Hands the trunk's leg over, to be joined with that of `other` or with a new one. */
  | { readonly kind: "transfer.join"; readonly handover: Handover }
  /** The transfer failed: hands the trunk's leg to a call that rings whoever ordered it. */
  | { readonly kind: "transfer.recall"; readonly recall: Recall }
  /** Who is that? `identity.resolved` follows. */
  | { readonly kind: "identity.resolve"; readonly trunk: TrunkName; readonly identity: RemoteIdentity }
  /** Of two joined trunk legs, an order for one of them. */
  | { readonly kind: "leg.order"; readonly call: CallId; readonly order: SipOrder }
  | { readonly kind: "deadline.set"; readonly name: DeadlineName; readonly atMs: number }
  | { readonly kind: "deadline.clear"; readonly name: DeadlineName }
  | { readonly kind: "history.write"; readonly record: CallRecord }
  /** Nothing of that end has reached the other one since the answer: counted. */
  | { readonly kind: "note.unheard"; readonly end: MediaEnd }
  /** The fact did not fit the phase; counted, otherwise without consequence. */
  | { readonly kind: "note.ignored"; readonly fact: CallFact["kind"]; readonly phase: string };
