// Memberships of which the homeserver did not tell us: they were there before a number came into the room, or were told before
// a restart.
import { z } from "zod";
import type { EventId, RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { HomeserverClient, Patience } from "../client/homeserver-client.ts";
import { failureOf } from "../client/request-failure.ts";
import type { Encryption } from "../encryption/encryption.ts";
import { readEvent } from "../wire/event.ts";
import type { RtcEvent, RtcMembership } from "../wire/rtc.ts";
import { stateMembershipType, stickyMembershipTypes } from "../wire/rtc-names.ts";

export interface FinderParts {
  readonly client: HomeserverClient;
  /** Who of ours is in a room. */
  readonly ours: (room: RoomId) => Promise<readonly UserId[]>;
  readonly encryption: Pick<Encryption, "open"> | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A call waits for it, and it rings for seconds only. */
const patience: Patience = { again: "repeatable", giveUpAfterMs: 5_000 };

/** Never rejects. */
export async function findMembership(
  room: RoomId,
  event: EventId,
  sender: UserId,
  { client, ours, encryption, clock, log }: FinderParts,
): Promise<RtcMembership | undefined> {
  try {
    const [user] = await ours(room);
    if (user === undefined) return undefined;
    const path = ["v3", "rooms", room, "event", event];
    const answer = await client.request(user, { method: "GET", path }, patience);
    const said = typeof answer === "object" && answer !== null ? { room_id: room, ...answer } : answer;
    const isSealed = typeof said === "object" && said !== null && Reflect.get(said, "type") === "m.room.encrypted";
    const opened = isSealed ? await encryption?.open(room, JSON.stringify(said)) : said;
    const reading = readEvent(opened, clock.wallMs(), () => false);
    const isMeant = reading.kind === "fact" && reading.fact.kind === "rtc.joined" && reading.fact.sender === sender;
    return isMeant && reading.fact.kind === "rtc.joined" ? reading.fact.membership : undefined;
  } catch (cause) {
    log.debug("could not find who rings", { room, event, code: failureOf(cause).error.code });
    return undefined;
  }
}

export type Joined = Extract<RtcEvent, { kind: "rtc.joined" }>;

const pageSize = 100;
const membershipFilter = JSON.stringify({ types: [stateMembershipType, ...stickyMembershipTypes] });
const pageForm = z.object({ chunk: z.array(z.unknown()) });

export interface RecallParts extends Pick<FinderParts, "client" | "clock" | "log"> {
  readonly isOwn: (user: UserId) => boolean;
  /** Told of memberships that are over too, the older before the newer. */
  readonly seen: (joined: Joined) => void;
}

/** Who is in the call of a room by its latest memberships, save those that are encrypted. Never rejects. */
export async function findPresent(
  room: RoomId,
  user: UserId,
  { client, isOwn, seen, clock, log }: RecallParts,
): Promise<readonly Joined[]> {
  try {
    const query = { dir: "b", limit: String(pageSize), filter: membershipFilter };
    const answer = await client.request(
      user,
      { method: "GET", path: ["v3", "rooms", room, "messages"], query },
      patience,
    );
    // The newest of each comes first.
    const latest = new Map<string, Joined | undefined>();
    const all: Joined[] = [];
    for (const event of pageForm.parse(answer).chunk) {
      const whole = typeof event === "object" && event !== null ? { room_id: room, ...event } : event;
      const reading = readEvent(whole, clock.wallMs(), isOwn);
      if (reading.kind !== "fact") continue;
      const { fact } = reading;
      if (fact.kind === "rtc.left" && !latest.has(fact.key)) latest.set(fact.key, undefined);
      if (fact.kind === "rtc.joined") all.push(fact);
      if (fact.kind === "rtc.joined" && !latest.has(fact.membership.key))
        latest.set(fact.membership.key, { ...fact, receivedAtMs: clock.nowMs() });
    }
    for (const joined of all.toReversed()) seen(joined);
    return [...latest.values()].flatMap((joined) => joined ?? []);
  } catch (cause) {
    log.debug("could not find who is in the call of a room", { room, code: failureOf(cause).error.code });
    return [];
  }
}

const membersForm = z.object({ joined: z.record(z.string(), z.unknown()) });

/** Whether nobody else is in the room than these two. Never rejects: false where it is not known. */
export async function isConversation(
  room: RoomId,
  ghost: UserId,
  person: UserId,
  { client, log }: Pick<FinderParts, "client" | "log">,
): Promise<boolean> {
  try {
    const path = ["v3", "rooms", room, "joined_members"];
    const { joined } = membersForm.parse(await client.request(ghost, { method: "GET", path }, patience));
    return Object.keys(joined).length === 2 && ghost in joined && person in joined;
  } catch (cause) {
    log.debug("could not find who is in a room", { room, code: failureOf(cause).error.code });
    return false;
  }
}
