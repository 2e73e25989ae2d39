// Where an inbound call rings: in the conversation of the person and the caller's number, or in the configured room,
// which the ghost joins. Who is rung, and when, is decided in core/call.
import type { Call } from "../../core/call/model/call.ts";
import type { MatrixLegFact } from "../../core/call/model/fact.ts";
import type { OurUser } from "../../core/number/plan/number-key.ts";
import type { RingTarget } from "../../core/number/plan/ring-stage.ts";
import type { CallId, RoomId, TrunkName, UserId } from "../../core/ids.ts";
import type { Policy } from "../../core/policy/permission.ts";
import { legOf } from "../../core/call/model/queries.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Ghosts } from "./ghosts.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { Rooms } from "./rooms.ts";
import type { Conversations, Place } from "./conversations.ts";
import type { OccupiedRooms } from "./occupied-rooms.ts";
import { UnfitRoomError } from "./unfit-room.ts";

/** A call of a number to a person. */
export interface FirstCall {
  readonly call: CallId;
  readonly ghost: OurUser;
  readonly person: UserId;
  /** They never had a room. */
  readonly isNew: boolean;
  /** Finds or makes the room that the two have to themselves, and has the person invited. */
  readonly own: () => Promise<Place>;
}

/** Chooses the room in which a call rings a person. */
export interface RoomChoice {
  /** The ghost is registered. Throws what `own` throws. */
  roomFor(first: FirstCall): Promise<Place>;
}

export interface RingingRoomsParts {
  readonly homeserver: Pick<Homeserver, "bot" | "encrypted" | "hasRunningCall" | "invite" | "members">;
  readonly ghosts: Pick<Ghosts, "ensure" | "ours">;
  readonly rooms: Rooms;
  readonly firstCalls: RoomChoice;
  readonly conversations: Conversations;
  readonly occupied: OccupiedRooms;
  readonly policy: () => Pick<Policy, "callsPerMinute">;
  readonly clock: Clock;
  readonly log: Log;
}

type Found = Extract<MatrixLegFact, { kind: "matrix.roomFound" | "matrix.roomMissing" }>;

export class RingingRooms {
  readonly #parts: RingingRoomsParts;
  /** Of each trunk, the callers who were never there. A caller chooses by what number: without it one could fill a homeserver. */
  readonly #strangers: RateLimit;

  constructor(parts: RingingRoomsParts) {
    this.#parts = parts;
    this.#strangers = new RateLimit(() => parts.policy().callsPerMinute, parts.clock);
  }

  /**
   * Where the caller's number speaks to the target, and as which of its ghosts; the ghost is registered and joined. For a
   * call it is a room in which the call can ring. Throws HomeserverError, UnfitRoomError.
   */
  open(target: RingTarget, ghost: OurUser, trunk: TrunkName | undefined): Promise<Place> {
    return this.#open(target, ghost, trunk, undefined);
  }

  /** The same for a call: never rejects for what the homeserver says. */
  async find(target: RingTarget, ghost: UserId, trunk: TrunkName | undefined, call: CallId): Promise<Found> {
    try {
      const ours = this.#parts.ghosts.ours(ghost);
      return { kind: "matrix.roomFound", target, ...(await this.#open(target, ours, trunk, call)) };
    } catch (error) {
      if (!(error instanceof HomeserverError) && !(error instanceof UnfitRoomError)) throw error;
      this.#parts.log.warn("could not ring a target", {
        ...target,
        target: target.kind,
        ghost,
        code: error.code,
        error,
      });
      return { kind: "matrix.roomMissing", target, busy: error.code === "BUSY", message: error.message };
    }
  }

  /** A call, unlike a text, has to reach the person at once: it may ring elsewhere than in the room of the two. */
  async #open(
    target: RingTarget,
    ghost: OurUser,
    trunk: TrunkName | undefined,
    call: CallId | undefined,
  ): Promise<Place> {
    const { ghosts, conversations, firstCalls } = this.#parts;
    if (!(await this.#knows(target, ghost)) && !this.#strangers.allows(trunk ?? ""))
      throw new UnfitRoomError("TOO_MANY_STRANGERS", "too many callers who never called before");
    if (target.kind === "room") return this.#openForAll(target.room, ghost, call);
    const { person } = target;
    const isNew = !(await conversations.haveAnywhere(person, ghost));
    const known = await conversations.ghostFor(person, ghost);
    await ghosts.ensure(known);
    const own = (): Promise<Place> => conversations.open(person, known, call);
    return call === undefined ? own() : firstCalls.roomFor({ call, ghost: known, person, isNew, own });
  }

  async #openForAll(room: RoomId, ghost: OurUser, call: CallId | undefined): Promise<Place> {
    const known = (await this.#ghostIn(room, ghost)) ?? ghost;
    const isRunning = call !== undefined && (await this.#parts.homeserver.hasRunningCall(room));
    if (call !== undefined && !isRunning) await this.#occupy(room, known, call);
    await this.#parts.ghosts.ensure(known);
    const place = await this.#enter(room, known.user);
    if (call !== undefined && isRunning && (await this.#isThereTwice(place, call)))
      throw new UnfitRoomError("BUSY", "the number is in the call of the room");
    return place;
  }

  /** In an encrypted room a number has one device, and so one place in the call: as for all whose number is withheld. */
  async #isThereTwice({ room, ghost }: Place, call: CallId): Promise<boolean> {
    const { occupied, homeserver } = this.#parts;
    const isThere = occupied.callsIn(room, call).some((other) => legOf(other)?.ghost === ghost);
    return isThere && homeserver.encrypted(room, ghost);
  }

  async #knows(target: RingTarget, ghost: OurUser): Promise<boolean> {
    if (target.kind === "person") return this.#parts.conversations.have(target.person, ghost);
    return (await this.#ghostIn(target.room, ghost)) !== undefined;
  }

  /** The ghost of this number which is in the room, whichever spelling it stands for. */
  async #ghostIn(room: RoomId, ghost: OurUser): Promise<OurUser | undefined> {
    const { rooms, ghosts } = this.#parts;
    const ours = await rooms.ours(room);
    return ours.includes(ghost.user) ? ghost : ours.map((one) => ghosts.ours(one)).find(({ key }) => key === ghost.key);
  }

  async #enter(room: RoomId, ghost: UserId): Promise<Place> {
    const { rooms } = this.#parts;
    if (!(await this.#isIn(room, ghost))) await this.#join(room, ghost);
    if (!(await rooms.isUnreadable(room, ghost))) return { room, ghost };
    await rooms.explain("encryption", room, ghost);
    throw new UnfitRoomError("ENCRYPTED", "the room is encrypted");
  }

  /** Throws UnfitRoomError. Nothing is waited for before the room is taken: of two calls at once one has it. */
  async #occupy(room: RoomId, ghost: OurUser, call: CallId): Promise<void> {
    const { occupied } = this.#parts;
    const calls = occupied.callsIn(room, call);
    const isBusy = calls.length > 0 && (await this.#isBusy(room, ghost, calls));
    if (isBusy || occupied.callsIn(room, call).length > calls.length)
      throw new UnfitRoomError("BUSY", "the room has a running call");
    occupied.choose(room, call);
  }

  /**
   * Clients show one ringing call per room. Once it is answered, a call of another number rings for those in the room who
   * are not in a call there.
   */
  async #isBusy(room: RoomId, ghost: OurUser, calls: readonly Call[]): Promise<boolean> {
    const { rooms, ghosts } = this.#parts;
    const legs = calls.map(legOf);
    if (legs.some((leg) => leg === undefined || ghosts.ours(leg.ghost).key === ghost.key)) return true;
    const people = await rooms.people(room, ghost.user);
    const inCalls = new Set(legs.map((leg) => leg?.person));
    return people !== undefined && people.every(({ user, membership }) => membership !== "join" || inCalls.has(user));
  }

  /** It may have been thrown out while nobody told us. */
  async #isIn(room: RoomId, ghost: UserId): Promise<boolean> {
    const { homeserver, rooms } = this.#parts;
    if (!(await rooms.ours(room)).includes(ghost)) return false;
    try {
      await homeserver.members(room, ghost);
      return true;
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.transient) throw error;
      await rooms.gone(room, ghost);
      return false;
    }
  }

  /** By itself where anybody may or the ghost was invited, else invited by the bot. Throws HomeserverError. */
  async #join(room: RoomId, ghost: UserId): Promise<void> {
    const { homeserver, rooms, log } = this.#parts;
    try {
      return await rooms.join(room, ghost);
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.transient) throw error;
    }
    try {
      await homeserver.invite(room, homeserver.bot, ghost);
    } catch (error) {
      if (error instanceof HomeserverError && !error.transient)
        log.error("cannot join a room in inbound.numbers: invite the bot there and give it the power to invite", {
          room,
          bot: homeserver.bot,
          code: error.code,
        });
      throw error;
    }
    await rooms.join(room, ghost);
  }
}
