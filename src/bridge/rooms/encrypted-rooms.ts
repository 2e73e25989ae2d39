// Rooms that turn out to be encrypted. With keys of its own the bridge reads them, and says so once. Without, a call there is
// an event that it cannot read, so it can neither place nor refuse it: the number says so and leaves, and the next time it
// is dialled the client makes a room that works.
import type { RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { Rooms } from "./rooms.ts";
import type { OccupiedRooms } from "./occupied-rooms.ts";

export interface EncryptedRoomsParts {
  readonly homeserver: Pick<Homeserver, "bot" | "botReadsEncrypted" | "encrypted" | "notice" | "readsEncrypted">;
  readonly rooms: Pick<Rooms, "ours" | "leave" | "forget" | "explain" | "discloseReading">;
  readonly occupied: Pick<OccupiedRooms, "callsIn">;
  /** Rooms of the configuration: whoever is in them is to stay. */
  readonly ringingRooms: () => ReadonlySet<RoomId>;
  readonly clock: Clock;
  readonly log: Log;
}

const leavingWords =
  "This room is encrypted. Calls and texts from encrypted rooms do not reach telephones yet. This number leaves the room now. Please dial it again: that opens a room without encryption.";

const keylessWords = "This could not be decrypted. If it was a call, please hang up and call again.";

/** A number that cannot leave says no more than this in one room. */
const wordsPerMinute = 2;

export class EncryptedRooms {
  readonly #parts: EncryptedRoomsParts;
  readonly #words: RateLimit;
  readonly #leaving = new Set<RoomId>();

  constructor(parts: EncryptedRoomsParts) {
    this.#parts = parts;
    this.#words = new RateLimit(wordsPerMinute, parts.clock);
  }

  get areRead(): boolean {
    return this.#parts.homeserver.readsEncrypted;
  }

  get areReadByBot(): boolean {
    return this.#parts.homeserver.botReadsEncrypted;
  }

  /** Something came from the room that cannot be read. Never rejects for what the homeserver says. */
  async unreadable(room: RoomId): Promise<void> {
    if (!this.areRead) return this.found(room);
    const { homeserver, rooms } = this.#parts;
    const ours = await rooms.ours(room);
    const speaker = this.#reader(ours);
    if (speaker === undefined) return this.found(room);
    if (!this.#words.allows(room)) return;
    await this.#try(room, () => homeserver.notice(room, speaker, keylessWords));
  }

  /** One of ours has just joined: not every homeserver says with the invitation that a room is encrypted. Never rejects. */
  async look(room: RoomId, as: UserId): Promise<void> {
    try {
      if (await this.#parts.homeserver.encrypted(room, as)) await this.found(room);
    } catch (error) {
      this.#parts.log.debug("could not find out whether a room is encrypted", { room, error });
    }
  }

  /** The room is encrypted. Never rejects for what the homeserver says. */
  async found(room: RoomId): Promise<void> {
    const { rooms, homeserver, occupied, ringingRooms } = this.#parts;
    const ours = await rooms.ours(room);
    const [speaker] = ours;
    if (speaker === undefined || this.#leaving.has(room)) return;
    // Whoever talks is not cut off: the number leaves when next something comes that cannot be read.
    const numbers = ours.filter((user) => user !== homeserver.bot);
    const [number] = numbers;
    if (this.areRead) {
      const reader = this.#reader(ours);
      // No call waits for it.
      void this.#try(room, () =>
        reader === undefined ? rooms.explain("bot", room, speaker) : rooms.discloseReading(room, reader),
      );
      return;
    }
    const isKept = ringingRooms().has(room) || occupied.callsIn(room).length > 0;
    if (isKept || number === undefined) return rooms.explain("encryption", room, speaker);
    this.#leaving.add(room);
    try {
      await this.#leave(room, numbers, number, numbers.length < ours.length);
    } finally {
      this.#leaving.delete(room);
    }
  }

  /** Who of them reads encrypted rooms: a number, rather than the bot. */
  #reader(ours: readonly UserId[]): UserId | undefined {
    const { bot, botReadsEncrypted } = this.#parts.homeserver;
    return ours.find((user) => user !== bot) ?? (botReadsEncrypted ? ours[0] : undefined);
  }

  async #leave(room: RoomId, numbers: readonly UserId[], speaker: UserId, botStays: boolean): Promise<void> {
    const { rooms, homeserver, log } = this.#parts;
    log.warn("numbers leave an encrypted room", { room, numbers: numbers.length });
    await this.#try(room, async () => {
      if (this.#words.allows(room)) await homeserver.notice(room, speaker, leavingWords);
    });
    await this.#try(room, async () => {
      for (const user of numbers) await rooms.leave(room, user);
      if (!botStays) await rooms.forget(room);
    });
  }

  async #try(room: RoomId, work: () => Promise<unknown>): Promise<void> {
    await attempt(work(), this.#parts.log, "could not speak in an encrypted room, or leave it", { room });
  }
}
