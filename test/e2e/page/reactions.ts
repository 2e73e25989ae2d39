// What a person sees under a message, and what one tap on it does: as in Element.
import { EventType, RelationType } from "matrix-js-sdk/lib/@types/event.js";
import type { MatrixEvent } from "matrix-js-sdk/lib/models/event.js";
import type { Reaction } from "./api.ts";
import { theClient } from "./session.ts";

function eventsOf(roomId: string): readonly MatrixEvent[] {
  return theClient().getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
}

function reactionsTo(roomId: string, eventId: string): readonly MatrixEvent[] {
  return eventsOf(roomId).filter(
    (event) =>
      event.getType() === "m.reaction" &&
      !event.isRedacted() &&
      event.getContent()["m.relates_to"]?.event_id === eventId,
  );
}

const keyOf = (event: MatrixEvent): string => String(event.getContent()["m.relates_to"]?.key);

/** In the order in which clients show them. */
export function reactions(roomId: string, eventId: string): Reaction[] {
  return reactionsTo(roomId, eventId).map((event) => ({ key: keyOf(event), sender: event.getSender() ?? "" }));
}

/** Adds the person's reaction, or takes it back if it is there. */
export async function tap(roomId: string, eventId: string, key: string): Promise<void> {
  const client = theClient();
  const own = reactionsTo(roomId, eventId).find(
    (event) => event.getSender() === client.getSafeUserId() && keyOf(event) === key,
  );
  const ownId = own?.getId();
  if (ownId !== undefined) {
    await client.redactEvent(roomId, ownId);
    return;
  }
  await client.sendEvent(roomId, EventType.Reaction, {
    "m.relates_to": { rel_type: RelationType.Annotation, event_id: eventId, key },
  });
}

export function isDeleted(roomId: string, eventId: string): boolean {
  return (
    eventsOf(roomId)
      .find((event) => event.getId() === eventId)
      ?.isRedacted() === true
  );
}
