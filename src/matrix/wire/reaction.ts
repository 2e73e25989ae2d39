// Marks that people put under messages (client-server API, "Event annotations and reactions"), and events that they take back
// ("Redactions"). What either means is the bridge's affair.
import { z } from "zod";
import { eventId } from "../../core/ids.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import type { Envelope } from "./envelope.ts";

/** Clients offer emoji and a few words. */
const mostMarkLength = 100;

const anEventId = z.string().regex(/^\$[\x21-\x7e]{1,254}$/);

const reactionForm = z.object({
  "m.relates_to": z.object({
    rel_type: z.literal("m.annotation"),
    event_id: anEventId,
    key: z.string().min(1).max(mostMarkLength),
  }),
});

type Origin = Pick<MatrixFact, "eventId" | "room" | "sender" | "ageMs" | "receivedAtMs">;

function originOf({ eventId: id, room, sender, ageMs, receivedAtMs }: Envelope): Origin {
  return { eventId: id, room, sender, ageMs, receivedAtMs };
}

/** undefined: it has been taken back already, or is none. */
export function readReaction(event: Envelope): MatrixFact | undefined {
  const parsed = reactionForm.safeParse(event.content);
  if (!parsed.success) return undefined;
  const { event_id, key } = parsed.data["m.relates_to"];
  return { ...originOf(event), kind: "reaction.added", about: eventId(event_id), mark: key };
}

/** What is taken back stands in the content from room version 11 on, and beside it before. */
export function readRedaction(event: Envelope): MatrixFact | undefined {
  const parsed = anEventId.safeParse(event.redacts ?? event.content["redacts"]);
  return parsed.success ? { ...originOf(event), kind: "event.withdrawn", event: eventId(parsed.data) } : undefined;
}
