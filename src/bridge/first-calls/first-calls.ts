// Makes the first call from a number ring: in the number's own room if the person joins it at once, by themselves or in
// their name; otherwise in the person's room with the bot; otherwise as soon as they join.
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import { domainOf, type CallId, type RoomId, type UserId } from "../../core/ids.ts";
import type { OurUser } from "../../core/number/plan/number-key.ts";
import { attempt } from "../../ports/attempt.ts";
import { HomeserverError, type Homeserver, type PeopleRooms } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Place } from "../rooms/conversations.ts";
import type { FirstCall, RoomChoice } from "../rooms/ringing-rooms.ts";
import type { Admission, BotRoomVisits } from "./bot-room-visits.ts";
import type { JoinWatch } from "./join-watch.ts";
import type { LateInvites } from "./late-invites.ts";
import { roomLink } from "../rooms/room-link.ts";

export interface FirstCallsParts {
  readonly homeserver: Pick<Homeserver, "bot" | "domain" | "members" | "notice">;
  /** Undefined: the configuration does not let the bridge act in people's names. */
  readonly people: PeopleRooms | undefined;
  readonly visits: BotRoomVisits;
  readonly joins: JoinWatch;
  readonly lateInvites: LateInvites;
  /** What a ghost is called by its number. */
  readonly nameOf: (ghost: OurUser) => string;
  readonly log: Log;
}

/** A homeserver that accepts invitations by itself (`auto_accept_invites` of Synapse) has done so by then. */
const acceptanceMs = 500;
/** Whoever joins that soon was no person who saw an invitation. */
const promptMs = 1_000;

const silentWords =
  "It did not ring because you had not joined this room. The admin of the telephone bridge can make first calls ring with inbound.join_for_people.";

export class FirstCalls implements RoomChoice {
  readonly #parts: FirstCallsParts;
  /** Whether the homeserver was seen not to accept invitations by itself, so that nothing is gained by waiting for it. */
  #acceptsNone = false;
  /** The homeserver refuses to let people be joined: said once, until it works. */
  #saidRefused = false;
  /** Rooms of calls that ring nobody until somebody joins. */
  readonly #silent = new Map<CallId, Set<RoomId>>();

  constructor(parts: FirstCallsParts) {
    this.#parts = parts;
  }

  /** Where the call rings the person. The ghost is registered. Throws what `own` throws. */
  async roomFor(first: FirstCall): Promise<Place> {
    const { visits, log } = this.#parts;
    const { call, person, isNew } = first;
    const ghost = first.ghost.user;
    const own = first.own();
    own.catch(() => {});
    const visitor = { call, ghost, person, own: own.then(({ room }) => room) };
    visitor.own.catch(() => {});
    if (isNew && this.#acceptsNone && !this.#mayJoinFor(person)) {
      // Nothing will bring the person into the number's own room in time: the call does not wait until that is made.
      const admission = await visits.enter(visitor);
      if (admission.kind !== "in") {
        const place = await own;
        return (await this.#isThere(place, person)) ? place : this.#leaveToInvitation(first, place, admission);
      }
      own.then(
        ({ room }) => this.#parts.joins.expect(room, person),
        (error: unknown) => log.warn("could not create a number's own room", { person, ghost, error }),
      );
      return { room: admission.room, ghost };
    }
    const place = await own;
    if (await this.#isThere(place, person)) return place;
    if (this.#mayJoinFor(person) ? await this.#join(place, person) : await this.#joinsSoon(place.room, person))
      return place;
    const admission = await visits.enter(visitor);
    return admission.kind === "in" ? { room: admission.room, ghost } : this.#leaveToInvitation(first, place, admission);
  }

  /** The bot has invited a person: whether they come at once tells how the homeserver takes invitations. */
  async observe(room: RoomId, person: UserId): Promise<void> {
    this.#parts.joins.expect(room, person);
    await this.#joinsSoon(room, person);
  }

  /** Somebody has joined: what waited for them rings. Never rejects. */
  async joined(room: RoomId, person: UserId): Promise<void> {
    for (const rooms of this.#silent.values()) rooms.delete(room);
    const afterMs = this.#parts.joins.joined(room, person);
    if (afterMs !== undefined && afterMs < promptMs) this.#acceptsNone = false;
    await this.#parts.lateInvites.joined(room, person);
  }

  left(room: RoomId, person: UserId): void {
    this.#parts.joins.gaveUp(room, person);
  }

  /** True where the signal need not, or not yet, be sent. */
  holds(leg: LegAddress, signal: LegSignal): boolean {
    return this.#parts.lateInvites.holds(leg, signal);
  }

  /** A line of a call, with what the person has to know where it rang in the bot's room, or nowhere. */
  async wordsFor({ room, ghost }: Pick<LegAddress, "room" | "ghost">, text: string): Promise<string> {
    const own = await this.#parts.visits.ownRoomOf(room, ghost);
    if (own !== undefined) return `${text} Call back or write in the room of this number: ${roomLink(own)}`;
    return [...this.#silent.values()].some((rooms) => rooms.has(room)) ? `${text} ${silentWords}` : text;
  }

  /** Whether the client of the person in the room has got the invite of the last call there. */
  wasSeen(room: RoomId): boolean {
    return this.#parts.lateInvites.wasSeen(room);
  }

  /** The call is over, and everything that was to be said has been. Never rejects. */
  async over(call: CallId): Promise<void> {
    this.#silent.delete(call);
    await this.#parts.visits.over(call);
  }

  /** How first calls ring now, and what would make more of them ring: a note for the operator, in plain words. */
  describe(): string {
    if (this.#parts.people !== undefined) {
      return this.#saidRefused
        ? "the homeserver refuses inbound.join_for_people: give it the registration for people that -r writes"
        : "ring for everybody of this homeserver: inbound.join_for_people is on";
    }
    return this.#acceptsNone
      ? "ring for people who have a room with the bot; inbound.join_for_people makes them ring for everybody"
      : "ring if the homeserver accepts invitations by itself, or in the room with the bot";
  }

  #mayJoinFor(person: UserId): boolean {
    return this.#parts.people?.covers(person) === true;
  }

  /** Where the homeserver does not say, the call rings as if they were. */
  async #isThere({ room, ghost }: Place, person: UserId): Promise<boolean> {
    const { homeserver, joins, log } = this.#parts;
    // Before the question: a join that is told meanwhile is not missed.
    joins.expect(room, person);
    const members = await attempt(homeserver.members(room, ghost), log, "could not get a room's members", { room });
    if (members?.every(({ user, membership }) => user !== person || membership !== "join")) return false;
    await this.joined(room, person);
    return true;
  }

  async #join({ room, ghost }: Place, person: UserId): Promise<boolean> {
    const { people, log } = this.#parts;
    try {
      await people?.joinDirect(room, person, ghost);
      this.#saidRefused = false;
      await this.joined(room, person);
      return true;
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      if (!this.#saidRefused)
        log.error("cannot join people to rooms: give the registration for people, which -r writes, to the homeserver", {
          setting: "inbound.join_for_people",
          person,
          code: error.code,
          error,
        });
      this.#saidRefused = true;
      return false;
    }
  }

  async #joinsSoon(room: RoomId, person: UserId): Promise<boolean> {
    if (this.#acceptsNone) return false;
    const { joins, homeserver } = this.#parts;
    const comes = await joins.comes(room, person, acceptanceMs);
    // Of other homeservers it tells nothing.
    if (!comes && domainOf(person) === homeserver.domain) this.#acceptsNone = true;
    return comes;
  }

  /** Nothing rings until the person comes: the bot says so where a call in its room keeps this one out. */
  #leaveToInvitation({ call, ghost, person }: FirstCall, place: Place, admission: Admission): Place {
    const { room } = place;
    const { homeserver, nameOf, log } = this.#parts;
    if (admission.kind === "none") {
      this.#silent.set(call, (this.#silent.get(call) ?? new Set()).add(room));
      log.warn("first call from a number does not ring until the person joins its room", {
        person,
        room,
        setting: "inbound.join_for_people",
      });
      return place;
    }
    if (admission.kind === "busy") {
      const words = `${nameOf(ghost)} is calling too. Join this room to answer: ${roomLink(room)}`;
      homeserver.notice(admission.room, homeserver.bot, words).catch((error: unknown) => {
        log.warn("could not tell a person about a second call", { person, room: admission.room, error });
      });
    }
    return place;
  }
}
