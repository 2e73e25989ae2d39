// Transfers, as far as they concern more than one call: whom a target means, whether the person may transfer a call
// there, which two calls an attended transfer joins, and the bridged call of two trunk legs. What one call does is decided in
// core/call.
import { isIn, type Call } from "../../core/call/model/call.ts";
import { chargedTo, trunkLegsOf } from "../../core/call/model/queries.ts";
import type { Cause } from "../../core/call/model/cause.ts";
import type { CallOrder } from "../../core/call/model/order.ts";
import type { CallFact, TransferOrder } from "../../core/call/model/fact.ts";
import { contextOfAddressee, type SipAddressee } from "../../core/policy/remote-identity.ts";
import { beginBridged } from "../../core/call/bridged/bridged.ts";
import type { ConfirmedLeg, DialledTrunk } from "../../core/call/model/trunk-leg.ts";
import type { ShownIdentity } from "../../core/call/model/matrix-leg.ts";
import { beginRecall } from "../../core/call/inbound/recalled.ts";
import type { Step } from "../../core/call/step.ts";
import { callId, domainOf, type CallId, type MatrixCallId, type TrunkName, type UserId } from "../../core/ids.ts";
import { isEmergency, planCall, type DialPlan, type PlannedCall } from "../../core/number/plan/dial-plan.ts";
import type { DialTarget, GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { identifyCaller, targetOf, type CallerTrust } from "../../core/policy/caller.ts";
import { judge, type Policy } from "../../core/policy/permission.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver, Replacement } from "../../ports/homeserver.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Blocks } from "../blocking/blocks.ts";
import type { RateLimit } from "../limits/rate-limit.ts";
import type { ClientKinds } from "../admission/client-kinds.ts";
import { dialledTrunks, type RoutingParts } from "../admission/routing.ts";
import type { Spending } from "../spending/spending.ts";

type PlanOrder = Extract<CallOrder, { kind: "transfer.plan" }>;
type RecallOrder = Extract<CallOrder, { kind: "transfer.recall" }>;
type JoinOrder = Extract<CallOrder, { kind: "transfer.join" }>;
type IdentityOrder = Extract<CallOrder, { kind: "identity.resolve" }>;

export interface TransfersParts extends RoutingParts {
  readonly ids: GhostIds;
  readonly plan: () => DialPlan;
  readonly policy: () => Policy;
  readonly blocks: Pick<Blocks, "bars">;
  readonly trust: (trunk: TrunkName) => CallerTrust;
  /** The bot, whom nobody can ring. */
  readonly isOurs: (user: UserId) => boolean;
  readonly homeserver: Pick<Homeserver, "ownSide">;
  readonly clientKinds: Pick<ClientKinds, "of">;
  /** As of calls: a transfer to a number is one, whoever orders it. */
  readonly callRateLimit: RateLimit;
  readonly spending: Pick<Spending, "beginTransfer" | "redirected" | "watches">;
  readonly clock: Clock;
  readonly log: Log;
}

/** The calls of the moment, and the door by which a bridged call comes to them. */
export interface Calls {
  find(call: CallId): Call | undefined;
  post(call: CallId, fact: CallFact): void;
  begin(first: Step): void;
  /** The trunk's leg of a call is another call's from here on. */
  adopt(call: CallId, from: CallId): void;
  /** Clients know the call by this id too. */
  alias(call: CallId, matrixCallId: MatrixCallId): void;
}

interface PaidTransfer {
  readonly person: UserId;
  readonly route: Extract<PlannedCall, { kind: "route" }>;
  readonly trunk: DialledTrunk;
  readonly longestMs: number;
}

/** Half of a consult transfer whose other half never comes is forgotten after so many others. */
const rememberedTokens = 200;

export class Transfers {
  readonly #parts: TransfersParts;
  readonly #calls: Calls;
  /** Calls whose far end somebody else's shall talk to, by person and token. */
  readonly #waiting = new Map<string, CallId>();
  readonly #tooOften: Tally;
  readonly #refused: Tally;

  constructor(parts: TransfersParts, calls: Calls) {
    this.#parts = parts;
    this.#calls = calls;
    this.#refused = new Tally(parts.log, parts.clock, "transfer refused");
    this.#tooOften = new Tally(
      parts.log,
      parts.clock,
      "transfer refused: too many calls and transfers, see calls_per_minute",
    );
  }

  /**
   * What a client's order means for its call. Of a consult transfer each of the two calls hears its half; the `create`
   * carries it out.
   */
  order(call: Call, replacement: Replacement): TransferOrder {
    if (!isIn(call, "connected")) return { kind: "nowhere" };
    // A token means nothing in anybody else's mouth.
    const key = `${call.phase.leg.person} ${replacement.token}`;
    if (replacement.kind === "await") {
      this.#remember(key, call.id);
      return { kind: "awaited" };
    }
    const other = this.#legOf(this.#waiting.get(key));
    this.#waiting.delete(key);
    if (other !== undefined && other.id !== call.id) {
      this.#calls.post(other.id, { kind: "transfer.claimed" });
      const name = this.#nameOf(other.id) ?? other.number;
      return { kind: "consult", other, name, stays: this.#parts.spending.watches(call.phase.leg.person) };
    }
    return replacement.target === undefined ? { kind: "nowhere" } : { kind: "blind", target: replacement.target };
  }

  /** A number is judged as if the person called it; a person of this homeserver is rung. */
  plan(call: CallId, order: PlanOrder): CallFact {
    return this.#plan(call, order, "transfer");
  }

  #plan(call: CallId, order: PlanOrder, how: "transfer" | "redirect"): CallFact {
    const fact = this.#judge(call, order, how);
    const why = fact.kind === "transfer.barred" ? { cause: fact.cause } : this.#whyElsewhere(call, order, fact);
    // Calls beyond the limit have a line of their own.
    if (why !== undefined && why.cause !== "too-often")
      this.#refused.add({
        call,
        person: order.person,
        by: typeof order.to === "string" ? "client" : "trunk",
        ...why,
      });
    return fact;
  }

  #judge(call: CallId, { to, person }: PlanOrder, how: "transfer" | "redirect"): CallFact {
    const { ids, plan, policy, blocks } = this.#parts;
    const target = typeof to === "string" ? ids.parse(to) : targetOfAddressee(to, ids);
    if (target === undefined && typeof to === "string") return this.#forward(call, to, person);
    if (target === undefined) return { kind: "transfer.barred", cause: "domain-not-allowed" };
    const route = planCall(target, plan());
    if (!isEmergency(route) && !this.#parts.callRateLimit.allows(person)) {
      this.#tooOften.add({ call, person, callsPerMinute: policy().callsPerMinute });
      return { kind: "transfer.barred", cause: "too-often" };
    }
    // It takes the place of the call that is transferred, which is among those of the moment.
    const verdict = judge(
      { person, plan: route, callsOfPerson: 0, callsInAll: 0, isBlocked: blocks.bars(route) },
      policy(),
    );
    if (verdict.kind === "refused") return { kind: "transfer.barred", cause: verdict.cause };
    if (route.kind === "refused") return { kind: "transfer.barred", cause: route.why };
    const dialled = dialledTrunks(route, person, undefined, this.#parts);
    if (dialled === undefined) return { kind: "transfer.barred", cause: "trunk-paused" };
    const { trunk } = dialled;
    const unpaid = isEmergency(route)
      ? undefined
      : this.#whyUnpaid(call, { person, route, trunk, longestMs: verdict.maxDurationMs }, how);
    if (unpaid !== undefined) return { kind: "transfer.barred", cause: unpaid };
    const stays = !isEmergency(route) && this.#parts.spending.watches(person);
    return { kind: "transfer.planned", trunk, shown: this.#shown(target), stays };
  }

  /** A call that is transferred or redirected is one that somebody pays for. */
  #whyUnpaid(
    id: CallId,
    { person, route, trunk, longestMs }: PaidTransfer,
    how: "transfer" | "redirect",
  ): Cause | undefined {
    const { spending } = this.#parts;
    const call = this.#calls.find(id);
    const [leg] = call === undefined ? [] : trunkLegsOf(call);
    if (leg === undefined) return "transfer-failed";
    if (how === "redirect") return spending.redirected(leg.id, route, trunk.name) ? undefined : "limit-reached";
    const spent = spending.beginTransfer({ person, leg: leg.id, number: route, trunks: [trunk.name], longestMs });
    return spent.kind === "refused" ? spent.cause : undefined;
  }

  /** A trunk's REFER is followed in the trunk's own session only (core/call/referral.ts). */
  #whyElsewhere(id: CallId, { to }: PlanOrder, fact: CallFact): { cause: string; setting: string } | undefined {
    const call = this.#calls.find(id);
    if (typeof to === "string" || fact.kind !== "transfer.planned" || call?.phase.kind !== "connected")
      return undefined;
    return call.phase.trunk.name === fact.trunk.name
      ? undefined
      : { cause: "the number is routed to another trunk", setting: "dial_plan.routes" };
  }

  /** Whether a call may become one to that number, where its trunk sends it there. */
  allows(id: CallId, to: SipAddressee): boolean {
    const call = this.#calls.find(id);
    const person = call && chargedTo(call);
    return (
      person !== undefined &&
      this.#plan(id, { kind: "transfer.plan", to, person }, "redirect").kind === "transfer.planned"
    );
  }

  join({ handover }: JoinOrder): void {
    const { clock } = this.#parts;
    this.#calls.begin(beginBridged(callId(`c-${clock.newId()}`), handover, clock.nowMs()));
    if (handover.target.kind === "leg") this.#calls.post(handover.target.leg.id, { kind: "transfer.taken" });
  }

  /** Rings whoever handed the call over, with the far end that nobody took. */
  recall({ recall }: RecallOrder): void {
    const { clock } = this.#parts;
    const id = callId(`c-${clock.newId()}`);
    this.#calls.adopt(id, recall.far.id);
    const ring = this.#parts.homeserver.ownSide(this.#parts.clientKinds.of(recall.leg.person));
    this.#calls.begin(beginRecall({ id, ring }, recall, clock.nowMs()));
  }

  /** Who the trunk says is at the other end now. */
  identify({ trunk, identity }: IdentityOrder): CallFact {
    const caller = identifyCaller(identity, this.#parts.trust(trunk), this.#parts.plan().country);
    const shown = this.#shown(targetOf(caller));
    const displayName = caller.kind === "withheld" ? undefined : caller.displayName;
    return { kind: "identity.resolved", shown: { ...shown, displayName: displayName ?? shown.displayName } };
  }

  /** Whom somebody may have rung here is who could ring them by themselves. */
  #forward(call: CallId, to: UserId, by: UserId): CallFact {
    const { policy, homeserver, clientKinds, isOurs } = this.#parts;
    if (domainOf(to) !== policy().domain || isOurs(to)) return { kind: "transfer.barred", cause: "transfer-abroad" };
    const ring = homeserver.ownSide(clientKinds.of(to));
    this.#calls.alias(call, ring.matrixCallId);
    return { kind: "transfer.forwarded", person: to, ring, announce: [`Transferred by ${by}.`] };
  }

  #remember(key: string, call: CallId): void {
    this.#waiting.set(key, call);
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= rememberedTokens) return;
      this.#waiting.delete(oldest);
    }
  }

  #shown(target: DialTarget): ShownIdentity {
    const { ids } = this.#parts;
    return { ghost: ids.format(target), displayName: ids.displayName(target) };
  }

  #nameOf(id: CallId): string | undefined {
    const call = this.#calls.find(id);
    if (call === undefined || !isIn(call, "transferring", "connected")) return undefined;
    if (call.shown?.displayName !== undefined) return call.shown.displayName;
    const target = this.#parts.ids.parse(call.phase.leg.ghost);
    return target && this.#parts.ids.displayName(target);
  }

  /** Undefined where it has ended meanwhile. */
  #legOf(id: CallId | undefined): ConfirmedLeg | undefined {
    const call = id === undefined ? undefined : this.#calls.find(id);
    return call !== undefined && isIn(call, "transferring", "connected") ? call.phase.trunk : undefined;
  }
}

/** A telephone names a number or a SIP address; the host of a number is whatever that telephone believes it to be. */
function targetOfAddressee(to: SipAddressee, ids: GhostIds): DialTarget | undefined {
  const { uri, user, host } = to;
  if (user === undefined) return undefined;
  const context = contextOfAddressee(to);
  const [head = ""] = user.split(";");
  const number = ids.forDialled(context === undefined ? user : `tel:${head};phone-context=${context}`);
  if (number.kind === "ghost") return number.target;
  if (host === undefined || uri.kind === "tel") return undefined;
  const address = ids.forDialled(`${user}@${host}`);
  return address.kind === "ghost" ? address.target : undefined;
}
