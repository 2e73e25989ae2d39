// Whoever calls again before ours have left the last call rings nobody: to their client that call is running. Such a membership is
// a call all the same. In doubt it is none: a call costs money, and a person who is not called presses the button again.
import { type EventId, type RoomId, type UserId } from "../../../core/ids.ts";
import { RecentMap } from "../../../core/recent-map.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { SeatId } from "../../../ports/conference.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { RtcEvent } from "../../wire/rtc.ts";
import type { FactSource } from "./fact-source.ts";
import type { Present } from "./room-presence.ts";
import { type Met, metOf, type OwnPlace, type RtcCall } from "./rtc-call.ts";

export interface RedialsParts {
  /** Whether nobody else is in the room than these two. Never rejects: false where it is not known. */
  readonly isConversation: (room: RoomId, ghost: UserId, person: UserId) => Promise<boolean>;
  /** As what we take part in a call there. Never rejects. */
  readonly placeIn: (room: RoomId, user: UserId, met: Met) => Promise<OwnPlace>;
  /** The stay that began with that event, if nobody else is in the room's call, ours neither. */
  readonly alone: (room: RoomId, since: EventId) => Present | undefined;
  readonly begin: (event: FactSource, here: Present, call: { ghost: UserId; place: OwnPlace }) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last call in a room, and what has become of those who were in it. */
interface LastCall {
  readonly seat: SeatId;
  readonly ghost: UserId;
  readonly person: UserId;
  readonly overAtMs: number;
  /** When our membership was gone; undefined: it is there. */
  readonly outAtMs?: number;
  /** When the person's last device left by the homeserver's clock, and which stay that was. */
  readonly left?: { readonly atMs: number; readonly stay: string | undefined };
}

/** Rooms whose last call is remembered. */
const mostRooms = 1_000;
const mostDialled = 1_000;
/** By then the homeserver has taken ours out of the call, if we could not. */
const longestMs = 30_000;
/** How late a client may see that ours have left. */
const seenLateMs = 2_000;
/** A client that finds itself out of a call comes back at once (matrix-js-sdk does), a person who calls again does not. */
const shortestPauseMs = 1_500;
/** Clients ring within 2 s of coming in, if they do. */
const ringsWithinMs = 3_000;

export class Redials {
  readonly #parts: RedialsParts;
  /** Calls in which our membership is. */
  readonly #inside = new RecentMap<SeatId, true>(mostRooms);
  readonly #last = new RecentMap<RoomId, LastCall>(mostRooms);
  readonly #dialled = new RecentMap<EventId, true>(mostDialled);

  constructor(parts: RedialsParts) {
    this.#parts = parts;
  }

  /** `person`: who has talked in it; undefined: they may be about to answer what rings no longer. */
  over({ seat, room, ghost }: RtcCall, person: UserId | undefined): void {
    if (person === undefined || ghost === undefined || !this.#inside.has(seat)) this.#last.delete(room);
    else this.#last.set(room, { seat, ghost, person, overAtMs: this.#parts.clock.nowMs() });
  }

  isIn(seat: SeatId): void {
    this.#inside.set(seat, true);
  }

  /** Our membership in that call is gone. */
  isOut(room: RoomId, seat: SeatId): void {
    this.#inside.delete(seat);
    const last = this.#last.get(room);
    if (last?.seat === seat) this.#last.set(room, { ...last, outAtMs: this.#parts.clock.nowMs() });
  }

  left(event: FactSource, { membership: { user, stay } }: Present): void {
    const last = this.#last.get(event.room);
    if (last?.person === user) this.#last.set(event.room, { ...last, left: { atMs: sentAtMs(event), stay } });
  }

  /** Somebody has come into the call of a room. */
  came(event: Extract<RtcEvent, { kind: "rtc.joined" }>): void {
    const last = this.#last.get(event.room);
    if (last === undefined || !this.#isMeant(event, last)) return;
    const { clock } = this.#parts;
    clock.at(clock.nowMs() + ringsWithinMs, () => void this.#dial(event, last.ghost));
  }

  /** Whether this stay has been a call already, so that a late ring is no second one. */
  wasDialled(since: EventId): boolean {
    return this.#dialled.has(since);
  }

  #isMeant(event: Extract<RtcEvent, { kind: "rtc.joined" }>, last: LastCall): boolean {
    const { user, renewed, stay } = event.membership;
    const { person, overAtMs, outAtMs = Infinity, left } = last;
    if (user !== person || renewed || left === undefined) return false;
    const atMs = sentAtMs(event);
    if (atMs > Math.min(outAtMs + seenLateMs, overAtMs + longestMs)) return false;
    return atMs >= left.atMs + shortestPauseMs && (stay === undefined || stay !== left.stay);
  }

  async #dial(event: FactSource & { readonly eventId: EventId }, ghost: UserId): Promise<void> {
    const { isConversation, placeIn, alone, begin, clock, log } = this.#parts;
    const { room, eventId, sender } = event;
    if (alone(room, eventId) === undefined || !(await isConversation(room, ghost, sender))) return;
    const place = await placeIn(room, ghost, metOf(alone(room, eventId)));
    // They have left meanwhile, or rung.
    const here = alone(room, eventId);
    if (here === undefined) return;
    log.info("a person calls again whose client does not ring: the number was in the last call still", { room });
    this.#dialled.set(eventId, true);
    begin({ ...event, ageMs: 0, receivedAtMs: clock.nowMs() }, here, { ghost, place });
  }
}

function sentAtMs({ receivedAtMs, ageMs }: FactSource): number {
  return receivedAtMs - ageMs;
}
