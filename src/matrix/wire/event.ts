// From a pushed room event to a fact, or to the reason why it is none. Nothing here throws, whatever the JSON.
import { z } from "zod";
import type { UserId } from "../../core/ids.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import { isCallType, readCallFact } from "./call.ts";
import { type Envelope, readEnvelope, userIdText } from "./envelope.ts";
import { readReaction, readRedaction } from "./reaction.ts";
import { isRtcType, readRtcEvent, type RtcEvent } from "./rtc.ts";

/** What an event says: to the bridge, or of a call of MatrixRTC, of which `matrix/rtc` makes facts for the bridge. */
export type RoomFact = MatrixFact | RtcEvent;

export type EventReading =
  | { readonly kind: "fact"; readonly fact: RoomFact }
  /** `malformed`: worth a line in the log. `own`, `other`: everyday. */
  | { readonly kind: "none"; readonly why: "malformed" | "own" | "other" };

const malformed: EventReading = { kind: "none", why: "malformed" };
const other: EventReading = { kind: "none", why: "other" };

/** An event holds 64 KiB in all, so nothing longer can have been sent. */
const maxBodyLength = 65_536;

const memberForm = z.object({
  membership: z.string(),
  is_direct: z.boolean().optional().catch(undefined),
});

const messageForm = z.object({
  msgtype: z.string(),
  body: z.string(),
  "m.relates_to": z
    .object({ rel_type: z.string(), "m.in_reply_to": z.unknown() })
    .partial()
    .optional()
    .catch(undefined),
});

/** What people send each other; anything else is a machine's talk, notices above all, so that no two bots talk for ever. */
const messageForms: ReadonlyMap<string, "text" | "emote" | "other"> = new Map([
  ["m.text", "text"],
  ["m.emote", "emote"],
  ["m.image", "other"],
  ["m.file", "other"],
  ["m.audio", "other"],
  ["m.video", "other"],
  ["m.location", "other"],
]);

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

/**
 * The quotation that older clients put before a reply, for others that show no replies (client-server API 1.12, "Fallbacks
 * for rich replies"). It names whom it quotes; what does not, a person quoted by hand.
 */
function withoutQuotation(body: string): string {
  const lines = body.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("> "));
  return /^> (?:\* )?<@/.test(body) && lines[end] === "" ? lines.slice(end + 1).join("\n") : body;
}

/** What a person wrote or attached. */
function readMessage(event: Envelope): EventReading {
  // A redacted message has no content; that is no fault of anybody's.
  const content = messageForm.safeParse(event.content);
  const form = content.success ? messageForms.get(content.data.msgtype) : undefined;
  if (!content.success || form === undefined || content.data.body.length > maxBodyLength) return other;
  const { body, "m.relates_to": relation } = content.data;
  const { eventId, room, sender, ageMs, receivedAtMs } = event;
  return {
    kind: "fact",
    fact: {
      eventId,
      room,
      sender,
      ageMs,
      receivedAtMs,
      kind: "message.received",
      form,
      body: relation?.["m.in_reply_to"] === undefined ? body : withoutQuotation(body),
      edits: relation?.rel_type === "m.replace",
    },
  };
}

function factOr(fact: MatrixFact | undefined): EventReading {
  return fact === undefined ? other : { kind: "fact", fact };
}

function readByType(event: Envelope): EventReading {
  if (isCallType(event.type)) {
    const fact = readCallFact(event);
    return fact === undefined ? malformed : { kind: "fact", fact };
  }
  if (isRtcType(event.type)) {
    const fact = readRtcEvent(event);
    return fact === undefined ? malformed : { kind: "fact", fact };
  }
  const { eventId, room, sender, ageMs, receivedAtMs } = event;
  const origin = { eventId, room, sender, ageMs, receivedAtMs };
  switch (event.type) {
    case "m.room.member":
      return readMember(event);
    case "m.room.message":
      return readMessage(event);
    case "m.reaction":
      return factOr(readReaction(event));
    case "m.room.redaction":
      return factOr(readRedaction(event));
    case "m.sticker":
      return { kind: "fact", fact: { ...origin, kind: "message.received", form: "other", body: "", edits: false } };
    case "m.room.encryption":
      return event.stateKey === "" ? { kind: "fact", fact: { ...origin, kind: "room.encrypted" } } : other;
    case "m.room.tombstone":
      return event.stateKey === "" ? { kind: "fact", fact: { ...origin, kind: "room.replaced" } } : other;
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
