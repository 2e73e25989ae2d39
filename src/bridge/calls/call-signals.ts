// Passes what clients say about calls on to the call: who may speak for it, from which device, and what came too early.
// Not here: invites that begin a call, and rooms (switchboard.ts).
import { isIn, type Alerting, type Call } from "../../core/call/model/call.ts";
import type { CallFact } from "../../core/call/model/fact.ts";
import type { UserId } from "../../core/ids.ts";
import { legOf } from "../../core/call/model/queries.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CallReference, MatrixFact } from "../../ports/homeserver.ts";
import { Tally } from "../../ports/tally.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { keyOf, type CallIndex } from "./call-index.ts";
import type { CallRunner } from "./call-runner.ts";
import type { HeldFacts } from "./held-facts.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { RingBacks } from "../bot/ring-backs.ts";
import type { Transfers } from "./transfers.ts";
import type { MatrixLeg } from "../../core/call/model/matrix-leg.ts";

type CallSignal = Extract<MatrixFact, CallReference>;
type Signal = Exclude<CallSignal, { kind: "call.invited" }>;

export interface CallSignalsParts {
  readonly index: CallIndex;
  readonly held: HeldFacts;
  readonly transfers: Pick<Transfers, "order">;
  readonly ringBacks: Pick<RingBacks, "take">;
  /** A ghost or the bot. */
  readonly isOurs: (user: UserId) => boolean;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Each is a re-INVITE to the trunk. More than anybody can press hold. */
const offersPerMinute = 60;

export class CallSignals {
  readonly #parts: CallSignalsParts;
  readonly #offers: RateLimit;
  readonly #tooManyOffers: Tally;

  constructor(parts: CallSignalsParts) {
    this.#parts = parts;
    this.#offers = new RateLimit(offersPerMinute, parts.clock);
    this.#tooManyOffers = new Tally(
      parts.telemetry.log,
      parts.clock,
      "offer ignored: the client changes one call too often",
    );
  }

  async take(signal: Signal): Promise<void> {
    const runner = this.#parts.index.find(signal.room, signal.matrixCallId);
    if (runner === undefined && (await this.#parts.ringBacks.take(signal))) return undefined;
    if (runner === undefined) return this.#withoutCall(signal);
    const { call } = runner;
    if (isIn(call, "alerting")) return this.#whileRinging(signal, runner, call.phase);
    const leg = legOf(call);
    // A call goes by two ids where two calls crossed, or where it was transferred to a person: the other one is over.
    const isTheirs =
      leg !== undefined &&
      leg.room === signal.room &&
      leg.matrixCallId === signal.matrixCallId &&
      leg.person === signal.sender &&
      isSameDevice(signal, leg);
    const fact = isTheirs ? this.#factOf(signal, call) : undefined;
    if (fact === undefined) return this.#ignore(signal, "other-party");
    if (fact.kind === "matrix.offered" && !this.#offers.allows(runner.id)) {
      this.#tooManyOffers.add({ call: runner.id, room: signal.room, person: signal.sender });
      return undefined;
    }
    if (fact.kind === "matrix.candidates") this.#parts.index.note(runner, fact.candidates);
    await runner.post(fact);
  }

  /** Nobody has the call yet: whoever is rung may take or refuse it, from whichever device. */
  async #whileRinging(signal: Signal, runner: CallRunner, call: Alerting): Promise<void> {
    const { room, sender, device } = signal;
    if (!this.#isRung(call, signal)) return this.#ignore(signal, "other-party");
    switch (signal.kind) {
      case "call.answered": {
        const { description, form, abilities } = signal;
        await runner.post({ kind: "matrix.answered", room, person: sender, device, form, abilities, description });
        return this.#release(signal, runner);
      }
      // Some clients know no other way to refuse, or to be busy, than to hang up.
      case "call.rejected":
      case "call.hungUp":
        return runner.post({ kind: "matrix.declined", room, person: sender, said: signal.said });
      case "call.candidates":
        // Worth something if this device wins.
        this.#parts.held.keep(keyOf(room, signal.matrixCallId), {
          sender,
          device,
          fact: { kind: "matrix.candidates", candidates: signal.candidates },
        });
        return;
      default:
        return this.#ignore(signal, "other-party");
    }
  }

  /** What the device that has the call now said before it had it; what others said is forgotten. */
  async #release({ room, sender, device, matrixCallId }: Signal, runner: CallRunner): Promise<void> {
    const leg = legOf(runner.call);
    if (leg?.room !== room || leg.person !== sender || leg.device !== device) return;
    for (const one of this.#parts.held.take(keyOf(room, matrixCallId))) {
      if (one.sender === sender && one.device === device) await runner.post(one.fact);
      else this.#parts.telemetry.factIgnored(one.fact.kind, "other-party");
    }
  }

  #isRung(call: Alerting, { room, sender, matrixCallId }: Signal): boolean {
    if (this.#parts.isOurs(sender) || call.ring.matrixCallId !== matrixCallId) return false;
    return call.legs.some((leg) => leg.room === room && (leg.target.kind === "room" || leg.target.person === sender));
  }

  #factOf(signal: Signal, call: Call): CallFact | undefined {
    switch (signal.kind) {
      case "call.answered":
      case "call.rejected":
        // Another device of the person's own, or of our own invite a second answer: the call is taken.
        return undefined;
      case "call.candidates":
        return { kind: "matrix.candidates", candidates: signal.candidates };
      case "call.selected":
        return { kind: "matrix.selected", ours: signal.selected === legOf(call)?.own };
      case "call.hungUp":
        return { kind: "matrix.hungUp", said: signal.said };
      case "call.offered":
        return { kind: "matrix.offered", description: signal.description };
      case "call.reanswered":
        return { kind: "matrix.reanswered", description: signal.description };
      case "call.replaced":
        return { kind: "matrix.replaced", order: this.#parts.transfers.order(call, signal.replacement) };
    }
  }

  #withoutCall(signal: Signal): void {
    const { index, held } = this.#parts;
    const { room, matrixCallId, sender, device } = signal;
    if (index.isOver(room, matrixCallId)) return this.#ignore(signal, "ended");
    const key = keyOf(room, matrixCallId);
    switch (signal.kind) {
      case "call.candidates":
        return held.keep(key, { sender, device, fact: { kind: "matrix.candidates", candidates: signal.candidates } });
      case "call.selected":
        return held.keep(key, { sender, device, fact: { kind: "matrix.selected", ours: false } });
      case "call.hungUp":
        return held.keep(key, { sender, device, fact: { kind: "matrix.hungUp", said: signal.said } });
      case "call.answered":
      case "call.rejected":
        // Of people among themselves.
        return;
      default:
        return this.#ignore(signal, "none");
    }
  }

  #ignore(signal: Signal, phase: "other-party" | "ended" | "none"): void {
    this.#parts.telemetry.factIgnored(factNames[signal.kind], phase);
  }
}

/** As the call would have known it. */
const factNames: Readonly<Record<Signal["kind"], CallFact["kind"]>> = {
  "call.candidates": "matrix.candidates",
  "call.answered": "matrix.answered",
  "call.selected": "matrix.selected",
  "call.rejected": "matrix.declined",
  "call.hungUp": "matrix.hungUp",
  "call.offered": "matrix.offered",
  "call.reanswered": "matrix.reanswered",
  "call.replaced": "matrix.replaced",
};

/** Whether what is said comes from the device that has the call, as far as its client tells them apart. */
export function isSameDevice(said: Pick<MatrixLeg, "device">, { device }: Pick<MatrixLeg, "device">): boolean {
  return device === undefined || said.device === device;
}
