// Who is in the calls of which rooms, and what that means to the bridge: events of MatrixRTC become facts. A person's
// membership and ring are a call, their membership where we ring is an answer, the end of their membership a hang-up. Pairs,
// repetitions and second leaves change nothing. Speaks to nobody.
import { deviceId, type EventId, matrixCallId, type RoomId, type UserId } from "../../../core/ids.ts";
import type { Clock } from "../../../ports/clock.ts";
import { seatDescription, type SeatId } from "../../../ports/conference.ts";
import type { MatrixFact } from "../../../ports/homeserver.ts";
import type { Log } from "../../../ports/telemetry.ts";
import { rtcClient } from "../../legs/rtc-form.ts";
import type { RtcEvent, RtcMembership } from "../../wire/rtc.ts";
import { type FactSource, originOf, renamed } from "./fact-source.ts";
import { hungUpFact, invitedFact, rejectedFact, type RingSource } from "./call-facts.ts";
import { OurCalls, type TrackerListener } from "./our-calls.ts";
import { Redials } from "./redials.ts";
import { type Present, RoomPresence } from "./room-presence.ts";
import { type Room, TrackedRooms } from "./tracked-rooms.ts";
import {
  departure,
  isFor,
  isKeptBy,
  isOfGroup,
  type Met,
  metOf,
  type OwnPlace,
  type RtcCall,
  seatOf,
  takesPart,
} from "./rtc-call.ts";

export interface TrackerParts {
  readonly isOwn: (user: UserId) => boolean;
  /** The membership in that event, which was not told of before; undefined if there is none. Never rejects. */
  readonly find: (room: RoomId, event: EventId, sender: UserId) => Promise<RtcMembership | undefined>;
  /** As what we take part in a call there; `user`: who of ours, if they were named. Never rejects. */
  readonly placeIn: (room: RoomId, user: UserId | undefined, met: Met) => Promise<OwnPlace>;
  /** Whether nobody else is in the room than these two. Never rejects: false where it is not known. */
  readonly isConversation: (room: RoomId, ghost: UserId, person: UserId) => Promise<boolean>;
  /** What happens without an event: a membership that was not renewed. */
  readonly emit: (fact: MatrixFact) => void;
  readonly clock: Clock;
  readonly log: Log;
}

type Of<Kind extends RtcEvent["kind"]> = Extract<RtcEvent, { kind: Kind }>;

/** Rooms with somebody in their call. */
const mostRooms = 20_000;
/** For how long the telephone rings, where no client says so. */
const unrungLifetimeMs = 60_000;

export class RtcTracker {
  readonly #parts: TrackerParts;
  readonly #calls = new OurCalls();
  readonly #rooms: TrackedRooms;
  readonly #redials: Redials;

  constructor(parts: TrackerParts) {
    this.#parts = parts;
    this.#rooms = new TrackedRooms(mostRooms, (room) => this.callsIn(room).length > 0);
    this.#redials = new Redials({
      ...parts,
      alone: (room, since) => {
        const [here, ...others] = this.present(room);
        return here?.since === since && others.length + this.callsIn(room).length === 0 ? here : undefined;
      },
      begin: (event, here, { ghost, place }) => {
        const ring = { ...event, notification: undefined, lifetimeMs: unrungLifetimeMs, video: false };
        this.#emit([this.#invited(ring, here, ghost, place)]);
      },
    });
  }

  listen(listener: TrackerListener): void {
    this.#calls.listen(listener);
  }

  /** The facts in an event, in order. Never rejects. */
  async take(event: RtcEvent): Promise<readonly MatrixFact[]> {
    const [first, ...others] = await this.#meaningOf(event);
    return first === undefined ? [] : [first, ...others.map(renamed)];
  }

  async #meaningOf(event: RtcEvent): Promise<readonly MatrixFact[]> {
    switch (event.kind) {
      case "rtc.joined":
        return this.#joined(event);
      case "rtc.left":
        return this.#left(event);
      case "rtc.rang":
        return this.#rang(event);
      case "rtc.declined":
        return this.#declined(event);
    }
  }

  /** A person is not in the room any more, and so not in its call. The facts in that, in order. */
  personLeft(event: FactSource, person: UserId): readonly MatrixFact[] {
    const room = this.#rooms.get(event.room);
    if (room === undefined) return [];
    const stays = room.presence.all().filter(({ membership }) => membership.user === person);
    return stays.flatMap(({ membership }) => this.#removed(event, room, membership.key)).map(renamed);
  }

  call(seat: SeatId): RtcCall | undefined {
    return this.#calls.get(seat);
  }

  /** Somebody is in the call of the room, or is about to be. */
  isLive(room: RoomId): boolean {
    return this.present(room).length + this.callsIn(room).length > 0;
  }

  /** Who is in the call of the room. */
  present(room: RoomId): readonly Present[] {
    return this.#rooms.get(room)?.presence.all() ?? [];
  }

  /** Who is in the call of the room, as far as is known not by a membership alone that a client has left behind. */
  live(room: RoomId): readonly Present[] {
    return this.present(room).filter(({ isMissing }) => isMissing !== true);
  }

  /** Whether anybody of the call is at the media server. */
  met(seat: SeatId, isAnybody: boolean): void {
    const call = this.call(seat);
    if (call === undefined || !isOfGroup(call)) return;
    this.#rooms.get(call.room)?.presence.markMissing(!isAnybody);
    if (!isAnybody)
      this.#parts.log.info("nobody who is in the call of a room is at its media server", { room: call.room });
    this.#calls.tellMet(call, isAnybody);
  }

  /** Who was in the call of a room before we were told of it. They answer nothing. */
  recall(room: RoomId, present: readonly Of<"rtc.joined">[]): void {
    const { presence } = this.#roomOf(room);
    for (const event of present) {
      const { membership, eventId } = event;
      if (presence.get(membership.key) !== undefined || presence.isGone(eventId) || membership.expiresInMs <= 0)
        continue;
      if (!presence.hasPlaceFor(membership)) continue;
      presence.put(event, membership);
    }
  }

  /** Our calls in the room. */
  callsIn(room: RoomId): readonly RtcCall[] {
    return this.#calls.in(room);
  }

  /** We are about to ring: whoever comes in from now on answers. */
  ring(call: RtcCall): void {
    this.#roomOf(call.room);
    this.#calls.add(call);
  }

  /** Our ring is in the room. */
  notified(seat: SeatId, notification: EventId): void {
    const call = this.call(seat);
    if (call === undefined || call.state.kind === "theirs") return;
    this.#calls.put({
      ...call,
      state: { ...call.state, notifications: [...call.state.notifications, notification] },
    });
    const refused = this.#rooms.get(call.room)?.refused.get(notification);
    if (refused !== undefined) this.#emit(this.#declined(refused));
  }

  /** All in the room are to be rung: whoever is in its call already has answered. True if somebody has, then or before. */
  joinRunning(seat: SeatId): boolean {
    const call = this.call(seat);
    if (call?.state.kind === "answered") return true;
    const [first] = call === undefined ? [] : this.live(call.room);
    if (call === undefined || first === undefined || call.state.kind !== "ringing" || call.state.named !== undefined)
      return false;
    const { membership, latest } = first;
    const origin = { eventId: latest, room: call.room, sender: membership.user, ageMs: 0 };
    const event = { ...origin, receivedAtMs: this.#parts.clock.nowMs(), membership };
    this.#emit(this.#answered(event, call));
    return true;
  }

  /** The bridge says who of those that came has the call. */
  select(seat: SeatId, device: string): void {
    const call = this.call(seat);
    if (call?.state.kind === "answered")
      this.#calls.put({ ...call, state: { ...call.state, holder: deviceId(device) } });
  }

  /** Where we meet, and who of ours does. */
  meet(seat: SeatId, ghost: UserId, service: string | undefined): void {
    const call = this.call(seat);
    if (call !== undefined) this.#calls.put({ ...call, ghost, service });
  }

  /** The bridge has done with the call. */
  over(seat: SeatId): void {
    const call = this.call(seat);
    if (call !== undefined) this.#redials.over(call, this.#talkerIn(call));
    this.#calls.drop(seat);
  }

  /** Our membership is in that call. */
  isIn(seat: SeatId): void {
    this.#redials.isIn(seat);
  }

  /** Our membership in that call is gone. */
  isOut(room: RoomId, seat: SeatId): void {
    this.#redials.isOut(room, seat);
  }

  /** The one person who has talked in it. */
  #talkerIn({ room, state }: RtcCall): UserId | undefined {
    if (state.kind === "theirs") return this.#rooms.get(room)?.presence.get(state.key)?.membership.user;
    return state.kind === "answered" ? state.named : undefined;
  }

  #roomOf(id: RoomId): Room {
    return this.#rooms.of(
      id,
      (room) => new RoomPresence(this.#parts.clock, (event, key) => this.#emit(this.#removed(event, room(), key))),
    );
  }

  #joined(event: Of<"rtc.joined">): readonly MatrixFact[] {
    const { membership, room: id, eventId } = event;
    const room = this.#roomOf(id);
    const { presence } = room;
    const before = presence.get(membership.key);
    if (presence.isGone(eventId) || before?.latest === eventId) return [];
    if (membership.expiresInMs <= 0) return before === undefined ? [] : this.#removed(event, room, membership.key);
    if (!presence.hasPlaceFor(membership)) {
      this.#parts.log.info(
        "a membership is not followed: too many devices are in the call of the room, or too many of theirs",
        { room: id },
      );
      return [];
    }
    const isInCall = this.callsIn(id).some((call) => takesPart(call, membership.key));
    // A client that was restarted takes its old place again, and the call goes on.
    const isSameStay = membership.stay !== undefined && membership.stay === before?.membership.stay;
    const stays = membership.renewed || isInCall || isSameStay;
    presence.put(event, membership, stays ? before?.since : eventId);
    const facts = stays ? [] : this.callsIn(id).flatMap((call) => this.#answered(event, call));
    this.#calls.tellAll(id);
    if (before === undefined) this.#redials.came(event);
    return facts;
  }

  /** Whoever is rung answers by coming in; that somebody else did before, the bridge knows. */
  #answered({ membership, ...event }: AnswerEvent, call: RtcCall): readonly MatrixFact[] {
    const { state, matrixCallId: matrixCall, device, memberId } = call;
    if (state.kind === "theirs" || !isFor(call, membership.user) || takesPart(call, membership.key)) return [];
    const { user, device: answering } = membership;
    const { named, notifications } = state;
    const before =
      state.kind === "answered" ? state : { keys: [], holder: undefined, first: { user, device: answering } };
    const keys = [...before.keys, membership.key];
    this.#calls.put({ ...call, state: { ...before, kind: "answered", named, keys, notifications } });
    return [
      {
        ...originOf(event),
        kind: "call.answered",
        matrixCallId: matrixCall,
        device: membership.device,
        description: seatDescription(call.seat),
        ...rtcClient({ device, memberId }),
      },
    ];
  }

  #left(event: Of<"rtc.left">): readonly MatrixFact[] {
    const room = this.#rooms.get(event.room);
    return room === undefined ? [] : this.#removed(event, room, event.key);
  }

  #removed(event: FactSource, room: Room, key: string): readonly MatrixFact[] {
    const was = room.presence.get(key);
    if (was === undefined) return [];
    const facts: MatrixFact[] = [];
    for (const call of this.callsIn(room.id)) {
      const { state } = call;
      if (state.kind === "answered" && isOfGroup(call)) {
        const { user, device } = state.first;
        if (room.presence.size === 1) facts.push(hungUpFact(event, call, user, device));
      } else if (takesPart(call, key)) {
        const { next, device } = departure(call, was.membership, room.presence.all());
        if (next !== undefined) this.#calls.put(next);
        else facts.push(hungUpFact(event, call, was.membership.user, device));
      }
    }
    this.#remove(event, room, was);
    return facts;
  }

  #remove(event: FactSource, { id, presence }: Room, was: Present): void {
    const { membership } = was;
    const isLast = presence.size === 1;
    const over = this.callsIn(id).filter((call) => isKeptBy(call, membership) || (isLast && isOfGroup(call)));
    for (const call of over) this.#redials.over(call, this.#talkerIn(call));
    this.#redials.left(event, was);
    presence.remove(membership.key);
    for (const call of over) this.#calls.end(call);
    this.#calls.tellAll(id);
  }

  async #rang(event: Of<"rtc.rang">): Promise<readonly MatrixFact[]> {
    const invitee = event.named.find((user) => this.#parts.isOwn(user));
    // It is for others, or it tells a group of a call in which nobody is called.
    if (invitee === undefined && (event.loudness === "quiet" || event.named.length > 0)) return [];
    const room = this.#roomOf(event.room);
    const facts = await this.#lookedFor(event, room);
    const place = await this.#parts.placeIn(event.room, invitee, metOf(room.presence.by(event.membership)));
    const here = room.presence.by(event.membership);
    if (here === undefined || here.membership.user !== event.sender) {
      this.#parts.log.info("a ring is ignored: whoever rings is not in the call", {
        room: event.room,
        event: event.eventId,
      });
      return facts;
    }
    const calls = this.callsIn(room.id);
    if (this.#redials.wasDialled(here.since)) return facts;
    if (calls.some((call) => takesPart(call, here.membership.key))) return facts;
    // Both ring: theirs is the answer to ours.
    const ringing = calls.find((call) => call.state.kind === "ringing" && isFor(call, event.sender));
    if (ringing !== undefined) return this.#answered({ ...event, membership: here.membership }, ringing);
    return [this.#invited({ ...event, notification: event.eventId }, here, invitee, place)];
  }

  /** A membership of which we were not told: before ours came into the room, or before a restart. */
  async #lookedFor(event: Of<"rtc.rang">, room: Room): Promise<readonly MatrixFact[]> {
    if (room.presence.by(event.membership) !== undefined || room.presence.isGone(event.membership)) return [];
    const membership = await this.#parts.find(event.room, event.membership, event.sender);
    if (membership === undefined) return [];
    return this.#joined({ ...event, kind: "rtc.joined", eventId: event.membership, membership });
  }

  #invited(ring: RingSource, { membership, since }: Present, ghost: UserId | undefined, place: OwnPlace): MatrixFact {
    const { room } = ring;
    const call = matrixCallId(since);
    const state = { kind: "theirs", key: membership.key } as const;
    const service = membership.services[0];
    const taken = { seat: seatOf(room, call), room, matrixCallId: call, ...place, ghost, service, state };
    this.#calls.add(taken);
    return invitedFact(ring, taken, membership, place);
  }

  #declined(event: Of<"rtc.declined">): readonly MatrixFact[] {
    const room = this.#rooms.get(event.room);
    if (room === undefined) return [];
    const refused = this.callsIn(room.id).find(
      ({ state }) => state.kind === "ringing" && state.notifications.includes(event.notification),
    );
    if (refused === undefined) {
      room.refused.set(event.notification, event);
      return [];
    }
    const { state } = refused;
    if (state.kind === "ringing" && state.named === event.sender) {
      this.#redials.over(refused, undefined);
      this.#calls.end(refused);
    }
    return [rejectedFact(event, refused)];
  }

  /** What an event means that has had its meaning before. */
  #emit(facts: readonly MatrixFact[]): void {
    for (const fact of facts.map(renamed)) this.#parts.emit(fact);
  }
}

type AnswerEvent = FactSource & { readonly membership: RtcMembership };
