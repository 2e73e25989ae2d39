// The one door in: events are stored, acknowledged, then handed to the bridge, in order within a room and side by side
// across rooms. What is stored and not done is handed over again after a restart. What people write may take long to be
// acted on: it waits for all that was before it in its room, but only the next message waits for it, no call does.
import type { EventId, RoomId, UserId } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { LadderTap, MatrixSaid } from "../ports/ladders/tap.ts";
import type { Disposal, MatrixFact, MatrixSinks } from "../ports/homeserver.ts";
import type { Inbox, InboxEntry } from "../ports/store.ts";
import type { Log, Telemetry } from "../ports/telemetry.ts";
import type { Encryption } from "./encryption/encryption.ts";
import { readEvent, type RoomFact } from "./wire/event.ts";

export interface IntakeParts {
  /** Asked again each time; not before the edge listens. */
  readonly sinks: () => Pick<MatrixSinks, "inbox" | "heard">;
  readonly isOwn: (user: UserId) => boolean;
  /** Reads encrypted events; undefined: they stay unreadable. */
  readonly encryption?: Pick<Encryption, "note" | "open"> | undefined;
  /** What an event means to the bridge, in order. Never rejects. */
  readonly meaning: (fact: RoomFact) => Promise<readonly MatrixFact[]>;
  /** Told of every event that is one to the bridge. */
  readonly tap?: Pick<LadderTap, "matrix">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log" | "eventsTaken" | "inboxDepth">;
}

type Tails = Map<RoomId, Promise<void>>;
type Origin = "stored" | "not stored";

/** A homeserver sends a transaction again until it is acknowledged, for days if need be. */
const rememberMs = 7 * 24 * 3_600_000;
const pruneIntervalMs = 6 * 3_600_000;
/** The bridge answers a fact by queueing it; longer than this is worth a line. */
const slowMs = 5_000;
/** What is said in calls is acted on after so long, stored or not. */
const patienceMs = 250;
/** A message goes all the way to the telephone network, where it may be tried for half a minute by each of several gateways. */
const slowMessageMs = 120_000;

export class Intake {
  readonly #parts: IntakeParts;
  readonly #log: Log;
  /** Of each room, the last fact that is being acted on; and of what people write and tap, which comes in there, the last. */
  readonly #tails: Tails = new Map();
  readonly #saidTails: Tails = new Map();
  #depth = 0;
  #delivering = false;
  /** Serialises what changes the inbox's order. */
  #turn: Promise<unknown> = Promise.resolve();
  #cancelPrune: () => void = () => undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#log = parts.telemetry.log;
  }

  get #inbox(): Inbox {
    return this.#parts.sinks().inbox;
  }

  /** Stored facts that the bridge has not finished with. */
  get depth(): number {
    return this.#depth;
  }

  /**
   * Stores a transaction's events; when this resolves they may be acknowledged. What is said in calls waits for no store: it
   * is acted on from memory, and is worth nothing after a restart, so that it needs no second telling. Throws StoreError.
   */
  async take(events: readonly unknown[]): Promise<void> {
    const facts = this.#read(events);
    const { clock } = this.#parts;
    await this.#inTurn(async () => {
      const ahead = new Set<EventId>();
      const goAhead = (may: (fact: RoomFact) => boolean): void => {
        for (const fact of this.#delivering ? facts.keys() : []) {
          if (ahead.has(fact.eventId) || !may(fact)) continue;
          ahead.add(fact.eventId);
          this.#enqueue(this.#onOwnClock(fact), "not stored");
        }
      };
      const cancel = clock.at(clock.nowMs() + patienceMs, () => goAhead(isSignal));
      try {
        for (const fact of await this.#store(facts)) {
          if (ahead.has(fact.eventId)) void this.#finish(fact.eventId);
          else if (this.#delivering) this.#enqueue(this.#onOwnClock(fact), "stored", facts.get(fact));
        }
      } catch (error) {
        // A new call is refused in words, unless the rest of its transaction comes again, which may be its ghost's invitation.
        const all = [...facts.keys()].every(isOfCall);
        goAhead(all ? isOfCall : isSignal);
        if (!all || !this.#delivering) throw error;
        this.#log.warn("acting on call events that could not be stored", { events: facts.size, error });
      } finally {
        cancel();
      }
    });
  }

  /**
   * For events that were found in a timeline: gives the facts that were never taken, and takes them. They are the caller's
   * from now on; messages are not among them, but come like any other. Throws StoreError.
   */
  async claim(events: readonly unknown[]): Promise<readonly MatrixFact[]> {
    const facts = this.#read(events);
    const fresh = await this.#inTurn(() => this.#store(facts));
    const claimed: MatrixFact[] = [];
    for (const one of fresh) {
      const fact = await this.#opened(this.#onOwnClock(one), facts.get(one));
      if (fact !== undefined && isSaid(fact)) {
        // A call is worthless when it is late, and a message is not: it stays in store until it is delivered.
        if (this.#delivering) this.#enqueue(fact);
        continue;
      }
      void this.#finish(one.eventId);
      if (fact !== undefined) claimed.push(...(await this.#parts.meaning(fact)));
    }
    return claimed;
  }

  /** Hands over what is stored, oldest first, and from now on everything that comes. Throws StoreError. */
  async deliver(): Promise<void> {
    await this.#inTurn(async () => {
      const pending = await this.#inbox.pending();
      this.#delivering = true;
      for (const entry of pending) {
        const fact = this.#reread(entry);
        if (fact === undefined) void this.#finish(entry.eventId);
        else this.#enqueue(this.#onOwnClock(fact), "stored", entry.json);
      }
    });
    await this.#prune();
  }

  /** What has come to pass without an event, behind all that was said in the room before. */
  report(fact: MatrixFact): void {
    if (this.#delivering) this.#enqueue(fact, "not stored");
  }

  /** Resolves when the bridge has acted on everything handed over. */
  async idle(): Promise<void> {
    while (this.#tails.size + this.#saidTails.size > 0)
      await Promise.all([...this.#tails.values(), ...this.#saidTails.values()]);
  }

  /** What comes is stored for the next start, and so is a message that has to wait for another. */
  stop(): void {
    this.#delivering = false;
    this.#cancelPrune();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Facts, and the events they were read from as they are stored. */
  #read(events: readonly unknown[]): ReadonlyMap<RoomFact, string> {
    const nowMs = this.#parts.clock.wallMs();
    const facts = new Map<RoomFact, string>();
    for (const event of events) {
      const reading = readEvent(event, nowMs, this.#parts.isOwn);
      const json = reading.kind === "fact" ? jsonOf(event) : undefined;
      if (reading.kind === "fact" && json !== undefined) {
        facts.set(reading.fact, json);
        if (reading.fact.kind !== "event.unreadable") this.#parts.tap?.matrix(saidIn(event, reading.fact, false));
        this.#parts.encryption?.note(reading.fact);
      } else if (reading.kind === "fact" || reading.why === "malformed")
        this.#log.info("malformed event ignored", labelOf(event));
    }
    return facts;
  }

  async #store(facts: ReadonlyMap<RoomFact, string>): Promise<readonly RoomFact[]> {
    if (facts.size === 0) return [];
    const entries: InboxEntry[] = [];
    for (const [{ eventId, room, receivedAtMs }, json] of facts) entries.push({ eventId, room, receivedAtMs, json });
    const taken = new Set((await this.#inbox.take(entries)).map((entry) => entry.eventId));
    this.#parts.telemetry.eventsTaken(facts.size, facts.size - taken.size);
    const fresh: RoomFact[] = [];
    // One transaction may hold an event twice: `delete` lets only the first of them through.
    for (const fact of facts.keys()) if (taken.delete(fact.eventId)) fresh.push(fact);
    return fresh;
  }

  /** What is stored says the time of day, and facts the time of this process. */
  #onOwnClock(fact: RoomFact): RoomFact {
    const { clock } = this.#parts;
    return { ...fact, receivedAtMs: clock.nowMs() - Math.max(0, clock.wallMs() - fact.receivedAtMs) };
  }

  #reread(entry: InboxEntry): RoomFact | undefined {
    try {
      const reading = readEvent(JSON.parse(entry.json), entry.receivedAtMs, this.#parts.isOwn);
      if (reading.kind === "fact") return reading.fact;
    } catch {
      // Falls through: a row that holds no event is as good as none.
    }
    this.#log.error("skipped a stored event that cannot be read", { event: entry.eventId });
    return undefined;
  }

  /** @param json the event that the fact was read from; where it is not given, there is no more to read in it */
  #enqueue(fact: RoomFact, how: Origin = "stored", json?: string): void {
    this.#follow(this.#tails, fact.room, () => this.#act(fact, how, json));
  }

  #follow(tails: Tails, room: RoomId, work: () => Promise<void>): void {
    this.#count(1);
    const next = (tails.get(room) ?? Promise.resolve()).then(work).finally(() => {
      this.#count(-1);
      if (tails.get(room) === next) tails.delete(room);
    });
    tails.set(room, next);
  }

  /** What an encrypted event turns out to be; undefined if that is nothing that the bridge acts on. Never rejects. */
  async #opened(fact: RoomFact, json: string | undefined): Promise<RoomFact | undefined> {
    const { encryption, clock, isOwn } = this.#parts;
    if (fact.kind !== "event.unreadable" || json === undefined || encryption === undefined) return fact;
    const event = await encryption.open(fact.room, json);
    if (event === undefined) return fact;
    const { receivedAtMs } = fact;
    const reading = readEvent(event, clock.wallMs() - (clock.nowMs() - receivedAtMs), isOwn);
    // Nothing else is ever encrypted: what a room is, and who is in it, is said in the clear.
    const isMeant = reading.kind === "fact" && (isOfCall(reading.fact) || isSaid(reading.fact));
    if (isMeant) this.#parts.tap?.matrix(saidIn(event, reading.fact, true));
    return isMeant ? { ...reading.fact, receivedAtMs } : undefined;
  }

  /** Its turn in the room has come. Never rejects. */
  async #act(taken: RoomFact, how: Origin, json?: string): Promise<void> {
    const fact = taken.kind === "event.unreadable" ? await this.#opened(taken, json) : taken;
    // Stopped while it waited for its key, which may come before the next start.
    const waitsOn = fact?.kind === "event.unreadable" && this.#parts.encryption !== undefined && !this.#delivering;
    if (waitsOn) return;
    if (fact === undefined || !isSaid(fact)) return this.#perform(fact, taken.eventId, how);
    this.#follow(this.#saidTails, taken.room, async () => {
      // Stopped while it waited: it is none the worse for coming after the next start.
      if (this.#delivering) await this.#perform(fact, taken.eventId, how);
    });
  }

  /** Nothing is to be done with what is nothing to us. */
  async #perform(fact: RoomFact | undefined, event: EventId, how: Origin): Promise<void> {
    let disposal: Disposal = undefined;
    for (const one of fact === undefined ? [] : await this.#parts.meaning(fact)) {
      const what = await this.#hand(one);
      disposal ??= what;
    }
    if (how === "not stored") {
      // It is marked as done when it is stored, if it ever is.
    } else if (typeof disposal === "object") void this.#finishAfter(disposal.until, event);
    else if (disposal !== "later") void this.#finish(event);
  }

  /** Never rejects: a fact that breaks the bridge must neither stop its room nor come back at every start. */
  async #hand(fact: MatrixFact): Promise<Disposal> {
    const { clock, sinks } = this.#parts;
    const patienceMs = fact.kind === "message.received" ? slowMessageMs : slowMs;
    const cancelWarning = clock.at(clock.nowMs() + patienceMs, () =>
      this.#log.warn("the bridge is slow to handle an event", { event: fact.eventId, fact: fact.kind }),
    );
    try {
      return await sinks().heard(fact);
    } catch (error) {
      this.#log.error("the bridge failed to handle an event", { event: fact.eventId, fact: fact.kind, error });
      return undefined;
    } finally {
      cancelWarning();
    }
  }

  async #finishAfter(until: Promise<void>, event: EventId): Promise<void> {
    await until;
    // After a stop the store may be closed; the next start sees the fact again.
    if (this.#delivering) void this.#finish(event);
  }

  /** Nothing waits for it: an event that is handled again does no harm. Never rejects. */
  async #finish(event: EventId): Promise<void> {
    try {
      await this.#inbox.done(event);
    } catch (error) {
      this.#log.error("could not mark an event as done: it will be handled again", { event, error });
    }
  }

  #count(change: number): void {
    this.#depth += change;
    this.#parts.telemetry.inboxDepth(this.#depth);
  }

  async #prune(): Promise<void> {
    const { clock } = this.#parts;
    try {
      await this.#inbox.prune(clock.wallMs() - rememberMs);
    } catch (error) {
      this.#log.warn("could not delete old events", { error });
    }
    if (!this.#delivering) return;
    this.#cancelPrune();
    this.#cancelPrune = clock.at(clock.nowMs() + pruneIntervalMs, () => void this.#prune());
  }
}

/** What people write and tap: in one order, and no call waits for it. */
function isSaid({ kind }: RoomFact): boolean {
  return kind === "message.received" || kind === "reaction.added" || kind === "event.withdrawn";
}

function isOfCall({ kind }: RoomFact): boolean {
  return kind.startsWith("call.") || kind.startsWith("rtc.");
}

function isSignal(fact: RoomFact): boolean {
  return isOfCall(fact) && fact.kind !== "call.invited" && fact.kind !== "rtc.rang";
}

/** undefined for content nested so deeply that it can be read but not written: it must not jam its transaction for ever. */
function jsonOf(event: unknown): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return undefined;
  }
}

/** `event` has been read as that fact, so that it has its form. */
function saidIn(event: unknown, { room, sender, eventId }: RoomFact, encrypted: boolean): MatrixSaid {
  const { type, state_key: key, content }: { type?: unknown; state_key?: unknown; content?: unknown } = Object(event);
  const stateKey = typeof key === "string" ? key : undefined;
  return { way: "in", room, sender, type: String(type), stateKey, content, id: eventId, encrypted };
}

function shortText(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, 255) : undefined;
}

/** What can be said in the log of an event that cannot be read. */
function labelOf(event: unknown): Readonly<Record<string, unknown>> {
  if (typeof event !== "object" || event === null) return { is: event === null ? "null" : typeof event };
  return { event: shortText(Reflect.get(event, "event_id")), type: shortText(Reflect.get(event, "type")) };
}
