// What people may do, and what is left of it: for an admin's tools.
import { parseUserId, type UserId } from "../../core/ids.ts";
import { peopleOf, type DidMatch, type DidTable } from "../../core/number/plan/did.ts";
import { callsPerUserOf, permissionRuleOf, type Permission, type Policy } from "../../core/policy/permission.ts";
import type { Limits, UserStatus } from "../../ports/admin/admin-door.ts";

export interface PeopleParts {
  readonly policy: Policy;
  readonly numbers: DidTable;
  /** Calls that count for the person's limit. */
  readonly callsOf: (person: UserId) => number;
}

/** Whom the permissions name, in their order, then whoever is only rung. */
export function usersOf({ policy, numbers, callsOf }: PeopleParts): readonly UserStatus[] {
  const rung = peopleOf(numbers);
  const subjects = new Set([...policy.permissions.keys(), ...rung.keys()]);
  return [...subjects].map((subject) => {
    const person = parseUserId(subject);
    const rule = person === undefined ? subject : permissionRuleOf(person, policy);
    const permission: Permission | undefined = rule === undefined ? undefined : policy.permissions.get(rule);
    return {
      subject,
      rule,
      mayCall: permission?.mayCall === true,
      allow: permission?.mayCall === true ? [...new Set([...policy.allow, ...permission.allow])] : [],
      callsAtOnce: permission?.callsPerUser ?? policy.callsPerUser,
      maxDurationMs: permission?.maxDurationMs ?? policy.maxDurationMs,
      calls: person === undefined ? undefined : callsOf(person),
      rungBy: person === undefined ? [] : (rung.get(person) ?? []).map(wordsOf),
    };
  });
}

function wordsOf(match: DidMatch): string {
  switch (match.kind) {
    case "exact":
      return match.number;
    case "pattern":
      return match.pattern;
    case "prefix":
      return `${match.prefix}*`;
  }
}

/** `running`: calls of the moment; `people`: who is in them. */
export function limitsOf(
  { policy, callsOf }: Omit<PeopleParts, "numbers">,
  running: number,
  people: Iterable<UserId>,
): Limits {
  return {
    callsInAll: { limit: policy.callsInAll, used: running },
    callsPerUser: policy.callsPerUser,
    callsPerMinute: policy.callsPerMinute,
    maxDurationMs: policy.maxDurationMs,
    allow: [...policy.allow],
    people: [...new Set(people)].map((person) => ({
      person,
      limit: callsPerUserOf(person, policy),
      used: callsOf(person),
    })),
  };
}
