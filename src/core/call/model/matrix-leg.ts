// The Matrix side of a call: whose it is, the ids by which a client recognises it, and what that client can do. How a kind of
// client is spoken to is known to the matrix edge alone.
import type { MatrixCallId, DeviceId, RoomId, UserId } from "../../ids.ts";
import type { RingTarget } from "../../number/plan/ring-stage.ts";

import type { Cause } from "./cause.ts";
import type { MediaDescription } from "../../media-description.ts";

declare const ofKind: unique symbol;

/** How a leg's client is spoken to, in words of the matrix edge: plain data that it is handed back, and nobody else reads. */
export interface LegForm {
  /** The kind of client, by the name of the part of the matrix edge that speaks with it. */
  readonly kind: string;
  /** What stands at its media end: a WebRTC client, or an end of the kind's own, which the media engine opens by this form. */
  readonly media: "client" | "own";
  readonly [ofKind]: "LegForm";
}

/** Our side of a client's call, the same in all rooms that ring. */
export interface OwnSide {
  readonly matrixCallId: MatrixCallId;
  /** As which device we are in the call. */
  readonly own: DeviceId;
  readonly form: LegForm;
}

/** Where our events of a leg go, and as whom. */
export interface LegAddress extends OwnSide {
  readonly room: RoomId;
  /** The ghost that stands for the telephone number. */
  readonly ghost: UserId;
}

/** What a client can do in this call. */
export interface LegAbilities {
  /** Takes and makes offers inside the call: hold, and another place to send to. */
  readonly canRenegotiate: boolean;
  /** Has keys, which it says in its audio (RFC 4733). Without, people write what they would have pressed. */
  readonly hasKeypad: boolean;
}

/** A leg that has one person's device at its other end. */
export interface MatrixLeg extends LegAddress {
  readonly person: UserId;
  /** The person's device; undefined where the client does not tell its devices apart. */
  readonly device: DeviceId | undefined;
  readonly abilities: LegAbilities;
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
  | { readonly kind: "select"; readonly device: DeviceId }
  | { readonly kind: "answer"; readonly description: MediaDescription }
  /** Of a leg that we have not answered. */
  | { readonly kind: "reject"; readonly cause: Cause }
  /** Of one that we have answered, or that is a call of ours. */
  | { readonly kind: "hangup"; readonly cause: Cause }
  | { readonly kind: "reanswer"; readonly description: MediaDescription }
  | { readonly kind: "reoffer"; readonly description: MediaDescription; readonly lifetimeMs: number }
  | { readonly kind: "identity"; readonly identity: ShownIdentity };
