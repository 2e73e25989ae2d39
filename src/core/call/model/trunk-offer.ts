// An offer of the trunk's that waits for its turn, as data. Why it may have to stands in held-offer.ts.
import type { LegName } from "./trunk-leg.ts";

/** `side`: of two joined legs the one that made it. */
export interface HeldOffer {
  readonly side: LegName | undefined;
  readonly offer: { readonly kind: "sip.offered"; readonly sdp: string } | { readonly kind: "sip.offerWanted" };
}

/** Phases in which an answer of the trunk's is being worked in. */
export interface MayHoldOffer {
  readonly held?: HeldOffer | undefined;
}
