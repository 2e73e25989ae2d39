// Who is in the call of one room, by the memberships that were told of there, and who has left it. What that means to the
// bridge is decided in tracker.ts.
import type { EventId } from "../../../core/ids.ts";
import { RecentMap } from "../../../core/recent-map.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { RtcMembership } from "../../wire/rtc.ts";
import { type FactSource, originOf } from "./fact-source.ts";

/** Somebody's device that is in the call of a room. */
export interface Present {
  readonly membership: RtcMembership;
  /** The first event of this stay. */
  readonly since: EventId;
  /** The last one, which may be the same. */
  readonly latest: EventId;
  /** They are not at the media server, so that their client may have died. */
  readonly isMissing?: boolean;
}

/** Devices of one person in the call of one room: whoever brings more hides nobody else. */
const mostOfPerson = 20;
/** More are a crowd in which no number takes part. */
const mostPresent = 1_000;
const mostRemembered = 20;

export class RoomPresence {
  readonly #clock: Clock;
  readonly #expired: (event: FactSource, key: string) => void;
  readonly #stays = new Map<string, Present>();
  /** Memberships that are over, by their event: a ring that comes late does not ring. */
  readonly #gone = new RecentMap<EventId, true>(mostRemembered);
  readonly #timers = new Map<string, () => void>();

  /** `expired`: a membership was not renewed in time. It is there until it is removed. */
  constructor(clock: Clock, expired: (event: FactSource, key: string) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  get size(): number {
    return this.#stays.size;
  }

  all(): readonly Present[] {
    return [...this.#stays.values()];
  }

  get(key: string): Present | undefined {
    return this.#stays.get(key);
  }

  /** Who came in, or renewed their membership, by that event. */
  by(event: EventId): Present | undefined {
    return this.all().find(({ since, latest }) => since === event || latest === event);
  }

  isGone(event: EventId): boolean {
    return this.#gone.has(event);
  }

  /** False: too many are there already, or too many of theirs. */
  hasPlaceFor({ key, user }: RtcMembership): boolean {
    if (this.#stays.has(key)) return true;
    const theirs = this.all().filter(({ membership }) => membership.user === user);
    return this.#stays.size < mostPresent && theirs.length < mostOfPerson;
  }

  /** `since`: the first event of this stay. */
  put(event: FactSource, membership: RtcMembership, since = event.eventId): void {
    const { key, expiresInMs } = membership;
    this.#stays.set(key, { membership, since, latest: event.eventId });
    this.#timers.get(key)?.();
    // A client that crashed leaves its membership behind: it ends by itself.
    const atMs = this.#clock.nowMs() + expiresInMs;
    const origin = originOf(event);
    const expire = (): void => this.#expired({ ...origin, ageMs: 0, receivedAtMs: this.#clock.nowMs() }, key);
    this.#timers.set(key, this.#clock.at(atMs, expire));
  }

  /** All that are there now. */
  markMissing(isMissing: boolean): void {
    for (const [key, stay] of this.#stays) this.#stays.set(key, { ...stay, isMissing });
  }

  /** Nothing is followed here any more. */
  clear(): void {
    for (const key of this.#stays.keys()) this.remove(key);
  }

  remove(key: string): void {
    const was = this.#stays.get(key);
    if (was === undefined) return;
    this.#stays.delete(key);
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    this.#gone.set(was.since, true);
    this.#gone.set(was.latest, true);
  }
}
