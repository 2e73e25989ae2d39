// The rooms whose calls are followed. There are so many at most: one with nobody in its call is forgotten first, one where ours
// take part never.
import type { EventId, RoomId } from "../../../core/ids.ts";
import { RecentMap } from "../../../core/recent-map.ts";
import type { RtcEvent } from "../../wire/rtc.ts";
import type { RoomPresence } from "./room-presence.ts";

export interface Room {
  readonly id: RoomId;
  readonly presence: RoomPresence;
  /** Refused before we knew that it was ours: our homeserver may tell of it before it has answered us. */
  readonly refused: RecentMap<EventId, Extract<RtcEvent, { kind: "rtc.declined" }>>;
}

const mostRefused = 20;

export class TrackedRooms {
  readonly #most: number;
  readonly #isOurs: (room: RoomId) => boolean;
  readonly #rooms = new Map<RoomId, Room>();

  /** `isOurs`: whether we take part in its call. */
  constructor(most: number, isOurs: (room: RoomId) => boolean) {
    this.#most = most;
    this.#isOurs = isOurs;
  }

  get(id: RoomId): Room | undefined {
    return this.#rooms.get(id);
  }

  /** `presence`: of one that is not followed yet. What is asked for here is forgotten last. */
  of(id: RoomId, presence: (room: () => Room) => RoomPresence): Room {
    const room: Room = this.#rooms.get(id) ?? {
      id,
      presence: presence(() => room),
      refused: new RecentMap(mostRefused),
    };
    this.#rooms.delete(id);
    this.#rooms.set(id, room);
    if (this.#rooms.size > this.#most) this.#forget(this.#leastNeeded(id));
    return room;
  }

  #leastNeeded(newest: RoomId): Room | undefined {
    let oldest: Room | undefined;
    for (const room of this.#rooms.values()) {
      if (room.id === newest || this.#isOurs(room.id)) continue;
      if (room.presence.size === 0) return room;
      oldest ??= room;
    }
    return oldest;
  }

  #forget(room: Room | undefined): void {
    if (room === undefined) return;
    room.presence.clear();
    this.#rooms.delete(room.id);
  }
}
