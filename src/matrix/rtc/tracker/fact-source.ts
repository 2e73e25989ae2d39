// The event behind a fact.
import { eventId } from "../../../core/ids.ts";
import type { MatrixFact } from "../../../ports/homeserver.ts";

export type FactSource = Pick<MatrixFact, "eventId" | "room" | "sender" | "ageMs" | "receivedAtMs">;

export function originOf({ eventId, room, sender, ageMs, receivedAtMs }: FactSource): FactSource {
  return { eventId, room, sender, ageMs, receivedAtMs };
}

/** The bridge acts on each event once: what more there is in one has a name of its own. */
export function renamed(fact: MatrixFact): MatrixFact {
  const about = "matrixCallId" in fact ? `${fact.matrixCallId} ${fact.device}` : "";
  return { ...fact, eventId: eventId(`${fact.eventId} ${fact.kind} ${about}`) };
}
