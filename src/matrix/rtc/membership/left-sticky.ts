// The same of a sticky membership, which is no state: what still sticks is looked for in the room's timeline. In an encrypted room
// nobody sees which of these events is which; the leave that waits at the homeserver is the right one, and needs no keys.
import { z } from "zod";
import { eventId, type EventId } from "../../../core/ids.ts";
import { failureOf } from "../../client/request-failure.ts";
import { stickyMembershipTypes } from "../../wire/rtc-names.ts";
import { asked, type Delayed, type LeftParts, longestRingMs, patience, redact, ringsOf } from "./left-events.ts";
import { delayedEventsPath, type OwnMembership } from "./own-membership.ts";
import { type Place, writeLeave } from "./write-membership.ts";

/** What belongs to calls of today. */
export type OfToday = readonly Pick<OwnMembership, "place" | "delayId">[];

type StickyPlace = Place & { readonly memberId: string };

const sealed = "m.room.encrypted";
const types: readonly string[] = [...stickyMembershipTypes, sealed];
const pageSize = 100;
/** A call that died has a membership, and maybe its leave. */
const mostRung = 6;

const pageForm = z.object({
  chunk: z.array(
    z
      .object({
        event_id: z.string(),
        type: z.string(),
        sender: z.string(),
        origin_server_ts: z.number(),
        content: z.record(z.string(), z.unknown()),
        msc4354_sticky: z.object({ duration_ms: z.number() }),
      })
      .optional()
      .catch(undefined),
  ),
});

interface Sticking {
  readonly event: EventId;
  readonly type: string;
  readonly sentAtMs: number;
  readonly content: Readonly<Record<string, unknown>>;
}

/** False: it may have been another kind of membership. Throws HomeserverError where the membership stays. */
export async function leaveSticky(
  place: StickyPlace,
  delayed: readonly Delayed[],
  today: OfToday,
  parts: LeftParts,
): Promise<boolean> {
  const { room, user, memberId } = place;
  const isOurs = ({ type, content }: Pick<Delayed, "type" | "content">): boolean =>
    type === sealed ||
    (stickyMembershipTypes.some((one) => one === type) && content["msc4354_sticky_key"] === memberId);
  const there = (await stickingOf(place, parts)).filter(isOurs);
  if (there.length === 0) return false;
  const waiting = delayed.filter(
    (leave) => leave.stateKey === undefined && isOurs(leave) && today.every(({ delayId }) => delayId !== leave.id),
  );
  for (const { id } of waiting) await sendNow(place, id, parts);
  // The newest comes first.
  const [newest] = there;
  const isIn = newest?.type === sealed || newest?.content["application"] !== undefined;
  if (waiting.length === 0 && isIn) await writeLeave(place, patience, parts);
  const sinceMs = parts.clock.wallMs() - longestRingMs;
  for (const { event } of there.filter(({ sentAtMs }) => sentAtMs > sinceMs).slice(0, mostRung))
    for (const ring of await ringsOf(place, event, parts)) await redact(room, user, ring, parts);
  return there.some(({ type }) => type !== sealed);
}

/** Of the number in the room, the newest first. */
async function stickingOf({ room, user }: Place, parts: LeftParts): Promise<readonly Sticking[]> {
  // By sender we look ourselves: Synapse decodes the filter once more, and finds no user whose id has a `%`.
  const filter = JSON.stringify({ types });
  const query = { dir: "b", limit: String(pageSize), filter };
  const answer = await asked(["messages", user, ["v3", "rooms", room, "messages"], query], parts);
  const nowMs = parts.clock.wallMs();
  return (pageForm.safeParse(answer).data?.chunk ?? []).flatMap((event) => {
    if (event?.sender !== user || event.origin_server_ts + event.msc4354_sticky.duration_ms < nowMs) return [];
    const { event_id, type, content, origin_server_ts: sentAtMs } = event;
    return [{ event: eventId(event_id), type, content, sentAtMs }];
  });
}

/** Whoever has sent it before us did what was to be done. */
async function sendNow({ user }: Place, delayId: string, { client }: LeftParts): Promise<void> {
  try {
    const path = [...delayedEventsPath, delayId, "send"];
    await client.request(user, { method: "POST", path, body: {} }, patience);
  } catch (cause) {
    const { error } = failureOf(cause);
    if (error.code !== "M_NOT_FOUND") throw error;
  }
}
