// A room event as stored, and the two shapes in which it leaves the server: the long one
// (application services, /messages, /state ...) and the short one of /sync.
import { randomBytes } from "node:crypto";
import type { JsonObject } from "../http/json.ts";

export type StrippedEvent = {
  readonly type: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: JsonObject;
};

export type RoomEvent = {
  readonly position: number;
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  /** The state event that this one took the place of. */
  readonly replaces: RoomEvent | undefined;
  /** On invites only: what the invited user may know of the room. */
  readonly inviteRoomState: readonly StrippedEvent[] | undefined;
  /** Who sent it with which transaction id; told to the same device only. */
  readonly transaction: { readonly requesterKey: string; readonly txnId: string } | undefined;
  /** Shown for so long to whoever looks (MSC4354). */
  readonly stickyMs: number | undefined;
};

/** Room version 3 and later: an opaque id of 43 URL-safe base64 characters. */
export const newEventId = () => `$${randomBytes(32).toString("base64url")}`;

/** The shape that application services and all of the client API but /sync see. */
export function toClientEvent(event: RoomEvent, now: number, requesterKey?: string) {
  const { replaces, inviteRoomState } = event;
  return {
    ...toSyncEvent(event, now, requesterKey),
    room_id: event.roomId,
    user_id: event.sender,
    age: ageOf(event, now),
    ...(replaces && { prev_content: replaces.content, replaces_state: replaces.eventId }),
    ...(inviteRoomState && { invite_room_state: inviteRoomState }),
  };
}

export type ClientEvent = ReturnType<typeof toClientEvent>;

/** The shape inside /sync, which names the room around it. */
export function toSyncEvent(event: RoomEvent, now: number, requesterKey?: string) {
  const { replaces, inviteRoomState, transaction, stickyMs } = event;
  const isOwn = transaction !== undefined && transaction.requesterKey === requesterKey;
  return {
    type: event.type,
    sender: event.sender,
    event_id: event.eventId,
    origin_server_ts: event.originServerTs,
    content: event.content,
    ...(event.stateKey !== undefined && { state_key: event.stateKey }),
    ...(stickyMs !== undefined && { msc4354_sticky: { duration_ms: stickyMs } }),
    unsigned: {
      age: ageOf(event, now),
      ...(stickyMs !== undefined && { msc4354_sticky_duration_ttl_ms: stickyMs - ageOf(event, now) }),
      ...(isOwn && { transaction_id: transaction.txnId }),
      ...(replaces && {
        prev_content: replaces.content,
        prev_sender: replaces.sender,
        replaces_state: replaces.eventId,
      }),
      ...(inviteRoomState && { invite_room_state: inviteRoomState }),
    },
  };
}

/** A state event's four fields for whoever is not in the room. */
export function strip(event: RoomEvent): StrippedEvent {
  const { type, sender, content, stateKey = "" } = event;
  return { type, sender, state_key: stateKey, content };
}

const ageOf = (event: RoomEvent, now: number) => Math.max(0, now - event.originServerTs);
