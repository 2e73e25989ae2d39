// One Matrix side of a call: whose it is and the foreign ids by which a client recognises it.
// What kind of leg it is (legacy VoIP today) is known to the matrix edge only.
import type { MatrixCallId, PartyId, RoomId, UserId } from "../ids.ts";

export interface MatrixLeg {
  readonly room: RoomId;
  /** The ghost that stands for the telephone number. */
  readonly ghost: UserId;
  /** The person. */
  readonly person: UserId;
  readonly matrixCallId: MatrixCallId;
  /** The person's device; undefined for a version 0 client, which has none. */
  readonly personParty: PartyId | undefined;
  readonly ownParty: PartyId;
  /** As the client said it: version 0 knows neither reject nor party ids nor renegotiation. */
  readonly version: "0" | "1";
}

/** Whether offers can be made inside the call, in either direction. */
export function canRenegotiate(leg: MatrixLeg): boolean {
  return leg.version !== "0";
}

/** How a leg that was never answered is refused; the client says something fitting for each. */
export type RefusalReason = "declined" | "busy" | "failed";

/** What we tell a client about its leg. */
export type LegSignal =
  | { readonly kind: "answer"; readonly sdp: string }
  | { readonly kind: "reject"; readonly reason: RefusalReason }
  | {
      readonly kind: "hangup";
      readonly reason: "user_hangup" | "ice_failed" | "unknown_error";
    }
  | { readonly kind: "reanswer"; readonly sdp: string }
  | { readonly kind: "reoffer"; readonly sdp: string; readonly lifetimeMs: number };
