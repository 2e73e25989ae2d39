// Rooms that the homeserver knows and the database does not, because the database is new: which ghosts are in them, and
// which of them are conversations. Asked only when the database has nothing, so a call in a known room never waits.
import type { RoomId, UserId } from "../../core/ids.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { ourUser, type OurUser } from "../../core/number/plan/number-key.ts";
import { commonSpellings } from "../../core/number/plan/spellings.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { ConversationDirectory, GhostDirectory, RoomDirectory } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { RecentIds } from "../limits/recent-ids.ts";

export interface RecalledRoomsParts {
  readonly homeserver: Pick<Homeserver, "bot" | "joinedMembers" | "joinedRooms" | "members">;
  readonly ids: GhostIds;
  readonly plan: () => DialPlan;
  readonly ghosts: Pick<GhostDirectory, "find">;
  readonly directory: RoomDirectory;
  readonly conversations: Pick<ConversationDirectory, "add">;
  readonly log: Log;
}

/** More rooms than one number has with people; a ghost that is in more is looked for in the first ones. */
const mostRooms = 200;
const roomsAtOnce = 8;
/** What was asked for in vain, or is known since, is not asked for again. */
const remembered = 10_000;

export class RecalledRooms {
  readonly #parts: RecalledRoomsParts;
  readonly #askedUsers = new RecentIds(remembered);
  readonly #strangeRooms = new RecentIds(remembered);
  /** What is being asked, by room or user: whoever asks the same waits for the same answer. */
  readonly #asking = new Map<string, Promise<void>>();

  constructor(parts: RecalledRoomsParts) {
    this.#parts = parts;
  }

  /**
   * Finds out who of ours is in a room of which an event came. `hint`: somebody of ours who may be in it. Never rejects for
   * what the homeserver says.
   */
  recallRoom(room: RoomId, hint: UserId | undefined): Promise<void> {
    if (this.#strangeRooms.has(room)) return Promise.resolve();
    return this.#once(room, () => this.#recallMembers(room, hint));
  }

  async #recallMembers(room: RoomId, hint: UserId | undefined): Promise<void> {
    const { log } = this.#parts;
    try {
      const found = await this.#note(room, await this.#membersOf(room, hint));
      if (found === 0) this.#strangeRooms.add(room);
      else log.info("found an unknown room again on the homeserver", { room, ours: found });
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      if (!error.transient) this.#strangeRooms.add(room);
      log.warn("event from an unknown room: the homeserver does not say who is in it", {
        room,
        code: error.code,
        error,
      });
    }
  }

  /** Finds the rooms of all ghosts of this one's number which the database does not know. Never rejects, as above. */
  async recallNumber({ user: ghost, target }: OurUser): Promise<void> {
    const { ids, plan } = this.#parts;
    const spellings = target === undefined ? [] : commonSpellings(target, plan()).map((one) => ids.format(one));
    const users = new Set([ghost, ...spellings.filter((user) => user !== undefined)]);
    await Promise.all([...users].map((user) => this.#recallUnknown(user)));
  }

  /** Finds all rooms of one of ours. Never rejects, as above. */
  recallUser(user: UserId): Promise<void> {
    return this.#once(user, () => this.#recallAll(user));
  }

  async #recallAll(user: UserId): Promise<void> {
    const { homeserver, directory, log } = this.#parts;
    if (!this.#askedUsers.add(user)) return;
    try {
      const rooms = await homeserver.joinedRooms(user);
      for (let first = 0; first < Math.min(rooms.length, mostRooms); first += roomsAtOnce) {
        const some = rooms.slice(first, first + roomsAtOnce);
        await Promise.all(
          some.map(async (room) => {
            if ((await directory.ours(room)).includes(user)) return;
            const members = await homeserver.members(room, user);
            await this.#note(
              room,
              members.map((member) => member.user),
            );
          }),
        );
      }
      if (rooms.length > 0) log.debug("looked for a user's rooms on the homeserver", { user, rooms: rooms.length });
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      // Most of these were never registered: nobody has dialled the number in this spelling.
      if (!error.transient) return;
      log.warn("homeserver does not say which rooms a number is in", { user, code: error.code, error });
    }
  }

  #once(key: string, ask: () => Promise<void>): Promise<void> {
    const asking = this.#asking.get(key) ?? ask().finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** What the database knows of a ghost is all that there is. */
  async #recallUnknown(user: UserId): Promise<void> {
    if ((await this.#parts.ghosts.find(user)) === undefined) await this.recallUser(user);
  }

  async #membersOf(room: RoomId, hint: UserId | undefined): Promise<readonly UserId[]> {
    const { homeserver } = this.#parts;
    try {
      return await homeserver.joinedMembers(room);
    } catch (error) {
      if (!(error instanceof HomeserverError) || hint === undefined || !this.#isOurs(this.#read(hint))) throw error;
      return (await homeserver.members(room, hint)).map(({ user }) => user);
    }
  }

  /** Gives how many of ours are in the room. */
  async #note(room: RoomId, members: readonly UserId[]): Promise<number> {
    const { directory, conversations } = this.#parts;
    const present = members.map((user) => this.#read(user));
    const ours = present.filter((one) => this.#isOurs(one));
    for (const { user } of ours) await directory.saveOurs(room, user);
    const [person, another] = present.filter((one) => !ours.includes(one));
    const [ghost] = ours;
    if (person !== undefined && another === undefined && ghost !== undefined && ours.length === 1)
      await conversations.add({ room, person: person.user, number: ghost.key, ghost: ghost.user });
    return ours.length;
  }

  #read(user: UserId): OurUser {
    return ourUser(user, this.#parts.ids, this.#parts.plan());
  }

  #isOurs({ user, target }: OurUser): boolean {
    return user === this.#parts.homeserver.bot || target !== undefined;
  }
}
