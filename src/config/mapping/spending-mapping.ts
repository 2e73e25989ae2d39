// Limits of minutes and money, and what calls cost, as the bridge takes them.
import { trunkName, type TrunkName } from "../../core/ids.ts";
import { noLimits, type Allowance, type Bounds } from "../../core/policy/spending/allowance.ts";
import { parseMoney, type Money } from "../../core/policy/spending/money.ts";
import type { PatternPolicy } from "../../core/policy/spending/patterns.ts";
import type { Rate } from "../../core/policy/spending/rate.ts";
import type { RateTable } from "../../core/policy/spending/rate-table.ts";
import type { OwnBounds, SpendingPolicy } from "../../core/policy/spending/spending-policy.ts";
import { readRatesFile } from "../rates/rates-file.ts";
import { ConfigError } from "../reading/problem.ts";
import type { Config } from "../schema/schema.ts";

type Amount = number | string | undefined;

/** As the sections write it. */
interface BoundsConfig {
  readonly minutes_per_day?: number | undefined;
  readonly minutes_per_month?: number | undefined;
  readonly money_per_day?: Amount;
  readonly money_per_month?: Amount;
}

interface ScopeConfig extends BoundsConfig {
  readonly calls_at_once?: number | undefined;
  readonly calls_per_minute?: number | undefined;
}

/** Throws ConfigError if the price list cannot be used. */
export function toSpendingPolicy(config: Config): SpendingPolicy {
  const { limits, permissions } = config;
  return {
    zone: limits.time_zone,
    currency: limits.currency,
    everybody: toBounds(limits.per_user),
    people: new Map(
      Object.entries(permissions).flatMap(([subject, entry]) =>
        typeof entry === "string" ? [] : [[subject, toBounds(entry)] as const],
      ),
    ),
    trunks: new Map<TrunkName, Allowance>(
      Object.entries(limits.trunks).map(([name, entry]) => [trunkName(name), toAllowance(entry)]),
    ),
    countries: new Map(Object.entries(limits.countries).map(([name, entry]) => [name, toAllowance(entry)])),
    bridge: { ...noLimits, ...toBounds(limits.in_all) },
    rates: toRates(config),
    defaultRate: toRate(limits.default_rate),
    privateRate: toRate(limits.private_rate),
    patterns: toPatterns(limits.patterns),
  };
}

function toRates({ limits: { rates_file: path }, trunks }: Config): RateTable | undefined {
  if (path === undefined) return undefined;
  const read = readRatesFile(path, new Set(trunks.map(({ name }) => name)));
  if (read.kind === "read") return read.table;
  throw new ConfigError(
    path,
    read.problems.map((message) => ({ path: ["limits", "rates_file"], message, line: undefined })),
  );
}

function toPatterns(entry: Config["limits"]["patterns"]): PatternPolicy {
  const unlessOff = (calls: number): number | undefined => (calls === 0 ? undefined : calls);
  return {
    expensiveFrom: toMoney(entry.expensive_from),
    shortCalls: unlessOff(entry.short_calls),
    shortCallsAtNight: unlessOff(entry.short_calls_at_night),
    night: { from: entry.night_from, until: entry.night_until },
    allowedDays: entry.allowed_days,
  };
}

function toAllowance(entry: ScopeConfig): Allowance {
  return {
    ...toBounds(entry),
    callsAtOnce: entry.calls_at_once,
    attemptsPerMinute: entry.calls_per_minute,
  };
}

function toBounds(entry: BoundsConfig): OwnBounds {
  const bounds = (minutes: number | undefined, money: Amount): Bounds => ({
    seconds: minutes === undefined ? undefined : minutes * 60,
    money: toMoney(money),
  });
  return {
    day: bounds(entry.minutes_per_day, entry.money_per_day),
    month: bounds(entry.minutes_per_month, entry.money_per_month),
  };
}

/** Such a price is billed by whole minutes: nothing is known of how the trunk bills it. */
function toRate(amount: Amount): Rate | undefined {
  const perMinute = toMoney(amount);
  return perMinute === undefined ? undefined : { name: "", perMinute, connection: 0, initialS: 60, followingS: 60 };
}

/** The schema has checked the text already. */
function toMoney(amount: Amount): Money | undefined {
  return amount === undefined ? undefined : parseMoney(String(amount));
}
