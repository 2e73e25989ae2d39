// Keeps ladders in memory: takes what the edges hand over, removes secrets and contents, and puts it where the call finds it.
import { hash } from "node:crypto";
import type { CallId, TrunkName } from "../core/ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { CallThreads, LadderBook, LadderMessage, LadderSide } from "../ports/ladders/ladder.ts";
import type { LadderTap, MatrixRefused, MatrixSaid, SipSaid } from "../ports/ladders/tap.ts";
import type { Log } from "../ports/telemetry.ts";
import { unmarked } from "./redaction/marks.ts";
import { EventRedaction } from "./redaction/matrix.ts";
import { readHead, shownMessage, type SipHead } from "./redaction/sip-message.ts";
import { Shelves } from "./shelves.ts";
import { Thread } from "./thread.ts";

export interface LadderSettings {
  /** How long the ladders of ended calls are kept. */
  readonly keepMs: number;
  readonly memoryBytes: number;
}

export interface LaddersParts {
  readonly settings: LadderSettings;
  readonly ghostPrefix: string;
  readonly shownNumber: (number: string) => string;
  /** Who else is given each message, with its numbers marked. `call`: the first that it belongs to. Must not throw. */
  readonly sinks?: readonly LadderSink[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes what has been said as soon as it is known to which call it belongs. */
export interface LadderSink {
  said(message: LadderMessage, call: CallId | undefined): void;
  /** A call is over, and all that it said is here. */
  over?(call: CallId, messages: readonly LadderMessage[]): void;
}

/** Of one dialog, or of one call in one room: enough for a call of a day. */
const threadLimits = { messages: 400, bytes: 256 * 1024 };
/** A room may have much to say that no call cares for. */
const roomLimits = { messages: 60, bytes: 64 * 1024 };
/** What nobody claims for a call by then belongs to none. */
const looseMs = 2 * 60_000;
/** What was said in the room before the call was known belongs to it, and so do last words. */
const beforeMs = 20_000;
const afterMs = 40_000;
const sweepMs = 5_000;
/** A call that is tried over many trunks, or rings in many rooms. */
const mostThreads = 50;
const mostJoined = 10;
const perTrunk = 80;
const longestText = 16 * 1024;

const bridgeSide: LadderSide = { lane: "bridge", name: "" };

interface Followed {
  readonly threads: Set<string>;
  readonly fromMs: number;
  toMs: number;
}

export class Ladders implements LadderTap, LadderBook {
  readonly #parts: LaddersParts;
  readonly #events: EventRedaction;
  readonly #shelves: Shelves;
  readonly #calls = new Map<CallId, Followed>();
  readonly #callsOf = new Map<string, Set<CallId>>();
  /** Ended calls and how long they are kept, the first to go first. */
  readonly #over = new Map<CallId, number>();
  /** Ended calls whose last words may still come. */
  readonly #closing = new Map<CallId, () => void>();
  readonly #trunks = new Map<TrunkName, LadderMessage[]>();
  #order = 0;
  #sweptAtMs = 0;

  constructor(parts: LaddersParts) {
    this.#parts = parts;
    this.#events = new EventRedaction(parts.ghostPrefix);
    this.#shelves = new Shelves(parts.settings.memoryBytes, (thread, shelf) => this.#gone(thread, shelf === "loose"));
  }

  sip(said: SipSaid): void {
    try {
      this.#sip(said);
    } catch (error) {
      this.#parts.log.error("could not keep a SIP message for a ladder", { error });
    }
  }

  matrix(said: MatrixSaid): void {
    try {
      this.#matrix(said);
    } catch (error) {
      this.#parts.log.error("could not keep an event for a ladder", { error });
    }
  }

  matrixRefused({ said, code }: MatrixRefused): void {
    try {
      const shown = this.#events.shown(said);
      if (shown === undefined) return;
      const label = `${/^[A-Z0-9_]{1,40}$/.test(code) ? code : "refused"} (${shown.label})`;
      const [from, to] = [{ lane: "homeserver", name: "" } as const, bridgeSide];
      this.#add(roomKey(said.room, shown.matrixCallId), { from, to, label, text: "" });
    } catch (error) {
      this.#parts.log.error("could not keep an event for a ladder", { error });
    }
  }

  follow(call: CallId, { sip, matrix }: CallThreads): void {
    const nowMs = this.#parts.clock.wallMs();
    let followed = this.#calls.get(call);
    if (followed === undefined) {
      followed = { threads: new Set(), fromMs: nowMs - beforeMs, toMs: Number.POSITIVE_INFINITY };
      this.#calls.set(call, followed);
    }
    const keys = [
      ...sip.map(sipKey),
      ...matrix.flatMap((one) => [roomKey(one.room, one.matrixCallId), roomKey(one.room)]),
    ];
    for (const key of keys) {
      if (followed.threads.has(key) || followed.threads.size >= mostThreads) continue;
      followed.threads.add(key);
      const calls = this.#callsOf.get(key) ?? new Set();
      const isFirst = calls.size === 0;
      this.#callsOf.set(key, calls.add(call));
      const thread = this.#shelves.get(key);
      this.#shelves.move(key, "up", 0);
      if (isFirst) for (const message of thread?.since(followed.fromMs, nowMs) ?? []) this.#tell(message, call);
    }
  }

  ended(call: CallId): void {
    const { clock, settings } = this.#parts;
    const followed = this.#calls.get(call);
    if (followed === undefined || followed.toMs !== Number.POSITIVE_INFINITY) return;
    const nowMs = clock.wallMs();
    followed.toMs = nowMs + afterMs;
    this.#over.set(call, nowMs + settings.keepMs);
    const isHeard = [...followed.threads].some((key) => !key.startsWith("sip "));
    for (const key of followed.threads) {
      const isUp = [...(this.#callsOf.get(key) ?? [])].some(
        (one) => this.#calls.get(one)?.toMs === Number.POSITIVE_INFINITY,
      );
      if (!isUp) this.#shelves.move(key, isHeard ? "over" : "refused", nowMs + settings.keepMs);
    }
    if (this.#sinks.some((sink) => sink.over !== undefined))
      this.#closing.set(
        call,
        clock.at(clock.nowMs() + afterMs, () => this.#handOver(call)),
      );
  }

  ofCall(call: CallId, wholeNumbers: boolean): Promise<readonly LadderMessage[] | undefined> {
    const found = this.#messagesOf(call);
    return Promise.resolve(found && this.#shown(found, wholeNumbers));
  }

  ofTrunk(trunk: TrunkName, wholeNumbers: boolean): readonly LadderMessage[] {
    return this.#shown(this.#trunks.get(trunk) ?? [], wholeNumbers);
  }

  /** Those that are not over yet: the bridge stops. */
  close(): void {
    for (const [call, { toMs }] of this.#calls)
      if (this.#closing.has(call) || toMs === Number.POSITIVE_INFINITY) this.#handOver(call);
  }

  get #sinks(): readonly LadderSink[] {
    return this.#parts.sinks ?? [];
  }

  /** A call that was joined with another one, or taken over, has their legs too: all that share a dialog with it. */
  #messagesOf(call: CallId): readonly LadderMessage[] | undefined {
    if (!this.#calls.has(call)) return undefined;
    const family = new Set([call]);
    for (const one of family) {
      for (const key of this.#calls.get(one)?.threads ?? []) {
        if (!key.startsWith("sip ")) continue;
        for (const other of this.#callsOf.get(key) ?? []) if (family.size < mostJoined) family.add(other);
      }
    }
    const found = new Map<number, LadderMessage>();
    for (const one of family) {
      const followed = this.#calls.get(one);
      for (const key of followed?.threads ?? []) {
        const isRoom = key.startsWith("room ");
        const [fromMs, toMs] = isRoom && followed ? [followed.fromMs, followed.toMs] : [0, Number.POSITIVE_INFINITY];
        for (const message of this.#shelves.get(key)?.since(fromMs, toMs) ?? []) found.set(message.order, message);
      }
    }
    return found.size === 0 ? undefined : [...found.values()].toSorted((one, other) => one.order - other.order);
  }

  #handOver(call: CallId): void {
    this.#closing.get(call)?.();
    this.#closing.delete(call);
    const messages = this.#messagesOf(call) ?? [];
    if (messages.length > 0) for (const sink of this.#sinks) sink.over?.(call, messages);
  }

  #sip(said: SipSaid): void {
    const head = readHead(said.bytes);
    if (head === undefined) return;
    const key = sipKey(head.sipCallId);
    const isIn = said.way === "in";
    const opens = head.isRequest && head.method === "INVITE";
    const ring = this.#trunks.get(said.trunk) ?? [];
    const peer: LadderSide = { lane: "trunk", name: said.trunk, address: said.remote };
    const own: LadderSide = { lane: "bridge", name: "", address: said.local };
    const message = {
      from: isIn ? peer : own,
      to: isIn ? own : peer,
      transport: said.transport,
      label: head.label,
      print: () => `${said.way} ${said.remote.port} ${hash("sha1", said.bytes, "base64")}`,
      show: () => shownMessage(head),
    };
    if (opens || this.#shelves.get(key) !== undefined) return this.#add(key, { ...message, thread: threadOf(head) });
    // To a response that nobody asked for belongs no request of ours: anybody can send one.
    if (isIn && !head.isRequest && !ring.some(({ thread }) => thread === threadOf(head))) return;
    const isRepeat = ring
      .slice(-8)
      .some(({ text, label, thread }) => label === head.label && thread === threadOf(head) && text === message.show());
    const kept = this.#message({ ...message, thread: threadOf(head), text: isRepeat ? "" : message.show() }, isRepeat);
    ring.push(kept);
    if (ring.length > perTrunk) ring.shift();
    this.#trunks.set(said.trunk, ring);
    this.#tell(kept, undefined);
  }

  #matrix(said: MatrixSaid): void {
    const sender = this.#events.user(said.sender);
    const shown = this.#events.shown(said);
    if (shown === undefined) return;
    const client: LadderSide = { lane: "client", name: said.way === "in" ? sender : "" };
    const [from, to] = said.way === "in" ? [client, bridgeSide] : [bridgeSide, client];
    const key = roomKey(said.room, shown.matrixCallId);
    this.#add(key, { from, to, label: shown.label, thread: said.room, text: shown.text, print: () => said.id });
  }

  #add(key: string, said: Said): void {
    const { clock } = this.#parts;
    const nowMs = clock.wallMs();
    this.#sweep(nowMs);
    let thread = this.#shelves.get(key);
    if (thread === undefined) {
      thread = new Thread(key, key.startsWith("room ") ? roomLimits : threadLimits);
      this.#shelves.put(thread, nowMs + looseMs);
      if (this.#callsOf.has(key)) this.#shelves.move(key, "up", 0);
    }
    const before = thread.bytes;
    const isRepeat = said.print !== undefined && thread.isRepeat(said.print());
    const text = isRepeat ? "" : (said.text ?? said.show?.() ?? "");
    const message = this.#message({ ...said, text }, isRepeat);
    thread.add(message);
    this.#shelves.resized(thread.bytes - before);
    const [call] = this.#callsOf.get(key) ?? [];
    if (call !== undefined) this.#tell(message, call);
  }

  #message({ from, to, transport, label, thread = "", text = "" }: Said, isRepeat: boolean): LadderMessage {
    const cut = text.length > longestText ? `${text.slice(0, longestText)}\n[cut]` : text;
    const atMs = this.#parts.clock.wallMs();
    return { order: ++this.#order, atMs, from, to, transport, thread, label, isRepeat, text: cut, leftOutBefore: 0 };
  }

  #tell(message: LadderMessage, call: CallId | undefined): void {
    for (const sink of this.#sinks) sink.said(message, call);
  }

  #sweep(nowMs: number): void {
    if (Math.abs(nowMs - this.#sweptAtMs) < sweepMs) return;
    this.#sweptAtMs = nowMs;
    this.#shelves.sweep(nowMs);
    for (const [call, untilMs] of this.#over) {
      if (untilMs > nowMs) return;
      this.#forget(call);
    }
  }

  #forget(call: CallId): void {
    for (const key of this.#calls.get(call)?.threads ?? []) {
      const calls = this.#callsOf.get(key);
      calls?.delete(call);
      if (calls?.size === 0) this.#callsOf.delete(key);
    }
    this.#calls.delete(call);
    this.#over.delete(call);
  }

  #gone(thread: Thread, isLoose: boolean): void {
    if (isLoose) for (const message of thread.messages) this.#tell(message, undefined);
    for (const call of this.#callsOf.get(thread.key) ?? []) {
      const threads = this.#calls.get(call)?.threads ?? new Set();
      if (![...threads].some((key) => this.#shelves.get(key) !== undefined)) this.#forget(call);
    }
  }

  #shown(messages: readonly LadderMessage[], wholeNumbers: boolean): readonly LadderMessage[] {
    const show = (number: string): string => (wholeNumbers ? number : this.#parts.shownNumber(number));
    return messages.map((message) => ({
      ...message,
      text: unmarked(message.text, show),
      from: { ...message.from, name: unmarked(message.from.name, show) },
      to: { ...message.to, name: unmarked(message.to.name, show) },
    }));
  }
}

interface Said {
  readonly from: LadderSide;
  readonly to: LadderSide;
  readonly transport?: SipSaid["transport"] | undefined;
  readonly label: string;
  readonly thread?: string;
  readonly text?: string;
  /** The text, made only where it is needed. */
  readonly show?: () => string;
  /** The same for a repetition. */
  readonly print?: () => string;
}

function threadOf({ sipCallId }: SipHead): string {
  return sipCallId;
}

function sipKey(sipCallId: string): string {
  return `sip ${sipCallId}`;
}

/** Without a call: what is said in the room of its call, or of who is in it. */
function roomKey(room: string, matrixCallId?: string): string {
  return matrixCallId === undefined ? `room ${room}` : `call ${room} ${matrixCallId}`;
}
