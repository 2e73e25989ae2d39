// The call as data: a union by phase, each member holding only what is true in that phase. No behaviour lives here.
import type { CallId } from "../ids.ts";
import type { Cause } from "./cause.ts";
import type { SipDialogState, SipInviteState } from "./dialog-state.ts";
import type { Joint, JointTarget } from "./joint.ts";
import type { MatrixLeg, ShownIdentity } from "./matrix-leg.ts";
import type { MediaStats } from "./media-stats.ts";
import type { CallRecord } from "./record.ts";
import type { DialledTrunk, TrunkSide } from "./trunk-side.ts";

/** What is true in every phase. */
export interface Common {
  readonly id: CallId;
  readonly direction: "outbound";
  readonly leg: MatrixLeg;
  /** Undefined for a call that was refused before a trunk was chosen. */
  readonly trunk: TrunkSide | undefined;
  /** Text of the number for history, even where no trunk was chosen. */
  readonly number: string;
  readonly startedAtMs: number;
  readonly maxDurationMs: number;
  /** Whether the room is told in words why a call failed. */
  readonly notices: boolean;
}

/** The client's offer is with the media engine. */
export interface Offering extends Common {
  readonly phase: "offering";
  readonly trunk: DialledTrunk;
}

/** INVITE ordered; no final response yet. */
export interface Inviting extends Common {
  readonly phase: "inviting";
  readonly trunk: DialledTrunk;
  readonly invite: SipInviteState | undefined;
  readonly progress: "none" | "trying" | "ringing" | "early";
  readonly ringingAtMs: number | undefined;
}

/** The callee answered; the client's answer is being made. */
export interface Answering extends Common {
  readonly phase: "answering";
  readonly trunk: TrunkSide;
  readonly dialog: SipDialogState;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number;
}

/**
 * Who is in the middle of changing an established session, and what is awaited.
 * One exchange at a time (RFC 3264 s4): a second offer of the trunk gets 491, one of the client waits.
 */
export type Renegotiation =
  | { readonly by: "nobody" }
  | {
      readonly by: "matrix";
      readonly awaiting: "media" | "trunk" | "media-answer";
      readonly queued: string | undefined;
    }
  | {
      readonly by: "trunk";
      readonly awaiting: "media" | "person" | "media-answer";
      readonly queued: string | undefined;
    }
  /** The trunk asked for our offer: described, then its answer in the ACK. */
  | {
      readonly by: "trunk-empty";
      readonly awaiting: "media" | "trunk" | "media-answer";
      readonly queued: string | undefined;
    }
  /** The trunk wants the person connected to somebody else: planned, described, called in its stead. */
  | {
      readonly by: "referral";
      readonly awaiting: "plan";
      readonly replaces: string | undefined;
      readonly queued: string | undefined;
    }
  | {
      readonly by: "referral";
      readonly awaiting: "offer" | "trunk" | "media-answer";
      readonly trunk: DialledTrunk;
      readonly shown: ShownIdentity;
      readonly replaces: string | undefined;
      readonly queued: string | undefined;
    };

/** Both people can talk. "Media up" is a fact of its own: ICE may still be at work. */
export interface Connected extends Common {
  readonly phase: "connected";
  readonly trunk: TrunkSide;
  readonly dialog: SipDialogState;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number;
  readonly mediaUp: boolean;
  readonly answer: Exclude<PersonAnswer, "none">;
  readonly renegotiation: Renegotiation;
  /** Who is at the telephone, where it is not the number of the ghost any more. */
  readonly shown?: ShownIdentity | undefined;
}

/** The person has handed the call over and is gone; the far end waits for whom it shall talk to. */
export interface Transferring extends Common {
  readonly phase: "transferring";
  readonly trunk: TrunkSide;
  readonly dialog: SipDialogState;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number;
  /** `other`: the other call of a consult transfer carries it out. */
  readonly awaiting: "plan" | "refer" | "other";
  readonly target: JointTarget | undefined;
}

/** How far our answer has come on its way to the client: the homeserver has it (`told`), or it has been ordered. */
export type PersonAnswer = "none" | "ordered" | "told";

/** What a side is still owed before the call may be forgotten. */
export interface Owed {
  readonly trunk: "nothing" | "cancel" | "bye";
  readonly media: "nothing" | "release";
  /** `lost`: the farewell could not be sent after all tries. */
  readonly person: "nothing" | "farewell" | "lost";
}

export interface Ending extends Common {
  readonly phase: "ending";
  readonly cause: Cause;
  readonly sipStatus: number | undefined;
  readonly invite: SipInviteState | undefined;
  readonly dialog: SipDialogState | undefined;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  /** A client that has our answer is told by a hang-up, another by a refusal. */
  readonly answer: PersonAnswer;
  readonly endedAtMs: number;
  readonly owed: Owed;
  readonly media: MediaStats;
}

export interface Ended extends Common {
  readonly phase: "ended";
  readonly record: CallRecord;
}

/**
 * ```
 *   invite, allowed
 *        |
 *    Offering --media.offered--> Inviting --sip.accepted--> Answering --media.answered--> Connected
 *        |                          |                          |                             |  ^
 *        |                          |                          |                        renegotiation
 *        +--------- any end --------+-----------+--------------+-----------------------------+
 *                                               |
 *   invite, refused ---------------------->  Ending  (CANCEL, BYE, release, a word to the client outstanding)
 *                                               |  nothing owed any more, or the deadline
 *                                             Ended
 * ```
 */
export type Call = Offering | Inviting | Answering | Connected | Transferring | Ending | Ended | Joint;

/** Phases in which people are still in the call. */
export type LiveCall = Offering | Inviting | Answering | Connected;
