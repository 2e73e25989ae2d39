// Why a number is called the way it is, or not at all; and who a number is that a trunk sends. Data for whoever shows it:
// nothing here decides, everything is asked of those who do.
import type { TrunkName, UserId } from "../ids.ts";
import {
  behindWithholding,
  bestRoute,
  planCall,
  type DialPlan,
  type PlannedCall,
  type PlannedTrunk,
  type PlanRoute,
} from "../number/plan/dial-plan.ts";
import { findDid, type DidFinding, type DidTable } from "../number/plan/did.ts";
import type { Country } from "../number/e164.ts";
import type { DialTarget, GhostIds } from "../number/ghost/ghost-id.ts";
import { classOfReading, understand, type NumberClass } from "../number/plan/number-class.ts";
import { readingsOf, type ReadingWay } from "../number/plan/readings.ts";
import { makeSipUri, userText } from "../address/uri.ts";
import { identifyCaller, targetOf, type CallerTrust } from "./caller.ts";
import { judge, permissionRuleOf, type Policy, type Verdict } from "./permission.ts";

export interface ExplainedReading {
  readonly way: ReadingWay;
  /** E.164, also of what is not as long as a number. */
  readonly number: string;
  readonly class: NumberClass;
  /** `assigned`: the numbering plan lists it; `possible`: it is as long as a number. */
  readonly status: "assigned" | "possible" | "impossible";
}

/** One trunk, in the order in which they are tried. */
interface ExplainedTrunk extends PlannedTrunk {
  /** User part of the Request-URI, unescaped. */
  readonly sent: string;
  readonly readings: readonly ExplainedReading[];
}

export type DialledExplanation =
  | { readonly kind: "not-dialable"; readonly entered: string; readonly why: string }
  | {
      readonly kind: "dialled";
      readonly entered: string;
      readonly country: Country | undefined;
      readonly ghost: UserId;
      readonly target: DialTarget;
      readonly readings: readonly ExplainedReading[];
      /** What it is judged as, the dearest first. */
      readonly classes: readonly NumberClass[];
      /** Undefined: the plan has no routes, or none of them fits. */
      readonly route: PlanRoute | undefined;
      readonly hasRoutes: boolean;
      readonly withheld: boolean;
      readonly trunks: readonly ExplainedTrunk[];
      readonly planned: PlannedCall;
      /** The entry of the permissions that decided; undefined where none names the person. */
      readonly permission: string | undefined;
      readonly verdict: Verdict;
    };

export interface ExplainedDialling {
  readonly ids: GhostIds;
  readonly plan: DialPlan;
  readonly policy: Policy;
  /** What the block list says of it; without a running bridge there is none. */
  readonly isBlocked: (planned: PlannedCall) => boolean;
  /** Undefined: somebody who may call, and has no permissions of their own. */
  readonly person: UserId | undefined;
  /** As if the call went over this trunk. */
  readonly trunk: TrunkName | undefined;
}

export function explainDialled(text: string, parts: ExplainedDialling): DialledExplanation {
  const { ids, policy, person, trunk, isBlocked } = parts;
  const found = ids.forDialled(text);
  if (found.kind === "none") return { kind: "not-dialable", entered: text, why: found.why };
  const { target, user, entered } = found;
  const plan = trunk === undefined ? parts.plan : planOver(trunk, parts.plan);
  const planned = planCall(target, plan);
  const keys = target.kind === "number" ? target.dialled : undefined;
  const dialled = keys === undefined ? undefined : behindWithholding(keys, plan);
  const meaning = dialled === undefined ? undefined : understand(dialled, plan.country);
  const rule = dialled === undefined || meaning === undefined ? undefined : bestRoute(dialled, meaning, plan);
  const caller = person ?? anybody(policy);
  const asked = person === undefined ? openTo(caller, policy) : policy;
  const ways = planned.kind === "route" ? [planned, ...planned.alternatives] : [];
  return {
    kind: "dialled",
    entered,
    country: plan.country,
    ghost: user,
    target,
    readings: dialled === undefined ? [] : explained(dialled, plan.country),
    classes: planned.kind === "route" ? [planned.class, ...(planned.otherClasses ?? [])] : [],
    route: plan.routes.length === 0 ? undefined : rule,
    hasRoutes: plan.routes.length > 0,
    withheld: planned.kind === "route" && planned.withheld,
    trunks: ways.map((way) => explainedTrunk(way, plan)),
    planned,
    permission: permissionRuleOf(caller, asked),
    verdict: judge(
      { person: caller, plan: planned, isBlocked: isBlocked(planned), callsOfPerson: 0, callsInAll: 0 },
      asked,
    ),
  };
}

function explainedTrunk({ trunk, uri, number }: PlannedTrunk, plan: DialPlan): ExplainedTrunk {
  const country = plan.trunks.find(({ name }) => name === trunk)?.country ?? plan.country;
  const sent = userText(uri) ?? "";
  return { trunk, uri, number, sent, readings: explained(sent, country) };
}

/** Service codes and names have none. */
function explained(keys: string, country: Country | undefined): readonly ExplainedReading[] {
  if (!/^\+?\d+$/.test(keys)) return [];
  return readingsOf(keys, country).map((reading) => ({
    way: reading.way,
    number: `+${reading.callingCode}${reading.nationalNumber}`,
    class: classOfReading(reading),
    status: reading.kind === undefined ? (reading.isPossible ? "possible" : "impossible") : "assigned",
  }));
}

/** Routes to the trunk alone; without one of its own, as if it were the only trunk. */
function planOver(trunk: TrunkName, plan: DialPlan): DialPlan {
  const routes = plan.routes.flatMap(({ trunks, prefix, strip, prepend }) =>
    trunks.includes(trunk) ? [{ prefix, strip, prepend, trunks: [trunk] }] : [],
  );
  return { ...plan, routes, trunks: plan.trunks.filter(({ name }) => name === trunk) };
}

function anybody({ domain }: Policy): UserId {
  return `@anybody:${domain}` as UserId;
}

function openTo(person: UserId, policy: Policy): Policy {
  const permission = { mayCall: true, allow: new Set<never>(), callsPerUser: undefined, maxDurationMs: undefined };
  return { ...policy, permissions: new Map([[person, permission]]) };
}

export interface ArrivedExplanation {
  readonly text: string;
  readonly country: Country | undefined;
  readonly format: string;
  readonly readings: readonly ExplainedReading[];
  /** Who calls, if it stands in From. */
  readonly caller: {
    readonly ghost: UserId | undefined;
    readonly shown: string;
    /** What calling back reaches, by the first trunk; undefined where that is nothing. */
    readonly callBack: PlannedTrunk | undefined;
  };
  /** Whom it rings, if it is called. */
  readonly called: DidFinding;
}

export interface ExplainedArrival {
  readonly ids: GhostIds;
  readonly plan: DialPlan;
  readonly numbers: DidTable;
  readonly trunk: TrunkName;
  readonly trust: CallerTrust;
}

export function explainArrived(
  text: string,
  { ids, plan, numbers, trunk, trust }: ExplainedArrival,
): ArrivedExplanation {
  const { country } = plan;
  const from = {
    uri: makeSipUri({ user: text, host: "trunk.example" }),
    user: text,
    host: "trunk.example",
    displayName: undefined,
  };
  const identity = { from, asserted: [], privacy: [], verstat: undefined };
  const target = targetOf(identifyCaller(identity, trust, country));
  const back = planCall(target, plan);
  return {
    text,
    country,
    format: trust.numberFormat ?? "auto",
    readings: explained(text.replaceAll(/[-.() ]/g, ""), country),
    caller: {
      ghost: ids.format(target),
      shown: ids.displayName(target),
      callBack: back.kind === "route" ? { trunk: back.trunk, uri: back.uri, number: back.number } : undefined,
    },
    called: findDid(text, trunk, numbers, country, trust.numberFormat),
  };
}
