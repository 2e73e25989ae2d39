// One key for one telephone number, however it is written: two ghosts with the same key stand for the same telephone.
// For comparing only: nothing is dialled by a key, and people never see one.
import type { NumberKey } from "../ids.ts";
import { planCall, type DialPlan } from "./dial-plan.ts";
import { dialString } from "./dialled.ts";
import { toE164 } from "./e164.ts";
import type { DialTarget } from "./ghost-id.ts";

/** Never throws. A number that the plan refuses has a key too: it may still call or have called. */
export function numberKey(target: DialTarget, plan: DialPlan): NumberKey {
  return keyText(target, plan) as NumberKey;
}

function keyText(target: DialTarget, plan: DialPlan): string {
  if (target.kind === "withheld") return "withheld";
  const route = planCall(target, plan);
  if (route.kind === "route") return route.number;
  if (target.kind === "address") return `${target.user}@${target.host}`;
  return toE164(target.dialled, plan.country) ?? dialString(target.dialled) ?? target.dialled;
}
