// What a call takes of the limits before it goes out, over as many of its trunks as they allow.
import type { TrunkName } from "../../core/ids.ts";
import type { Account, Grant } from "../../core/policy/spending/account.ts";
import type { Scope } from "../../core/policy/spending/allowance.ts";
import type { Windows } from "../../core/policy/spending/calendar.ts";
import type { Rate } from "../../core/policy/spending/rate.ts";
import { ratesFor, type Priced, type SpendingPolicy } from "../../core/policy/spending/spending-policy.ts";

/** Each with what a call over it may cost. */
export type PricedTrunks = readonly (readonly [TrunkName, readonly Rate[]])[];

/** A call that could not last that long is not placed. */
export const leastS = 30;

/** Those over which it is known what the call costs. */
export function pricedTrunks(number: Priced, trunks: readonly TrunkName[], spending: SpendingPolicy): PricedTrunks {
  return trunks.flatMap((trunk) => {
    const rates = ratesFor(number, trunk, spending);
    return rates === undefined ? [] : [[trunk, rates] as const];
  });
}

export interface FirstShare {
  readonly id: string;
  /** Whichever trunk it goes over. */
  readonly shared: readonly Scope[];
  readonly open: PricedTrunks;
  readonly windows: Windows;
  readonly wanted: number;
}

/** A `shortage` means that nothing was taken. Until a trunk answers, the call counts for each that it may be tried over. */
export function takeFirstShare(
  account: Pick<Account, "open">,
  { id, shared, open, windows, wanted }: FirstShare,
): Grant & { readonly trunks: readonly TrunkName[] } {
  const least = Math.min(leastS, wanted);
  let left = open;
  for (;;) {
    const trunks = left.map(([name]) => name);
    const scopes = [...shared, ...trunks.map((name): Scope => ({ kind: "trunk", name }))];
    const grant = account.open({ id, scopes, rates: left.flatMap(([, of]) => of) }, windows, wanted, least);
    const { shortage } = grant;
    if (shortage === undefined || grant.seconds >= least)
      return { seconds: grant.seconds, shortage: undefined, trunks };
    const { scope } = shortage;
    const others = left.filter(([name]) => scope.kind !== "trunk" || scope.name !== name);
    if (others.length === left.length || others.length === 0) return { ...grant, trunks };
    left = others;
  }
}
