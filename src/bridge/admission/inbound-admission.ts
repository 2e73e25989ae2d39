// An INVITE arrives from a trunk: whom does the number ring, who calls, is there room for one more call? Gives the call
// its first step, or its last. Not here: where it rings (ringing-rooms.ts) and how (core/call).
import { isIn, type Call } from "../../core/call/model/call.ts";
import type { Cause } from "../../core/call/model/cause.ts";
import { end } from "../../core/call/ending/ending.ts";
import { beginInbound, type InboundRequest } from "../../core/call/inbound/arriving.ts";
import { beginPickingUp } from "../../core/call/inbound/picking-up.ts";
import type { OurUser } from "../../core/number/plan/number-key.ts";
import type { RingStage, RingTarget } from "../../core/number/plan/ring-stage.ts";
import type { Notices } from "../../core/call/model/notices.ts";
import type { Step } from "../../core/call/step.ts";
import type { TrunkName, UserId } from "../../core/ids.ts";
import type { DidFinding } from "../../core/number/plan/did.ts";
import { callsPerUserOf, type Policy } from "../../core/policy/permission.ts";
import type { TrunkFeatures } from "../../core/policy/trunk-features.ts";
import { isRunning, legOf, rings } from "../../core/call/model/queries.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { InviteArrival, SipTrunks } from "../../ports/sip.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { CallGate } from "./call-gate.ts";
import type { ClientKinds } from "./client-kinds.ts";
import type { PinGuard } from "./pin-guard.ts";
import { UnlistedNumbers } from "./unlisted-numbers.ts";
import type { Callers, KnownCaller } from "./callers.ts";
import type { QuietPeople } from "../blocking/quiet-people.ts";
import type { Screen } from "../blocking/screen.ts";
import type { RingTimes } from "../choices/ring-times.ts";
import type { Ghosts } from "../rooms/ghosts.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { CallStops } from "../spending/call-stops.ts";
import { abilitiesOf } from "./routing.ts";

/** The switchboard, as far as a new call has to do with it. */
interface CallsOfTheMoment {
  readonly calls: readonly Call[];
  begin(first: Step): void;
  takeOver(arrival: InviteArrival): boolean;
}

export interface InboundAdmissionParts {
  readonly recipients: (called: string, trunk: TrunkName) => DidFinding;
  readonly callers: Pick<Callers, "of" | "sameNumber">;
  readonly ghosts: Pick<Ghosts, "introduce">;
  readonly features: (trunk: TrunkName) => TrunkFeatures;
  readonly policy: () => Policy;
  readonly screen: Pick<Screen, "look">;
  readonly quiet: Pick<QuietPeople, "missed">;
  readonly ringTimes: Pick<RingTimes, "shorten">;
  readonly pins: Pick<PinGuard, "isBarred">;
  readonly notices: () => Notices;
  readonly calls: CallsOfTheMoment;
  readonly gate: Pick<CallGate, "closed" | "isPaused">;
  readonly stops: Pick<CallStops, "stopsInbound">;
  readonly sip: Pick<SipTrunks, "reject">;
  readonly homeserver: Pick<Homeserver, "ownSide">;
  readonly clientKinds: Pick<ClientKinds, "inStages">;
  readonly clock: Clock;
  readonly log: Log;
}

export class InboundAdmission {
  readonly #parts: InboundAdmissionParts;
  readonly #rateLimit: RateLimit;
  readonly #notTakenOver: Tally;
  readonly #unlisted: UnlistedNumbers;

  constructor(parts: InboundAdmissionParts) {
    this.#parts = parts;
    this.#rateLimit = new RateLimit(() => parts.policy().callsPerMinute, parts.clock);
    this.#unlisted = new UnlistedNumbers(parts.clock, parts.log);
    this.#notTakenOver = new Tally(parts.log, parts.clock, "refused an INVITE with Replaces that matches no call");
  }

  /** Acts without waiting for anything, so that of two calls at once the second sees the first. Never throws. */
  invited(arrival: InviteArrival): void {
    const { calls, sip, log } = this.#parts;
    try {
      if (arrival.replaces !== undefined && calls.takeOver(arrival)) return;
      calls.begin(this.#firstStep(arrival));
    } catch (error) {
      log.error("could not start a call from a trunk", { call: arrival.call, trunk: arrival.trunk, error });
      sip.reject(arrival.call, 500);
    }
  }

  #firstStep(arrival: InviteArrival): Step {
    const { callers, ghosts, pins, quiet, ringTimes, screen } = this.#parts;
    const { called, trunk, identity, diversions } = arrival;
    const did = this.#parts.recipients(called, trunk);
    const caller = callers.of(trunk, identity, diversions);
    if (did.kind === "none") {
      this.#unlisted.called({ trunk, called, number: did.number });
      return this.#refuse(arrival, caller, called, "not-in-service", []);
    }
    if (arrival.replaces !== undefined) {
      // It is for whoever is in that call, and would ring somebody else (RFC 3891 s3).
      this.#notTakenOver.add({ call: arrival.call, trunk, replaces: arrival.replaces });
      return this.#refuse(arrival, caller, did.number, "declined", did.stages);
    }
    const crowded = this.#crowded(caller, called, trunk);
    if (crowded !== undefined) return this.#refuse(arrival, caller, did.number, crowded, did.stages);
    const screened = screen.look(caller, did.stages, "call");
    for (const person of screened.missedBy) void quiet.missed(person, caller.name);
    if (screened.kind === "refused") return this.#refuse(arrival, caller, did.number, screened.cause, did.stages);
    const stages = ringTimes.shorten(this.#withoutBusy(screened.stages, caller));
    if (stages.length === 0) return this.#refuse(arrival, caller, did.number, "busy", screened.stages);
    const { pin } = did;
    if (pin !== undefined && pins.isBarred(pin.name, caller.ghost.user))
      return this.#refuse(arrival, caller, did.number, "pin-barred", stages);
    ghosts.introduce(caller.ghost, caller.trustedName);
    const request = this.#request(arrival, caller, did.number, stages);
    return pin === undefined ? beginInbound(request) : beginPickingUp(request, pin);
  }

  /** Why no more calls are begun now, whomever they are for. */
  #crowded(caller: KnownCaller, called: string, trunk: TrunkName): Cause | undefined {
    const { calls, gate, stops, policy } = this.#parts;
    if (gate.closed !== undefined) return gate.closed;
    if (stops.stopsInbound) return "calls-stopped";
    if (gate.isPaused(trunk)) return "trunk-paused";
    if (calls.calls.filter(isRunning).length >= policy().callsInAll) return "too-many-calls";
    // Callers who withhold their number are all one; they must not shut each other out everywhere.
    return this.#rateLimit.allows(caller.withheld ? `${caller.ghost.user} ${called}` : caller.ghost.user)
      ? undefined
      : "too-often";
  }

  /** Without people who have, or are being offered, as many calls as they may have; and without stages for nobody. */
  #withoutBusy(stages: readonly RingStage[], { ghost }: KnownCaller): readonly RingStage[] {
    const { calls, policy, callers } = this.#parts;
    const running = calls.calls.filter((call) => isRunning(call) && !mayYield(call, ghost, callers));
    const isFree = (target: RingTarget): boolean =>
      target.kind === "room" || callsOf(target.person, running) < callsPerUserOf(target.person, policy());
    return stages
      .map((stage) => ({ ...stage, targets: stage.targets.filter(isFree) }))
      .filter(({ targets }) => targets.length > 0);
  }

  /** `stages`: whom it would have rung, for the record. */
  #refuse(
    arrival: InviteArrival,
    caller: KnownCaller,
    called: string,
    cause: Cause,
    stages: readonly RingStage[],
  ): Step {
    const request = this.#request(arrival, caller, called, stages);
    return end(beginInbound(request).call, cause, request.atMs, {});
  }

  #request(arrival: InviteArrival, caller: KnownCaller, called: string, stages: readonly RingStage[]): InboundRequest {
    const { clock, features, policy, notices, homeserver, clientKinds } = this.#parts;
    const { call, trunk, dialog, incoming, sdp: description } = arrival;
    const trunkFeatures = features(trunk);
    return {
      id: call,
      trunk: { name: trunk, number: caller.number, abilities: abilitiesOf(trunkFeatures) },
      ghost: caller.ghost.user,
      ring: homeserver.ownSide(clientKinds.inStages(stages)),
      number: caller.number,
      called,
      badge: caller.badge,
      dialog,
      incoming,
      description,
      stages,
      atMs: clock.nowMs(),
      maxDurationMs: policy().maxDurationMs,
      notices: notices(),
      announce: caller.words,
      earlyProgress: trunkFeatures.progress === 183,
    };
  }
}

function callsOf(person: UserId, calls: readonly Call[]): number {
  return calls.filter((call) => legOf(call)?.person === person || rings(call, person)).length;
}

/** A call to the very number that calls now (glare). */
function mayYield(call: Call, ghost: OurUser, callers: Pick<Callers, "sameNumber">): boolean {
  return isIn(call, "offering", "inviting") && callers.sameNumber(call.phase.leg.ghost, ghost);
}
