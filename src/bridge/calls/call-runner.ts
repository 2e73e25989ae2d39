// One mailbox per call: take a fact, step, save, hand out the orders, take their results. Orders to one target stay in
// order; a slow homeserver does not hold up a BYE.
import { isIn, type Call } from "../../core/call/model/call.ts";
import type { CallOrder } from "../../core/call/model/order.ts";
import type { CallFact, DeadlineName } from "../../core/call/model/fact.ts";
import { sideNames, type MediaEnd } from "../../core/media-end.ts";
import type { MediaDescription } from "../../core/media-description.ts";
import type { LegAddress } from "../../core/call/model/matrix-leg.ts";
import { addressOf, isRunning, trunkLegsOf } from "../../core/call/model/queries.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import { sipCallIdOf } from "../../core/call/model/trunk-leg.ts";
import { endsAlike, storedFormOf, type StoredCall } from "../../core/call/recover.ts";
import { callOnClockAhead, recordOnClockAhead } from "../../core/call/times.ts";
import { step, type Step } from "../../core/call/step.ts";
import type { CallId, SipCallId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CallLedger } from "../../ports/store.ts";
import type { Log, Telemetry } from "../../ports/telemetry.ts";
import type { CallTrace } from "../../ports/tracing.ts";
import { livePhaseOf } from "../observation/live-call.ts";
import type { RunOrder } from "../effects/run-order.ts";

export interface CallRunnerParts {
  /** Neither rejects, nor takes longer than signalling can wait. */
  readonly ledger: Pick<CallLedger, "save" | "finish">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Called after each step that changed the call; `before` is undefined at the first one. */
  readonly onChanged: (runner: CallRunner, before: Call | undefined) => void;
  /** Called once, when the call is over and its record is kept. */
  readonly onEnded: (record: CallRecord) => void;
  /** Nothing of that end has reached the other one since the answer. */
  readonly onUnheard: (runner: CallRunner, silent: MediaEnd) => void;
}

/** Orders with one key wait for each other: those to the media engine, to the trunk, to one room. */
type QueueKey = string;

/** The call as it is, and what is remembered of how it was before. */
interface Standing {
  readonly call: Call;
  /** When it came into the phase in which watchers see it (by the process's clock). */
  readonly sinceMs: number;
  readonly isAnswered: boolean;
  /** The ids that it has or had last, by all of which the log names it. */
  readonly sipCallId: SipCallId | undefined;
  readonly address: Pick<LegAddress, "room" | "matrixCallId"> | undefined;
  readonly log: Log;
}

export class CallRunner {
  readonly id: CallId;
  #standing: Standing;
  readonly #parts: CallRunnerParts;
  readonly #runOrder: RunOrder;
  readonly #queues = new Map<QueueKey, Promise<void>>();
  readonly #deadlines = new Map<DeadlineName, () => void>();
  #mailbox: Promise<void> = Promise.resolve();
  readonly #begunAs: CallRecord["direction"];
  readonly #trace: CallTrace;
  /** As it was saved last. */
  #saved: StoredCall | undefined;

  /** `first` is the step that began (or recovered) the call; `start` performs it. */
  constructor(first: Step, runOrder: (runner: CallRunner) => RunOrder, parts: CallRunnerParts) {
    this.id = first.call.id;
    this.#begunAs = first.call.direction;
    this.#trace = parts.telemetry.tracing.call(this.id, this.#begunAs);
    this.#parts = parts;
    this.#standing = this.#standingOf(first.call, undefined);
    this.#runOrder = runOrder(this);
  }

  /** Names the call by all the ids it has by now. */
  get log(): Log {
    return this.#standing.log;
  }

  get sinceMs(): number {
    return this.#standing.sinceMs;
  }

  get call(): Call {
    return this.#standing.call;
  }

  /** Saves and performs the first step. */
  start(first: Step): Promise<void> {
    return this.#enqueue(() => this.#commit(first, undefined));
  }

  /** Resolves when the fact has been acted on and the call saved; the orders may still be on their way. Never rejects. */
  post(fact: CallFact): Promise<void> {
    return this.#enqueue(async () => {
      const before = this.call;
      this.#trace.fact(fact.kind);
      await this.#commit(step(before, { ...fact, atMs: this.#parts.clock.nowMs() }), before);
    });
  }

  /** Resolves when the orders given so far have been carried out. */
  async settled(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#mailbox = this.#mailbox.then(work).catch((error: unknown) => this.#fault("call", error));
    return this.#mailbox;
  }

  async #commit(next: Step, before: Call | undefined): Promise<void> {
    const was = this.#standing;
    this.#standing = this.#standingOf(next.call, was);
    if (next.call.phase.kind !== before?.phase.kind) {
      this.log.debug("call phase", { phase: next.call.phase.kind });
      this.#trace.phase(next.call.phase.kind);
    }
    if (isIn(next.call, "connected") && !was.isAnswered)
      this.#parts.telemetry.callAnswered(next.call.phase.trunk.answeredAtMs - next.call.startedAtMs);
    if (next.call !== before) this.#parts.onChanged(this, before);
    if (next.call !== before) await this.#save(next.call);
    for (const order of next.orders) this.#dispatch(order);
    if (isIn(next.call, "ended") && before?.phase.kind !== "ended") await this.#finish(next.call.phase.record);
  }

  /** `before` is undefined where the call begins. */
  #standingOf(call: Call, before: Standing | undefined): Standing {
    const { clock, telemetry } = this.#parts;
    const sipCallId = sipCallOf(call) ?? before?.sipCallId;
    const address = addressOf(call) ?? before?.address;
    const isNamed = before !== undefined && sipCallId === before.sipCallId && address?.room === before.address?.room;
    const isSeenSo = before !== undefined && livePhaseOf(call) === livePhaseOf(before.call);
    return {
      call,
      sinceMs: isSeenSo ? before.sinceMs : clock.nowMs(),
      isAnswered: before !== undefined && (before.isAnswered || isIn(call, "connected")),
      sipCallId,
      address: isNamed ? before.address : address,
      log: isNamed
        ? before.log
        : telemetry.log.child({
            call: this.id,
            direction: call.direction,
            matrixCall: address?.matrixCallId,
            sipCall: sipCallId,
            room: address?.room,
          }),
    };
  }

  /** Only what a restart needs: ringing, say, changes nothing for it. An ended call is saved by `finish`, with its record. */
  async #save(call: Call): Promise<void> {
    const stored = storedFormOf(call);
    if (stored === undefined || (this.#saved !== undefined && endsAlike(this.#saved, stored))) return;
    this.#saved = stored;
    await this.#parts.ledger.save(callOnClockAhead(stored, this.#wallAheadMs));
  }

  get #wallAheadMs(): number {
    const { clock } = this.#parts;
    return clock.wallMs() - clock.nowMs();
  }

  async #finish(record: CallRecord): Promise<void> {
    for (const cancel of this.#deadlines.values()) cancel();
    this.#deadlines.clear();
    await this.#parts.ledger.finish(this.id, recordOnClockAhead(record, this.#wallAheadMs));
    this.#parts.telemetry.callEnded(record, this.#begunAs);
    this.#trace.ended(record);
    this.#parts.onEnded(record);
  }

  #dispatch(order: CallOrder): void {
    switch (order.kind) {
      case "deadline.set":
        this.#deadlines.get(order.name)?.();
        this.#deadlines.set(
          order.name,
          this.#parts.clock.at(order.atMs, () => {
            this.#deadlines.delete(order.name);
            void this.post({ kind: "deadline.passed", name: order.name });
          }),
        );
        return;
      case "deadline.clear":
        this.#deadlines.get(order.name)?.();
        this.#deadlines.delete(order.name);
        return;
      case "history.write":
        return;
      case "note.unheard":
        this.#parts.telemetry.callUnheard(order.end);
        this.#parts.onUnheard(this, order.end);
        this.log.warn("no audio from one side of a call since the answer", { side: sideNames[order.end] });
        return;
      case "note.ignored":
        this.#parts.telemetry.factIgnored(order.fact, order.phase);
        this.log.debug("fact ignored", { fact: order.fact, phase: order.phase });
        return;
      default:
        this.#enqueueOrder(order);
    }
  }

  #enqueueOrder(order: Parameters<RunOrder>[0]): void {
    const description = descriptionIn(order);
    // Every description that comes from a side goes to the media engine, every one of ours to a side. One that is no SDP
    // may hold secrets.
    if (typeof description === "string") this.log.trace("session description", { order: order.kind, sdp: description });
    const key = queueKeyOf(order);
    const before = this.#queues.get(key) ?? Promise.resolve();
    const after = before.then(async () => {
      try {
        const fact = await this.#trace.order(traceNameOf(order), () => this.#runOrder(order));
        // Not awaited: the mailbox may itself be waiting for this queue.
        if (fact !== undefined) void this.post(fact);
      } catch (error) {
        this.#fault(order.kind, error);
      }
    });
    this.#queues.set(key, after);
  }

  /** An edge threw what it never should: this call ends, the others do not notice. */
  #fault(where: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.log.error("fault in a call", { where, error });
    // A fault while ending must not make itself again: what ends already has its deadline.
    if (!isRunning(this.call)) return;
    void this.post({ kind: "fault.thrown", where, message });
  }
}

function sipCallOf(call: Call): SipCallId | undefined {
  const [leg] = call.direction === "joined" ? [] : trunkLegsOf(call);
  return leg && sipCallIdOf(leg);
}

function traceNameOf(order: Parameters<RunOrder>[0]): string {
  return order.kind === "matrix.signal" ? `${order.kind} ${order.signal.kind}` : order.kind;
}

function descriptionIn(order: Parameters<RunOrder>[0]): MediaDescription | undefined {
  const holder = order.kind === "matrix.signal" ? order.signal : order;
  return "description" in holder ? holder.description : undefined;
}

function queueKeyOf(order: Parameters<RunOrder>[0]): QueueKey {
  switch (order.kind) {
    // Rooms do not wait for each other: people are rung together.
    case "matrix.findRoom":
      return `find ${order.target.kind === "room" ? order.target.room : order.target.person}`;
    case "matrix.signal":
    case "matrix.notice":
    case "matrix.tile":
      return order.leg.room;
    case "leg.order":
      return "sip";
    default:
      return order.kind.split(".", 1)[0] ?? order.kind;
  }
}
