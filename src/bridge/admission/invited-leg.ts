// The leg of a call that a client has begun.
import type { MatrixLeg } from "../../core/call/model/matrix-leg.ts";
import { deviceId, type DeviceId, type UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";

/** `ghost`: whom the call is for. */
export function invitedLeg(
  { room, sender, matrixCallId, device, form, abilities }: Extract<MatrixFact, { kind: "call.invited" }>,
  ghost: UserId,
  clock: Pick<Clock, "newId">,
  own: DeviceId = deviceId(clock.newId()),
): MatrixLeg {
  return { room, ghost, person: sender, matrixCallId, own, device, form, abilities };
}
