// A membership of which the homeserver did not tell us: it was there before a number came into the room, or was told before a
// restart.
import type { EventId, RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { HomeserverClient, Patience } from "../client/homeserver-client.ts";
import { failureOf } from "../client/request-failure.ts";
import type { Encryption } from "../encryption/encryption.ts";
import { readEvent } from "../wire/event.ts";
import type { RtcMembership } from "../wire/rtc.ts";

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
