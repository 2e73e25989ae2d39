// Rings of MatrixRTC calls, as a client shows them (MSC4075): until the event is redacted, or one of the person's devices declines.
import type { IMentions, MatrixClient } from "matrix-js-sdk";
import { EventType } from "matrix-js-sdk/lib/@types/event.js";
import { type MatrixEvent, MatrixEventEvent } from "matrix-js-sdk/lib/models/event.js";
import { RoomEvent } from "matrix-js-sdk/lib/models/room.js";
import type { RtcRing } from "./api.ts";

const DECLINE: string = EventType.RTCDecline;
const NOTIFICATION: string = EventType.RTCNotification;

const rings = new Map<string, RtcRing>();
/** Who declined which notification. */
const declines = new Map<string, Set<string>>();

export const allRings = (): RtcRing[] => [...rings.values()];

export const declinedBy = (notificationId: string | undefined): string[] => [
  ...(declines.get(notificationId ?? "") ?? []),
];

export function watchRings(client: MatrixClient): void {
  const end = (notificationId: string, over: RtcRing["over"]): void => {
    const ring = rings.get(notificationId);
    if (ring !== undefined) rings.set(notificationId, { ...ring, over: ring.over ?? over });
  };
  const read = (event: MatrixEvent): void => {
    const { event_id: related = "" } = event.getRelation() ?? {};
    const sender = event.getSender() ?? "";
    if (event.getType() === DECLINE) {
      declines.set(related, (declines.get(related) ?? new Set()).add(sender));
      if (sender === client.getUserId()) end(related, "declined");
    }
    if (event.getType() === NOTIFICATION && ringsFor(event, client.getSafeUserId())) {
      const notificationId = event.getId() ?? "";
      if (rings.has(notificationId)) return;
      rings.set(notificationId, {
        roomId: event.getRoomId() ?? "",
        sender,
        notificationId,
        membershipId: related,
        lifetimeMs: Number(event.getContent()["lifetime"]),
        over: undefined,
      });
    }
  };
  client.on(RoomEvent.Timeline, read);
  client.on(MatrixEventEvent.Decrypted, read);
  client.on(RoomEvent.Redaction, (event) => end(event.getAssociatedId() ?? "", "redacted"));
}

function ringsFor(event: MatrixEvent, userId: string): boolean {
  const { notification_type: kind, "m.mentions": mentions, sender_ts: sentMs, lifetime } = event.getContent();
  if (event.getSender() === userId || kind !== "ring") return false;
  const { user_ids: users = [], room = false }: IMentions = mentions ?? {};
  return (room || users.includes(userId)) && Number(sentMs) + Number(lifetime) > Date.now();
}
