// The conversation of a person and a telephone number: the room in which they last spoke, and the number's ghost in it,
// whichever spelling of the number that ghost stands for. Found again, or made. Also the room of a person and the bot.
import type { CallId, RoomId, UserId } from "../../core/ids.ts";
import type { OurUser } from "../../core/number/plan/number-key.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Conversation, ConversationDirectory } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Ghosts } from "./ghosts.ts";
import type { Rooms } from "./rooms.ts";
import type { OccupiedRooms } from "./occupied-rooms.ts";
import type { RecalledRooms } from "./recalled-rooms.ts";
import { isToBeEncrypted, type NewRoomsParts } from "./new-rooms.ts";
import { UnfitRoomError } from "./unfit-room.ts";

export interface ConversationsParts extends NewRoomsParts {
  readonly homeserver: Pick<
    Homeserver,
    "bot" | "botReadsEncrypted" | "createDirectRoom" | "encrypted" | "invite" | "members" | "readsEncrypted"
  >;
  readonly directory: ConversationDirectory;
  readonly ghosts: Pick<Ghosts, "ensure" | "ours">;
  readonly rooms: Rooms;
  readonly occupied: OccupiedRooms;
  readonly recalled: Pick<RecalledRooms, "recallNumber">;
  readonly log: Log;
}

/** Where a number speaks to a person, and as whom. */
export type Place = Pick<Conversation, "room" | "ghost">;

/** A person who has more rooms with one number than this is looked for in the latest ones only. */
const mostLookedAt = 5;
/** So many calls of one number may a person have at once; each has a room of its own. */
const mostRoomsAtOnce = 3;

export class Conversations {
  readonly #parts: ConversationsParts;
  /** Two calls at once find one room; by person and number. */
  readonly #opening = new Map<string, Promise<unknown>>();

  constructor(parts: ConversationsParts) {
    this.#parts = parts;
  }

  /** Whether the person has a room with this number, which may have to be made anew. */
  async have(person: UserId, whose: UserId | OurUser): Promise<boolean> {
    return (await this.#known(person, this.#ours(whose))).length > 0;
  }

  /** As `have`, but rooms that only the homeserver knows are looked for too. */
  async haveAnywhere(person: UserId, whose: UserId | OurUser): Promise<boolean> {
    return (await this.#recall(person, this.#ours(whose))).length > 0;
  }

  /** Where the two spoke last. */
  async latest(person: UserId, whose: UserId | OurUser): Promise<Place | undefined> {
    const [latest] = await this.#recall(person, this.#ours(whose));
    return latest;
  }

  /** The ghost under which the person knows this number. Never rejects. */
  async ghostFor(person: UserId, whose: UserId | OurUser): Promise<OurUser> {
    const ours = this.#ours(whose);
    try {
      const [latest] = await this.#known(person, ours);
      return this.#inPlace(latest, ours);
    } catch (error) {
      this.#parts.log.warn("could not look up a conversation", { person, ghost: ours.user, error });
      return ours;
    }
  }

  /**
   * The room of the conversation, made if there is none. The person is invited (again) where need be. For a call it is one
   * without a running call. Throws HomeserverError, UnfitRoomError.
   */
  open(person: UserId, whose: UserId | OurUser, call?: CallId): Promise<Place> {
    const ours = this.#ours(whose);
    return this.#once(person, ours, async () => {
      const place = await this.#findOrMake(person, ours, call);
      if (call !== undefined) this.#parts.occupied.choose(place.room, call);
      return place;
    });
  }

  /** The person made this room for the two, or speaks in it and nobody else is there. Never rejects. */
  async began(room: RoomId, person: UserId, whose: UserId | OurUser): Promise<void> {
    const { homeserver, directory, rooms, log } = this.#parts;
    const { user: ghost, key } = this.#ours(whose);
    try {
      // In the bot's room a number is a guest for one call.
      if (ghost !== homeserver.bot && (await rooms.ours(room)).includes(homeserver.bot)) return;
      await directory.save({ room, person, number: key, ghost });
    } catch (error) {
      log.error("could not save a conversation", { room, person, ghost, error });
    }
  }

  /** They speak in this room. Changes nothing where it is not a room of this person and one number. Never rejects. */
  async spoke(room: RoomId, person: UserId): Promise<void> {
    const { directory, log } = this.#parts;
    try {
      await directory.spoke(room, person);
    } catch (error) {
      log.error("could not save a conversation", { room, person, error });
    }
  }

  async #findOrMake(person: UserId, ours: OurUser, call: CallId | undefined): Promise<Place> {
    const { rooms, occupied } = this.#parts;
    const known = await this.#recall(person, ours);
    const ghost = this.#inPlace(known[0], ours);
    const isFree = ({ room }: Conversation): boolean => call === undefined || occupied.callsIn(room, call).length === 0;
    const free = known.filter(isFree);
    // The ghost may have a better name by now.
    await this.#ensure(ghost);
    const { place, encrypted } = await this.#look(free.slice(0, mostLookedAt), person);
    if (place !== undefined) return place;
    if (known.length - free.length >= mostRoomsAtOnce)
      throw new UnfitRoomError("BUSY", "every room of the two has a running call");
    if (encrypted !== undefined && !(await rooms.isFirstUnfit(encrypted.room))) throw await this.#giveUp(encrypted);
    const made = await this.#make(person, ghost);
    if (!(await rooms.isUnreadable(made.room, made.ghost))) {
      if (encrypted !== undefined) this.#noteReplaced(encrypted, made);
      return made;
    }
    await rooms.isFirstUnfit(made.room);
    throw await this.#giveUp(made);
  }

  /** The first one that the person is in, else the first that they can be invited to. */
  async #look(
    candidates: readonly Conversation[],
    person: UserId,
  ): Promise<{ readonly place?: Place; readonly encrypted?: Place }> {
    let second: (Place & { readonly isInvited: boolean }) | undefined;
    let encrypted: Place | undefined;
    for (const { room, ghost } of candidates) {
      const membership = await this.#membership({ room, ghost }, person);
      if (membership === "gone") continue;
      // What a client sends there cannot be read, so that nobody could answer.
      if (await this.#parts.rooms.isUnreadable(room, ghost)) encrypted ??= { room, ghost };
      else if (membership === "join") return { place: { room, ghost } };
      else second ??= { room, ghost, isInvited: membership === "invite" };
    }
    if (second === undefined) return encrypted === undefined ? {} : { encrypted };
    const { room, ghost, isInvited } = second;
    if (isInvited || (await this.#invite({ room, ghost }, person))) return { place: { room, ghost } };
    return encrypted === undefined ? {} : { encrypted };
  }

  /** `none`: the person is neither in the room nor invited. `gone`: the ghost is not in it any more. */
  async #membership({ room, ghost }: Place, person: UserId): Promise<"join" | "invite" | "none" | "gone"> {
    const { homeserver, rooms } = this.#parts;
    try {
      const members = await homeserver.members(room, ghost);
      return members.find(({ user }) => user === person)?.membership ?? "none";
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.transient) throw error;
      await rooms.forget(room);
      return "gone";
    }
  }

  /** False where they cannot be: banned, say. */
  async #invite({ room, ghost }: Place, person: UserId): Promise<boolean> {
    const { homeserver, rooms } = this.#parts;
    try {
      await homeserver.invite(room, ghost, person);
      return true;
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.transient) throw error;
      await rooms.forget(room);
      return false;
    }
  }

  async #make(person: UserId, ours: OurUser): Promise<Place> {
    const { homeserver, rooms } = this.#parts;
    const ghost = ours.user;
    const encrypted = await isToBeEncrypted(person, ghost, this.#parts);
    const room = await homeserver.createDirectRoom(ghost, person, encrypted);
    // First of all: nobody has to ask the homeserver who is in the room.
    await rooms.made(room, ghost);
    await this.began(room, person, ours);
    return { room, ghost };
  }

  async #giveUp({ room, ghost }: Place): Promise<UnfitRoomError> {
    await this.#parts.rooms.explain("encryption", room, ghost);
    return new UnfitRoomError("ENCRYPTED", "the homeserver encrypts every new room");
  }

  #noteReplaced(before: Place, { room, ghost }: Place): void {
    const fields = { room, before: before.room, ghost };
    this.#parts.log.info("made a new room because the old one is encrypted", fields);
  }

  #ours(whose: UserId | OurUser): OurUser {
    return this.#parts.ghosts.ours(whose);
  }

  /** Which of the number's ghosts it is that is there. */
  #inPlace(place: Place | undefined, ours: OurUser): OurUser {
    return place === undefined || place.ghost === ours.user ? ours : this.#ours(place.ghost);
  }

  async #ensure(ours: OurUser): Promise<void> {
    if (ours.target !== undefined) await this.#parts.ghosts.ensure(ours);
  }

  #known(person: UserId, { key }: OurUser): Promise<readonly Conversation[]> {
    return this.#parts.directory.find(person, key);
  }

  async #recall(person: UserId, ours: OurUser): Promise<readonly Conversation[]> {
    const known = await this.#known(person, ours);
    if (known.length > 0) return known;
    await this.#parts.recalled.recallNumber(ours);
    return this.#known(person, ours);
  }

  async #once<Found>(person: UserId, { key: number }: OurUser, find: () => Promise<Found>): Promise<Found> {
    const key = `${person}\n${number}`;
    const opening = (this.#opening.get(key) ?? Promise.resolve()).catch(() => {}).then(find);
    this.#opening.set(key, opening);
    try {
      return await opening;
    } finally {
      if (this.#opening.get(key) === opening) this.#opening.delete(key);
    }
  }
}
