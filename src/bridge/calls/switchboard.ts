// Takes every incoming fact to the call, ghost or room that it belongs to, and holds the calls in progress. Not here:
// what a call does with a fact (core/call), who may call (core/policy), what clients say in a call (call-signals.ts),
// rooms (room-facts.ts), and whom a trunk rings (inbound-admission.ts).
import { isIn, type Call } from "../../core/call/model/call.ts";
import { recover, type StoredCall } from "../../core/call/recover.ts";
import type { CallFact, SipFact } from "../../core/call/model/fact.ts";
import type { SipAddressee } from "../../core/policy/remote-identity.ts";
import { isBusy } from "../../core/call/established/renegotiation.ts";
import type { LegAddress } from "../../core/call/model/matrix-leg.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import type { Step } from "../../core/call/step.ts";
import { callOnClockAhead } from "../../core/call/times.ts";
import type { CallId, MatrixCallId, RoomId, UserId } from "../../core/ids.ts";
import { isRunning, legOf } from "../../core/call/model/queries.ts";
import type { Disposal, MatrixFact } from "../../ports/homeserver.ts";
import type { InviteArrival } from "../../ports/sip.ts";
import type { CallLedger } from "../../ports/store.ts";
import type { CallIndex, OwnInvite } from "./call-index.ts";
import { CallRunner, type CallRunnerParts } from "./call-runner.ts";
import { CallSignals } from "./call-signals.ts";
import { HeldFacts } from "./held-facts.ts";
import { Invitations } from "./invitations.ts";
import type { HangUps } from "./hang-ups.ts";
import { Glare } from "./glare.ts";
import type { CallGate } from "../admission/call-gate.ts";
import type { ClientKinds } from "../admission/client-kinds.ts";
import type { CallEvents } from "./call-events.ts";
import type { OutboundAdmission } from "../admission/outbound-admission.ts";
import { createRunOrder, type RunOrderParts } from "../effects/run-order.ts";
import type { RingBacks } from "../bot/ring-backs.ts";
import type { OpenSessions } from "../effects/open-sessions.ts";
import { LatestOnly } from "../limits/latest-only.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { RecentIds } from "../limits/recent-ids.ts";
import { Redial } from "./redial.ts";
import { RoomFacts, type RoomFactsParts } from "./room-facts.ts";
import { Transfers, type Calls, type TransfersParts } from "./transfers.ts";
import { TrunkLegs } from "./trunk-legs.ts";
import type { Spending } from "../spending/spending.ts";

export interface SwitchboardParts extends Omit<RoomFactsParts, "clock" | "telemetry"> {
  readonly ledger: Pick<CallLedger, "known">;
  readonly index: CallIndex;
  readonly gate: CallGate;
  readonly hangUps: HangUps;
  readonly callEvents: CallEvents;
  readonly sessions: Pick<OpenSessions, "over">;
  readonly admission: OutboundAdmission;
  readonly clientKinds: Pick<ClientKinds, "used">;
  readonly ringBacks: Pick<RingBacks, "take">;
  readonly orders: Omit<RunOrderParts, "transfers">;
  readonly transfers: TransfersParts;
  readonly spending: Pick<Spending, "changed" | "gone" | "moved">;
  readonly runner: Omit<CallRunnerParts, "onChanged" | "onEnded" | "onUnheard">;
}

/** Events remembered as acted on; the ledger remembers calls for longer. */
const recentEvents = 20_000;

const takeOversPerMinute = 20;
/** Who is at the telephone is told to a client no more often. */
const identityEveryMs = 1_000;

export class Switchboard implements Calls {
  readonly #parts: SwitchboardParts;
  readonly #index: CallIndex;
  readonly #held: HeldFacts;
  readonly #signals: CallSignals;
  readonly #glare: Glare;
  readonly #invitations: Invitations;
  readonly #rooms: RoomFacts;
  readonly #transfers: Transfers;
  readonly #legs: TrunkLegs;
  /** How often the far end of one call may become another one: each time costs the media engine and the client work. */
  readonly #takeOvers: RateLimit;
  readonly #identities: LatestOnly<CallId, SipFact>;
  readonly #acted = new RecentIds(recentEvents);

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
    this.#index = parts.index;
    const { telemetry, clock } = parts.runner;
    this.#rooms = new RoomFacts({ ...parts, clock, telemetry });
    this.#transfers = new Transfers(parts.transfers, this);
    this.#held = new HeldFacts(clock);
    this.#identities = new LatestOnly(identityEveryMs, clock, (leg, fact) => this.#tookSip(leg, fact));
    this.#takeOvers = new RateLimit(takeOversPerMinute, clock);
    this.#signals = new CallSignals({
      index: this.#index,
      held: this.#held,
      transfers: this.#transfers,
      ringBacks: parts.ringBacks,
      isOurs: (user) => user === parts.botUser || parts.ghosts.isGhost(user),
      clock,
      telemetry,
    });
    const { homeserver, sip } = parts.orders;
    this.#legs = new TrunkLegs(sip);
    this.#glare = new Glare({
      index: this.#index,
      sameNumber: parts.orders.sameNumber,
      homeserver,
      clock,
      log: telemetry.log,
    });
    this.#invitations = new Invitations({
      ...parts,
      held: this.#held,
      glare: this.#glare,
      redial: new Redial({ index: this.#index, sameNumber: parts.orders.sameNumber, log: telemetry.log }),
      roomFacts: this.#rooms,
      add: (first, invite) => this.#add(first, invite),
      telemetry,
    });
  }

  /** Calls of the moment. */
  get calls(): readonly Call[] {
    return this.#index.calls;
  }

  find(call: CallId): Call | undefined {
    return this.#index.get(call)?.call;
  }

  /** Where the call of a trunk's leg is on the Matrix side; undefined while nobody has it. */
  addressOf(leg: CallId): Pick<LegAddress, "room" | "ghost"> | undefined {
    const call = this.find(this.#legs.callOf(leg));
    return call && legOf(call);
  }

  post(call: CallId, fact: CallFact): void {
    void this.#index.get(call)?.post(fact);
  }

  adopt(call: CallId, from: CallId): void {
    this.#legs.adopt(call, from);
    this.#parts.spending.moved(call, from);
  }

  /** Whether the call may become one to that number or address, where its trunk sends it there. Never throws. */
  mayReach(call: CallId, to: SipAddressee): boolean {
    return this.#transfers.allows(call, to);
  }

  alias(call: CallId, id: MatrixCallId): void {
    this.#index.alias(call, id);
  }

  /** The bot dials a number for somebody. False where no call has come of it. */
  dial(invitation: Parameters<Invitations["dial"]>[0]): Promise<boolean> {
    return this.#invitations.dial(invitation);
  }

  /** Takes up a call from its first step on; from now on it counts and is found. */
  begin(first: Step): void {
    const runner = this.#add(first);
    void runner.start(first);
    // What comes of a transfer after all have been told to stop.
    if (this.#parts.gate.isStopping && isRunning(first.call)) void runner.post({ kind: "bridge.stopped" });
    if (isIn(first.call, "arriving")) this.#arrived(runner);
  }

  /** Somebody may be calling the number at this moment. */
  #arrived(runner: CallRunner): void {
    this.#glare.arrived(runner).catch((error: unknown) => {
      this.#parts.runner.telemetry.log.error("could not merge two calls that crossed", { call: runner.id, error });
    });
  }

  /** The door for everything of Matrix, as a sink; never rejects. */
  async takeMatrix(fact: MatrixFact): Promise<Disposal> {
    if (!this.#acted.add(fact.eventId)) return undefined;
    try {
      return await this.#route(fact);
    } catch (error) {
      this.#parts.runner.telemetry.log.error("could not act on an event", {
        fact: fact.kind,
        room: fact.room,
        event: fact.eventId,
        error,
      });
      return undefined;
    }
  }

  /** A leg of a trunk wants the place of a call's own (RFC 3891); false where it cannot have it. */
  takeOver({ call: leg, replaces, identity, sdp: description }: InviteArrival): boolean {
    const runner = replaces === undefined ? undefined : this.#index.get(this.#legs.callOf(replaces));
    // What is being settled with the old leg must not be taken for the new one's.
    if (runner === undefined || !isIn(runner.call, "connected")) return false;
    if (isBusy(runner.call.phase.renegotiation)) return false;
    if (!this.#takeOvers.allows(runner.id)) return false;
    if (!this.#legs.replace(runner.id, leg, description === undefined)) return false;
    void runner.post({ kind: "sip.identified", identity });
    void runner.post(description === undefined ? { kind: "sip.offerWanted" } : { kind: "sip.offered", description });
    return true;
  }

  /** The door for everything that happens in calls of the trunks. */
  takeSip(leg: CallId, fact: SipFact): void {
    // Each change of identity is an event in the room, and a trunk can say another one in every request.
    if (fact.kind === "sip.identified") return this.#identities.take(leg, fact);
    // Who was there before is not told after who is there now.
    if (fact.kind === "sip.replaced") this.#identities.forget(leg);
    return this.#tookSip(leg, fact);
  }

  #tookSip(leg: CallId, fact: SipFact): void {
    const heard = this.#legs.heard(leg, fact);
    const call = heard?.call;
    const joined = call && this.#index.joined(call);
    const runner = call && this.#index.get(call);
    if (joined !== undefined) void joined.runner.post({ kind: "leg.reported", side: joined.side, report: fact });
    else if (runner !== undefined) void runner.post(fact);
    else this.#parts.runner.telemetry.factIgnored(fact.kind, "none");
    // Nobody waits for this answer any more, and somebody would pay for it.
    if (joined === undefined && runner === undefined && fact.kind === "sip.accepted") this.#parts.orders.sip.bye(leg);
  }

  /** Takes up a call that the store still listed at the start, in order to end it on both sides. Never rejects. */
  async recover(stored: StoredCall): Promise<void> {
    const { clock, telemetry } = this.#parts.runner;
    try {
      const first = recover(callOnClockAhead(stored, clock.nowMs() - clock.wallMs()), clock.nowMs());
      await this.#add(first).start(first);
      await this.#parts.hangUps.pace();
    } catch (error) {
      // Written by another version, or damaged: the others have to be ended all the same.
      telemetry.log.error("could not end a stored call", { call: stored.call.id, error });
    }
  }

  async #route(fact: MatrixFact): Promise<Disposal> {
    switch (fact.kind) {
      case "member.invited":
        return this.#invitedToRoom(fact);
      case "member.joined":
        // The call first: it rings.
        await this.#parts.orders.firstCalls.joined(fact.room, fact.user);
        return this.#rooms.joined(fact.room, fact.user);
      case "member.left":
        return this.#left(fact.room, fact.user);
      case "room.replaced":
        return this.#parts.rooms.forget(fact.room);
      case "room.encrypted":
        return this.#rooms.encrypted(fact.room);
      case "event.unreadable":
        return this.#rooms.unreadable(fact.room);
      case "message.received":
        return this.#rooms.heard(fact);
      case "reaction.added":
      case "event.withdrawn":
        return this.#rooms.tapped(fact);
      case "call.invited":
        return this.#invitations.take(fact);
      case "call.offered":
        await this.#signals.take(fact);
        return this.#invitations.declineVideo(fact);
      default:
        return this.#signals.take(fact);
    }
  }

  /** What is sent from now on does not wait for what was sent before: some homeservers take seconds to give that. */
  async #invitedToRoom(fact: Extract<MatrixFact, { kind: "member.invited" }>): Promise<Disposal> {
    if (!(await this.#rooms.invited(fact))) return undefined;
    return { until: this.#takeMissed(fact.room, fact.user) };
  }

  async #takeMissed(room: RoomId, user: UserId): Promise<void> {
    try {
      for (const one of await this.#rooms.missed(room, user)) await this.takeMatrix(one);
    } catch (error) {
      this.#parts.runner.telemetry.log.error("could not act on events from before the join", { room, user, error });
    }
  }

  async #left(room: RoomId, user: UserId): Promise<void> {
    // The calls first: whatever becomes of the room, somebody is on the telephone.
    for (const runner of this.#index.runners) {
      const fact = factOfLeaving(runner.call, room, user);
      if (fact !== undefined) await runner.post(fact);
    }
    this.#parts.orders.firstCalls.left(room, user);
    await this.#rooms.left(room, user);
  }

  #add(first: Step, invite?: OwnInvite): CallRunner {
    const orders = { ...this.#parts.orders, transfers: this.#transfers };
    const runner = new CallRunner(first, (one) => createRunOrder(one, orders, this.#legs), {
      ...this.#parts.runner,
      onChanged: (one, before) => this.#changed(one, before),
      onEnded: (record) => this.#ended(record),
      onUnheard: (one, silent) => this.#parts.callEvents.unheard(one, silent),
    });
    this.#index.add(runner, invite);
    this.#parts.runner.telemetry.callStarted(first.call.direction);
    return runner;
  }

  #changed(runner: CallRunner, before: Call | undefined): void {
    const { callEvents, callOrders, conversations, clientKinds, spending } = this.#parts;
    const { call } = runner;
    this.#index.changed(runner, before);
    spending.changed(call, before);
    callEvents.changed(runner, before);
    callOrders.changed(runner);
    if (before !== undefined && isIn(before, "keying") && isIn(call, "arriving")) this.#arrived(runner);
    if (isIn(call, "connected") && before?.phase.kind !== "connected")
      clientKinds.used(call.phase.leg.person, call.phase.leg.form.kind);
    // A person has taken a call that rang.
    if (isIn(call, "accepting") && before?.phase.kind !== "accepting")
      void conversations.spoke(call.phase.leg.room, call.phase.leg.person);
  }

  #ended(record: CallRecord): void {
    this.#parts.callEvents.ended(record);
    this.#parts.sessions.over(record.id);
    const runner = this.#index.get(record.id);
    const given = this.#index.remove(record.id);
    this.#parts.spending.gone(given);
    for (const call of given) {
      const media = this.#legs.forget(call);
      if (media !== undefined) this.#parts.orders.media.forget(media);
      this.#identities.forget(call);
    }
    this.#index.leaves(this.#depart(runner, record.id));
  }

  /** A number that was a guest for the call leaves when the last word has been said. Never rejects. */
  async #depart(runner: CallRunner | undefined, call: CallId): Promise<void> {
    const { orders, runner: common } = this.#parts;
    try {
      await runner?.settled();
      await orders.firstCalls.over(call);
    } catch (error) {
      common.telemetry.log.error("number could not leave the room with the bot", { call, error });
    }
  }
}

/** What it means for a call that somebody is not in a room any more; mostly nothing. */
function factOfLeaving(call: Call, room: RoomId, user: UserId): CallFact | undefined {
  const leg = legOf(call);
  if (leg !== undefined) {
    if (leg.room !== room || (leg.person !== user && leg.ghost !== user)) return undefined;
    // Others may be in such a call with the telephone: the Matrix edge tells when the last of them has left.
    return leg.person === user && leg.form.media === "own" ? undefined : { kind: "matrix.left" };
  }
  if (!isIn(call, "alerting")) return undefined;
  const ringing = call.phase.legs.find((one) => one.room === room);
  const target = ringing?.target;
  // Others in a room that is rung for all may still answer.
  if (target?.kind !== "person" || (user !== target.person && user !== ringing?.ghost)) return undefined;
  return { kind: "matrix.declined", room, person: target.person, said: undefined };
}
