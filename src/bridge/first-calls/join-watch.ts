// People who were invited to a room and have not joined yet: whoever waits for one of them learns when they join.
import { RecentMap } from "../../core/recent-map.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";

/** The promise is of them having joined. */
interface Awaited extends PromiseWithResolvers<void> {
  readonly sinceMs: number;
}

/** More invitations than this are never open at a time; the oldest is forgotten, and its call rings as if they were there. */
const remembered = 10_000;

export class JoinWatch {
  readonly #clock: Clock;
  readonly #awaited = new RecentMap<string, Awaited>(remembered);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The person has been invited, or is known to be in no more than that. */
  expect(room: RoomId, person: UserId): void {
    const key = keyOf(room, person);
    if (this.#awaited.has(key)) return;
    this.#awaited.set(key, { sinceMs: this.#clock.nowMs(), ...Promise.withResolvers<void>() });
  }

  isAwaited(room: RoomId, person: UserId): boolean {
    return this.#awaited.has(keyOf(room, person));
  }

  /** The person is in the room. Gives how long that took (ms), if it was waited for. */
  joined(room: RoomId, person: UserId): number | undefined {
    const found = this.#awaited.get(keyOf(room, person));
    if (found === undefined) return undefined;
    this.#awaited.delete(keyOf(room, person));
    found.resolve();
    return this.#clock.nowMs() - found.sinceMs;
  }

  /** The person does not come. */
  gaveUp(room: RoomId, person: UserId): void {
    this.#awaited.delete(keyOf(room, person));
  }

  /** True as soon as the person joins, false when `withinMs` are over. */
  comes(room: RoomId, person: UserId, withinMs: number): Promise<boolean> {
    const found = this.#awaited.get(keyOf(room, person));
    if (found === undefined) return Promise.resolve(true);
    return doneWithin(withinMs, found.promise, this.#clock);
  }
}

function keyOf(room: RoomId, person: UserId): string {
  return `${room}\n${person}`;
}
