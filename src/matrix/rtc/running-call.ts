// A telephone that somebody invites into a call which people have with each other.
import { matrixCallId, type RoomId, type UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { seatDescription } from "../../ports/conference.ts";
import type { RunningCall } from "../../ports/homeserver.ts";
import { rtcClient } from "../legs/rtc-form.ts";
import { type Met, type OwnPlace, seatOf } from "./tracker/rtc-call.ts";
import type { RtcTracker } from "./tracker/tracker.ts";

export interface RunningCallParts {
  readonly tracker: RtcTracker;
  /** As what we take part in a call there. Never rejects. */
  readonly placeIn: (room: RoomId, ghost: UserId, met: Met) => Promise<OwnPlace>;
  /** Whether requests may be sent to that token service. Never rejects. */
  readonly isAllowed: (service: string) => Promise<boolean>;
  readonly clock: Clock;
}

/** Undefined: nobody is in the call of the room. Never rejects. */
export async function takePlace(
  room: RoomId,
  ghost: UserId,
  person: UserId,
  { tracker, placeIn, isAllowed, clock }: RunningCallParts,
): Promise<RunningCall | undefined> {
  const met = tracker.live(room).map(({ membership }) => membership);
  const services = met.flatMap((membership) => membership.services[0] ?? []);
  // One of them may come from another homeserver, and meet the others where we may not.
  const allowed = await Promise.all(services.map(isAllowed));
  const service = services.find((_, index) => allowed[index]) ?? services[0];
  const own = await placeIn(room, ghost, { present: met, service });
  const present = tracker.live(room);
  if (present.length === 0) return undefined;
  const matrixCall = matrixCallId(clock.newId());
  const seat = seatOf(room, matrixCall);
  tracker.ring({
    seat,
    room,
    matrixCallId: matrixCall,
    ...own,
    ghost,
    service,
    state: {
      kind: "answered",
      named: undefined,
      keys: present.map(({ membership }) => membership.key),
      // In whose name the call is, whether or not they are in it themselves.
      first: { user: person, device: own.device },
      holder: undefined,
      notifications: [],
    },
  });
  const { form, abilities } = rtcClient(own);
  return { side: { matrixCallId: matrixCall, own: own.device, form }, abilities, description: seatDescription(seat) };
}
