// What there is to a call that a person has placed, until the callee answers.
import type { MediaDescription } from "../../media-description.ts";
import type { IceCandidate } from "./fact.ts";
import type { DialledTrunk } from "./trunk-leg.ts";

/**
 * What a person hears before the callee answers. `ring`: nothing of us, their client plays its own tone. `answer`: what the
 * trunk plays. `join`: they are in the call already, and hear what the trunk plays, or else a ringing tone of ours.
 */
export type EarlyMedia = "ring" | "answer" | "join";

/** Other trunks for the same call, and what the client has said so far: a new trunk needs it all once more. */
export interface Failover {
  readonly trunks: readonly DialledTrunk[];
  readonly offer: MediaDescription;
  readonly candidates: readonly IceCandidate[];
}
