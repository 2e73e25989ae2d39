// Two trunk legs joined in the bridge, as data: what a transfer hands over, and the phases of the joint.
// What happens in them stands in bridged.ts.
import type { CallId } from "../../ids.ts";
import type { Cause } from "./cause.ts";
import type { SipDialogState, SipInviteState } from "./dialog-state.ts";
import type { MatrixLeg } from "./matrix-leg.ts";
import type { MediaStats } from "./media-stats.ts";
import type { Notices } from "./notices.ts";
import type { MayHoldOffer } from "./trunk-offer.ts";
import type { DialledTrunk, TrunkSide } from "./trunk-leg.ts";

/** The two legs: whose call was transferred, and whom it was transferred to. */
export type JointSide = "left" | "right";

/** A leg in a dialog, under the id by which the SIP edge knows it. */
export interface JointLeg {
  readonly call: CallId;
  readonly trunk: TrunkSide;
  readonly dialog: SipDialogState;
}

/** Whom the far end is to talk to: a number that has to be called, or the far end of another call. */
export type JointTarget =
  | { readonly kind: "dialled"; readonly trunk: DialledTrunk }
  | { readonly kind: "leg"; readonly leg: JointLeg };

/** What a call gives away when it is transferred in the bridge. */
export interface Handover {
  readonly left: JointLeg;
  readonly target: JointTarget;
  /** The leg of the person who transferred: where failure is told. */
  readonly leg: MatrixLeg;
  readonly notices: Notices;
  /** The longest call there may be counts from its own answer, whoever talks. */
  readonly endsAtMs: number;
  /** What the person's room reads once the two talk. */
  readonly words: string;
}

interface JointCommon {
  readonly id: CallId;
  readonly direction: "joined";
  readonly left: JointLeg;
  readonly leg: MatrixLeg;
  /** The left one's, for log and history. */
  readonly trunk: TrunkSide;
  readonly number: string;
  readonly startedAtMs: number;
  readonly maxDurationMs: number;
  readonly notices: Notices;
  readonly words: string;
}

/** The right leg, while the two are brought together. */
export interface RightLeg {
  readonly call: CallId;
  readonly trunk: TrunkSide;
  readonly dialled: DialledTrunk | undefined;
  readonly invite: SipInviteState | undefined;
  /** Undefined until it has answered. */
  readonly dialog: SipDialogState | undefined;
}

/**
 * Our offer goes right, what comes back left, and what comes back from there completes it (RFC 3725 flow I, by a media
 * session in between).
 */
export interface Joining extends JointCommon, MayHoldOffer {
  readonly phase: "joining";
  readonly right: RightLeg;
  readonly awaiting: "offer" | "right" | "left-offer" | "left" | "left-answer";
  readonly ringingAtMs: number | undefined;
}

/** Who changes the session and what is awaited; one exchange at a time, as with a person. */
export type JointRenegotiation =
  | { readonly by: "nobody" }
  | { readonly by: JointSide; readonly awaiting: "media" | "other" | "media-answer" }
  /** A side asked for our offer. */
  | { readonly by: JointSide; readonly awaiting: "description" | "own-answer" | "own-media" }
  /** The media session was lost: a new one is offered to the right leg, then to the left one. */
  | { readonly by: "bridge"; readonly awaiting: "description" | JointSide | `${JointSide}-media` };

export interface Joined extends JointCommon, MayHoldOffer {
  readonly phase: "joined";
  readonly right: JointLeg;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number;
  readonly renegotiation: JointRenegotiation;
}

export interface Parting extends JointCommon {
  readonly phase: "parting";
  readonly cause: Cause;
  readonly sipStatus: number | undefined;
  readonly right: RightLeg;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly owed: {
    readonly left: "nothing" | "bye";
    readonly right: "nothing" | "cancel" | "bye";
    readonly media: "nothing" | "release";
  };
  readonly media: MediaStats;
}

export type Joint = Joining | Joined | Parting;
