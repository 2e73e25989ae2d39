// Two trunk legs that the bridge joins, as data: what a transfer hands over, and the phases of the bridged call.
// What happens in them stands in bridged.ts.
import type { CallId } from "../../ids.ts";
import type { Cause } from "./cause.ts";
import type { SipDialogState, SipInviteState } from "./dialog-state.ts";
import type { MatrixLeg } from "./matrix-leg.ts";
import type { MediaStats } from "./media-stats.ts";
import type { Notices } from "./notices.ts";
import type { MayHoldOffer } from "./trunk-offer.ts";
import type { ConfirmedLeg, DialledTrunk, LegName, TrunkSide } from "./trunk-leg.ts";

/** Whom the far end is to talk to: a number that has to be called, or the far end of another call. */
export type TransferTarget =
  | { readonly kind: "dialled"; readonly trunk: DialledTrunk }
  | { readonly kind: "leg"; readonly leg: ConfirmedLeg };

/** What a call gives away when it is transferred in the bridge. */
export interface Handover {
  readonly a: ConfirmedLeg;
  readonly target: TransferTarget;
  /** The leg of the person who transferred: where failure is told. */
  readonly leg: MatrixLeg;
  readonly notices: Notices;
  /** The longest call there may be counts from its own answer, whoever talks. */
  readonly endsAtMs: number;
  /** What the person's room reads once the two talk. */
  readonly words: string;
}

interface BridgedCommon {
  readonly id: CallId;
  readonly direction: "joined";
  readonly a: ConfirmedLeg;
  readonly leg: MatrixLeg;
  /** Leg A's, for log and history. */
  readonly trunk: TrunkSide;
  readonly number: string;
  readonly startedAtMs: number;
  readonly maxDurationMs: number;
  readonly notices: Notices;
  readonly words: string;
}

/** Leg B, while the two are brought together. */
export interface LegB {
  readonly call: CallId;
  readonly trunk: TrunkSide;
  readonly dialled: DialledTrunk | undefined;
  readonly invite: SipInviteState | undefined;
  /** Undefined until it has answered. */
  readonly dialog: SipDialogState | undefined;
}

/**
 * Our offer goes to leg B, what comes back to leg A, and what comes back from there completes it (RFC 3725 flow I, by a media
 * session in between).
 */
export interface Joining extends BridgedCommon, MayHoldOffer {
  readonly phase: "joining";
  readonly b: LegB;
  readonly awaiting: "offer" | "b" | "a-offer" | "a" | "a-answer";
  readonly ringingAtMs: number | undefined;
}

/** Who changes the session and what is awaited; one exchange at a time, as with a person. */
export type BridgedRenegotiation =
  | { readonly by: "nobody" }
  | { readonly by: LegName; readonly awaiting: "media" | "other" | "media-answer" }
  /** A side asked for our offer. */
  | { readonly by: LegName; readonly awaiting: "description" | "own-answer" | "own-media" }
  /** The media session was lost: a new one is offered to leg B, then to leg A. */
  | { readonly by: "bridge"; readonly awaiting: "description" | LegName | `${LegName}-media` };

export interface Joined extends BridgedCommon, MayHoldOffer {
  readonly phase: "joined";
  readonly b: ConfirmedLeg;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number;
  readonly renegotiation: BridgedRenegotiation;
}

export interface Parting extends BridgedCommon {
  readonly phase: "parting";
  readonly cause: Cause;
  readonly sipStatus: number | undefined;
  readonly b: LegB;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly owed: {
    readonly a: "nothing" | "bye";
    readonly b: "nothing" | "cancel" | "bye";
    readonly media: "nothing" | "release";
  };
  readonly media: MediaStats;
}

export type BridgedCall = Joining | Joined | Parting;
