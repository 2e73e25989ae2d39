// What the bridge writes in MatrixRTC, as Element Call 0.22 and 0.26 write it themselves.
import type { DeviceId, EventId, RoomId, UserId } from "../../core/ids.ts";
import { roomSlot, stateIdentity } from "./rtc-names.ts";

type Content = Readonly<Record<string, unknown>>;

export interface OwnMembership {
  readonly room: RoomId;
  readonly user: UserId;
  readonly device: DeviceId;
  /** Where tokens for the media server are to be had that we are at. */
  readonly service: string;
  /** From when it was made, in ms. */
  readonly expiresMs: number;
  /** When it was made, if it is only made to last longer: ms since the epoch, by the homeserver's clock. */
  readonly createdAtMs?: number;
}

export function membershipContent({ room, user, device, service, expiresMs, createdAtMs }: OwnMembership): Content {
  return {
    application: "m.call",
    call_id: "",
    scope: "m.room",
    device_id: device,
    membershipID: stateIdentity(user, device),
    expires: expiresMs,
    "m.call.intent": "audio",
    focus_active: { type: "livekit", focus_selection: "multi_sfu" },
    foci_preferred: [{ type: "livekit", livekit_alias: room, livekit_service_url: service }],
    ...(createdAtMs === undefined ? {} : { created_ts: createdAtMs }),
  };
}

/** `memberId`: of this one time in the call. */
export function stickyMembershipContent({
  user,
  device,
  memberId,
  service,
}: Pick<OwnMembership, "user" | "device" | "service"> & { readonly memberId: string }): Content {
  return {
    application: { type: "m.call", "m.call.intent": "audio" },
    slot_id: roomSlot,
    transports: { published: [{ type: "livekit", livekit_service_url: service }], can_subscribe: ["livekit"] },
    member: { id: memberId, device_id: device, user_id: user },
    versions: [],
    ...stickyLeaveContent(memberId),
  };
}

/** Nothing but the key under which it takes the place of the membership. */
export function stickyLeaveContent(memberId: string): Content {
  return { msc4354_sticky_key: memberId };
}

/** `invitee`: whom it is for; undefined: everybody in the room. `membership`: the event that holds ours. */
export function ringContent(
  membership: EventId,
  invitee: UserId | undefined,
  lifetimeMs: number,
  nowMs: number,
): Content {
  return {
    "m.mentions": { user_ids: invitee === undefined ? [] : [invitee], room: invitee === undefined },
    notification_type: "ring",
    "m.relates_to": { event_id: membership, rel_type: "m.reference" },
    sender_ts: nowMs,
    lifetime: lifetimeMs,
    "m.call.intent": "audio",
  };
}

export function declineContent(notification: EventId): Content {
  return { "m.relates_to": { rel_type: "m.reference", event_id: notification } };
}
