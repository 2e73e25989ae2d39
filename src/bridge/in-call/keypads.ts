// Keys to tap, for clients without a keypad: a message of the number's with the twelve keys under it as reactions. Clients add a
// person's own reaction with one tap and take it back with the next, so that each of the two is a key. Which calls may have
// one, and who may tap: room-orders.ts.
import { eventId, parseUserId, roomId, type CallId, type EventId, type RoomId, type UserId } from "../../core/ids.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver, type MatrixFact } from "../../ports/homeserver.ts";
import { StoreError, type Settings } from "../../ports/store.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { RateLimit } from "../limits/rate-limit.ts";

export interface KeypadsParts {
  readonly homeserver: Pick<Homeserver, "encrypted" | "notice" | "react" | "withdraw">;
  /** Keeps which keypads stand in rooms, over a crash. */
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose keypad it is, and as whom we write there. */
export interface KeypadPlace {
  readonly call: CallId;
  readonly room: RoomId;
  readonly ghost: UserId;
  readonly person: UserId;
}

/** What somebody taps. */
export type Tap = Extract<MatrixFact, { kind: "reaction.added" | "event.withdrawn" }>;

interface Keypad extends KeypadPlace {
  /** Which key each of the person's reactions is that is there now. */
  readonly tapped: Map<EventId, string>;
}

/** As the keys of a telephone stand. */
const keys = "123456789*0#";
/** An emoji is the key with these two behind it; some clients leave the first one out. */
const emoji = "\ufe0f\u20e3";
const keyForm = /^([0-9*#])\ufe0f?\u20e3?$/;

const words = "Keypad: tap a key to send it. Tap it again to send it once more.";
const clearWords = "Your homeserver can see which keys you tap here. It cannot see keys that you write.";

/** Each is a message with twelve reactions. */
const keypadsPerMinute = 6;
/** As fast as keys can be played to a telephone. */
const keysPerMinute = 240;

const settingsKey = "keypads";

export class Keypads {
  readonly #parts: KeypadsParts;
  readonly #byCall = new Map<CallId, Keypad>();
  readonly #byMessage = new Map<EventId, Keypad>();
  /** Messages that stand in rooms, those that the last process has left among them. */
  readonly #standing = new Map<EventId, Pick<KeypadPlace, "room" | "ghost">>();
  #left: readonly EventId[] = [];
  readonly #openings: RateLimit;
  readonly #taps: RateLimit;
  readonly #tooMany: Tally;
  #saving: Promise<void> = Promise.resolve();

  constructor(parts: KeypadsParts) {
    this.#parts = parts;
    this.#openings = new RateLimit(keypadsPerMinute, parts.clock);
    this.#taps = new RateLimit(keysPerMinute, parts.clock);
    this.#tooMany = new Tally(parts.log, parts.clock, "keypad or key ignored: a person asks for too many");
  }

  /** Learns what the last process has left, if it died. Throws StoreError. */
  async load(): Promise<void> {
    const left = standingIn((await this.#parts.settings.get(settingsKey)) ?? "");
    for (const [message, place] of left) this.#standing.set(message, place);
    this.#left = [...left.keys()];
  }

  /** Takes that away. Never rejects. */
  async clear(): Promise<void> {
    await Promise.all(this.#left.map((message) => this.#takeAway(message)));
  }

  /** Never rejects for the homeserver. An earlier keypad of the call goes away: the new one is where the person reads. */
  async open(place: KeypadPlace): Promise<void> {
    const { homeserver, log } = this.#parts;
    const { call, room, ghost, person } = place;
    if (!this.#openings.allows(person)) return this.#tooMany.add({ room, person });
    this.#close(call);
    const keypad: Keypad = { ...place, tapped: new Map() };
    this.#byCall.set(call, keypad);
    const isWanted = (): boolean => this.#byCall.get(call) === keypad;
    const isSecret = await attempt(homeserver.encrypted(room, ghost), log, "could not look at a room", { room });
    const text = isSecret === true ? `${words} ${clearWords}` : words;
    const message = await attempt(homeserver.notice(room, ghost, text), log, "could not show a keypad", { room });
    if (message === undefined) return;
    this.#standing.set(message, { room, ghost });
    this.#save();
    if (!isWanted()) return this.#takeAway(message);
    this.#byMessage.set(message, keypad);
    for (const key of keys) {
      const put = homeserver.react(room, ghost, message, key + emoji).then(() => true);
      if ((await attempt(put, log, "could not show all keys", { room })) !== true || !isWanted()) return;
    }
  }

  /** The key, and whose call hears it; undefined where it is none. */
  take(tap: Tap): { readonly call: CallId; readonly key: string } | undefined {
    const keypad = tap.kind === "reaction.added" ? this.#byMessage.get(tap.about) : this.#keypadWith(tap.event);
    if (keypad?.person !== tap.sender) return undefined;
    const key = tap.kind === "reaction.added" ? keyForm.exec(tap.mark)?.[1] : keypad.tapped.get(tap.event);
    if (key === undefined) return undefined;
    const { call, room, person } = keypad;
    if (!this.#taps.allows(call)) {
      this.#tooMany.add({ room, person });
      return undefined;
    }
    if (tap.kind === "reaction.added") keypad.tapped.set(tap.eventId, key);
    else keypad.tapped.delete(tap.event);
    return { call, key };
  }

  /** Where the call has its person now; undefined: nowhere any more. */
  moved(call: CallId, to: RoomId | undefined): void {
    const keypad = this.#byCall.get(call);
    if (keypad !== undefined && keypad.room !== to) this.#close(call);
  }

  #keypadWith(reaction: EventId): Keypad | undefined {
    return [...this.#byCall.values()].find(({ tapped }) => tapped.has(reaction));
  }

  /** One whose message is still on its way goes when that is there. */
  #close(call: CallId): void {
    const keypad = this.#byCall.get(call);
    this.#byCall.delete(call);
    for (const [message, one] of this.#byMessage) {
      if (one !== keypad) continue;
      this.#byMessage.delete(message);
      void this.#takeAway(message);
    }
  }

  /** What may still be there is tried again after the next start. Never rejects. */
  async #takeAway(message: EventId): Promise<void> {
    const { homeserver, log } = this.#parts;
    const place = this.#standing.get(message);
    if (place === undefined) return;
    try {
      await homeserver.withdraw(place.room, place.ghost, message);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("could not take a keypad away: its keys do nothing", { room: place.room, code: error.code, error });
      if (error.transient) return;
    }
    this.#standing.delete(message);
    this.#save();
  }

  /** One after the other, each with what stands by then. */
  #save(): void {
    const { settings, log } = this.#parts;
    this.#saving = this.#saving
      .then(() => settings.set(settingsKey, linesOf(this.#standing)))
      .catch((error: unknown) => {
        if (!(error instanceof StoreError)) throw error;
        log.warn("could not store which keypads there are", { error });
      });
  }
}

type Standing = ReadonlyMap<EventId, Pick<KeypadPlace, "room" | "ghost">>;

/** No id has a space in it. */
function linesOf(standing: Standing): string {
  return [...standing].map(([message, { room, ghost }]) => `${message} ${room} ${ghost}`).join("\n");
}

function standingIn(lines: string): Standing {
  const standing = lines.split("\n").flatMap((line): [EventId, Pick<KeypadPlace, "room" | "ghost">][] => {
    const [message = "", room = "", user = ""] = line.split(" ");
    const ghost = parseUserId(user);
    return ghost === undefined ? [] : [[eventId(message), { room: roomId(room), ghost }]];
  });
  return new Map(standing);
}
