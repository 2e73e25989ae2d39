// Reading a room's timeline backwards, for what was sent before the ghost had joined and so was never pushed. It ends where
// the ghost was invited: what was said before was said to others, and must not find its way to a telephone.
import { z } from "zod";
import type { RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { badAnswer, type HomeserverClient, type Patience } from "./homeserver-client.ts";
import { callTypes } from "../wire/call.ts";
import { type Envelope, readEnvelope } from "../wire/envelope.ts";
import { rtcTypes } from "../wire/rtc.ts";

const patience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };
const pageSize = 100;
/** A call begins with a handful of events; more pages than this are another story. */
const maxPages = 3;

/** For so long a message is worth finding; calls are given up within minutes. */
const messageMaxAgeMs = 24 * 3_600_000;
const messageTypes = ["m.room.message", "m.sticker"];

/**
 * Only what can matter. Types in full, because not every homeserver
 * understands `m.call.*` here (Synapse compares the text).
 */
const filter = JSON.stringify({
  types: [...callTypes, ...rtcTypes, ...messageTypes, "m.room.encryption", "m.room.encrypted", "m.room.member"],
});

const pageForm = z.object({ chunk: z.array(z.unknown()), end: z.string().optional().catch(undefined) });

/** Events no older than `maxAgeMs`, messages no older than a day, oldest first, unparsed. Throws HomeserverError. */
export async function readTimeline(
  client: HomeserverClient,
  clock: Clock,
  room: RoomId,
  as: UserId,
  maxAgeMs: number,
): Promise<readonly unknown[]> {
  const newestFirst: unknown[] = [];
  let from: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const query = { dir: "b", limit: String(pageSize), filter, ...(from === undefined ? {} : { from }) };
    const answer = await client.request(
      as,
      { method: "GET", path: ["v3", "rooms", room, "messages"], query },
      patience,
    );
    const parsed = pageForm.safeParse(answer);
    if (!parsed.success) throw badAnswer("messages");
    const nowMs = clock.wallMs();
    for (const event of parsed.data.chunk) {
      // `/messages` leaves the room out of an event where older versions of the specification let it.
      const whole = typeof event === "object" && event !== null ? { room_id: room, ...event } : event;
      const envelope = readEnvelope(whole, nowMs);
      if (envelope === undefined) continue;
      if (isInvitationOf(as, envelope) || envelope.ageMs > Math.max(maxAgeMs, messageMaxAgeMs)) {
        return newestFirst.toReversed();
      }
      // Other members came and went as the invitation said, or as the next look at the members tells.
      if (envelope.type === "m.room.member") continue;
      if (envelope.ageMs <= maxAgeMs || messageTypes.includes(envelope.type)) newestFirst.push(whole);
    }
    from = parsed.data.end;
    if (from === undefined || parsed.data.chunk.length === 0) break;
  }
  return newestFirst.toReversed();
}

function isInvitationOf(user: UserId, { type, stateKey, content }: Envelope): boolean {
  return type === "m.room.member" && stateKey === user && content["membership"] === "invite";
}
