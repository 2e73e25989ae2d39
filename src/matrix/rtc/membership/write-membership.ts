// How a membership of ours is written: as room state, one for each of our devices, or as a sticky event with an id of its own
// (MSC4354), which is encrypted in encrypted rooms. A leave takes its place, at once or when we do not put it off any more.
import { z } from "zod";
import { type DeviceId, eventId, type EventId, type RoomId, type UserId } from "../../../core/ids.ts";
import { badAnswer, type HomeserverClient, type Patience } from "../../client/homeserver-client.ts";
import { refusalTold } from "../../client/refusal-told.ts";
import type { LadderTap } from "../../../ports/ladders/tap.ts";
import type { Sender } from "../../legs/speaker.ts";
import type { MembershipFormat } from "../../wire/rtc.ts";
import { membershipContent, stickyLeaveContent, stickyMembershipContent } from "../../wire/rtc-content.ts";
import { stateKeyOf, stateMembershipType, stickyMembershipTypes } from "../../wire/rtc-names.ts";

export interface Sticking {
  /** For so long the homeserver shows the event to whoever looks (MSC4354). */
  readonly stickyMs: number;
  /** The homeserver sends it later, unless that is put off (MSC4140). */
  readonly delayMs: number;
}

type Event = [room: RoomId, as: UserId, type: string, content: Readonly<Record<string, unknown>>];

/** The part of the outbox that writes sticky events, each of them in order with what a number says of its place in the call. */
export interface StickySender {
  /** Gives the event's id. Throws HomeserverError. */
  stick(...event: [...Event, Omit<Sticking, "delayMs"> & { readonly patience: Patience }]): Promise<string>;
  /** Gives the homeserver's answer: with an id, if it knows what a delay is. Throws HomeserverError. */
  delay(...event: [...Event, Sticking & { readonly patience: Patience }]): Promise<unknown>;
}

export interface WriteParts {
  readonly client: HomeserverClient;
  readonly outbox: Pick<Sender, "inCall"> & StickySender;
  readonly tap?: LadderTap | undefined;
}

export interface Place {
  readonly room: RoomId;
  readonly user: UserId;
  readonly device: DeviceId;
  /** Of a sticky membership; undefined: it is room state. */
  readonly memberId?: string | undefined;
}

interface Terms {
  readonly type: string;
  /** What others believe if they hear nothing more. */
  readonly lastsMs: number;
  readonly renewMs: number;
}

/** Homeservers keep sticky events for an hour (MSC4354). */
const terms: Readonly<Record<MembershipFormat, Terms>> = {
  state: { type: stateMembershipType, lastsMs: 4 * 3_600_000, renewMs: 3 * 3_600_000 },
  sticky: { type: stickyMembershipTypes[0], lastsMs: 3_600_000, renewMs: 45 * 60_000 },
};

const eventForm = z.object({ event_id: z.string().min(1).max(255) });
const delayForm = z.object({ delay_id: z.string().min(1).max(255) });

export function termsOf({ memberId }: Place): Terms {
  return terms[memberId === undefined ? "state" : "sticky"];
}

/** `createdAtMs`: it is only made to last longer. Gives the event's id. Throws HomeserverError. */
export async function writeMembership(
  place: Place,
  { service, nowMs, createdAtMs }: { readonly service: string; readonly nowMs: number; readonly createdAtMs?: number },
  patience: Patience,
  parts: WriteParts,
): Promise<EventId> {
  const { memberId } = place;
  if (memberId !== undefined) {
    return writeSticky(place, stickyMembershipContent({ ...place, memberId, service }), patience, parts);
  }
  const sinceMs = createdAtMs === undefined ? 0 : Math.max(0, nowMs - createdAtMs);
  const expiresMs = sinceMs + terms.state.lastsMs;
  const created = createdAtMs === undefined ? {} : { createdAtMs };
  return writeState(place, membershipContent({ ...place, service, expiresMs, ...created }), patience, parts);
}

/** Throws HomeserverError. */
export async function writeLeave(place: Place, patience: Patience, parts: WriteParts): Promise<void> {
  const { memberId } = place;
  if (memberId === undefined) await writeState(place, {}, patience, parts);
  else await writeSticky(place, stickyLeaveContent(memberId), patience, parts);
}

/**
 * Gives the id by which the leave is put off; undefined where the homeserver does not know what a delay is, and has sent it now.
 * Throws HomeserverError.
 */
export async function delayLeave(
  place: Place,
  delayMs: number,
  patience: Patience,
  { client, outbox }: WriteParts,
): Promise<string | undefined> {
  const { room, user, memberId } = place;
  const query = { "org.matrix.msc4140.delay": String(delayMs) };
  const answer =
    memberId === undefined
      ? await client.request(user, { method: "PUT", path: statePath(place), query, body: {} }, patience)
      : await outbox.delay(room, user, terms.sticky.type, stickyLeaveContent(memberId), {
          delayMs,
          stickyMs: terms.sticky.lastsMs,
          patience,
        });
  return delayForm.safeParse(answer).data?.delay_id;
}

export function statePath({ room, user, device }: Place): readonly string[] {
  return ["v3", "rooms", room, "state", stateMembershipType, stateKeyOf(user, device)];
}

function writeState(place: Place, body: unknown, patience: Patience, parts: WriteParts): Promise<EventId> {
  const { client, outbox, tap } = parts;
  const { room, user, device } = place;
  const request = { method: "PUT", path: statePath(place), body } as const;
  return outbox.inCall(room, async () => {
    const stateKey = stateKeyOf(user, device);
    const id = JSON.stringify(body);
    const said = { way: "out", room, sender: user, type: stateMembershipType, stateKey, content: body, id } as const;
    tap?.matrix({ ...said, encrypted: false });
    const answer = client.request(user, request, patience).catch(refusalTold({ ...said, encrypted: false }, tap));
    const parsed = eventForm.safeParse(await answer);
    if (!parsed.success) throw badAnswer("a sent event");
    return eventId(parsed.data.event_id);
  });
}

async function writeSticky(
  { room, user }: Place,
  content: Readonly<Record<string, unknown>>,
  patience: Patience,
  { outbox }: WriteParts,
): Promise<EventId> {
  const { type, lastsMs } = terms.sticky;
  return eventId(await outbox.stick(room, user, type, content, { patience, stickyMs: lastsMs }));
}
