// Where an inbound call rings: the room that a person shares with the caller's ghost, found again or made, or the room
// that the configuration names, into which the ghost comes. Who is rung, and when, is core/call's business.
import type { MatrixLegFact } from "../core/call/event.ts";
import type { RingTarget } from "../core/call/matrix-leg.ts";
import type { CallId, RoomId, TrunkName, UserId } from "../core/ids.ts";
import type { Policy } from "../core/policy/permission.ts";
import type { Clock } from "../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../ports/homeserver.ts";
import type { Log } from "../ports/telemetry.ts";
import type { Ghosts } from "./ghosts.ts";
import { Pace } from "./pace.ts";
import type { Rooms } from "./rooms.ts";
import type { FirstCalls } from "./rooms/first-calls.ts";

export interface RingingRoomsParts {
  readonly homeserver: Pick<Homeserver, "bot" | "encrypted" | "invite" | "members">;
  readonly ghosts: Pick<Ghosts, "ensure">;
  readonly rooms: Rooms;
  readonly firstCalls: Pick<FirstCalls, "roomFor">;
  readonly policy: Pick<Policy, "callsPerMinute">;
  readonly clock: Clock;
  readonly log: Log;
}

type Found = Extract<MatrixLegFact, { kind: "matrix.roomFound" | "matrix.roomMissing" }>;

/** There is no room, or no call can be in it, and not for what the homeserver says. */
export class UnfitRoomError extends Error {
  override readonly name = "UnfitRoomError";
  readonly code: "ENCRYPTED" | "TOO_MANY_STRANGERS";
  constructor(code: UnfitRoomError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export class RingingRooms {
  readonly #parts: RingingRoomsParts;
  /** Of each trunk, the callers who were never there. A caller chooses by what number: without it one could fill a homeserver. */
  readonly #strangers: Pace;

  constructor(parts: RingingRoomsParts) {
    this.#parts = parts;
    this.#strangers = new Pace(parts.policy.callsPerMinute, parts.clock);
  }

  /**
   * The ghost, which calls or writes on `trunk`, is registered and joined when the room is found. Throws HomeserverError,
   * UnfitRoomError.
   */
  open(target: RingTarget, ghost: UserId, trunk: TrunkName | undefined): Promise<RoomId> {
    return this.#open(target, ghost, trunk, undefined);
  }

  /** The same for a call: never rejects for what the homeserver says. */
  async find(target: RingTarget, ghost: UserId, trunk: TrunkName | undefined, call: CallId): Promise<Found> {
    try {
      return { kind: "matrix.roomFound", target, room: await this.#open(target, ghost, trunk, call) };
    } catch (error) {
      if (!(error instanceof HomeserverError) && !(error instanceof UnfitRoomError)) throw error;
      this.#parts.log.warn("nobody can be rung there", {
        ...target,
        target: target.kind,
        ghost,
        code: error.code,
        error,
      });
      return { kind: "matrix.roomMissing", target, message: error.message };
    }
  }

  /** A call, unlike a text, has to reach the person at once: it may ring elsewhere than in the room of the two. */
  async #open(
    target: RingTarget,
    ghost: UserId,
    trunk: TrunkName | undefined,
    call: CallId | undefined,
  ): Promise<RoomId> {
    const isNew = !(await this.#knows(target, ghost));
    if (isNew && !this.#strangers.allows(trunk ?? ""))
      throw new UnfitRoomError("TOO_MANY_STRANGERS", "too many callers who never called before");
    await this.#parts.ghosts.ensure(ghost);
    if (target.kind === "room") return this.#enter(target.room, ghost);
    const { person } = target;
    const own = (): Promise<RoomId> => this.#ofPerson(person, ghost);
    return call === undefined ? own() : this.#parts.firstCalls.roomFor({ call, ghost, person, isNew, own });
  }

  #knows(target: RingTarget, ghost: UserId): Promise<boolean> {
    const { rooms } = this.#parts;
    if (target.kind === "person") return rooms.have(ghost, target.person);
    return rooms.ours(target.room).then((ours) => ours.includes(ghost));
  }

  async #ofPerson(person: UserId, ghost: UserId): Promise<RoomId> {
    const { rooms, log } = this.#parts;
    const room = await rooms.direct(ghost, person);
    if (!(await this.#isEncrypted(room, ghost))) return room;
    // What a client sends there cannot be read, so that nobody could answer.
    const other = await rooms.directInstead(room, ghost, person);
    if (other === undefined || (await this.#isEncrypted(other, ghost))) {
      if (other !== undefined) await rooms.giveUp(other);
      await rooms.explain("encryption", other ?? room, ghost);
      throw new UnfitRoomError("ENCRYPTED", "the homeserver encrypts every new room");
    }
    log.info("a new room was made where the old one is encrypted", { room: other, before: room, person, ghost });
    return other;
  }

  async #enter(room: RoomId, ghost: UserId): Promise<RoomId> {
    const { rooms } = this.#parts;
    if (!(await this.#isIn(room, ghost))) await this.#join(room, ghost);
    if (!(await this.#isEncrypted(room, ghost))) return room;
    await rooms.explain("encryption", room, ghost);
    throw new UnfitRoomError("ENCRYPTED", "the room is encrypted");
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
        log.error(
          "a room of the configuration cannot be entered: invite the bridge's bot there, with the power to invite",
          {
            room,
            bot: homeserver.bot,
            code: error.code,
          },
        );
      throw error;
    }
    await rooms.join(room, ghost);
  }

  /** Not known is taken for no: somebody may still answer. */
  async #isEncrypted(room: RoomId, ghost: UserId): Promise<boolean> {
    try {
      return await this.#parts.homeserver.encrypted(room, ghost);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      this.#parts.log.warn("room's encryption is not known", { room, code: error.code, error });
      return false;
    }
  }
}
