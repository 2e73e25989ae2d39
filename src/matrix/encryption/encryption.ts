// End-to-end encryption of the rooms of ghosts and the bot: which rooms are encrypted, what was sent there, and what is to
// be sent. The bridge behind this edge sees plaintext alone. Whoever cannot have keys is told so once.
import { parseUserId, type RoomId, type UserId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError } from "../../ports/homeserver.ts";
import { pause } from "../../ports/pause.ts";
import type { Log } from "../../ports/telemetry.ts";
import { badAnswer, type HomeserverClient, type Patience } from "../client/homeserver-client.ts";
import { askEncrypted } from "../client/room-state.ts";
import type { RoomFact } from "../wire/event.ts";
import type { PushedNews } from "../wire/pushed-news.ts";
import type { CryptoWorker } from "./crypto-worker.ts";
import { DeviceMaker, noDevices } from "./device-maker.ts";
import { GhostDevice } from "./ghost-device.ts";
import { Identities } from "./identities.ts";
import { Letters } from "./letters.ts";
import type { HearLetter, Opened } from "./protocol.ts";
import { Pushing } from "./pushing.ts";
import { CryptoError } from "./worker-link.ts";

export interface EncryptionParts {
  readonly client: HomeserverClient;
  readonly worker: CryptoWorker;
  /** Who of ours is in a room. */
  readonly ours: (room: RoomId) => Promise<readonly UserId[]>;
  /** Of which the identities of our users are made. */
  readonly secret: Uint8Array;
  /** The application service's own user. */
  readonly sender: UserId;
  /** `always`: users of ours have keys from the start, not when a room of theirs is encrypted. */
  readonly mode: "on-demand" | "always";
  /** How many users of ours keep their keys in memory though they do not need them. */
  readonly mostDevices?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What goes into a room: as it is, or encrypted. */
export interface Sealed {
  readonly type: string;
  readonly content: unknown;
}

/** A key that has not come by then is not worth waiting for: the person has hung up. */
const keyPatienceMs = 10_000;
const lateDevicePatienceMs = 1_000;
/** Between two looks whether the key has come. */
const firstPauseMs = 100;
const longestPauseMs = 2_000;
/** An event holds 64 KiB in all; ours may have grown by what the homeserver adds. */
const mostEventBytes = 200_000;
/** More users of ours than this in one room are somebody's joke. */
const mostReaders = 5;
/** What is sent is tried again while the worker comes back. */
const sealPatienceMs = 10_000;
/** More users of ours than this have keys only while they need them: each takes about 70 KB. */
const mostDevices = 2_000;
/** Nothing of a call comes so late. */
const idleMs = 10 * 60_000;
/** Rooms whose encryption is remembered. */
const mostRooms = 50_000;
const mostLostSessions = 10_000;
const askPatience: Patience = { again: "repeatable", giveUpAfterMs: 10_000 };

/** What makes a room an encrypted one (client-server API, "m.room.encryption"). */
const encryptedState = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

export class Encryption {
  readonly #parts: EncryptionParts;
  readonly #pushing: Pushing;
  readonly #maker: DeviceMaker;
  readonly #identities: Identities;
  readonly letters: Letters;
  readonly #devices = new Map<UserId, GhostDevice>();
  readonly #rooms = new RecentMap<RoomId, boolean>(mostRooms);
  /** Sessions whose key was waited for in vain: nothing that they encrypt is waited for again. */
  readonly #lostSessions = new RecentMap<string, true>(mostLostSessions);
  /** Users of ours get keys as soon as they exist. */
  #eager: boolean;
  readonly #mostDevices: number;
  #refused = false;
  readonly #stopped = new AbortController();
  /** Aborted when messages come: whoever waits for a key looks at once. */
  #arrival = new AbortController();

  constructor(parts: EncryptionParts) {
    this.#parts = parts;
    this.#pushing = new Pushing(parts.clock);
    this.#maker = new DeviceMaker(parts.client, parts.log);
    this.#identities = new Identities(parts.client, parts.log);
    this.letters = new Letters((user) => this.#deviceOf(user), this.#pushing);
    this.#eager = parts.mode === "always";
    this.#mostDevices = parts.mostDevices ?? mostDevices;
  }

  /** Users of ours have keys before anybody calls them. */
  get isEager(): boolean {
    return this.#eager && !this.#refused;
  }

  /** False once the homeserver has refused to give our users devices. */
  get works(): boolean {
    return !this.#refused;
  }

  /** Whether what is sent to a user of ours can be read. Synapse gives an application service's own user nothing but by pushes. */
  isRead(user: UserId): boolean {
    return user !== this.#parts.sender || this.#pushing.sinceMs !== undefined;
  }

  /** The worker is ready before the first call is. */
  start(): void {
    void this.#parts.worker.link;
  }

  /** What a transaction tells devices of ours, before its events are opened. */
  pushed(news: PushedNews): void {
    if (news.lists === "incomplete") this.#pushing.missed();
    if (news.tellsOfKeys) this.#pushing.seen();
    const written = new Set<string>(news.messages.map(({ user }) => user));
    const concerned = new Set(written);
    for (const user of [...news.counts.keys(), ...news.unusedFallbackKeys.keys()]) concerned.add(user);
    for (const [user, device] of Array.from(this.#devices)) {
      if (news.lists !== undefined || concerned.has(user)) device.push(news);
      if (written.has(user) && this.#devices.delete(user)) this.#devices.set(user, device);
    }
    if (news.messages.length === 0) return;
    this.#arrival.abort();
    this.#arrival = new AbortController();
  }

  /** What an event says of its room. */
  note(fact: RoomFact): void {
    const { kind, room } = fact;
    if (kind === "event.unreadable") this.#rooms.set(room, true);
    else if (kind === "room.encrypted") {
      this.#rooms.set(room, true);
      // Before the next thing that is said there.
      void this.#prepareAll(room);
    } else if (kind === "member.invited" && fact.encrypted) {
      this.#rooms.set(room, true);
      if (fact.direct && !this.#devices.has(fact.user)) this.#beEager(room);
    }
  }

  /**
   * No client encrypts a room of itself for somebody without keys: everything is encrypted here, and the next number that is
   * dialled had better have keys before it is called.
   */
  #beEager(room: RoomId): void {
    if (this.#eager) return;
    this.#eager = true;
    this.#parts.log.warn(
      "a direct room was encrypted for a number without keys: if this homeserver encrypts every room, set encryption.mode to always, so that the first call after a start is not lost",
      { room },
    );
  }

  /** One of ours goes into a room: it has its keys before it is seen there, if the room is known to be encrypted. */
  async entering(room: RoomId, user: UserId): Promise<void> {
    if (this.#rooms.get(room) === true && !this.#refused) await this.#prepare(user);
  }

  /**
   * One of ours makes a room: it has its keys before anybody is invited there. Gives the state that encrypts the room, none
   * where it is to stay plain or nobody can have keys.
   */
  async making(user: UserId, encrypted: boolean): Promise<readonly object[]> {
    if (this.isEager || (encrypted && !this.#refused)) await this.#prepare(user);
    return encrypted && !this.#refused ? [encryptedState] : [];
  }

  /** A user of ours is there. */
  async registered(user: UserId): Promise<void> {
    if (this.isEager) await this.#prepare(user);
  }

  /** Whether what is sent in the room is encrypted, as a member sees it. Throws HomeserverError. */
  async isEncrypted(room: RoomId, as: UserId): Promise<boolean> {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const found = await askEncrypted(this.#parts.client, room, as);
    // An event may have said so meanwhile.
    if (this.#rooms.get(room) !== true) this.#rooms.set(room, found);
    return this.#rooms.get(room) === true;
  }

  /**
   * What is to be sent instead; the same in a plain room, and where nobody can have keys, so that people can be told. Throws
   * HomeserverError: a number that has keys sends nothing plain into an encrypted room.
   */
  async seal(room: RoomId, as: UserId, type: string, content: Readonly<Record<string, unknown>>): Promise<Sealed> {
    if (this.#refused || !(await this.isEncrypted(room, as))) return { type, content };
    const untilMs = this.#parts.clock.nowMs() + sealPatienceMs;
    for (;;) {
      try {
        const users = await this.#members(room, as);
        return { type: "m.room.encrypted", content: await this.#deviceOf(as).seal(room, users, type, content) };
      } catch (error) {
        this.#judge(error);
        if (!(error instanceof CryptoError)) throw error;
        const again = error.lost && !this.#stopped.signal.aborted && this.#parts.clock.nowMs() < untilMs;
        if (!again) throw new HomeserverError("ENCRYPTION", error.message, error.lost, { cause: error });
        await pause(firstPauseMs, this.#parts.clock, this.#stopped.signal);
      }
    }
  }

  /**
   * The plaintext of an encrypted event, as an event; undefined where it cannot be read, the log says why. Waits for a key
   * that has not come yet, but not for ever. Never rejects.
   */
  async open(room: RoomId, json: string): Promise<unknown> {
    if (this.#refused) return undefined;
    let why = "it is too long";
    try {
      if (json.length <= mostEventBytes) {
        const event = JSON.parse(json) as Readonly<Record<string, unknown>>;
        const found = await this.#waitFor(room, json, event);
        if (found.kind === "plain") return withPlaintext(event, found);
        ({ why } = found);
      }
    } catch (error) {
      this.#judge(error);
      why = String(error);
    }
    this.#parts.log.warn("an encrypted event could not be read", { room, why });
    return undefined;
  }

  async #waitFor(room: RoomId, json: string, event: Readonly<Record<string, unknown>>): Promise<Found> {
    const { clock } = this.#parts;
    const session = sessionOf(event);
    const able = (await this.#parts.ours(room)).filter((user) => this.isRead(user));
    const readers = able.slice(0, mostReaders).map((user) => this.#deviceOf(user));
    if (readers.length === 0) return { kind: "unreadable", why: "nobody of ours in the room can have keys" };
    const name = `${room} ${session}`;
    const startedMs = clock.nowMs();
    const sentAtMs = Number(event["origin_server_ts"]);
    // What is pushed may be on its way still.
    let steps = this.#pushing.sinceMs === undefined ? lookAndFetch : look;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const arrival = this.#arrival;
      const found = await this.#openAs(steps, readers, room, json, session);
      const hasFetched = steps === lookAndFetch;
      steps = lookAndFetch;
      if (found.kind === "plain") this.#lostSessions.delete(name);
      if (found.kind !== "later" || this.#stopped.signal.aborted) return found;
      // A client shares its key before it sends: whoever had no device then will hardly get it.
      const isLate = readers.every(({ madeAtMs }) => madeAtMs > sentAtMs);
      const keyMs = this.#lostSessions.has(name) ? 0 : isLate ? lateDevicePatienceMs : keyPatienceMs;
      const isKeyless = found.why === keyless;
      if (hasFetched && clock.nowMs() + pauseMs > startedMs + (isKeyless ? keyMs : keyPatienceMs)) {
        if (isKeyless) this.#lostSessions.set(name, true);
        return found;
      }
      await pause(pauseMs, clock, AbortSignal.any([this.#stopped.signal, arrival.signal]));
    }
  }

  /** Nothing waits for keys any more. */
  giveUp(): void {
    this.#stopped.abort();
  }

  stop(): Promise<void> {
    return this.#parts.worker.stop();
  }

  /** Each of ours looks; then each fetches its keys, and looks again. */
  async #openAs(
    steps: typeof look | typeof lookAndFetch,
    readers: readonly GhostDevice[],
    room: RoomId,
    json: string,
    session: string,
  ): Promise<Found> {
    let why = keyless;
    for (const step of steps) {
      for (const reader of readers) {
        try {
          if (step === "fetch") await reader.fetch(room, session);
          const opened = await reader.open(room, json);
          if (opened.kind !== "no-key") return opened;
        } catch (error) {
          this.#judge(error);
          const lasts = error instanceof HomeserverError && !error.transient;
          if (lasts || (error instanceof CryptoError && !error.lost)) throw error;
          why = String(error);
        }
      }
    }
    return { kind: "later", why };
  }

  #deviceOf(user: UserId): GhostDevice {
    const deliver: HearLetter = (to, letter) => this.letters.deliver(to, letter);
    const device =
      this.#devices.get(user) ??
      new GhostDevice(user, {
        ...this.#parts,
        pushing: this.#pushing,
        maker: this.#maker,
        identities: this.#identities,
        deliver,
      });
    // The last one is the one that was needed last.
    this.#devices.delete(user);
    this.#devices.set(user, device);
    const [[oldest, idle] = []] = this.#devices;
    if (oldest === undefined || idle === undefined || this.#devices.size <= this.#mostDevices) return device;
    if (this.#parts.clock.nowMs() - idle.usedAtMs < idleMs) return device;
    this.#devices.delete(oldest);
    void idle.forget();
    return device;
  }

  async #prepareAll(room: RoomId): Promise<void> {
    try {
      for (const user of await this.#parts.ours(room)) await this.#prepare(user);
    } catch (error) {
      this.#parts.log.warn("could not find out who of ours is in a room that is encrypted now", { room, error });
    }
  }

  /** Never rejects: whoever has no keys yet gets them when an event comes. */
  async #prepare(user: UserId): Promise<void> {
    try {
      await this.#deviceOf(user).prepare();
    } catch (error) {
      this.#judge(error);
      this.#parts.log.warn("a number could not be given keys", { user, error });
    }
  }

  /** A homeserver that gives application services no devices answers the first request so. */
  #judge(error: unknown): void {
    if (this.#refused || !(error instanceof HomeserverError) || error.code !== noDevices) return;
    this.#refused = true;
    this.#parts.log.error(
      "the homeserver gives the bridge's users no devices, neither by MSC4190 nor by logging them in, so that encrypted rooms cannot be read",
      { error },
    );
  }

  /** Who is to be able to read what is sent: whoever is invited sees it after joining. */
  async #members(room: RoomId, as: UserId): Promise<readonly UserId[]> {
    const query = { not_membership: "leave" };
    const request = { method: "GET", path: ["v3", "rooms", room, "members"], query } as const;
    const answer = await this.#parts.client.request(as, request, askPatience);
    const chunk = typeof answer === "object" && answer !== null && "chunk" in answer ? answer.chunk : undefined;
    if (!Array.isArray(chunk)) throw badAnswer("members");
    // Ours know what they say themselves.
    const ours = new Set([as, ...(await this.#parts.ours(room))]);
    const people = chunk.flatMap((event: { state_key?: unknown; content?: { membership?: unknown } } | null) => {
      const membership = event?.content?.membership;
      const user = membership === "join" || membership === "invite" ? event?.state_key : undefined;
      return (typeof user === "string" ? parseUserId(user) : undefined) ?? [];
    });
    return people.filter((user) => !ours.has(user));
  }
}

type Found = Exclude<Opened, { readonly kind: "no-key" }> | { readonly kind: "later"; readonly why: string };

const keyless = "its key has not come";
const look = ["look"] as const;
const lookAndFetch = ["look", "fetch"] as const;

/** Which key a message needs. */
function sessionOf({ content }: Readonly<Record<string, unknown>>): string {
  const id =
    typeof content === "object" && content !== null && "session_id" in content ? content.session_id : undefined;
  return String(id).slice(0, 100);
}

/**
 * Only type and content are encrypted; who sent it, and when, is said outside, and so is what it is about: not every client
 * repeats that inside (client-server API, "Forming relationships between events").
 */
function withPlaintext(
  {
    event_id,
    room_id,
    sender,
    origin_server_ts,
    age,
    unsigned,
    msc4354_sticky,
    content: outer,
  }: Readonly<Record<string, unknown>>,
  { type, content: inner }: Extract<Opened, { readonly kind: "plain" }>,
): unknown {
  const about =
    typeof outer === "object" && outer !== null && "m.relates_to" in outer ? outer["m.relates_to"] : undefined;
  const content = about === undefined ? inner : { ...inner, "m.relates_to": about };
  return { event_id, room_id, sender, origin_server_ts, age, unsigned, msc4354_sticky, type, content };
}
