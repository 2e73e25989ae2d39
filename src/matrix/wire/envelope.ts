// What every room event has around its content (client-server API, "Room event format"), from unknown JSON to types.
// What the content means is decided in member.ts, room.ts and call.ts.
import { z } from "zod";
import { type EventId, eventId, parseUserId, type RoomId, roomId, type UserId } from "../../core/ids.ts";

/** A user id, or the value is no user id. */
export const userIdText = z.string().transform((text, context): UserId => {
  const user = parseUserId(text);
  if (user !== undefined) return user;
  context.addIssue({ code: "custom", message: "not a user id" });
  return z.NEVER;
});

/** Longest event id, room id, type and state key that Matrix allows. */
const identifier = z.string().min(1).max(255);

const age = z.number().finite().optional().catch(undefined);

const envelopeForm = z.object({
  event_id: identifier,
  room_id: identifier,
  sender: userIdText,
  type: identifier,
  state_key: z.string().max(255).optional().catch(undefined),
  content: z.record(z.string(), z.unknown()),
  redacts: identifier.optional().catch(undefined),
  origin_server_ts: age,
  // Synapse sends the age in both places; other homeservers in `unsigned` only.
  age,
  unsigned: z
    .object({ age, invite_room_state: z.unknown().optional(), msc4354_sticky_duration_ttl_ms: age })
    .partial()
    .optional()
    .catch(undefined),
  invite_room_state: z.unknown().optional(),
  msc4354_sticky: z.object({ duration_ms: z.number().finite() }).optional().catch(undefined),
});

export interface Envelope {
  readonly eventId: EventId;
  readonly room: RoomId;
  readonly sender: UserId;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly content: Readonly<Record<string, unknown>>;
  /** Of a redaction, before room version 11: the event that it takes back. */
  readonly redacts: string | undefined;
  readonly ageMs: number;
  readonly receivedAtMs: number;
  /** When it was sent, by its homeserver's clock. */
  readonly sentAtMs: number;
  /** For how long from its receipt the homeserver still shows it to whoever looks (MSC4354); undefined: it is not sticky. */
  readonly stickyMs: number | undefined;
  /** Stripped state that came with an invite, unparsed. */
  readonly inviteState: unknown;
}

/** undefined: not a room event. `receivedAtMs` serves where the homeserver gives no age. */
export function readEnvelope(json: unknown, receivedAtMs: number): Envelope | undefined {
  const parsed = envelopeForm.safeParse(json);
  if (!parsed.success) return undefined;
  const event = parsed.data;
  const sentAtMs = event.origin_server_ts ?? receivedAtMs;
  // A clock that is ahead makes no event younger than new.
  const ageMs = Math.max(0, event.unsigned?.age ?? event.age ?? receivedAtMs - sentAtMs);
  const stickyMs = event.msc4354_sticky && event.msc4354_sticky.duration_ms - ageMs;
  return {
    eventId: eventId(event.event_id),
    room: roomId(event.room_id),
    sender: event.sender,
    type: event.type,
    stateKey: event.state_key,
    content: event.content,
    redacts: event.redacts,
    ageMs,
    receivedAtMs,
    sentAtMs,
    stickyMs: event.unsigned?.msc4354_sticky_duration_ttl_ms ?? stickyMs,
    inviteState: event.unsigned?.invite_room_state ?? event.invite_room_state,
  };
}
