// What the homeserver says that a number has left in a room: leaves that wait, rings that may still ring.
import { z } from "zod";
import { eventId, type EventId, type RoomId, type UserId } from "../../../core/ids.ts";
import { HomeserverError } from "../../../ports/homeserver.ts";
import type { Patience } from "../../client/homeserver-client.ts";
import { failureOf } from "../../client/request-failure.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { Sender } from "../../legs/speaker.ts";
import { notificationTypes } from "../../wire/rtc-names.ts";
import { delayedEventsPath, type MembershipParts } from "./own-membership.ts";
import type { Place } from "./write-membership.ts";

export interface LeftParts extends Omit<MembershipParts, "undelayed" | "outbox"> {
  readonly outbox: MembershipParts["outbox"] & Pick<Sender, "redact">;
}

export const patience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
/** More than one call of a number leaves behind. */
const mostRings = 10;
export const longestRingMs = 10 * 60_000;

const delayedForm = z.object({
  delayed_events: z.array(
    z
      .object({
        delay_id: z.string(),
        room_id: z.string(),
        type: z.string(),
        state_key: z.string().nullable(),
        content: z.record(z.string(), z.unknown()),
      })
      .partial(),
  ),
});
const eventForm = z
  .object({
    event_id: z.string(),
    type: z.string(),
    sender: z.string(),
    origin_server_ts: z.number(),
    content: z.object({ lifetime: z.number() }).partial(),
  })
  .partial();
const relationsForm = z.object({ chunk: z.array(eventForm) });

/** An event that the homeserver will send for one of ours. */
export interface Delayed {
  readonly id: string;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly content: Readonly<Record<string, unknown>>;
}

/** What the homeserver would send for the number in the room. */
export async function delayedIn({ room, user }: Place, parts: LeftParts): Promise<readonly Delayed[]> {
  const answer = await asked(["delayed events", user, delayedEventsPath], parts);
  return (delayedForm.safeParse(answer).data?.delayed_events ?? []).flatMap(
    ({ delay_id: id, room_id, type, state_key, content = {} }) =>
      id === undefined || type === undefined || room_id !== room
        ? []
        : [{ id, type, stateKey: state_key ?? undefined, content }],
  );
}

/**
 * Those that may still ring. In an encrypted room what refers to our membership is not told by its type, and says nothing of
 * how long it rings.
 */
export async function ringsOf(
  { room, user }: Place,
  membership: EventId,
  parts: LeftParts,
): Promise<readonly EventId[]> {
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

/** Clients stop ringing. Never rejects. */
export async function redact(
  room: RoomId,
  user: UserId,
  event: EventId,
  { outbox, log }: { readonly outbox: Pick<Sender, "redact">; readonly log: Log },
): Promise<void> {
  try {
    await outbox.redact(room, user, event);
  } catch (cause) {
    log.warn("could not take a ring back: it goes on until its time is over", {
      room,
      code: failureOf(cause).error.code,
    });
  }
}

/** undefined where the homeserver does not say. */
export async function asked(
  [what, user, path, query = {}]: readonly [string, UserId, readonly string[], Readonly<Record<string, string>>?],
  { client, log }: LeftParts,
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
