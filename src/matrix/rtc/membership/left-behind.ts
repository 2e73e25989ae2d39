// What a number has left in the call of a room when the bridge died: a membership, the leave that was to end it, a ring. Found
// again by the room and our device alone.
import { z } from "zod";
import { eventId, type EventId, type RoomId, type UserId } from "../../../core/ids.ts";
import { HomeserverError } from "../../../ports/homeserver.ts";
import type { Patience } from "../../client/homeserver-client.ts";
import { failureOf } from "../../client/request-failure.ts";
import type { Sender } from "../../legs/speaker.ts";
import { deviceInKey, notificationTypes } from "../../wire/rtc-names.ts";
import { cancelDelayed, delayedEventsPath, type MembershipParts, type Place, statePath } from "./own-membership.ts";

interface Parts extends Omit<MembershipParts, "undelayed" | "outbox"> {
  readonly outbox: Pick<Sender, "inCall" | "redact">;
}

const patience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
/** More than one call of a number leaves behind. */
const mostRings = 10;
const longestRingMs = 10 * 60_000;

const delayedForm = z.object({
  delayed_events: z.array(z.object({ delay_id: z.string(), room_id: z.string(), state_key: z.string() }).partial()),
});
const stateForm = z.object({
  event_id: z.string(),
  content: z.record(z.string(), z.unknown()),
  unsigned: z.object({ replaces_state: z.string() }).partial().optional().catch(undefined),
});
const relationsForm = z.object({
  chunk: z.array(
    z
      .object({
        event_id: z.string(),
        type: z.string(),
        sender: z.string(),
        origin_server_ts: z.number(),
        content: z.object({ lifetime: z.number() }).partial(),
      })
      .partial(),
  ),
});

/**
 * Takes it all away. In an encrypted room the number was another device than the leg says, which the leave that the homeserver
 * would send names. `isOurs`: it belongs to a call of today. Throws HomeserverError where the membership stays.
 */
export async function leaveWhatIsLeft(
  { room, ghost: user, device }: Left,
  isOurs: (place: Place) => boolean,
  parts: Parts,
): Promise<void> {
  const delayed = await leavesOf({ room, user, device }, parts);
  const others = delayed.map((leave) => leave.place).filter((place) => place.device !== device && !isOurs(place));
  for (const place of [{ room, user, device }, ...others]) {
    for (const leave of delayed) if (leave.place.device === place.device) await cancelDelayed(parts, user, leave.id);
    await leaveAs(place, parts);
  }
}

async function leaveAs(place: Place, parts: Parts): Promise<void> {
  const { room, user } = place;
  const rang = await membershipOf(place, parts);
  if (rang?.isThere !== false) {
    const request = { method: "PUT", path: statePath(place), body: {} } as const;
    await parts.outbox.inCall(room, () => parts.client.request(user, request, patience));
  }
  for (const ring of rang === undefined ? [] : await ringsOf(place, rang.event, parts)) {
    await redact(room, user, ring, parts);
  }
}

interface Left extends Omit<Place, "user"> {
  readonly ghost: UserId;
}

/** Clients stop ringing. Never rejects. */
export async function redact(room: RoomId, user: UserId, event: EventId, parts: Parts): Promise<void> {
  try {
    await parts.outbox.redact(room, user, event);
  } catch (cause) {
    parts.log.warn("could not take a ring back: it goes on until its time is over", {
      room,
      code: failureOf(cause).error.code,
    });
  }
}

/** The leaves from the call of the room that the homeserver would send for the number. */
async function leavesOf(
  { room, user }: Place,
  parts: Parts,
): Promise<readonly { readonly id: string; readonly place: Place }[]> {
  const answer = await asked(["delayed events", user, delayedEventsPath], parts);
  return (delayedForm.safeParse(answer).data?.delayed_events ?? []).flatMap(({ delay_id: id, room_id, state_key }) => {
    const device = room_id === room && state_key !== undefined ? deviceInKey(user, state_key) : undefined;
    return id === undefined || device === undefined ? [] : [{ id, place: { room, user, device } }];
  });
}

/** The event by which ours came into the call; undefined: it was never there. */
async function membershipOf(
  place: Place,
  parts: Parts,
): Promise<{ readonly event: EventId; readonly isThere: boolean } | undefined> {
  const answer = await asked(["state", place.user, statePath(place), { format: "event" }], parts);
  const parsed = stateForm.safeParse(answer);
  if (!parsed.success) return undefined;
  const { event_id, content, unsigned } = parsed.data;
  if (content["application"] !== undefined) return { event: eventId(event_id), isThere: true };
  const before = unsigned?.replaces_state;
  return before === undefined ? undefined : { event: eventId(before), isThere: false };
}

/**
 * Those that may still ring. In an encrypted room what refers to our membership is not told by its type, and says nothing of
 * how long it rings.
 */
async function ringsOf({ room, user }: Place, membership: EventId, parts: Parts): Promise<readonly EventId[]> {
  const path = ["v1", "rooms", room, "relations", membership, "m.reference"];
  const answer = await asked(["relations", user, path], parts);
  const nowMs = parts.clock.wallMs();
  const types: readonly unknown[] = [...notificationTypes, "m.room.encrypted"];
  return (relationsForm.safeParse(answer).data?.chunk ?? [])
    .filter(({ sender, type }) => sender === user && types.includes(type))
    .filter(({ origin_server_ts: sentMs = 0, content }) => sentMs + (content?.lifetime ?? longestRingMs) > nowMs)
    .flatMap(({ event_id }) => (event_id === undefined ? [] : [eventId(event_id)]))
    .slice(0, mostRings);
}

/** undefined where the homeserver does not say. */
async function asked(
  [what, user, path, query = {}]: readonly [string, UserId, readonly string[], Readonly<Record<string, string>>?],
  { client, log }: Parts,
): Promise<unknown> {
  try {
    return await client.request(user, { method: "GET", path, query }, patience);
  } catch (cause) {
    const { error } = failureOf(cause);
    if (error.transient) throw new HomeserverError(error.code, error.message, true, { cause });
    log.debug("the homeserver does not tell what is left of a call", { what, user, code: error.code });
    return undefined;
  }
}
