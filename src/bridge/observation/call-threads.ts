// By what the messages of a call are known, so that its ladder finds them.
import type { Call } from "../../core/call/model/call.ts";
import { addressOf, trunkLegsOf } from "../../core/call/model/queries.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import { sipCallIdOf } from "../../core/call/model/trunk-leg.ts";
import type { MatrixCallId, RoomId, SipCallId } from "../../core/ids.ts";
import type { CallThreads } from "../../ports/ladders/ladder.ts";

function threads(
  sip: readonly (SipCallId | undefined)[],
  rooms: readonly (RoomId | undefined)[],
  matrixCallId: MatrixCallId | undefined,
): CallThreads {
  return {
    sip: sip.filter((one) => one !== undefined),
    matrix: matrixCallId === undefined ? [] : rooms.flatMap((room) => (room ? [{ room, matrixCallId }] : [])),
  };
}

/** Of the moment: a call may have had others, and get more. */
export function threadsOf(call: Call): CallThreads {
  const { phase } = call;
  const sip = trunkLegsOf(call).map(sipCallIdOf);
  if (phase.kind === "alerting") {
    const rooms = phase.legs.map(({ room }) => room);
    return threads(sip, rooms, phase.ring.matrixCallId);
  }
  const address = addressOf(call);
  return threads(sip, [address?.room], address?.matrixCallId);
}

/** Also of a call that was refused, which was never there. */
export function threadsOfRecord({ sipCallId, room, matrixCallId }: CallRecord): CallThreads {
  return threads([sipCallId], [room], matrixCallId);
}
