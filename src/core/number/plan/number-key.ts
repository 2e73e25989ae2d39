// One key for one telephone number, however it is written: two ghosts with the same key stand for the same telephone.
// For comparing only: nothing is dialled by a key, and people never see one.
import type { DialString, NumberKey, UserId } from "../../ids.ts";
import { planCall, type DialPlan, type PlannedCall } from "./dial-plan.ts";
import type { DialTarget, GhostIds } from "../ghost/ghost-id.ts";
import { understand } from "./number-class.ts";

/** A ghost's number, read and understood once: every later step takes it as it is. */
export interface GhostNumber {
  readonly user: UserId;
  readonly target: DialTarget;
  /** Where a call to it goes. */
  readonly planned: PlannedCall;
  readonly key: NumberKey;
}

/** Never throws. `user` stands for `target`. */
export function ghostNumber(user: UserId, target: DialTarget, plan: DialPlan): GhostNumber {
  const planned = planCall(target, plan);
  return { user, target, planned, key: keyText(target, planned, plan) as NumberKey };
}

/** Never throws. A number that the plan refuses has a key too: it may still call or have called. */
export function numberKey(target: DialTarget, plan: DialPlan): NumberKey {
  return keyText(target, planCall(target, plan), plan) as NumberKey;
}

/** One of ours: a number's ghost, or who stands for no number, as the bot does, and is known by their own id. */
export type OurUser =
  | GhostNumber
  | { readonly user: UserId; readonly target: undefined; readonly planned: undefined; readonly key: NumberKey };

/** Who an id is that comes in. Never throws. */
export function ourUser(user: UserId, ids: Pick<GhostIds, "parse">, plan: DialPlan): OurUser {
  const target = ids.parse(user);
  if (target !== undefined) return ghostNumber(user, target, plan);
  return { user, target, planned: undefined, key: user as string as NumberKey };
}

function keyText(target: DialTarget, route: PlannedCall, plan: DialPlan): string {
  if (target.kind === "withheld") return "withheld";
  if (target.kind === "address") return route.kind === "route" ? route.number : `${target.user}@${target.host}`;
  const keys = target.dialled;
  if (route.kind === "route") return route.isAmbiguous ? keys : route.number;
  const { e164, isAmbiguous } = understand(keys, plan.country);
  return (isAmbiguous ? undefined : e164) ?? keys;
}

/**
 * The E.164 form of a dial string, where it is one number, and calling it so goes the same way; else the dial string. A code in
 * front that withholds the caller's number is a part of what was dialled.
 */
export function soleNumber(keys: DialString, plan: DialPlan): DialString {
  const route = planCall({ kind: "number", dialled: keys }, plan);
  if (route.kind === "refused" || route.e164 === undefined || route.isAmbiguous || route.withheld) return keys;
  const asE164 = planCall({ kind: "number", dialled: route.e164 }, plan);
  return asE164.kind === "route" && trunksOf(asE164) === trunksOf(route) ? route.e164 : keys;
}

function trunksOf({ trunk, alternatives }: Extract<PlannedCall, { kind: "route" }>): string {
  return [trunk, ...alternatives.map((other) => other.trunk)].join(" ");
}
