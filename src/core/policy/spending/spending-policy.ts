// The limits on minutes and money, and what calls cost, as the configuration says it.
import type { E164, TrunkName, UserId } from "../../ids.ts";
import { countriesWith, readNumber, type Country } from "../../number/e164.ts";
import { permissionRuleOf, type Policy } from "../permission.ts";
import { isBounded, noLimits, type Allowance, type Bounds, type Scope } from "./allowance.ts";
import type { Span } from "./calendar.ts";
import { shortS, type PatternPolicy } from "./patterns.ts";
import { dearestCost, type Rate } from "./rate.ts";
import type { RateTable } from "./rate-table.ts";

/** What a permission says of its own; what it does not name is as for everybody. */
export type OwnBounds = Readonly<Record<Span, Bounds>>;

export interface SpendingPolicy {
  /** In which days and months are counted. */
  readonly zone: string;
  readonly currency: string;
  readonly everybody: OwnBounds;
  /** By the entry of the permissions. */
  readonly people: ReadonlyMap<string, OwnBounds>;
  readonly trunks: ReadonlyMap<TrunkName, Allowance>;
  /** By country, by calling code with a plus, or `*` for each that is not named. */
  readonly countries: ReadonlyMap<string, Allowance>;
  readonly bridge: Allowance;
  /** Undefined: calls have no price. */
  readonly rates: RateTable | undefined;
  /** Of numbers without a rate; undefined: such numbers are not called. */
  readonly defaultRate: Rate | undefined;
  /** Of what is no number of the public plan: extensions, short codes, SIP addresses. Undefined: as of numbers without a rate. */
  readonly privateRate: Rate | undefined;
  /** When calls look like fraud. */
  readonly patterns: PatternPolicy;
}

export function allowanceOf(scope: Scope, spending: SpendingPolicy, policy: Policy): Allowance {
  switch (scope.kind) {
    case "user": {
      const rule = permissionRuleOf(scope.name, policy);
      const own = rule === undefined ? undefined : spending.people.get(rule);
      const { day, month } = spending.everybody;
      return { ...noLimits, day: narrowed(day, own?.day), month: narrowed(month, own?.month) };
    }
    case "trunk":
      return spending.trunks.get(scope.name) ?? noLimits;
    case "country":
      return spending.countries.get(scope.name) ?? spending.countries.get("*") ?? noLimits;
    case "bridge":
      return spending.bridge;
  }
}

function narrowed(of: Bounds, own: Bounds | undefined): Bounds {
  return { seconds: own?.seconds ?? of.seconds, money: own?.money ?? of.money };
}

/** Whether minutes or money of any call of that person may come to an end. */
export function isLimited(person: UserId, spending: SpendingPolicy, policy: Policy): boolean {
  const { trunks, countries, bridge } = spending;
  const own = allowanceOf({ kind: "user", name: person }, spending, policy);
  return [own, bridge, ...trunks.values(), ...countries.values()].some(isBounded);
}

/** Undefined of what is no number of the public plan. Numbers that no country has assigned count for the code's main one. */
export function countryScope(e164: E164 | undefined): Scope | undefined {
  const read = e164 && readNumber(e164, undefined);
  if (!read) return undefined;
  return { kind: "country", name: read.country ?? countriesWith(read.callingCode)[0] ?? `+${read.callingCode}` };
}

/** One that is known by its E.164 number, or has none. */
export interface Priced {
  readonly e164: E164 | undefined;
  /** It may be another number as well. */
  readonly isAmbiguous?: true;
}

/** What may be counted for a call over that trunk; undefined: it is not known, and the call must not go out. */
export function ratesFor(
  { e164, isAmbiguous }: Priced,
  trunk: TrunkName,
  { rates, defaultRate, privateRate }: SpendingPolicy,
): readonly Rate[] | undefined {
  if (rates === undefined && defaultRate === undefined) return [];
  const found = e164 === undefined ? privateRate : rates?.find(e164.slice(1), trunk);
  const rate = found ?? defaultRate;
  if (rate === undefined) return undefined;
  return isAmbiguous && defaultRate !== undefined ? [rate, defaultRate] : [rate];
}

/** Whether calls there are looked at for fraud. `home`: undefined where nobody knows it; then each number may be abroad. */
export function isExpensive(
  number: E164,
  rates: readonly Rate[],
  home: Country | undefined,
  { expensiveFrom }: PatternPolicy,
): boolean {
  if (expensiveFrom !== undefined) return dearestCost(rates, shortS) >= expensiveFrom;
  return home === undefined || countryScope(number)?.name !== home;
}
