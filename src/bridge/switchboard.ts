// Takes every fact that comes in and brings it to the call, ghost or room it belongs to. Holds the calls of the moment.
// What a call does with a fact is core/call's business, who may call core/policy's.
import type { Call } from "../core/call/call.ts";
import { recover } from "../core/call/ending.ts";
import type { CallFact, SipFact } from "../core/call/event.ts";
import type { CallRecord } from "../core/call/record.ts";
import type { Step } from "../core/call/step.ts";
import type { CallId, MatrixCallId, RoomId, UserId } from "../core/ids.ts";
import type { CallReference, MatrixFact } from "../ports/homeserver.ts";
import type { CallLedger } from "../ports/store.ts";
import type { Bot } from "./bot.ts";
import { CallRunner, type CallRunnerParts } from "./call-runner.ts";
import { EarlyFacts } from "./early-facts.ts";
import type { Ghosts } from "./ghosts.ts";
import type { Invitation, Reception } from "./reception.ts";
import { ordersFor, type PerformParts } from "./perform.ts";
import { RecentIds } from "./recent-ids.ts";
import type { Rooms } from "./rooms.ts";

export interface SwitchboardParts {
  readonly ledger: CallLedger;
  readonly ghosts: Ghosts;
  readonly rooms: Rooms;
  readonly bot: Bot;
  readonly reception: Reception;
  readonly perform: PerformParts;
  readonly runner: Omit<CallRunnerParts, "onEnded">;
  readonly botUser: UserId;
}

/** Events remembered as acted on; the ledger remembers calls for longer. */
const recentEvents = 20_000;
/** Calls remembered as over, whose last candidates may still be on their way. */
const recentCalls = 1_000;

/** A bridge that stops or starts ends 500 calls a second: more drown a trunk that serves them all. */
const hangUpsAtOnce = 50;
const breathMs = 100;

type CallKey = string;

export class Switchboard {
  readonly #parts: SwitchboardParts;
  readonly #byKey = new Map<CallKey, CallRunner>();
  readonly #byId = new Map<CallId, CallRunner>();
  readonly #early: EarlyFacts;
  readonly #acted = new RecentIds(recentEvents);
  readonly #over = new RecentIds(recentCalls);
  #hangUps = 0;
  #draining = false;
  #drained: () => void = () => {};

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
    this.#early = new EarlyFacts(parts.runner.clock);
  }

  /** Calls of the moment. */
  get calls(): readonly Call[] {
    return [...this.#byId.values()].map((runner) => runner.call);
  }

  /** The door for everything of Matrix. Resolves when the fact has been acted on; never rejects. */
  async takeMatrix(fact: MatrixFact): Promise<void> {
    if (!this.#acted.add(fact.eventId)) return;
    try {
      await this.#route(fact);
    } catch (error) {
      this.#parts.runner.telemetry.log.error("fact could not be acted on", {
        fact: fact.kind,
        room: fact.room,
        event: fact.eventId,
        error,
      });
    }
  }

  /** The door for everything of the trunks. */
  takeSip(call: CallId, fact: SipFact): void {
    const runner = this.#byId.get(call);
    if (runner !== undefined) {
      void runner.post(fact);
      return;
    }
    this.#parts.runner.telemetry.factIgnored(fact.kind, "none");
    // Nobody waits for this answer any more, and somebody would pay for it.
    if (fact.kind === "sip.accepted") this.#parts.perform.sip.bye(call);
  }

  /** Takes up a call that the store still listed at the start, in order to end it on both sides. Never rejects. */
  async recover(call: Call): Promise<void> {
    const { clock, telemetry } = this.#parts.runner;
    try {
      const first = recover(call, clock.nowMs());
      await this.#run(first);
      await this.#breathe();
    } catch (error) {
      // Written by another version, or damaged: the others have to be ended all the same.
      telemetry.log.error("stored call could not be ended", { call: call.id, phase: call.phase, error });
    }
  }

  /** Ends every call, begins none, and waits until nothing is owed to anybody, but no longer than `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    const { clock } = this.#parts.runner;
    this.#draining = true;
    const empty = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    if (this.#byId.size === 0) this.#drained();
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.at(clock.nowMs() + patienceMs, resolve);
      this.#stopAll()
        .then(() => empty)
        .then(resolve, reject)
        .finally(cancel);
    });
  }

  async #stopAll(): Promise<void> {
    for (const runner of this.#byId.values()) {
      void runner.post({ kind: "bridge.stopped" });
      await this.#breathe();
    }
  }

  /** Between hang-ups of ours that were nobody's wish: so many at once, then a pause for trunks and homeserver. */
  async #breathe(): Promise<void> {
    const { clock } = this.#parts.runner;
    this.#hangUps += 1;
    if (this.#hangUps % hangUpsAtOnce !== 0) return;
    await new Promise<void>((resolve) => clock.at(clock.nowMs() + breathMs, resolve));
  }

  async #route(fact: MatrixFact): Promise<void> {
    switch (fact.kind) {
      case "member.invited":
        return this.#invitedToRoom(fact);
      case "member.joined":
        return;
      case "member.left":
        return this.#left(fact.room, fact.user);
      case "room.encrypted":
      case "event.unreadable":
        return this.#encrypted(fact.room);
      case "message.received":
        return this.#heard(fact);
      case "call.invited":
        return this.#invitedToCall(fact);
      case "call.answered":
      case "call.rejected":
        // Another device of the person's own: outbound calls have nobody else to answer them.
        return;
      case "call.candidates":
        return this.#toCall(fact, { kind: "matrix.candidates", candidates: fact.candidates });
      case "call.selected": {
        const runner = this.#byKey.get(keyOf(fact.room, fact.matrixCallId));
        const ours = fact.selected === runner?.call.leg.ownParty;
        return this.#toCall(fact, { kind: "matrix.selected", ours });
      }
      case "call.hungUp":
        return this.#toCall(fact, { kind: "matrix.hungUp", reason: fact.reason });
      case "call.offered":
        return this.#toCall(fact, { kind: "matrix.offered", sdp: fact.sdp });
      case "call.reanswered":
        return this.#toCall(fact, { kind: "matrix.reanswered", sdp: fact.sdp });
    }
  }

  async #invitedToRoom(fact: Extract<MatrixFact, { kind: "member.invited" }>): Promise<void> {
    const { ghosts, rooms, bot, botUser, reception, runner } = this.#parts;
    const isBot = fact.user === botUser;
    if (!isBot && !ghosts.isGhost(fact.user)) return;
    if (fact.public) {
      // Clients neither call nor ring in public rooms (Matrix spec, VoIP module), and a number has no business there.
      runner.telemetry.log.info("invitation to a public room ignored", { room: fact.room, user: fact.user });
      return;
    }
    if (!reception.heeds(fact.sender, "invitation")) {
      runner.telemetry.factIgnored(fact.kind, "none");
      return;
    }
    if (!isBot) await ghosts.ensure(fact.user);
    const missed = await rooms.enter(fact.room, fact.user);
    if (fact.encrypted) await rooms.explain("encryption", fact.room, fact.user);
    if (isBot) await bot.greet(fact.room, fact.encrypted);
    // What came before the join, invites last: a call that was given up again must not ring.
    const invites = missed.filter((one) => one.kind === "call.invited");
    for (const one of missed) if (one.kind !== "call.invited") await this.takeMatrix(one);
    for (const one of invites) await this.takeMatrix(one);
  }

  async #heard({ kind, room, sender, body }: Extract<MatrixFact, { kind: "message.received" }>): Promise<void> {
    const { rooms, bot, botUser, reception, runner } = this.#parts;
    if (!(await rooms.ours(room)).includes(botUser)) return;
    if (reception.heeds(sender, "message")) await bot.hear(room, sender, body);
    else runner.telemetry.factIgnored(kind, "none");
  }

  async #left(room: RoomId, user: UserId): Promise<void> {
    const { rooms } = this.#parts;
    // The calls first: whatever becomes of the room, somebody is on the telephone.
    for (const runner of this.#byId.values()) {
      const { leg } = runner.call;
      if (leg.room === room && (leg.person === user || leg.ghost === user)) await runner.post({ kind: "matrix.left" });
    }
    if ((await rooms.ours(room)).includes(user)) await rooms.gone(room, user);
    else await rooms.leaveIfEmpty(room);
  }

  async #encrypted(room: RoomId): Promise<void> {
    const [speaker] = await this.#parts.rooms.ours(room);
    if (speaker !== undefined) await this.#parts.rooms.explain("encryption", room, speaker);
  }

  async #invitedToCall(fact: Extract<MatrixFact, { kind: "call.invited" }>): Promise<void> {
    const key = keyOf(fact.room, fact.matrixCallId);
    if (this.#byKey.has(key) || (await this.#parts.ledger.known(fact.room, fact.matrixCallId))) return;
    const ghost = await this.#calledGhost(fact);
    if (ghost === undefined) return;
    const displayName = await this.#parts.reception.displayNameOf(fact.sender, ghost);
    // From here on without waiting, or two calls at once would not see each other.
    const early = this.#early.take(key).filter((one) => one.sender === fact.sender && sameParty(one, fact));
    if (early.some(({ fact: { kind } }) => kind === "matrix.hungUp" || kind === "matrix.selected")) {
      this.#parts.runner.telemetry.log.info("call was given up before it began", {
        room: fact.room,
        matrixCall: fact.matrixCallId,
      });
      return;
    }
    const invitation: Invitation = {
      fact,
      ghost,
      displayName,
      calls: this.calls,
      closed: this.#draining ? "restarting" : undefined,
    };
    const first = this.#parts.reception.receive(invitation);
    if (first === undefined) {
      this.#parts.runner.telemetry.factIgnored(fact.kind, "none");
      return;
    }
    await this.#run(first);
    for (const one of early) await this.#byKey.get(key)?.post(one.fact);
  }

  /**
   * The ghost an invite is for: the one it names, or the only one in a room with nobody else in it. Two numbers are never
   * rung at once, and none is by a call that was meant for somebody else.
   */
  async #calledGhost(fact: Extract<MatrixFact, { kind: "call.invited" }>): Promise<UserId | undefined> {
    const { rooms, ghosts } = this.#parts;
    const present = (await rooms.ours(fact.room)).filter((user) => ghosts.isGhost(user));
    if (fact.invitee !== undefined) return present.find((user) => user === fact.invitee);
    const [only, second] = present;
    if (only === undefined) return undefined;
    const alone = second === undefined && (await rooms.isAlone(fact.sender, fact.room, only));
    if (alone === true) return only;
    this.#parts.runner.telemetry.log.info("call that names nobody, in a room that is not one number's alone, ignored", {
      room: fact.room,
      ghosts: present.length,
    });
    if (alone === false) await rooms.explain("crowd", fact.room, only);
    return undefined;
  }

  async #toCall(reference: MatrixFact & CallReference, fact: CallFact): Promise<void> {
    const key = keyOf(reference.room, reference.matrixCallId);
    const runner = this.#byKey.get(key);
    if (runner === undefined) {
      this.#withoutCall(key, reference, fact);
      return;
    }
    const { leg } = runner.call;
    const isTheirs = sameParty(reference, { party: leg.personParty, version: leg.version });
    if (reference.sender === leg.person && isTheirs) await runner.post(fact);
    else this.#parts.runner.telemetry.factIgnored(fact.kind, "other-party");
  }

  #withoutCall(key: CallKey, { sender, party }: MatrixFact & CallReference, fact: CallFact): void {
    const { telemetry } = this.#parts.runner;
    if (this.#over.has(key)) telemetry.factIgnored(fact.kind, "ended");
    else if (fact.kind === "matrix.candidates" || fact.kind === "matrix.selected" || fact.kind === "matrix.hungUp")
      this.#early.keep(key, { sender, party, fact });
    else telemetry.factIgnored(fact.kind, "none");
  }

  async #run(first: Step): Promise<void> {
    const { call } = first;
    const runner = new CallRunner(first, (one) => ordersFor(one, this.#parts.perform), {
      ...this.#parts.runner,
      onEnded: (record) => this.#ended(record),
    });
    this.#byId.set(call.id, runner);
    this.#byKey.set(keyOf(call.leg.room, call.leg.matrixCallId), runner);
    this.#parts.runner.telemetry.callStarted();
    await runner.start(first);
  }

  #ended(record: CallRecord): void {
    this.#byId.delete(record.id);
    const key = keyOf(record.leg.room, record.leg.matrixCallId);
    this.#byKey.delete(key);
    this.#over.add(key);
    if (this.#byId.size === 0) this.#drained();
  }
}

function keyOf(room: RoomId, matrixCallId: MatrixCallId): CallKey {
  return `${room}\n${matrixCallId}`;
}

/** Whether an event comes from the device that made the call; version 0 has no devices. */
function sameParty(
  event: { readonly party: string | undefined },
  call: { readonly party: string | undefined; readonly version: "0" | "1" },
): boolean {
  return call.version === "0" || call.party === undefined || event.party === call.party;
}
