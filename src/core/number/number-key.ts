// One key for one telephone number, however it is written: two ghosts with the same key stand for the same telephone.
// For comparing only: nothing is dialled by a key, and people never see one.
import type { NumberKey, UserId } from "../ids.ts";
import { planCall, type DialPlan } from "./dial-plan.ts";
import { dialString } from "./dialled.ts";
import { toE164 } from "./e164.ts";
import type { DialTarget, GhostIds } from "./ghost-id.ts";

/** Never throws. A number that the plan refuses has a key too: it may still call or have called. */
export function numberKey(target: DialTarget, plan: DialPlan): NumberKey {
  return keyText(target, plan) as NumberKey;
}

/** The key of a ghost's number. A user who is no ghost, such as the bot, is known by their own id. */
export function keyOfUser(user: UserId, ids: Pick<GhostIds, "parse">, plan: DialPlan): NumberKey {
  const target = ids.parse(user);
  return target === undefined ? (user as string as NumberKey) : numberKey(target, plan);
}

function keyText(target: DialTarget, plan: DialPlan): string {
  if (target.kind === "withheld") return "withheld";
  const route = planCall(target, plan);
  if (route.kind === "route") return route.number;
  if (target.kind === "address") return `${target.user}@${target.host}`;
  return toE164(target.dialled, plan.country) ?? dialString(target.dialled) ?? target.dialled;
}
