// Facts that reach a call: `source.fact`, past tense. Edges make them; only `step` reads them.
// No fact carries a Matrix fact or a SIP message: the edges have parsed those already.
import type { DeviceId, RoomId, TrunkName, UserId } from "../../ids.ts";
import type { RemoteIdentity, SipAddressee } from "../../policy/remote-identity.ts";
import type { Direction } from "../../sdp/direction.ts";
import type { SipDialogState, SipInviteState } from "./dialog-state.ts";
import type { Cause, SaidByClient } from "./cause.ts";
import type { ConfirmedLeg, LegName } from "./trunk-leg.ts";
import type { LegAbilities, LegForm, LegSignal, MatrixLeg, OwnSide, ShownIdentity } from "./matrix-leg.ts";
import type { RingTarget } from "../../number/plan/ring-stage.ts";
import type { MediaStats } from "./media-stats.ts";
import type { MediaFault, MediaEnd } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { DialledTrunk } from "./trunk-leg.ts";

/** One ICE candidate as the client sent it (RFC 8839 candidate-attribute, without `a=`). Empty is the end marker. */
export interface IceCandidate {
  readonly candidate: string;
  readonly mid: string | null;
  readonly mLineIndex: number | null;
}

/** What a client did with its leg of the call. */
export type MatrixLegFact =
  /** An inbound call: the room to ring in was found or made. */
  | {
      readonly kind: "matrix.roomFound";
      readonly target: RingTarget;
      readonly room: RoomId;
      /** The ghost of the caller's number which is in that room; it need not be the spelling that the trunk sent. */
      readonly ghost: UserId;
    }
  /** There is none and none could be made. `busy`: every room of the target has a running call. */
  | {
      readonly kind: "matrix.roomMissing";
      readonly target: RingTarget;
      readonly busy: boolean;
      readonly message: string;
    }
  /** Somebody answered our invite; the first one has the call. */
  | {
      readonly kind: "matrix.answered";
      readonly room: RoomId;
      readonly person: UserId;
      readonly device: DeviceId | undefined;
      readonly form: LegForm;
      readonly abilities: LegAbilities;
      readonly description: MediaDescription;
    }
  /** Somebody refused it, or left the room while it rang. */
  | {
      readonly kind: "matrix.declined";
      readonly room: RoomId;
      readonly person: UserId;
      readonly said: SaidByClient | undefined;
    }
  /** Glare: the person calls the ghost that is calling them. Their call, their offer (Matrix spec, VoIP module). */
  | {
      readonly kind: "matrix.glareDetected";
      readonly leg: MatrixLeg;
      readonly description: MediaDescription;
    }
  /** The person has written keys for the telephone: 0 to 9, `*` and `#`. */
  | { readonly kind: "matrix.keyed"; readonly keys: string }
  /** The client hands the call over (MSC2747). */
  | { readonly kind: "matrix.replaced"; readonly order: TransferOrder }
  | { readonly kind: "matrix.candidates"; readonly candidates: readonly IceCandidate[] }
  /** The client took our answer (`ours`), or another device's: somebody else in the room was faster. */
  | { readonly kind: "matrix.selected"; readonly ours: boolean }
  /** A new offer inside the call: hold, resume, ICE restart. */
  | { readonly kind: "matrix.offered"; readonly description: MediaDescription }
  /** The answer to an offer of ours inside the call. */
  | { readonly kind: "matrix.reanswered"; readonly description: MediaDescription }
  | { readonly kind: "matrix.hungUp"; readonly said: SaidByClient | undefined }
  /** The person left the room, which is a hang-up. */
  | { readonly kind: "matrix.left" }
  /** The homeserver has taken a signal of ours. */
  | { readonly kind: "matrix.told"; readonly signal: LegSignal["kind"]; readonly room: RoomId }
  /** A signal of ours could not be sent, after all retries; whether it arrived all the same is not known. */
  | {
      readonly kind: "matrix.unreachable";
      readonly signal: LegSignal["kind"];
      readonly room: RoomId;
      readonly message: string;
    };

/** A transfer as the call has to carry it out. */
export type TransferOrder =
  /** The far end shall call that user. */
  | { readonly kind: "blind"; readonly target: UserId }
  /** The far ends of this call and of the other one of the person's shall talk to each other. */
  | {
      readonly kind: "consult";
      readonly other: ConfirmedLeg;
      readonly name: string;
      /** As of `transfer.planned`. */
      readonly stays: boolean;
    }
  /** The other call of a consult transfer carries it out. */
  | { readonly kind: "awaited" }
  /** The client named nobody who could be called. */
  | { readonly kind: "nowhere" };

/**
 * What the client has yet to be offered, by `media.describe`: the telephone's hold, or its end, where it has not been told; or the
 * call as it is, where it may say digits that nobody can read.
 */
export interface Untold {
  readonly untold?: Direction | undefined;
}

/** What the media engine reports of a call's session. */
export type MediaFact =
  /** SDP for the other end of the one that offered. */
  | ({ readonly kind: "media.offered"; readonly from: MediaEnd; readonly description: MediaDescription } & Untold)
  /** The offer needs nothing of the other end: SDP to answer it with at once. */
  | ({ readonly kind: "media.settled"; readonly from: MediaEnd; readonly description: MediaDescription } & Untold)
  /** SDP for the end that had offered. */
  | ({ readonly kind: "media.answered"; readonly from: MediaEnd; readonly description: MediaDescription } & Untold)
  /** An offer of our own for an end: wanted by an INVITE without one, or for a client or trunk that is to be called. */
  | ({ readonly kind: "media.described"; readonly end: MediaEnd; readonly description: MediaDescription } & Untold)
  /** Both ends had offered: an answer for each. */
  | ({ readonly kind: "media.glareAnswered"; readonly a: MediaDescription; readonly b: MediaDescription } & Untold)
  /** An offer or answer could not be used; the session is as it was. */
  | { readonly kind: "media.refused"; readonly from: MediaEnd; readonly fault: MediaFault; readonly message: string }
  /** ICE and DTLS towards the client are up. */
  | { readonly kind: "media.connected" }
  /** ICE or DTLS towards the client never came up. */
  | { readonly kind: "media.failed"; readonly message: string }
  /** The client has closed its connection, as it does when it hangs up, and its hang-up did not arrive. */
  | { readonly kind: "media.closed" }
  /** The connection to the client was up, was lost, and did not come back in its time. */
  | { readonly kind: "media.disconnected" }
  /** Nothing heard from an end for the configured time. */
  | { readonly kind: "media.timedOut"; readonly end: MediaEnd }
  /** The worker that held the session is gone. */
  | { readonly kind: "media.lost" }
  /** `relayed`: it went on to the other end as RFC 4733. */
  | {
      readonly kind: "media.dtmf";
      readonly from: MediaEnd;
      readonly digit: string;
      readonly durationMs: number;
      readonly relayed: boolean;
    }
  /** Sides that ought to be heard by the other one, and of which nothing has been passed on. */
  | { readonly kind: "media.listened"; readonly unheard: readonly MediaEnd[] }
  | { readonly kind: "media.released"; readonly stats: MediaStats };

/** What happened on the trunk's dialog. */
export type SipFact =
  /** The INVITE went out (again, after a challenge): what is needed to cancel it after a restart. */
  | { readonly kind: "sip.sent"; readonly invite: SipInviteState }
  | { readonly kind: "sip.trying" }
  /** 180 and its like: the callee's telephone rings. */
  | { readonly kind: "sip.ringing" }
  /** 183 or any other provisional with SDP: early media. */
  | { readonly kind: "sip.progressed"; readonly description: MediaDescription | undefined }
  /** First 2xx, already acknowledged by the edge. */
  | { readonly kind: "sip.accepted"; readonly description: MediaDescription; readonly dialog: SipDialogState }
  /** Final 3xx to 6xx to our INVITE. `q850` from the Reason header (RFC 3326). */
  | {
      readonly kind: "sip.rejected";
      readonly status: number;
      readonly phrase: string;
      readonly q850: number | undefined;
    }
  /** No final response: time-out, transport or name resolution. */
  | {
      readonly kind: "sip.failed";
      readonly fault: "timeout" | "transport" | "resolve" | "credentials" | "internal";
      readonly message: string;
    }
  /** Re-INVITE or UPDATE with an offer. */
  | { readonly kind: "sip.offered"; readonly description: MediaDescription }
  /** Re-INVITE without an offer: ours is wanted in the 200. */
  | { readonly kind: "sip.offerWanted" }
  /** The answer to an offer of ours inside the dialog. */
  | { readonly kind: "sip.reanswered"; readonly description: MediaDescription }
  | { readonly kind: "sip.offerRefused"; readonly status: number }
  /** The dialog's state changed (target refresh, CSeq): save it. */
  | { readonly kind: "sip.dialogChanged"; readonly dialog: SipDialogState }
  /** The caller gave up before our final response: 487 is sent. `elsewhere`: Reason says another branch answered (RFC 3326). */
  | { readonly kind: "sip.cancelled"; readonly elsewhere: boolean }
  /** A digit of the trunk in an INFO, already answered. */
  | { readonly kind: "sip.dtmf"; readonly digit: string; readonly durationMs: number }
  /** Who is at the other end has changed, or is said for the first time: in a response, re-INVITE or UPDATE. */
  | { readonly kind: "sip.identified"; readonly identity: RemoteIdentity }
  /** The trunk wants the person connected to somebody else (REFER); `replaces` as in Refer-To (RFC 3515, RFC 3891). */
  | {
      readonly kind: "sip.referred";
      readonly target: SipAddressee;
      readonly replaces: string | undefined;
    }
  /** The REFER of ours was refused, or the trunk takes none. */
  | { readonly kind: "sip.referRefused"; readonly status: number }
  /** Progress of the transfer that we asked for, from NOTIFY: below 200 it goes on, otherwise it is over. */
  | { readonly kind: "sip.referProgressed"; readonly status: number }
  /** The INVITE that replaces the trunk's dialog (after its REFER) was answered; the old dialog has ended. */
  | { readonly kind: "sip.replaced"; readonly description: MediaDescription; readonly dialog: SipDialogState }
  | { readonly kind: "sip.replaceFailed"; readonly status: number }
  /** BYE from the trunk, already answered 200. */
  | { readonly kind: "sip.hungUp"; readonly q850: number | undefined }
  /** Our CANCEL or BYE is done with: nothing more is owed to the trunk. */
  | { readonly kind: "sip.ended" };

export type DeadlineName = "answer" | "keys" | "stage" | "duration" | "ending" | "renegotiation" | "transfer" | "audio";

export type CallFact =
  | MatrixLegFact
  | MediaFact
  | SipFact
  | { readonly kind: "deadline.passed"; readonly name: DeadlineName }
  /** An edge threw: a defect of ours, which ends this call only. */
  | { readonly kind: "fault.thrown"; readonly where: string; readonly message: string }
  /** Glare: the number called the person while this call rang it, and its call was taken instead. */
  | { readonly kind: "call.yielded" }
  /** What `pin.check` found. `barred`: too many wrong ones of late, so that it was not compared. */
  | { readonly kind: "pin.checked"; readonly verdict: "right" | "wrong" | "barred" }
  /** Where the transfer's target is to be reached; asked of the dial plan and the person's permissions. */
  | {
      readonly kind: "transfer.planned";
      readonly trunk: DialledTrunk;
      readonly shown: ShownIdentity;
      /** Joined in the bridge, never by REFER: somebody's limits have to see how long it lasts. */
      readonly stays: boolean;
    }
  | { readonly kind: "transfer.barred"; readonly cause: Cause }
  /** The target is a person of this homeserver: they are rung by the far end's ghost, under ids of their own. */
  | {
      readonly kind: "transfer.forwarded";
      readonly person: UserId;
      readonly ring: OwnSide;
      readonly announce: readonly string[];
    }
  /** Who `sip.identified` means, as far as people may be told. */
  | { readonly kind: "identity.resolved"; readonly shown: ShownIdentity }
  /** The other half of a consult transfer has come: what becomes of the call is decided there. */
  | { readonly kind: "transfer.claimed" }
  /** The trunk's leg of a call that waited for it is another call's from here on. */
  | { readonly kind: "transfer.taken" }
  /** Of two joined trunk legs, what happened on one of them. */
  | { readonly kind: "leg.reported"; readonly side: LegName; readonly report: SipFact }
  /** The bridge is being stopped, or was restarted. */
  | { readonly kind: "bridge.stopped" }
  /** An admin ended the call. */
  | { readonly kind: "admin.ended" }
  /** Minutes or money of somebody who is charged for the call nearly come to an end, or have: what the person reads. */
  | { readonly kind: "limit.neared" | "limit.reached"; readonly words: string }
  /** An admin paused that trunk: nothing begins over it. */
  | { readonly kind: "admin.paused"; readonly trunk: TrunkName };

/** A fact and when the bridge learnt it (ms since the epoch). */
export type TimedFact = CallFact & { readonly atMs: number };
