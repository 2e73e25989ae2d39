// The telephone side of a call: which trunk, which number, for a call of ours under which identity, and how far the leg has
// come. What it is owed when its call ends follows from its state.
import type { SipUri } from "../../address/uri.ts";
import type { CallerIdentity } from "../../policy/caller-identity.ts";
import type { CallId, SipCallId, TrunkName } from "../../ids.ts";
import type { SipDialogState, SipIncomingState, SipInviteState } from "./dialog-state.ts";

/** What a trunk takes in a call, by its configuration. */
export interface TrunkAbilities {
  /** Keys in INFO where RFC 4733 was not negotiated. */
  readonly infoDtmf: boolean;
  /** REFER is worth trying; otherwise transfers are joined in the bridge. */
  readonly refer: boolean;
}

export interface TrunkSide {
  readonly name: TrunkName;
  /** The far end's number as the trunk knows it, for history and log. */
  readonly number: string;
  readonly abilities: TrunkAbilities;
}

/** Where an INVITE of ours goes and as whom. */
export interface DialledTrunk extends TrunkSide {
  /** Request-URI and To. */
  readonly target: SipUri;
  readonly identity: CallerIdentity;
}

/**
 * ```
 *   unsent --our INVITE--> inviting --2xx--> confirmed --BYE--> over
 *                                            ^
 *   incoming (an INVITE to us) ---our 2xx----+
 * ```
 * A final response that is no 2xx, or a CANCEL, leads from `inviting` and `incoming` to `over`.
 */
export type TrunkLeg = UnsentLeg | InvitingLeg | IncomingLeg | ConfirmedLeg | OverLeg;

/** Of a call that ends. */
export type EndingLeg = Exclude<TrunkLeg, UnsentLeg>;

/** `id`: under which the SIP edge knows the leg; of a call with one leg the call's own. */
interface Leg extends TrunkSide {
  readonly id: CallId;
}

/** The trunk knows nothing of the call: it is owed nothing. */
export interface UnsentLeg extends Leg, DialledTrunk {
  readonly state: "unsent";
}

/** Our INVITE has no final response: it is owed a CANCEL. */
export interface InvitingLeg extends Leg {
  readonly state: "inviting";
  /** Undefined until it has gone out. */
  readonly invite: SipInviteState | undefined;
}

/** The trunk's INVITE has no final response: it is owed one. */
export interface IncomingLeg extends Leg {
  readonly state: "incoming";
  readonly dialog: SipDialogState;
  readonly incoming: SipIncomingState;
}

/** The dialog is up: it is owed a BYE. */
export interface ConfirmedLeg extends Leg {
  readonly state: "confirmed";
  readonly dialog: SipDialogState;
  readonly answeredAtMs: number;
}

/** Ended, or another call's from here on: it is owed nothing. */
export interface OverLeg extends Leg {
  readonly state: "over";
  readonly sipCallId: SipCallId | undefined;
}

/** Of the two legs of a bridged call: A is that of the call that was transferred, B that of whom it was transferred to. */
export type LegName = "a" | "b";

/** A trunk that is about to be invited. */
export function unsent(id: CallId, trunk: DialledTrunk): UnsentLeg {
  return { ...trunk, state: "unsent", id };
}

/** How the trunk was dialled matters no longer: that is said in the order. */
export function inviting({ id, name, number, abilities }: UnsentLeg): InvitingLeg {
  return { state: "inviting", id, name, number, abilities, invite: undefined };
}

export function confirmed(
  { id, name, number, abilities }: InvitingLeg | IncomingLeg,
  dialog: SipDialogState,
  answeredAtMs: number,
): ConfirmedLeg {
  return { state: "confirmed", id, name, number, abilities, dialog, answeredAtMs };
}

export function over(leg: TrunkLeg): OverLeg {
  const { id, name, number, abilities } = leg;
  return { state: "over", id, name, number, abilities, sipCallId: sipCallIdOf(leg) };
}

/** Undefined as long as nothing was sent. */
export function sipCallIdOf(leg: TrunkLeg): SipCallId | undefined {
  switch (leg.state) {
    case "unsent":
      return undefined;
    case "inviting":
      return leg.invite?.sipCallId;
    case "over":
      return leg.sipCallId;
    default:
      return leg.dialog.sipCallId;
  }
}

export type OwedToTrunk = "nothing" | "cancel" | "final" | "bye";

/** What the leg is owed when its call ends. */
export function owedTo({ state }: TrunkLeg): OwedToTrunk {
  switch (state) {
    case "unsent":
    case "over":
      return "nothing";
    case "inviting":
      return "cancel";
    case "incoming":
      return "final";
    case "confirmed":
      return "bye";
  }
}
