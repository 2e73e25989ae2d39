// What an admin sees of limits, and the stop of calls as an admin orders it.
import type { Call } from "../../core/call/model/call.ts";
import { trunkLegsOf } from "../../core/call/model/queries.ts";
import type { CallId } from "../../core/ids.ts";
import { scopeKey, spans, wholeBridge, type Scope } from "../../core/policy/spending/allowance.ts";
import type { SpendingPolicy } from "../../core/policy/spending/spending-policy.ts";
import type { LimitUse, SpendingDoor, StopOrder } from "../../ports/admin/spending-door.ts";
import type { CallStops } from "./call-stops.ts";
import type { PatternWatch } from "./pattern-watch.ts";
import type { Spending } from "./spending.ts";

export interface SpendingDeskParts {
  readonly spending: Spending;
  readonly stops: CallStops;
  readonly patterns: PatternWatch;
  readonly policy: () => SpendingPolicy;
  readonly running: () => Iterable<{ readonly id: CallId; readonly call: Call }>;
  /** Ends the call; people read that an administrator did. */
  readonly end: (call: CallId, reason: string) => boolean;
}

export function spendingDesk({ spending, stops, patterns, policy, running, end }: SpendingDeskParts): SpendingDoor {
  function limited(): readonly Scope[] {
    const { trunks, countries } = policy();
    const named: readonly Scope[] = [
      wholeBridge,
      ...[...trunks.keys()].map((name): Scope => ({ kind: "trunk", name })),
      ...[...countries.keys()].filter((name) => name !== "*").map((name): Scope => countryOf(name)),
      ...spending.account.scopesIn(spending.windows),
    ];
    return [...new Map(named.map((scope) => [scopeKey(scope), scope])).values()];
  }

  function usesOf(scope: Scope): readonly LimitUse[] {
    const { windows, account } = spending;
    const allowance = spending.allowance(scope);
    return spans.flatMap((span) => {
      const used = account.consumed(scope, windows[span], (charge) => spending.talkedS(charge));
      return (["seconds", "money"] as const)
        .map((of) => ({ scope, span, of, limit: allowance[span][of], used: used[of] }))
        .filter(({ limit, used: some }) => limit !== undefined || some > 0);
    });
  }

  /** Calls that nobody is charged for are calls to emergency numbers, or came in. */
  function isMeant({ call }: { readonly call: Call }, { scope, inbound }: StopOrder): boolean {
    if (inbound && call.direction === "inbound") return true;
    return trunkLegsOf(call).some(({ id }) => spending.isCharged(id, scope));
  }

  return {
    get currency() {
      return policy().currency;
    },
    get zone() {
      return policy().zone;
    },
    uses: () => limited().flatMap(usesOf),
    usesOf: (name) => usesOf({ kind: "user", name }),
    stops: () => stops.list,
    async stop(order) {
      const kept = stops.stop(order);
      const ended = [...running()].filter((one) => isMeant(one, order) && end(one.id, "calls stopped")).length;
      await kept;
      return ended;
    },
    start: (scope) => stops.start(scope),
    held: () => patterns.held,
    allow: ({ person, prefix, who }) => patterns.allow(person, prefix, who),
  };
}

/** As the configuration writes it. */
function countryOf(name: string): Scope {
  return { kind: "country", name } as Scope;
}
