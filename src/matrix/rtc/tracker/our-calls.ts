// The calls in which the bridge takes part, by seat and by room. Whoever has to follow them hears of each change.
import type { RoomId } from "../../../core/ids.ts";
import type { SeatId } from "../../../ports/conference.ts";
import type { RtcCall } from "./rtc-call.ts";

export interface TrackerListener {
  /** The room's memberships or the call's place are others than before. */
  changed(call: RtcCall): void;
  /** Nobody is left in it, or it was refused: ours leave. Not called for what `drop` ends. */
  over(call: RtcCall): void;
  /** Whether anybody of those in the call of a group is at the media server; told if nobody is. */
  met?(call: RtcCall, isAnybody: boolean): void;
}

export class OurCalls {
  readonly #calls = new Map<SeatId, RtcCall>();
  readonly #rooms = new Map<RoomId, Set<SeatId>>();
  readonly #listeners = new Set<TrackerListener>();

  listen(listener: TrackerListener): void {
    this.#listeners.add(listener);
  }

  get(seat: SeatId): RtcCall | undefined {
    return this.#calls.get(seat);
  }

  in(room: RoomId): readonly RtcCall[] {
    return [...(this.#rooms.get(room) ?? [])].flatMap((seat) => this.#calls.get(seat) ?? []);
  }

  add(call: RtcCall): void {
    this.#calls.set(call.seat, call);
    this.#rooms.set(call.room, (this.#rooms.get(call.room) ?? new Set()).add(call.seat));
  }

  /** What is not there any more stays away. */
  put(call: RtcCall): void {
    if (!this.#calls.has(call.seat)) return;
    this.#calls.set(call.seat, call);
    this.#tell(call);
  }

  tellAll(room: RoomId): void {
    for (const call of this.in(room)) this.#tell(call);
  }

  tellMet(call: RtcCall, isAnybody: boolean): void {
    for (const listener of this.#listeners) listener.met?.(call, isAnybody);
  }

  /** The bridge has done with it. */
  drop(seat: SeatId): void {
    const room = this.#calls.get(seat)?.room;
    this.#calls.delete(seat);
    const seats = room === undefined ? undefined : this.#rooms.get(room);
    seats?.delete(seat);
    if (room !== undefined && seats?.size === 0) this.#rooms.delete(room);
  }

  end(call: RtcCall): void {
    this.drop(call.seat);
    for (const listener of this.#listeners) listener.over(call);
  }

  #tell(call: RtcCall): void {
    for (const listener of this.#listeners) listener.changed(call);
  }
}
