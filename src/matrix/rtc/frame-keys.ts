// Calls in encrypted rooms: with what our frames are encrypted, and theirs. Each device tells the others its key in a letter
// to each. Ours is another one as soon as somebody leaves who has had it.
import { randomBytes } from "node:crypto";
import { deviceId, type DeviceId, type EventId, parseUserId, type RoomId, type UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FrameKey, SeatId } from "../../ports/conference.ts";
import { pause } from "../../ports/pause.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Encryption } from "../encryption/encryption.ts";
import type { Letters } from "../encryption/letters.ts";
import type { Letter } from "../encryption/protocol.ts";
import { frameKeyContent, frameKeysType, readFrameKey } from "../wire/frame-keys.ts";
import type { RtcMembership } from "../wire/rtc.ts";
import type { RtcCall } from "./tracker/rtc-call.ts";
import type { RtcTracker } from "./tracker/tracker.ts";

export interface FrameKeysParts {
  readonly encryption: Pick<Encryption, "works" | "isEncrypted"> & {
    readonly letters: Pick<Letters, "address" | "arePushed" | "fetch" | "listen" | "write">;
  };
  readonly tracker: RtcTracker;
  /** A key has come, or ours is another one. */
  readonly changed: (seat: SeatId) => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Own {
  readonly room: RoomId;
  readonly user: UserId;
  readonly device: DeviceId;
  readonly memberId: string | undefined;
  /** With which we encrypt. */
  key: FrameKey;
  /** The one that we give away: in use in a moment, if it is not yet. */
  newest: FrameKey;
  /** We are in the call, so that the others want our key. */
  isTold: boolean;
  /** Who has it, by user and device, and by which of their memberships: a client that was restarted has forgotten it. */
  readonly told: Map<string, EventId>;
  /** Keys are looked for at once: somebody has come. */
  wake: () => void;
}

const secretBytes = 16;
/** Rooms in which keys are remembered, and devices in each of them: strangers may write, and fill their own room alone. */
const mostRooms = 2_000;
const mostDevices = 200;
/** A device has a new key each time that somebody leaves; frames under way have one of the last. */
const mostKeys = 8;
/** So long the others need to get our new key before we use it, as with clients. */
const useAfterMs = 1_000;
/** Where letters are not pushed: while somebody's key is missing, and after it has come. Others use a new key after a second. */
const missingPauseMs = 500;
const idlePauseMs = 1_000;

export class FrameKeys {
  readonly #parts: FrameKeysParts;
  readonly #theirs = new RecentMap<RoomId, RecentMap<string, readonly FrameKey[]>>(mostRooms);
  readonly #own = new Map<SeatId, Own>();
  readonly #stopped = new AbortController();

  constructor(parts: FrameKeysParts) {
    this.#parts = parts;
    parts.encryption.letters.listen((_to, letter) => this.#hear(letter));
    parts.tracker.listen({
      changed: (call) => this.#follow(call),
      over: ({ seat }) => this.over(seat),
    });
  }

  /** The device under which a number takes part in a call of the room; undefined: any will do. Throws CryptoError, HomeserverError. */
  async deviceIn(room: RoomId, user: UserId): Promise<DeviceId | undefined> {
    const { encryption } = this.#parts;
    if (!encryption.works || !(await encryption.isEncrypted(room, user))) return undefined;
    return deviceId(await encryption.letters.address(user));
  }

  /** Before anything of a call is sent to the media server. Throws HomeserverError. */
  async prepare({ seat, room, device, memberId }: RtcCall, user: UserId): Promise<void> {
    const { encryption, tracker } = this.#parts;
    if (this.#own.has(seat) || !encryption.works || !(await encryption.isEncrypted(room, user))) return;
    // The call may be over meanwhile.
    if (this.#own.has(seat) || tracker.call(seat) === undefined) return;
    const key = { index: 0, secret: randomBytes(secretBytes) };
    const whose = { room, user, device, memberId };
    this.#own.set(seat, { ...whose, key, newest: key, isTold: false, told: new Map(), wake: () => undefined });
    void this.#fetch(seat);
  }

  /** We are in the call: who is there gets our key, and whoever comes. Never rejects. */
  tell(seat: SeatId): void {
    const own = this.#own.get(seat);
    if (own === undefined) return;
    own.isTold = true;
    this.#spread(own);
  }

  own(seat: SeatId): FrameKey | undefined {
    return this.#own.get(seat)?.key;
  }

  of(room: RoomId, { user, device }: RtcMembership): readonly FrameKey[] {
    return this.#theirs.get(room)?.get(personOf({ user, device })) ?? [];
  }

  over(seat: SeatId): void {
    const own = this.#own.get(seat);
    if (own === undefined) return;
    this.#own.delete(seat);
    own.wake();
    if ([...this.#own.values()].some(({ room }) => room === own.room)) return;
    // In the next call they have others, under the same numbers.
    this.#theirs.delete(own.room);
  }

  stop(): void {
    this.#stopped.abort();
    this.#own.clear();
  }

  #follow({ seat, room }: RtcCall): void {
    const own = this.#own.get(seat);
    own?.wake();
    if (own === undefined || !own.isTold) return;
    const present = new Set(this.#parts.tracker.present(room).map(({ membership }) => personOf(membership)));
    const gone = [...own.told.keys()].filter((person) => !present.has(person));
    // With nobody left there is nobody to hear us with another key.
    if (gone.length > 0 && present.size > 0) this.#renew(seat, own);
    else this.#spread(own);
  }

  /** Whoever has left could still listen to what we say with the key that they have. */
  #renew(seat: SeatId, own: Own): void {
    const { clock, changed } = this.#parts;
    const key = { index: (own.newest.index + 1) % 256, secret: randomBytes(secretBytes) };
    own.newest = key;
    own.told.clear();
    this.#spread(own);
    clock.at(clock.nowMs() + useAfterMs, () => {
      own.key = key;
      changed(seat);
    });
  }

  #spread(own: Own): void {
    const { tracker } = this.#parts;
    for (const { membership, latest } of tracker.present(own.room)) {
      const person = personOf(membership);
      if (own.told.get(person) === latest) continue;
      own.told.set(person, latest);
      void this.#write(own, own.newest, membership);
    }
  }

  async #write(own: Own, key: FrameKey, { user, device }: RtcMembership): Promise<void> {
    const { encryption, clock, log } = this.#parts;
    try {
      const content = frameKeyContent(key, own, clock.wallMs());
      await encryption.letters.write(own.user, user, device, frameKeysType, content);
    } catch (error) {
      // The next time that somebody comes or goes.
      own.told.delete(personOf({ user, device }));
      log.warn("a person's device could not be told the key of a call: it hears nothing", { user, device, error });
    }
  }

  #hear({ sender, device, type, content }: Letter): void {
    const { tracker, changed, log } = this.#parts;
    const told = type === frameKeysType ? readFrameKey(content) : undefined;
    const user = parseUserId(sender);
    // Only its own key can a device tell, and only where there is a call.
    const isMeant = told !== undefined && user !== undefined && told.device === device && tracker.isLive(told.room);
    if (!isMeant) {
      log.debug("a key of a call is not taken", { sender, device, type });
      return;
    }
    const inRoom = this.#theirs.get(told.room) ?? new RecentMap(mostDevices);
    this.#theirs.set(told.room, inRoom);
    const name = personOf({ user, device });
    const others = (inRoom.get(name) ?? []).filter(({ index }) => index !== told.key.index);
    inRoom.set(name, [...others, told.key].slice(-mostKeys));
    for (const [seat, { room }] of this.#own) if (room === told.room) changed(seat);
  }

  /** Until the call is over. Never rejects. */
  async #fetch(seat: SeatId): Promise<void> {
    const { encryption, tracker, clock, log } = this.#parts;
    for (;;) {
      const own = this.#own.get(seat);
      if (own === undefined || this.#stopped.signal.aborted) return;
      if (!encryption.letters.arePushed) {
        await encryption.letters.fetch(own.user).catch((error: unknown) => {
          log.debug("could not ask for the keys of a call", { user: own.user, error });
        });
      }
      const isMissing = tracker.present(own.room).some(({ membership }) => this.of(own.room, membership).length === 0);
      const woken = new AbortController();
      own.wake = () => woken.abort();
      const pauseMs = isMissing ? missingPauseMs : idlePauseMs;
      await pause(pauseMs, clock, AbortSignal.any([this.#stopped.signal, woken.signal]));
    }
  }
}

function personOf({ user, device }: { readonly user: UserId; readonly device: string }): string {
  return `${user} ${device}`;
}
