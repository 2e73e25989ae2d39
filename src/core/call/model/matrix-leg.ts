// The Matrix side of a call: whose it is and the foreign ids by which a client recognises it.
// What kind of leg it is (legacy VoIP today) is known to the matrix edge only.
import type { MatrixCallId, PartyId, RoomId, UserId } from "../../ids.ts";
import type { RingTarget } from "../../number/plan/ring-stage.ts";

import type { Cause } from "./cause.ts";
import type { MediaDescription } from "../../media-description.ts";

/** Where our events of a leg go, as whom, and under which ids. */
export interface LegAddress {
  readonly room: RoomId;
  /** The ghost that stands for the telephone number. */
  readonly ghost: UserId;
  readonly matrixCallId: MatrixCallId;
  readonly ownParty: PartyId;
  /** As the client said it: version 0 knows neither reject nor party ids nor renegotiation. */
  readonly version: "0" | "1";
}

/** A leg that has one person's device at its other end. */
export interface MatrixLeg extends LegAddress {
  /** The person. */
  readonly person: UserId;
  /** The person's device; undefined for a version 0 client, which has none. */
  readonly personParty: PartyId | undefined;
}

/** One room of an inbound call that nobody has answered yet. */
export interface RingingLeg {
  readonly target: RingTarget;
  /**
   * `finding`: its room is being found or made. `inviting`: our invite is on its way. `ringing`: the homeserver has it.
   * `declined`: refused in it. `unreachable`: there is no room, or the invite could not be sent. `stopped`: its stage is over.
   */
  readonly state: "finding" | "inviting" | "ringing" | "declined" | "unreachable" | "stopped";
  /** Undefined while it is being found. */
  readonly room: RoomId | undefined;
  /** Who calls there: the caller's ghost until the room is found, then the ghost of that number which has the room. */
  readonly ghost: UserId;
}

/** What a client can do in this call, as it said itself in its invite or answer. */
export interface LegAbilities {
  /** Takes a transfer (`m.call.transferee`). */
  readonly transferee: boolean;
  readonly dtmf: boolean;
}

/** Whether offers can be made inside the call, in either direction. */
export function canRenegotiate(leg: LegAddress): boolean {
  return leg.version !== "0";
}

/** Who is at the telephone now, as far as may be shown (MSC3086). */
export interface ShownIdentity {
  /** The ghost of the number; undefined where the number is withheld or none. */
  readonly ghost: UserId | undefined;
  readonly displayName: string;
}

/** What we tell a client about its leg. */
export type LegSignal =
  /** We call. `invitee`: whom the call is for, if it is for one person only. */
  | {
      readonly kind: "invite";
      readonly description: MediaDescription;
      readonly lifetimeMs: number;
      readonly invitee: UserId | undefined;
    }
  /** Of those who answered our invite this one has the call. */
  | { readonly kind: "select"; readonly party: PartyId }
  | { readonly kind: "answer"; readonly description: MediaDescription }
  /** Of a leg that we have not answered. */
  | { readonly kind: "reject"; readonly cause: Cause }
  /** Of one that we have answered, or that is a call of ours. */
  | { readonly kind: "hangup"; readonly cause: Cause }
  | { readonly kind: "reanswer"; readonly description: MediaDescription }
  | { readonly kind: "reoffer"; readonly description: MediaDescription; readonly lifetimeMs: number }
  | { readonly kind: "identity"; readonly identity: ShownIdentity };
