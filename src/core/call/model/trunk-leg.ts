// The telephone side of a call: which trunk, which number, and for a call of ours under which identity.
import type { CallerIdentity } from "../../policy/caller-identity.ts";
import type { CallId, TrunkName } from "../../ids.ts";
import type { SipDialogState } from "./dialog-state.ts";

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
  readonly target: string;
  readonly identity: CallerIdentity;
}

/** Of the two legs of a bridged call: A is that of the call that was transferred, B that of whom it was transferred to. */
export type LegName = "a" | "b";

/** A leg in a dialog, under the id by which the SIP edge knows it. */
export interface ConfirmedLeg {
  readonly call: CallId;
  readonly trunk: TrunkSide;
  readonly dialog: SipDialogState;
}
