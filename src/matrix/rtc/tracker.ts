// Who is in the calls of which rooms, and what that means to the bridge: events of MatrixRTC become facts. A person's
// membership and ring are a call, their membership where we ring is an answer, the end of their membership a hang-up. Pairs,
// repetitions and second leaves change nothing. Speaks to nobody.
import { type DeviceId, deviceId, type EventId, matrixCallId, type RoomId, type UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { Clock } from "../../ports/clock.ts";
import { seatDescription, type SeatId } from "../../ports/conference.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { rtcClient } from "../legs/rtc-form.ts";
import type { RtcEvent, RtcMembership } from "../wire/rtc.ts";
import { type FactSource, originOf, renamed } from "./fact-source.ts";
import { departure, isFor, isKeptBy, isOfGroup, type Present, type RtcCall, seatOf, takesPart } from "./rtc-call.ts";

export interface TrackerParts {
  readonly isOwn: (user: UserId) => boolean;
  /** The membership in that event, which was not told of before; undefined if there is none. Never rejects. */
  readonly find: (room: RoomId, event: EventId, sender: UserId) => Promise<RtcMembership | undefined>;
  /** As which device we take part in a call there; `user`: who of ours, if they were named. Never rejects. */
  readonly deviceIn: (room: RoomId, user: UserId | undefined) => Promise<DeviceId>;
  /** What happens without an event: a membership that was not renewed. */
  readonly emit: (fact: MatrixFact) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TrackerListener {
  /** The room's memberships or the call's place are others than before. */
  changed(call: RtcCall): void;
  /** Nobody is left in it, or it was refused: ours leave. Not called for what `over` ends. */
  over(call: RtcCall): void;
}

type Of<Kind extends RtcEvent["kind"]> = Extract<RtcEvent, { kind: Kind }>;

interface Room {
  readonly present: Map<string, Present>;
  readonly calls: Map<SeatId, RtcCall>;
  /** Memberships that are over, by their event: a ring that comes late does not ring. */
  readonly gone: RecentMap<EventId, true>;
  /** Refused before we knew that it was ours: our homeserver may tell of it before it has answered us. */
  readonly refused: RecentMap<EventId, Of<"rtc.declined">>;
  readonly timers: Map<string, () => void>;
}

/** Rooms with somebody in their call. */
const mostRooms = 20_000;
/** Devices in the call of one room; more are a crowd in which no number takes part. */
const mostPresent = 100;
const mostRemembered = 20;

export class RtcTracker {
  readonly #parts: TrackerParts;
  readonly #rooms = new RecentMap<RoomId, Room>(mostRooms);
  readonly #seats = new Map<SeatId, RoomId>();
  readonly #listeners = new Set<TrackerListener>();

  constructor(parts: TrackerParts) {
    this.#parts = parts;
  }

  listen(listener: TrackerListener): void {
    this.#listeners.add(listener);
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
    const stays = [...room.present.values()].filter(({ membership }) => membership.user === person);
    return stays.flatMap(({ membership }) => this.#removed(event, room, membership.key)).map(renamed);
  }

  call(seat: SeatId): RtcCall | undefined {
    return this.#roomWith(seat)?.calls.get(seat);
  }

  /** Somebody is in the call of the room, or is about to be. */
  isLive(room: RoomId): boolean {
    const known = this.#rooms.get(room);
    return known !== undefined && known.present.size + known.calls.size > 0;
  }

  /** Who is in the call of the room. */
  present(room: RoomId): readonly Present[] {
    return [...(this.#rooms.get(room)?.present.values() ?? [])];
  }

  /** Who was in the call of a room before we were told of it. They answer nothing. */
  recall(room: RoomId, present: readonly Of<"rtc.joined">[]): void {
    const known = this.#roomOf(room);
    for (const event of present) {
      const { membership, eventId } = event;
      if (known.present.has(membership.key) || known.gone.has(eventId) || membership.expiresInMs <= 0) continue;
      if (known.present.size >= mostPresent) return;
      known.present.set(membership.key, { membership, since: eventId, latest: eventId });
      this.#watch(event, known, membership);
    }
  }

  /** Our calls in the room. */
  callsIn(room: RoomId): readonly RtcCall[] {
    return [...(this.#rooms.get(room)?.calls.values() ?? [])];
  }

  /** We are about to ring: whoever comes in from now on answers. */
  ring(call: RtcCall): void {
    this.#add(this.#roomOf(call.room), call);
  }

  /** Our ring is in the room. */
  notified(seat: SeatId, notification: EventId): void {
    const call = this.call(seat);
    if (call === undefined || call.state.kind === "theirs") return;
    this.#put({
      ...call,
      state: { ...call.state, notifications: [...call.state.notifications, notification] },
    });
    const refused = this.#rooms.get(call.room)?.refused.get(notification);
    if (refused !== undefined) this.#emit(this.#declined(refused));
  }

  /** All in the room are to be rung: whoever is in its call already has answered. True if somebody has. */
  joinRunning(seat: SeatId): boolean {
    const call = this.call(seat);
    const [first] = call === undefined ? [] : this.present(call.room);
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
    if (call?.state.kind === "answered") this.#put({ ...call, state: { ...call.state, holder: deviceId(device) } });
  }

  /** Where we meet, and who of ours does. */
  meet(seat: SeatId, ghost: UserId, service: string | undefined): void {
    const call = this.call(seat);
    if (call !== undefined) this.#put({ ...call, ghost, service });
  }

  /** The bridge has done with the call. */
  over(seat: SeatId): void {
    this.#roomWith(seat)?.calls.delete(seat);
    this.#seats.delete(seat);
  }

  #roomWith(seat: SeatId): Room | undefined {
    const id = this.#seats.get(seat);
    return id === undefined ? undefined : this.#rooms.get(id);
  }

  #add(room: Room, call: RtcCall): void {
    room.calls.set(call.seat, call);
    this.#seats.set(call.seat, call.room);
  }

  #roomOf(id: RoomId): Room {
    const room = this.#rooms.get(id) ?? {
      present: new Map(),
      calls: new Map(),
      gone: new RecentMap(mostRemembered),
      refused: new RecentMap(mostRemembered),
      timers: new Map(),
    };
    this.#rooms.set(id, room);
    return room;
  }

  #put(call: RtcCall): void {
    const room = this.#rooms.get(call.room);
    if (room === undefined) return;
    room.calls.set(call.seat, call);
    for (const listener of this.#listeners) listener.changed(call);
  }

  #tellAll(room: Room): void {
    for (const call of room.calls.values()) for (const listener of this.#listeners) listener.changed(call);
  }

  #joined(event: Of<"rtc.joined">): readonly MatrixFact[] {
    const { membership, room: id, eventId } = event;
    const room = this.#roomOf(id);
    const before = room.present.get(membership.key);
    if (room.gone.has(eventId) || before?.latest === eventId) return [];
    if (membership.expiresInMs <= 0) return before === undefined ? [] : this.#removed(event, room, membership.key);
    if (before === undefined && room.present.size >= mostPresent) {
      this.#parts.log.info("a membership is not followed: too many devices are in the call of the room", { room: id });
      return [];
    }
    const isInCall = [...room.calls.values()].some((call) => takesPart(call, membership.key));
    // A client that was restarted takes its old place again, and the call goes on.
    const isSameStay = membership.stay !== undefined && membership.stay === before?.membership.stay;
    const stays = membership.renewed || isInCall || isSameStay;
    const since = stays && before !== undefined ? before.since : eventId;
    room.present.set(membership.key, { membership, since, latest: eventId });
    this.#watch(event, room, membership);
    const facts = stays ? [] : [...room.calls.values()].flatMap((call) => this.#answered(event, call));
    this.#tellAll(room);
    return facts;
  }

  /** Whoever is rung answers by coming in; that somebody else did before, the bridge knows. */
  #answered({ membership, ...event }: AnswerEvent, call: RtcCall): readonly MatrixFact[] {
    const { state, matrixCallId: matrixCall, device } = call;
    if (state.kind === "theirs" || !isFor(call, membership.user) || takesPart(call, membership.key)) return [];
    const { user, device: answering } = membership;
    const { named, notifications } = state;
    const before =
      state.kind === "answered" ? state : { keys: [], holder: undefined, first: { user, device: answering } };
    const keys = [...before.keys, membership.key];
    this.#put({ ...call, state: { ...before, kind: "answered", named, keys, notifications } });
    return [
      {
        ...originOf(event),
        kind: "call.answered",
        matrixCallId: matrixCall,
        device: membership.device,
        description: seatDescription(call.seat),
        ...rtcClient({ device }),
      },
    ];
  }

  #left(event: Of<"rtc.left">): readonly MatrixFact[] {
    const room = this.#rooms.get(event.room);
    return room === undefined ? [] : this.#removed(event, room, event.key);
  }

  #removed(event: FactSource, room: Room, key: string): readonly MatrixFact[] {
    const was = room.present.get(key);
    if (was === undefined) return [];
    const sender = was.membership.user;
    const facts: MatrixFact[] = [];
    for (const call of room.calls.values()) {
      const { matrixCallId: id, state } = call;
      if (state.kind === "answered" && isOfGroup(call)) {
        const { user, device: first } = state.first;
        const hungUp = { kind: "call.hungUp", matrixCallId: id, device: first, said: undefined } as const;
        if (room.present.size === 1) facts.push({ ...originOf(event), sender: user, ...hungUp });
      } else if (takesPart(call, key)) {
        const { next, device } = departure(call, was.membership, room.present.values());
        if (next !== undefined) this.#put(next);
        else facts.push({ ...originOf(event), sender, kind: "call.hungUp", matrixCallId: id, device, said: undefined });
      }
    }
    this.#remove(room, key);
    return facts;
  }

  #remove(room: Room, key: string): void {
    const was = room.present.get(key);
    if (was === undefined) return;
    room.present.delete(key);
    room.timers.get(key)?.();
    room.timers.delete(key);
    room.gone.set(was.since, true);
    room.gone.set(was.latest, true);
    const isEmpty = room.present.size === 0;
    const over = [...room.calls.values()].filter(
      (call) => isKeptBy(call, was.membership) || (isEmpty && isOfGroup(call)),
    );
    for (const call of over) this.#end(room, call);
    this.#tellAll(room);
  }

  #end(room: Room, call: RtcCall): void {
    room.calls.delete(call.seat);
    this.#seats.delete(call.seat);
    for (const listener of this.#listeners) listener.over(call);
  }

  async #rang(event: Of<"rtc.rang">): Promise<readonly MatrixFact[]> {
    const invitee = event.named.find((user) => this.#parts.isOwn(user));
    // It is for others, or it tells a group of a call in which nobody is called.
    if (invitee === undefined && (event.loudness === "quiet" || event.named.length > 0)) return [];
    const room = this.#roomOf(event.room);
    const device = await this.#parts.deviceIn(event.room, invitee);
    const facts = await this.#lookedFor(event, room);
    const here = stayOf(room, event.membership);
    if (here === undefined || here.membership.user !== event.sender) {
      this.#parts.log.info("a ring is ignored: whoever rings is not in the call", {
        room: event.room,
        event: event.eventId,
      });
      return facts;
    }
    const calls = [...room.calls.values()];
    if (calls.some((call) => takesPart(call, here.membership.key))) return facts;
    // Both ring: theirs is the answer to ours.
    const ringing = calls.find((call) => call.state.kind === "ringing" && isFor(call, event.sender));
    if (ringing !== undefined) return this.#answered({ ...event, membership: here.membership }, ringing);
    return [this.#invited(event, here, room, invitee, device)];
  }

  /** A membership of which we were not told: before ours came into the room, or before a restart. */
  async #lookedFor(event: Of<"rtc.rang">, room: Room): Promise<readonly MatrixFact[]> {
    if (stayOf(room, event.membership) !== undefined || room.gone.has(event.membership)) return [];
    const membership = await this.#parts.find(event.room, event.membership, event.sender);
    if (membership === undefined) return [];
    return this.#joined({ ...event, kind: "rtc.joined", eventId: event.membership, membership });
  }

  #invited(
    event: Of<"rtc.rang">,
    here: Present,
    room: Room,
    invitee: UserId | undefined,
    device: DeviceId,
  ): MatrixFact {
    const { membership } = here;
    const call = matrixCallId(here.since);
    const seat = seatOf(event.room, call);
    this.#add(room, {
      seat,
      room: event.room,
      matrixCallId: call,
      device,
      ghost: invitee,
      service: membership.services[0],
      state: { kind: "theirs", key: membership.key },
    });
    return {
      ...originOf(event),
      kind: "call.invited",
      matrixCallId: call,
      device: membership.device,
      description: seatDescription(seat),
      video: event.video,
      lifetimeMs: event.lifetimeMs,
      invitee,
      ...rtcClient({ device, notification: event.eventId }),
    };
  }

  #declined(event: Of<"rtc.declined">): readonly MatrixFact[] {
    const room = this.#rooms.get(event.room);
    if (room === undefined) return [];
    const refused = [...room.calls.values()].find(
      ({ state }) => state.kind === "ringing" && state.notifications.includes(event.notification),
    );
    if (refused === undefined) {
      room.refused.set(event.notification, event);
      return [];
    }
    const { state, matrixCallId: matrixCall } = refused;
    if (state.kind === "ringing" && state.named === event.sender) this.#end(room, refused);
    return [
      { ...originOf(event), kind: "call.rejected", matrixCallId: matrixCall, device: undefined, said: undefined },
    ];
  }

  /** What an event means that has had its meaning before. */
  #emit(facts: readonly MatrixFact[]): void {
    for (const fact of facts.map(renamed)) this.#parts.emit(fact);
  }

  /** A client that crashed leaves its membership behind: it ends by itself. */
  #watch(event: FactSource, room: Room, { key, expiresInMs }: RtcMembership): void {
    const { clock } = this.#parts;
    room.timers.get(key)?.();
    const cancel = clock.at(clock.nowMs() + expiresInMs, () => {
      const origin = { ...originOf(event), ageMs: 0, receivedAtMs: clock.nowMs() };
      this.#emit(this.#removed(origin, room, key));
    });
    room.timers.set(key, cancel);
  }
}

type AnswerEvent = FactSource & { readonly membership: RtcMembership };

function stayOf(room: Room, event: EventId): Present | undefined {
  return [...room.present.values()].find(({ since, latest }) => since === event || latest === event);
}
