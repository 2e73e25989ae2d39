// What a number has left in the call of a room when the bridge died: a membership, the leave that was to end it, a ring. Found
// again by the room, our device and the id of a sticky membership alone.
import { z } from "zod";
import { eventId, type EventId } from "../../../core/ids.ts";
import { deviceInKey } from "../../wire/rtc-names.ts";
import { asked, type Delayed, delayedIn, type LeftParts, patience, redact, ringsOf } from "./left-events.ts";
import { leaveSticky, type OfToday } from "./left-sticky.ts";
import { cancelDelayed } from "./own-membership.ts";
import { type Place, statePath, writeLeave } from "./write-membership.ts";

const stateForm = z.object({
  event_id: z.string(),
  content: z.record(z.string(), z.unknown()),
  unsigned: z.object({ replaces_state: z.string() }).partial().optional().catch(undefined),
});
/**
 * Takes it all away. In an encrypted room the number was another device than the leg says, which the leave that the homeserver
 * would send names. Throws HomeserverError where the membership stays.
 */
export async function leaveWhatIsLeft(left: Place, today: OfToday, parts: LeftParts): Promise<void> {
  const { memberId, ...inState } = left;
  const delayed = await delayedIn(left, parts);
  const wasSticky = memberId !== undefined && (await leaveSticky({ ...inState, memberId }, delayed, today, parts));
  if (!wasSticky) await leaveState(inState, delayed, today, parts);
}

async function leaveState(left: Place, all: readonly Delayed[], today: OfToday, parts: LeftParts): Promise<void> {
  const { room, user } = left;
  const delayed = all.flatMap(({ id, stateKey }) => {
    const device = stateKey === undefined ? undefined : deviceInKey(user, stateKey);
    return device === undefined ? [] : [{ id, device }];
  });
  const isOfToday = (device: string): boolean =>
    today.some(({ place }) => place.room === room && place.user === user && place.device === device);
  const others = delayed.filter(({ device }) => device !== left.device && !isOfToday(device));
  for (const device of new Set([left.device, ...others.map((leave) => leave.device)])) {
    for (const leave of delayed) if (leave.device === device) await cancelDelayed(parts, user, leave.id);
    await leaveAs({ room, user, device }, parts);
  }
}

async function leaveAs(place: Place, parts: LeftParts): Promise<void> {
  const { room, user } = place;
  const rang = await membershipOf(place, parts);
  if (rang?.isThere !== false) await writeLeave(place, patience, parts);
  for (const ring of rang === undefined ? [] : await ringsOf(place, rang.event, parts)) {
    await redact(room, user, ring, parts);
  }
}

/** The event by which ours came into the call; undefined: it was never there. */
async function membershipOf(
  place: Place,
  parts: LeftParts,
): Promise<{ readonly event: EventId; readonly isThere: boolean } | undefined> {
  const answer = await asked(["state", place.user, statePath(place), { format: "event" }], parts);
  const parsed = stateForm.safeParse(answer);
  if (!parsed.success) return undefined;
  const { event_id, content, unsigned } = parsed.data;
  if (content["application"] !== undefined) return { event: eventId(event_id), isThere: true };
  const before = unsigned?.replaces_state;
  return before === undefined ? undefined : { event: eventId(before), isThere: false };
}
