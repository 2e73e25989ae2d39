// From a pushed room event to a fact, or to the reason why it is none. Nothing here throws, whatever the JSON.
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import { isCallType, readCallFact } from "./call.ts";
import { type Envelope, readEnvelope, userIdText } from "./envelope.ts";

export type EventReading =
  | { readonly kind: "fact"; readonly fact: MatrixFact }
  /** `malformed`: worth a line in the log. `own`, `other`: everyday. */
  | { readonly kind: "none"; readonly why: "malformed" | "own" | "other" };

const malformed: EventReading = { kind: "none", why: "malformed" };
const other: EventReading = { kind: "none", why: "other" };

/** The longest message that can be a command. */
const maxCommandLength = 1_000;

const memberForm = z.object({
  membership: z.string(),
  is_direct: z.boolean().optional().catch(undefined),
});

const messageForm = z.object({
  msgtype: z.string(),
  body: z.string(),
  "m.relates_to": z.object({ rel_type: z.string() }).partial().optional().catch(undefined),
});

const strippedStateForm = z
  .array(
    z
      .object({
        type: z.string(),
        content: z.object({ join_rule: z.string() }).partial().optional().catch(undefined),
      })
      .catch({ type: "" }),
  )
  .catch([]);

function readMember(event: Envelope): EventReading {
  const content = memberForm.safeParse(event.content);
  const user = userIdText.safeParse(event.stateKey);
  if (!content.success || !user.success) return malformed;
  const { eventId, room, sender, ageMs, receivedAtMs } = event;
  const origin = { eventId, room, sender, ageMs, receivedAtMs, user: user.data };
  switch (content.data.membership) {
    case "invite": {
      const state = strippedStateForm.parse(event.inviteState ?? []);
      return {
        kind: "fact",
        fact: {
          ...origin,
          kind: "member.invited",
          direct: content.data.is_direct === true,
          encrypted: state.some((entry) => entry.type === "m.room.encryption"),
          public: state.some(({ type, content }) => type === "m.room.join_rules" && content?.join_rule === "public"),
        },
      };
    }
    case "join":
      return { kind: "fact", fact: { ...origin, kind: "member.joined" } };
    case "leave":
    case "ban":
      return { kind: "fact", fact: { ...origin, kind: "member.left" } };
    default:
      return other;
  }
}

/** Plain text that a person typed: no notice, no edit of an earlier message. */
function readMessage(event: Envelope): EventReading {
  // A redacted message has no content; that is no fault of anybody's.
  const content = messageForm.safeParse(event.content);
  if (!content.success) return other;
  const { msgtype, body } = content.data;
  if (msgtype !== "m.text" || body.length > maxCommandLength) return other;
  if (content.data["m.relates_to"]?.rel_type === "m.replace") return other;
  const { eventId, room, sender, ageMs, receivedAtMs } = event;
  return { kind: "fact", fact: { eventId, room, sender, ageMs, receivedAtMs, kind: "message.received", body } };
}

function readByType(event: Envelope): EventReading {
  if (isCallType(event.type)) {
    const fact = readCallFact(event);
    return fact === undefined ? malformed : { kind: "fact", fact };
  }
  const { eventId, room, sender, ageMs, receivedAtMs } = event;
  const origin = { eventId, room, sender, ageMs, receivedAtMs };
  switch (event.type) {
    case "m.room.member":
      return readMember(event);
    case "m.room.message":
      return readMessage(event);
    case "m.room.encryption":
      return event.stateKey === "" ? { kind: "fact", fact: { ...origin, kind: "room.encrypted" } } : other;
    case "m.room.encrypted":
      return { kind: "fact", fact: { ...origin, kind: "event.unreadable" } };
    default:
      return other;
  }
}

/**
 * Reads one event as the homeserver pushed it, or as `/messages` gave it.
 * What our own users did is `own`: the homeserver sends it back to us.
 */
export function readEvent(json: unknown, receivedAtMs: number, isOwn: (user: UserId) => boolean): EventReading {
  const event = readEnvelope(json, receivedAtMs);
  if (event === undefined) return malformed;
  if (isOwn(event.sender)) return { kind: "none", why: "own" };
  return readByType(event);
}
