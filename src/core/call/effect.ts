// Orders that a call gives: `target.verb`. `bridge/perform` carries them out; what they bring comes back as events.
import type { CallerIdentity } from "../policy/caller-identity.ts";
import type { TrunkName } from "../ids.ts";
import type { SipDialogState, SipInviteState } from "./dialog-state.ts";
import type { CallFact, DeadlineName, IceCandidate } from "./event.ts";
import type { LegSignal } from "./matrix-leg.ts";
import type { MediaSide } from "./media-side.ts";
import type { CallRecord } from "./record.ts";

export type CallEffect =
  /** Opens the session (first time) and puts an offer to it. */
  | { readonly kind: "media.offer"; readonly from: MediaSide; readonly sdp: string }
  | { readonly kind: "media.answer"; readonly from: MediaSide; readonly sdp: string }
  /** Answers `from`'s pending offer without the other side. */
  | { readonly kind: "media.settle"; readonly from: MediaSide }
  | { readonly kind: "media.describe" }
  | { readonly kind: "media.candidates"; readonly candidates: readonly IceCandidate[] }
  | { readonly kind: "media.release" }
  | {
      readonly kind: "sip.invite";
      readonly trunk: TrunkName;
      readonly target: string;
      readonly identity: CallerIdentity;
      readonly sdp: string;
    }
  | { readonly kind: "sip.cancel"; readonly q850: number }
  | { readonly kind: "sip.bye"; readonly q850: number }
  | { readonly kind: "sip.reoffer"; readonly sdp: string }
  | { readonly kind: "sip.answerReoffer"; readonly sdp: string }
  | { readonly kind: "sip.refuseReoffer"; readonly status: number }
  /** After a restart: the dialog has to be rebuilt before it can be ended. */
  | { readonly kind: "sip.resume"; readonly dialog: SipDialogState }
  /** After a restart: an INVITE whose transaction is gone is cancelled by its stored ids. */
  | { readonly kind: "sip.abandon"; readonly invite: SipInviteState }
  | { readonly kind: "matrix.signal"; readonly signal: LegSignal }
  /** Words for the person, in the room. */
  | { readonly kind: "matrix.notice"; readonly text: string }
  | { readonly kind: "deadline.set"; readonly name: DeadlineName; readonly atMs: number }
  | { readonly kind: "deadline.clear"; readonly name: DeadlineName }
  | { readonly kind: "history.write"; readonly record: CallRecord }
  /** The fact did not fit the phase; counted, otherwise without consequence. */
  | { readonly kind: "note.ignored"; readonly fact: CallFact["kind"]; readonly phase: string };
