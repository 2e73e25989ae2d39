// Two trunk legs that the bridge joins, as data: what a transfer hands over, and the phases of the bridged call.
// What happens in them stands in bridged.ts.
import type { MatrixLeg } from "./matrix-leg.ts";
import type { Notices } from "./notices.ts";
import type { ConfirmedLeg, DialledTrunk, InvitingLeg, LegName, UnsentLeg } from "./trunk-leg.ts";

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

/** A transfer failed and the far end is still on the line: what is needed to ring whoever handed it over. */
export interface Recall extends Pick<Handover, "notices" | "endsAtMs"> {
  readonly far: ConfirmedLeg;
  /** The leg that ended with the transfer: its room rings. */
  readonly leg: MatrixLeg;
  /** Of ours the number that was called, or the person where none was. */
  readonly called: string;
}

interface Bridged {
  readonly a: ConfirmedLeg;
  /** Of the person who transferred. */
  readonly transferredBy: MatrixLeg;
  readonly words: string;
  readonly ringingAtMs: number | undefined;
}

/**
 * Our offer goes to leg B, what comes back to leg A, and what comes back from there completes it (RFC 3725 flow I, by a
 * media session in between).
 */
export interface Joining extends Bridged {
  readonly kind: "joining";
  readonly b: UnsentLeg | InvitingLeg | ConfirmedLeg;
  readonly awaiting: "offer" | "b" | "a-offer" | "a" | "a-answer";
}

/** Who changes the session and what is awaited; one exchange at a time, as with a person. */
export type BridgedRenegotiation =
  | { readonly by: "nobody" }
  | { readonly by: LegName; readonly awaiting: "media" | "other" | "media-answer" }
  /** A side asked for our offer. */
  | { readonly by: LegName; readonly awaiting: "description" | "own-answer" | "own-media" }
  /** The media session was lost: a new one is offered to leg B, then to leg A. */
  | { readonly by: "bridge"; readonly awaiting: "description" | LegName | `${LegName}-media` };

export interface Joined extends Bridged {
  readonly kind: "joined";
  readonly b: ConfirmedLeg;
  readonly joinedAtMs: number;
  readonly renegotiation: BridgedRenegotiation;
}
