// Facts that reach a call: `source.fact`, past tense. Edges make them; only `step` reads them.
// No fact carries a Matrix event or a SIP message: the edges have parsed those already.
import type { SipDialogState, SipInviteState } from "./dialog-state.ts";
import type { LegSignal } from "./matrix-leg.ts";
import type { MediaStats } from "./media-stats.ts";
import type { MediaFault, MediaSide } from "./media-side.ts";

/** One ICE candidate as the client sent it (RFC 8839 candidate-attribute, without `a=`). Empty is the end marker. */
export interface IceCandidate {
  readonly candidate: string;
  readonly mid: string | null;
  readonly mLineIndex: number | null;
}

/** What a client did with its leg of the call. */
export type MatrixLegFact =
  | { readonly kind: "matrix.candidates"; readonly candidates: readonly IceCandidate[] }
  /** The client took our answer (`ours`), or another party's: somebody else in the room was faster. */
  | { readonly kind: "matrix.selected"; readonly ours: boolean }
  /** A new offer inside the call: hold, resume, ICE restart. */
  | { readonly kind: "matrix.offered"; readonly sdp: string }
  /** The answer to an offer of ours inside the call. */
  | { readonly kind: "matrix.reanswered"; readonly sdp: string }
  | { readonly kind: "matrix.hungUp"; readonly reason: string | undefined }
  /** The person left the room, which is a hang-up. */
  | { readonly kind: "matrix.left" }
  /** The homeserver has taken a signal of ours. */
  | { readonly kind: "matrix.told"; readonly signal: LegSignal["kind"] }
  /** A signal of ours could not be sent, after all retries; whether it arrived all the same is not known. */
  | { readonly kind: "matrix.unreachable"; readonly signal: LegSignal["kind"]; readonly message: string };

/** What the media engine reports of a call's session. */
export type MediaFact =
  /** SDP for the other side of the one that offered. */
  | { readonly kind: "media.offered"; readonly from: MediaSide; readonly sdp: string }
  /** The offer needs nothing of the other side: SDP to answer it with at once. */
  | { readonly kind: "media.settled"; readonly from: MediaSide; readonly sdp: string }
  /** SDP for the side that had offered. */
  | { readonly kind: "media.answered"; readonly from: MediaSide; readonly sdp: string }
  /** Our current description for the trunk, wanted by an INVITE without an offer. */
  | { readonly kind: "media.described"; readonly sdp: string }
  /** An offer or answer could not be used; the session is as it was. */
  | { readonly kind: "media.refused"; readonly from: MediaSide; readonly fault: MediaFault; readonly message: string }
  /** ICE and DTLS towards the client are up. */
  | { readonly kind: "media.connected" }
  /** ICE or DTLS failed for good. */
  | { readonly kind: "media.failed"; readonly message: string }
  /** Nothing heard from a side for the configured time. */
  | { readonly kind: "media.timedOut"; readonly side: MediaSide }
  /** The worker that held the session is gone. */
  | { readonly kind: "media.lost" }
  | { readonly kind: "media.dtmf"; readonly from: MediaSide; readonly digit: string; readonly durationMs: number }
  | { readonly kind: "media.released"; readonly stats: MediaStats };

/** What happened on the trunk's dialog. */
export type SipFact =
  /** The INVITE went out (again, after a challenge): what is needed to cancel it after a restart. */
  | { readonly kind: "sip.sent"; readonly invite: SipInviteState }
  | { readonly kind: "sip.trying" }
  /** 180 and its like: the callee's telephone rings. */
  | { readonly kind: "sip.ringing" }
  /** 183 or any other provisional with SDP: early media. */
  | { readonly kind: "sip.progressed"; readonly sdp: string | undefined }
  /** First 2xx, already acknowledged by the edge. */
  | { readonly kind: "sip.accepted"; readonly sdp: string; readonly dialog: SipDialogState }
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
  | { readonly kind: "sip.offered"; readonly sdp: string }
  /** Re-INVITE without an offer: ours is wanted in the 200. */
  | { readonly kind: "sip.offerWanted" }
  /** The answer to an offer of ours inside the dialog. */
  | { readonly kind: "sip.reanswered"; readonly sdp: string }
  | { readonly kind: "sip.offerRefused"; readonly status: number }
  /** The dialog's state changed (target refresh, CSeq): save it. */
  | { readonly kind: "sip.dialogChanged"; readonly dialog: SipDialogState }
  /** BYE from the trunk, already answered 200. */
  | { readonly kind: "sip.hungUp"; readonly q850: number | undefined }
  /** Our CANCEL or BYE is done with: nothing more is owed to the trunk. */
  | { readonly kind: "sip.ended" };

export type DeadlineName = "answer" | "duration" | "ending" | "renegotiation";

export type CallFact =
  | MatrixLegFact
  | MediaFact
  | SipFact
  | { readonly kind: "deadline.passed"; readonly name: DeadlineName }
  /** An edge threw: a defect of ours, which ends this call only. */
  | { readonly kind: "fault.thrown"; readonly where: string; readonly message: string }
  /** The bridge is being stopped, or was restarted. */
  | { readonly kind: "bridge.stopped" }
  /** An admin ended the call. */
  | { readonly kind: "admin.ended" };

/** A fact and when the bridge learnt it (ms since the epoch). */
export type CallEvent = CallFact & { readonly atMs: number };
