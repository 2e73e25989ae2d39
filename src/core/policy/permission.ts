// Who may call what, how often at once and for how long. Nobody may anything until the configuration says so.
import { domainOf, type UserId } from "../ids.ts";
import type { PlannedCall } from "../number/plan/dial-plan.ts";
import { isBarred, type BarredClass } from "../number/plan/number-class.ts";

export interface Permission {
  readonly mayCall: boolean;
  /** Allowed besides what the policy allows everyone. */
  readonly allow: ReadonlySet<BarredClass>;
  /** Instead of the policy's own limits, if given. */
  readonly callsPerUser: number | undefined;
  readonly maxDurationMs: number | undefined;
}

export interface Policy {
  /** The homeserver's server name: `*` means its users only. */
  readonly domain: string;
  /** By Matrix user id, server name, or `*`; the most specific decides alone. */
  readonly permissions: ReadonlyMap<string, Permission>;
  readonly allow: ReadonlySet<BarredClass>;
  /** Calls at once. */
  readonly callsPerUser: number;
  readonly callsInAll: number;
  /** Calls of one user, allowed or not, that are looked at in a minute. */
  readonly callsPerMinute: number;
  /** From the answer to the forced end. */
  readonly maxDurationMs: number;
}

export interface CallRequest {
  readonly person: UserId;
  readonly plan: PlannedCall;
  /** An admin has blocked the number for all. */
  readonly isBlocked: boolean;
  /** Calls the person has now, and the bridge has now; this one not counted. */
  readonly callsOfPerson: number;
  readonly callsInAll: number;
}

type RefusalCause =
  | "not-permitted"
  | "premium-barred"
  | "shared-cost-barred"
  | "satellite-barred"
  | "unknown-barred"
  | "doubtful-number"
  | "emergency"
  | "too-many-calls-user"
  | "too-many-calls"
  | "no-route"
  | "domain-not-allowed"
  | "withheld-number"
  | "number-blocked";

export type Verdict =
  | { readonly kind: "allowed"; readonly maxDurationMs: number }
  | { readonly kind: "refused"; readonly cause: RefusalCause };

/** No dispatcher is cut off by a limit that was made against fraud. */
const emergencyDurationMs = 24 * 3_600_000;

export function judge(request: CallRequest, policy: Policy): Verdict {
  const { person, plan } = request;
  // First of all: whoever needs help must learn at once that it is not to be had here.
  if (plan.kind === "refused" && plan.why === "emergency") return refused("emergency");
  const permission = permissionOf(person, policy);
  if (permission?.mayCall !== true) return refused("not-permitted");
  if (plan.kind === "refused") return refused(plan.why);
  if (plan.class === "emergency") return { kind: "allowed", maxDurationMs: emergencyDurationMs };
  if (request.isBlocked) return refused("number-blocked");
  const kinds = [plan.class, ...(plan.otherClasses ?? [])].filter(isBarred);
  const barred = kinds.find((kind) => !policy.allow.has(kind) && !permission.allow.has(kind));
  if (barred !== undefined) return refused(plan.isDoubtful === true ? "doubtful-number" : `${barred}-barred`);
  if (request.callsOfPerson >= callsPerUserOf(person, policy)) return refused("too-many-calls-user");
  if (request.callsInAll >= policy.callsInAll) return refused("too-many-calls");
  return { kind: "allowed", maxDurationMs: permission.maxDurationMs ?? policy.maxDurationMs };
}

/** How many calls the person may have at once, in either direction. */
export function callsPerUserOf(person: UserId, policy: Policy): number {
  return permissionOf(person, policy)?.callsPerUser ?? policy.callsPerUser;
}

/** Whether the person may call anybody at all. */
export function mayCall(person: UserId, policy: Policy): boolean {
  return permissionOf(person, policy)?.mayCall === true;
}

/** The name of the entry that counts for the person: a user, a server or `*`. */
export function permissionRuleOf(person: UserId, { permissions, domain: home }: Policy): string | undefined {
  const domain = domainOf(person);
  return [person, domain, ...(domain === home ? ["*"] : [])].find((rule) => permissions.has(rule));
}

/** The entry for the user, else for the user's server, else `*` if the server is ours. */
function permissionOf(person: UserId, policy: Policy): Permission | undefined {
  const rule = permissionRuleOf(person, policy);
  return rule === undefined ? undefined : policy.permissions.get(rule);
}

function refused(cause: RefusalCause): Verdict {
  return { kind: "refused", cause };
}
