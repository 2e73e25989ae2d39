// A new number rings in the person's room with the bot, because clients do not ring in rooms to which their person is
// only invited: the ghost joins for the call and leaves afterwards. One call at a time, because Element loses the
// second. Meanwhile the room's state marks the bot as a service member, so that clients name the room, and the call,
// after the number (MSC4171).
import type { CallId, RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Visits } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { Conversations } from "../rooms/conversations.ts";

export interface BotRoomVisitsParts {
  readonly homeserver: Pick<
    Homeserver,
    "bot" | "encrypted" | "readsEncrypted" | "invite" | "members" | "setServiceMembers"
  >;
  readonly rooms: Pick<Rooms, "join" | "leave">;
  readonly conversations: Pick<Conversations, "latest">;
  readonly visits: Visits;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Visitor {
  readonly call: CallId;
  readonly ghost: UserId;
  readonly person: UserId;
  /** The room that the number and the person have to themselves; it may still be in the making. */
  readonly own: Promise<RoomId>;
}

/** `none`: the person has no room with the bot, or no call can be in it. */
export type Admission = { readonly kind: "in" | "busy"; readonly room: RoomId } | { readonly kind: "none" };

interface Guest {
  /** Undefined: left behind by a process that died. */
  readonly visitor: Visitor | undefined;
  readonly ghost: UserId;
  /** Resolves when it is settled whether the ghost came in. */
  entered: Promise<boolean>;
}

const none: Admission = { kind: "none" };

export class BotRoomVisits {
  readonly #parts: BotRoomVisitsParts;
  readonly #guests = new Map<RoomId, Guest>();

  constructor(parts: BotRoomVisitsParts) {
    this.#parts = parts;
  }

  /** Before any call: rooms in which a process that died left a ghost have no place for another until `tidy`. Throws StoreError. */
  async load(): Promise<void> {
    for (const { room, ghost } of await this.#parts.visits.open())
      this.#guests.set(room, { visitor: undefined, ghost, entered: Promise.resolve(true) });
  }

  /** Has ghosts leave that a process that died left behind. Never rejects. */
  async tidy(): Promise<void> {
    for (const [room, guest] of this.#guests) if (guest.visitor === undefined) await this.#end(room, guest);
  }

  /** Brings the registered ghost into the person's room with the bot, if that can be. Never rejects for the homeserver. */
  async enter(visitor: Visitor): Promise<Admission> {
    const { homeserver, conversations } = this.#parts;
    const room = (await conversations.latest(visitor.person, homeserver.bot))?.room;
    if (room === undefined) return none;
    if (this.#guests.has(room)) return { kind: "busy", room };
    const guest: Guest = { visitor, ghost: visitor.ghost, entered: this.#bringIn(room, visitor) };
    this.#guests.set(room, guest);
    let entered = false;
    try {
      entered = await guest.entered;
    } finally {
      if (!entered) this.#guests.delete(room);
    }
    return entered ? { kind: "in", room } : none;
  }

  /** The call is over, and all that was to be said of it has been: its ghosts leave. Never rejects. */
  async over(call: CallId): Promise<void> {
    for (const [room, guest] of this.#guests) {
      if (guest.visitor?.call !== call || !(await guest.entered.catch(() => false))) continue;
      await this.#end(room, guest);
    }
  }

  /** The room of its own of a ghost that is a guest there; undefined for none, or where that could not be made. */
  async ownRoomOf(room: RoomId, ghost: UserId): Promise<RoomId | undefined> {
    const visitor = this.#guests.get(room)?.visitor;
    return visitor?.ghost === ghost ? visitor.own.catch(() => undefined) : undefined;
  }

  async #bringIn(room: RoomId, { ghost, person }: Visitor): Promise<boolean> {
    const { homeserver, rooms, log } = this.#parts;
    const bot = homeserver.bot;
    const obstacle = await this.#obstacleIn(room, person);
    if (obstacle !== undefined) {
      log.info("first call cannot ring in the room with the bot", { room, person, why: obstacle });
      return false;
    }
    await this.#note("begin", () =>
      this.#parts.visits.begin({ room, ghost, person, atMs: this.#parts.clock.wallMs() }),
    );
    try {
      await homeserver.setServiceMembers(room, bot, [bot]);
      await homeserver.invite(room, bot, ghost);
      await rooms.join(room, ghost);
      return true;
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn(
        "first call cannot ring in the room with the bot: the bot needs the power to invite and to set state there",
        {
          room,
          person,
          code: error.code,
          error,
        },
      );
      await this.#leave(room, ghost);
      return false;
    }
  }

  /** Why no call can be there; undefined where one can. */
  async #obstacleIn(room: RoomId, person: UserId): Promise<string | undefined> {
    const { homeserver } = this.#parts;
    try {
      const [members, encrypted] = await Promise.all([
        homeserver.members(room, homeserver.bot),
        homeserver.encrypted(room, homeserver.bot),
      ]);
      if (encrypted && !homeserver.readsEncrypted) return "it is encrypted";
      const there = members.filter(({ membership }) => membership === "join").map(({ user }) => user);
      if (!there.includes(person)) return "the person is not in it";
      return there.length === 2 && there.includes(homeserver.bot) ? undefined : "others are in it";
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      return error.message;
    }
  }

  async #end(room: RoomId, guest: Guest): Promise<void> {
    try {
      await this.#leave(room, guest.ghost);
    } finally {
      if (this.#guests.get(room) === guest) this.#guests.delete(room);
    }
  }

  async #leave(room: RoomId, ghost: UserId): Promise<void> {
    const { homeserver, rooms, visits, log } = this.#parts;
    try {
      await rooms.leave(room, ghost);
      await homeserver.setServiceMembers(room, homeserver.bot, []);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("could not tidy the room with the bot after a call", { room, ghost, code: error.code, error });
      // What nobody may do now will not be allowed at the next start either.
      if (error.transient) return;
    }
    await this.#note("end", () => visits.end(room, ghost));
  }

  /** A call does not wait for the store, and goes on without it: only a crash would leave the ghost behind. */
  async #note(what: "begin" | "end", write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#parts.log.warn("could not store a number's visit to the bot's room", { what, error });
    }
  }
}
