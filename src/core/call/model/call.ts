// The call as data: what is true in every phase, and one part for the phase that it is in, which holds only what is true there.
// What happens in a phase stands in the phase's own file.
import type { CallerBadge } from "../../policy/caller-badge.ts";
import type { Direction } from "../../sdp/direction.ts";
import type { CallId, UserId } from "../../ids.ts";
import type { Joined, Joining, TransferTarget } from "./bridged-call.ts";
import type { Cause } from "./cause.ts";
import type { EarlyMedia, Failover } from "./dialling.ts";
import type { LegAddress, MatrixLeg, OwnSide, RingingLeg, ShownIdentity } from "./matrix-leg.ts";
import type { RingStage } from "../../number/plan/ring-stage.ts";
import type { MediaStats } from "./media-stats.ts";
import type { Notices } from "./notices.ts";
import type { PinEntry, PinTerms } from "../../pin-entry.ts";
import type { CallRecord } from "./record.ts";
import type {
  ConfirmedLeg,
  DialledTrunk,
  IncomingLeg,
  InvitingLeg,
  LegName,
  EndingLeg,
  UnsentLeg,
} from "./trunk-leg.ts";
import type { MediaDescription } from "../../media-description.ts";

/** What is true in every phase. */
export interface CallCommon {
  readonly id: CallId;
  /** `joined`: two trunk legs, joined by a transfer. */
  readonly direction: "outbound" | "inbound" | "joined";
  /** The far end's number as text for history, even where no trunk was chosen. */
  readonly number: string;
  /** Inbound: of ours the number that was called. Joined: the second far end's. Undefined in an outbound call. */
  readonly called: string | undefined;
  readonly startedAtMs: number;
  readonly maxDurationMs: number;
  readonly notices: Notices;
  /** Inbound: what the network knows of the caller, if anything. */
  readonly badge?: CallerBadge | undefined;
  /** Who is at the far end, once the trunk has said that it is not simply the number. */
  readonly shown: ShownIdentity | undefined;
  readonly outstanding: Outstanding;
  /** An offer of the trunk's that waits for its turn (held-offer.ts). */
  readonly held: HeldOffer | undefined;
}

/** What parts of a call that have ended before it are still owed. */
interface Outstanding {
  /** Media sessions given back whose end has not been reported. */
  readonly releases: number;
  /** Rooms that no longer ring and have not been told yet. */
  readonly farewells: readonly Farewell[];
}

/** As every call begins. */
export const fresh: Pick<CallCommon, "shown" | "outstanding" | "held"> = {
  shown: undefined,
  outstanding: { releases: 0, farewells: [] },
  held: undefined,
};

/** `side`: of a bridged call the leg that made it. */
export interface HeldOffer {
  readonly side: LegName | undefined;
  readonly offer:
    | { readonly kind: "sip.offered"; readonly description: MediaDescription }
    | { readonly kind: "sip.offerWanted" };
}

/** A leg that has to be told that it is over. */
export interface Farewell {
  readonly leg: LegAddress;
  /** A client that has no answer takes a refusal only, one that has takes a hang-up only. `either`: it is not known. */
  readonly by: "reject" | "hangup" | "either";
  /** `lost`: it could not be sent after all tries. */
  readonly state: "owed" | "lost";
  readonly cause: Cause;
}

/** One person is at the Matrix side. */
interface WithPerson {
  readonly leg: MatrixLeg;
}

/** The client's offer is with the media engine. */
export interface Offering extends WithPerson {
  readonly kind: "offering";
  readonly trunk: UnsentLeg;
  readonly earlyMedia: EarlyMedia;
  /** Undefined where there is no other trunk. */
  readonly failover: Failover | undefined;
}

/** INVITE ordered; no final response yet. */
export interface Inviting extends WithPerson {
  readonly kind: "inviting";
  readonly trunk: InvitingLeg;
  readonly earlyMedia: EarlyMedia;
  readonly progress: "none" | "trying" | "ringing" | "early";
  readonly ringingAtMs: number | undefined;
  /** Undefined also once the trunk has shown that it can place the call. */
  readonly failover: Failover | undefined;
}

/** The client is, or is being, answered with the trunk's early media, so that it hears what a telephone would. */
export interface Early extends WithPerson {
  readonly kind: "early";
  readonly trunk: InvitingLeg;
  readonly ringingAtMs: number | undefined;
  /** The trunk's early answer. */
  readonly description: MediaDescription;
  readonly answer: PersonAnswer;
  readonly mediaUp: boolean;
  /** An offer of the client's that has to wait for the callee. */
  readonly queued: MediaDescription | undefined;
  /** Early media that says hold: the client is not told before the callee picks up. */
  readonly untold: Direction | undefined;
}

/** The callee answered; the client's answer is being made. */
export interface Answering extends WithPerson {
  readonly kind: "answering";
  readonly trunk: ConfirmedLeg;
  readonly ringingAtMs: number | undefined;
}

/** How a call came that rings people. */
export type Origin =
  /** `lateOffer`: the INVITE had none. Ours goes into the 200, the answer comes with the ACK (RFC 3261 s13.2.1). */
  | { readonly kind: "invite"; readonly lateOffer: boolean }
  /** The caller's line was answered, and they have entered the PIN. */
  | { readonly kind: "admitted" }
  /** Somebody transferred the far end to whom it rings; if nobody takes it, it goes back to them. */
  | { readonly kind: "transferred"; readonly by: MatrixLeg }
  /** It goes back to whoever had transferred it. */
  | { readonly kind: "recalled" };

export interface Inbound {
  readonly origin: Origin;
  /** `confirmed`: answered already; before it rings where the call was transferred, else by who takes it. */
  readonly trunk: IncomingLeg | ConfirmedLeg;
  /** Who calls. In a room, the ghost is the one that the person knows the number by. */
  readonly ghost: UserId;
  readonly ring: OwnSide;
}

/** A caller who has to enter a PIN first, and what comes after that. Nobody in Matrix knows of them. */
interface Screened extends Pick<Arriving, "ghost" | "ring" | "stages" | "announce"> {
  readonly pin: PinTerms;
}

/** The media engine makes the session in which the caller hears our tones. */
export interface PickingUp extends Screened {
  readonly kind: "picking-up";
  readonly lateOffer: boolean;
  /** `confirmed`: the INVITE had no offer, and the answer to ours is awaited. */
  readonly trunk: IncomingLeg | ConfirmedLeg;
}

/** The line is answered, and the caller enters the PIN by keys. */
export interface Keying extends Screened {
  readonly kind: "keying";
  readonly trunk: ConfirmedLeg;
  readonly entry: PinEntry;
  /** `tone`: the caller hears how it went; then they come in, or the call ends for a cause. */
  readonly awaiting: "keys" | "verdict" | { readonly tone: "right" | Cause };
}

/** The media engine makes the offer for the rooms. */
export interface Arriving extends Inbound {
  readonly kind: "arriving";
  readonly stages: readonly RingStage[];
  readonly announce: readonly string[];
}

/** In the order in which they count where several people refuse. */
export type Refusal = Extract<Cause, "declined" | "busy" | "callee-media-failed">;

/** Rooms ring, stage by stage. */
export interface Alerting extends Inbound {
  readonly kind: "alerting";
  /** What every invite offers. */
  readonly description: MediaDescription;
  /** Of this stage and those before it. */
  readonly legs: readonly RingingLeg[];
  readonly stages: readonly RingStage[];
  /** Index of the one that rings now. */
  readonly stage: number;
  /** How those refused who have; undefined while nobody has. */
  readonly refusal: Refusal | undefined;
  readonly announce: readonly string[];
  /** The first room rang, and the caller was told. */
  readonly ringingAtMs: number | undefined;
}

/** How an answer for the trunk is made. */
type Acceptance =
  /** Of the answer to our invite. */
  | { readonly kind: "answered" }
  /** Call glare: the person called the caller at the same moment, and each offer gets an answer. */
  | { readonly kind: "glare" }
  /** The same where the trunk offered nothing: the person's `offer` for the trunk, the `trunk`'s answer, the `reply` to the person. */
  | { readonly kind: "late-glare"; readonly awaiting: "offer" | "trunk" | "reply" };

/** Somebody took the call; what the trunk is answered with is being made. */
export interface Accepting extends Inbound, WithPerson {
  readonly kind: "accepting";
  readonly acceptance: Acceptance;
  readonly ringingAtMs: number | undefined;
  readonly mediaUp: boolean;
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
      readonly queued: MediaDescription | undefined;
    }
  | {
      readonly by: "trunk";
      readonly awaiting: "media" | "person" | "media-answer";
      readonly queued: MediaDescription | undefined;
    }
  /** The trunk asked for our offer: described, then its answer in the ACK. */
  | {
      readonly by: "trunk-empty";
      readonly awaiting: "media" | "trunk" | "media-answer";
      readonly queued: MediaDescription | undefined;
    }
  /** The call itself began so: without the answer in the ACK there is no session. */
  | {
      readonly by: "trunk-first";
      readonly awaiting: "trunk" | "media-answer";
      readonly queued: MediaDescription | undefined;
    }
  /** We show the client that the telephone holds, or no longer. It waits for nobody: whatever else comes goes first. */
  | {
      readonly by: "hold";
      readonly awaiting: "media" | "person" | "media-answer";
      readonly queued: MediaDescription | undefined;
    }
  /** The trunk wants the person connected to somebody else: where that is, our offer to them, their answer. */
  | {
      readonly by: "referral";
      readonly awaiting: "plan";
      readonly replaces: string | undefined;
      readonly queued: MediaDescription | undefined;
    }
  | {
      readonly by: "referral";
      readonly awaiting: "offer" | "trunk" | "media-answer";
      readonly trunk: DialledTrunk;
      readonly shown: ShownIdentity;
      readonly replaces: string | undefined;
      readonly queued: MediaDescription | undefined;
    };

/** The two sides of an answered call, and since when. */
interface Answered extends WithPerson {
  /** Who sent the Matrix leg's invite; the other one is the polite peer (Matrix spec, m.call.negotiate). */
  readonly inviter: "person" | "bridge";
  readonly trunk: ConfirmedLeg;
  readonly ringingAtMs: number | undefined;
  /** When the person came in: later than the answer where the call was transferred to them. */
  readonly takenAtMs: number;
}

/** Both people can talk. "Media up" is a fact of its own: ICE may still be at work. */
export interface Connected extends Answered {
  readonly kind: "connected";
  readonly mediaUp: boolean;
  /** Whether each side has been heard by the other: asked once, some time after the answer. */
  readonly hearing: "awaited" | "asked" | "known";
  readonly answer: Exclude<PersonAnswer, "none">;
  readonly renegotiation: Renegotiation;
  readonly unshown: Unshown;
}

/** What the client does not know of the telephone's hold, or of how to say digits (hold.ts). */
export interface Unshown {
  /** What it has yet to be told, as of the media engine's last outcome. */
  readonly untold: Direction | undefined;
  /** How many offers that told it have been ordered. */
  readonly tries: number;
  /**
   * Something overtook our offer, and the client may still answer it. Its answers do not say which offer they answer: it is
   * offered nothing else until then, or until the offer has expired (RFC 3264 s4).
   */
  readonly isOvertaken: boolean;
}

/** How far our answer has come on its way to the client: the homeserver has it (`told`), or it has been ordered. */
type PersonAnswer = "none" | "ordered" | "told";

/** The person has handed the call over and is gone; the far end is on its way to somebody else. */
export interface Transferring extends Answered {
  readonly kind: "transferring";
  readonly awaiting: "plan" | "refer" | "other";
  readonly target: TransferTarget | undefined;
  /** Whom the far end is to talk to, as people read it; undefined while that is not known. */
  readonly to: string | undefined;
  /** The trunk, asked by REFER, has said that the other telephone rings. */
  readonly rang: boolean;
  /** The trunk waits for the answer to an offer, or for an offer of ours. */
  readonly offered: boolean;
}

/** All is over but what the sides are still owed: the trunk by the state of its legs. */
export interface Ending {
  readonly kind: "ending";
  /** Undefined for an inbound call that nobody took. Joined: of the person who transferred. */
  readonly leg: MatrixLeg | undefined;
  /** Where it rang, or was. */
  readonly address: LegAddress | undefined;
  readonly person: UserId | undefined;
  readonly cause: Cause;
  readonly sipStatus: number | undefined;
  /** None where no trunk was chosen, two of a bridged call. */
  readonly trunks: readonly EndingLeg[];
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly media: { readonly state: "open" } | { readonly state: "released"; readonly stats: MediaStats };
  readonly rooms: readonly Farewell[];
}

export interface Ended {
  readonly kind: "ended";
  readonly record: CallRecord;
}

/** Phases in which people are still in the call. */
export type LivePhase =
  | Offering
  | Inviting
  | Early
  | Answering
  | PickingUp
  | Keying
  | Arriving
  | Alerting
  | Accepting
  | Connected
  | Transferring
  | Joining
  | Joined;

export type Phase = LivePhase | Ending | Ended;

/** A call in that phase. */
export interface CallIn<P extends Phase> extends CallCommon {
  readonly phase: P;
}

/**
 * ```
 *   invite, allowed
 *        |       +---- the next trunk ----+
 *        v       v                        |
 *      Offering --media.offered--> Inviting --sip.accepted--> Answering --media.answered--+
 *                                     |                           ^                       |
 *                                     +--sip.progressed--> Early -+-----------------------+
 *                                                                                         v
 *   INVITE of a trunk                                              renegotiation <--> Connected --> Transferring
 *        |                                                                                ^              |
 *        v                                                                                |     to a number: Joining,
 *      Arriving --media.offered--> Alerting --matrix.answered--> Accepting ---------------+     to a person: Arriving
 *          |                        |  ^  |                         ^
 *          |             next stage +--+  |                         |
 *          +------------------------------+----- matrix.crossed ----+
 *
 *   INVITE for a number with a PIN ----> PickingUp --media.answered--> Keying --right PIN--> Arriving
 *
 *   every phase, and an invite that is refused ----> Ending --nothing owed any more, or the deadline--> Ended
 *                                    outstanding: CANCEL, final response or BYE; release; a word to each room
 * ```
 */
export type Call = CallIn<Phase>;
export type LiveCall = CallIn<LivePhase>;

type PhaseOf<K extends Phase["kind"]> = Extract<Phase, { readonly kind: K }>;

export function isIn<K extends Phase["kind"]>(call: Call, ...kinds: readonly K[]): call is CallIn<PhaseOf<K>> {
  return kinds.some((kind) => kind === call.phase.kind);
}

export function isLive(call: Call): call is LiveCall {
  return call.phase.kind !== "ending" && call.phase.kind !== "ended";
}
