// Rooms of ghosts and the bot: which of them is in which room, joining, reading back what was sent before the join, and
// notices that a room gets only once. The room of a person and a number is found in conversations.ts.
import { describeCause } from "../../core/call/model/cause.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import { attempt } from "../../ports/attempt.ts";
import { HomeserverError, type Homeserver, type MatrixFact } from "../../ports/homeserver.ts";
import type { RoomDirectory } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { RecalledRooms } from "./recalled-rooms.ts";

export interface RoomsParts {
  readonly homeserver: Homeserver;
  readonly directory: RoomDirectory;
  readonly recalled: Pick<RecalledRooms, "recallRoom">;
  readonly log: Log;
}

/** The longest lifetime of an invite that is worth looking for; clients use 60 s. */
const readBackMaxAgeMs = 5 * 60_000;

/** Why calls in a room cannot be connected, whoever makes them. */
const obstacles = {
  encryption:
    "This room is encrypted. Calls and texts from encrypted rooms do not reach telephones yet. Please use a room without encryption.",
  bot: "This room is encrypted, and I cannot read what is written here. To write to me, please use a room without encryption. Calls of numbers can ring here all the same.",
  crowd:
    "There are several people or numbers in this room, so the bridge cannot tell whom you are calling. Please call from a room with only you and the number in it.",
} as const;

const videoWords = "Telephone numbers have no video. The call goes on with audio.";

const disclosureWords =
  "This room is encrypted between you and the telephone bridge. The bridge decrypts what is said and written here to pass it on to the telephone network, so whoever runs it could hear and read it.";

/** The name that databases of the first release know it by. */
const unfit = "unfit from the start";

export class Rooms {
  readonly #parts: RoomsParts;

  constructor(parts: RoomsParts) {
    this.#parts = parts;
  }

  /** Joins. False where the room cannot be joined: the log says why. */
  async enter(room: RoomId, user: UserId): Promise<boolean> {
    const joined = this.join(room, user).then(() => true);
    return (await attempt(joined, this.#parts.log, "could not join a room", { room, user })) ?? false;
  }

  /** What was sent before the join and so was never pushed, oldest first. Empty where the homeserver does not say: the log says why. */
  async readBack(room: RoomId, user: UserId): Promise<readonly MatrixFact[]> {
    const { homeserver, log } = this.#parts;
    const facts = homeserver.readBack(room, user, readBackMaxAgeMs);
    return (await attempt(facts, log, "could not read a room's timeline back", { room, user })) ?? [];
  }

  /** Throws HomeserverError. */
  async join(room: RoomId, user: UserId): Promise<void> {
    await this.#parts.homeserver.join(room, user);
    await this.#parts.directory.saveOurs(room, user);
  }

  /** Who of ours is in a room. `hint`: one who may be, where that is not known. */
  async ours(room: RoomId, hint?: UserId): Promise<readonly UserId[]> {
    const { directory, recalled } = this.#parts;
    const known = await directory.ours(room);
    if (known.length > 0) return known;
    await recalled.recallRoom(room, hint);
    return directory.ours(room);
  }

  /** Whether nobody is joined besides this person and users of ours, so that what is said can only be meant for these. As in `people`. */
  async isAlone(person: UserId, room: RoomId, witness: UserId): Promise<boolean | undefined> {
    const people = await this.people(room, witness);
    return people?.every(({ user, membership }) => membership !== "join" || user === person);
  }

  /** Who is joined or invited and no user of ours; undefined where the homeserver does not say. */
  async people(room: RoomId, witness: UserId): Promise<Awaited<ReturnType<Homeserver["members"]>> | undefined> {
    const { homeserver, directory, log } = this.#parts;
    const ours = new Set([homeserver.bot, ...(await directory.ours(room))]);
    const members = await attempt(homeserver.members(room, witness), log, "could not get a room's members", { room });
    return members?.filter(({ user }) => !ours.has(user));
  }

  /**
   * Turns down the invitation of somebody who may not use numbers. A ghost that was never registered cannot say no
   * (Synapse answers 403), and is not registered to say it: then the invitation stays unanswered. Never rejects.
   */
  async refuse(room: RoomId, user: UserId, person: UserId): Promise<void> {
    const { homeserver, log } = this.#parts;
    log.warn("invitation refused: this person may not call numbers", {
      room,
      user,
      person,
      setting: "permissions",
    });
    try {
      await homeserver.leave(room, user, describeCause("not-permitted").words);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.debug("could not decline an invitation", { room, user, code: error.code });
    }
  }

  /** One of ours leaves by itself. Throws HomeserverError. */
  async leave(room: RoomId, user: UserId): Promise<void> {
    await this.#parts.homeserver.leave(room, user);
    await this.gone(room, user);
  }

  /** One of ours was removed from the room. */
  async gone(room: RoomId, user: UserId): Promise<void> {
    await this.#parts.directory.removeOurs(room, user);
  }

  /** Nobody looks into it any more: whoever is rung or written to next has another one. */
  async forget(room: RoomId): Promise<void> {
    await this.#parts.directory.forget(room);
  }

  /** The last person left: ours leave too, so that nobody is invited into an empty room. */
  async leaveIfEmpty(room: RoomId): Promise<void> {
    const { homeserver, directory, log } = this.#parts;
    const ours = await directory.ours(room);
    const [witness] = ours;
    if (witness === undefined) return;
    try {
      const members = await homeserver.members(room, witness);
      if (members.some((member) => !ours.includes(member.user))) return;
      for (const user of ours) await homeserver.leave(room, user);
      await directory.forget(room);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("could not leave an empty room", { room, code: error.code, error });
    }
  }

  /** One of ours has made the room, and is in it. */
  async made(room: RoomId, user: UserId): Promise<void> {
    await this.#parts.directory.saveOurs(room, user);
  }

  /**
   * Whether it is encrypted, and the bridge cannot read it. If the homeserver does not say, the answer is no: somebody may
   * still answer the call.
   */
  async isUnreadable(room: RoomId, as: UserId): Promise<boolean> {
    const { homeserver, log } = this.#parts;
    if (homeserver.readsEncrypted) return false;
    const encrypted = homeserver.encrypted(room, as);
    return (await attempt(encrypted, log, "could not find out whether a room is encrypted", { room })) ?? false;
  }

  /** Whether the room is found to be unfit for calls for the first time: the next room that is made may be fit. */
  isFirstUnfit(room: RoomId): Promise<boolean> {
    return this.#parts.directory.firstTime(room, unfit);
  }

  /** Says once in a room what keeps its calls from being connected. */
  async explain(obstacle: keyof typeof obstacles, room: RoomId, as: UserId): Promise<void> {
    const { directory, log } = this.#parts;
    if (!(await directory.firstTime(room, obstacle))) return;
    log.warn("calls in a room cannot be connected", { room, obstacle });
    await this.#say(obstacles[obstacle], room, as);
  }

  /** Says once in a room that its calls have no video. */
  async declineVideo(room: RoomId, as: UserId): Promise<void> {
    const { directory, log } = this.#parts;
    if (!(await directory.firstTime(room, "video"))) return;
    log.info("video declined: the call goes on with audio", { room });
    await this.#say(videoWords, room, as);
  }

  /** Says once in an encrypted room that its encryption ends here. */
  async discloseReading(room: RoomId, as: UserId): Promise<void> {
    const { directory, log } = this.#parts;
    if (!(await directory.firstTime(room, "deciphered"))) return;
    log.info("numbers take part in an encrypted room", { room });
    await this.#say(disclosureWords, room, as);
  }

  async #say(text: string, room: RoomId, as: UserId): Promise<void> {
    const { homeserver, log } = this.#parts;
    await attempt(homeserver.notice(room, as, text), log, "could not write a notice in a room", { room });
  }
}
