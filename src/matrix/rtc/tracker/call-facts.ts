// What happens in the call of a room, in the words of the bridge.
import type { DeviceId, EventId, UserId } from "../../../core/ids.ts";
import { seatDescription } from "../../../ports/conference.ts";
import type { MatrixFact } from "../../../ports/homeserver.ts";
import { rtcClient } from "../../legs/rtc-form.ts";
import type { RtcMembership } from "../../wire/rtc.ts";
import { type FactSource, originOf } from "./fact-source.ts";
import type { OwnPlace, RtcCall } from "./rtc-call.ts";

/** A person's ring, or what is as good as one. */
export interface RingSource extends FactSource {
  readonly video: boolean;
  readonly lifetimeMs: number;
  /** undefined: nobody was told, and nobody can refuse it. */
  readonly notification: EventId | undefined;
}

export function invitedFact(
  ring: RingSource,
  { matrixCallId, seat, ghost }: RtcCall,
  membership: RtcMembership,
  place: OwnPlace,
): MatrixFact {
  const { video, lifetimeMs, notification } = ring;
  return {
    ...originOf(ring),
    kind: "call.invited",
    matrixCallId,
    device: membership.device,
    description: seatDescription(seat),
    video,
    lifetimeMs,
    invitee: ghost,
    ...rtcClient({ ...place, notification }),
  };
}

/** `device`: the one of the person's by which the bridge knows the call. */
export function hungUpFact(event: FactSource, { matrixCallId }: RtcCall, sender: UserId, device: DeviceId): MatrixFact {
  return { ...originOf(event), sender, kind: "call.hungUp", matrixCallId, device, said: undefined };
}

export function rejectedFact(event: FactSource, { matrixCallId }: RtcCall): MatrixFact {
  return { ...originOf(event), kind: "call.rejected", matrixCallId, device: undefined, said: undefined };
}
