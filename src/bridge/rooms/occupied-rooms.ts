// Which rooms have a running call. Clients drop an invite in a room where they are in a call, so two calls must never
// meet in one room.
import { isIn, type Call } from "../../core/call/model/call.ts";
import { isRinging } from "../../core/call/model/ringing.ts";
import type { CallId, RoomId } from "../../core/ids.ts";
import { isRunning, legOf } from "../../core/call/model/queries.ts";

export class OccupiedRooms {
  readonly #calls: () => readonly Call[];
  /** Rooms that were chosen for a call whose invite has not been ordered yet. */
  readonly #chosen = new Map<RoomId, CallId>();

  /** `calls`: those of the moment. */
  constructor(calls: () => readonly Call[]) {
    this.#calls = calls;
  }

  /** Running calls in the room, or about to be, besides the given one. */
  callsIn(room: RoomId, besides?: CallId): readonly Call[] {
    return this.#calls().filter((call) => call.id !== besides && isRunning(call) && this.#isIn(call, room));
  }

  /** From now on the room counts as occupied: the call will ring there. */
  choose(room: RoomId, call: CallId): void {
    const running = new Set(this.#calls().map(({ id }) => id));
    for (const [chosen, by] of this.#chosen) if (!running.has(by)) this.#chosen.delete(chosen);
    this.#chosen.set(room, call);
  }

  #isIn(call: Call, room: RoomId): boolean {
    const leg = legOf(call);
    if (leg !== undefined) return leg.room === room;
    if (!isIn(call, "alerting")) return false;
    if (call.phase.legs.some((one) => one.room === room && isRinging(one))) return true;
    return this.#chosen.get(room) === call.id && call.phase.legs.some(({ state }) => state === "finding");
  }
}
