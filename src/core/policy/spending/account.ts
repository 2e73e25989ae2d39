// How much of each limit is used, and how much of it calls in progress hold. A call takes a share before it may use it, and
// gives back what it did not use, so that calls together never pass a limit. Knows no clock: whoever asks says which day and
// month it is.
import { eachWindow, isBounded, scopeKey, spans, type Allowance, type Bounds, type Scope } from "./allowance.ts";
import type { Span, Windows } from "./calendar.ts";
import type { Money } from "./money.ts";
import { affordable, dearestCost, type Rate } from "./rate.ts";

/** What was told about a limit in a window: nothing, that it nears its end, that it is reached. */
export type Told = "nothing" | "warned" | "reached";

/** What one scope has used in one day or month. */
export interface Usage {
  readonly scope: Scope;
  readonly window: string;
  readonly seconds: number;
  readonly money: Money;
  readonly told: Told;
}

/** Time that a call may last, counted for the day and month in which it was granted. */
interface Share {
  readonly windows: Windows;
  readonly seconds: number;
}

/** A call, or the part of one, that somebody pays for. */
export interface Charge {
  readonly id: string;
  /** For whom it counts. */
  readonly scopes: readonly Scope[];
  /** The dearest counts, second by second; none: it costs nothing. */
  readonly rates: readonly Rate[];
  /** In the order in which they are used up; none where nothing limits minutes or money. */
  readonly shares: readonly Share[];
}

/** Which limit leaves too little. */
export interface Shortage {
  readonly scope: Scope;
  readonly span: Span;
  readonly of: "seconds" | "money";
  readonly limit: number;
  readonly used: number;
  /** By calls in progress. */
  readonly held: number;
}

/** All of it, or so much of it, and then which limit ends it. */
export interface Grant {
  readonly seconds: number;
  readonly shortage: Shortage | undefined;
}

/** So much is wanted, and less than `least` is too little. */
interface FirstGrant {
  readonly windows: Windows;
  readonly wanted: number;
  readonly least: number;
}

export interface Changes {
  readonly usages: readonly Usage[];
  readonly charges: readonly Charge[];
  /** Ids of charges that are no more. */
  readonly settled: readonly string[];
}

interface Counter {
  readonly scope: Scope;
  readonly window: string;
  seconds: number;
  money: Money;
  heldSeconds: number;
  heldMoney: Money;
  told: Told;
}

type Part = Share & { readonly money: Money };

export class Account {
  readonly #allowanceOf: (scope: Scope) => Allowance;
  readonly #counters = new Map<string, Counter>();
  readonly #charges = new Map<string, Charge>();
  #changedCounters = new Set<Counter>();
  #changedCharges = new Set<string>();

  /** `allowanceOf` may answer otherwise from one moment to the next. */
  constructor(allowanceOf: (scope: Scope) => Allowance) {
    this.#allowanceOf = allowanceOf;
  }

  /** What an earlier process left. */
  restore(usages: readonly Usage[], charges: readonly Charge[]): void {
    for (const { scope, window, seconds, money, told } of usages)
      Object.assign(this.#counter(scope, window), { seconds, money, told });
    for (const charge of charges) {
      this.#charges.set(charge.id, charge);
      this.#hold(charge, 1);
    }
  }

  get charges(): readonly Charge[] {
    return [...this.#charges.values()];
  }

  get(id: string): Charge | undefined {
    return this.#charges.get(id);
  }

  /** Charges that count for a scope. */
  countOf(scope: Scope): number {
    const key = scopeKey(scope);
    return this.charges.filter(({ scopes }) => scopes.some((one) => scopeKey(one) === key)).length;
  }

  /** Takes it in with a first share of up to `wanted` seconds; where less than `least` are left it is not taken in. */
  open(charge: Omit<Charge, "shares">, windows: Windows, wanted: number, least: number): Grant {
    const fresh: Charge = { ...charge, scopes: distinct(charge.scopes), shares: [] };
    const grant = this.#granted(fresh, windows, wanted);
    if (grant.seconds < least) return grant;
    this.#put(this.#isLimited(fresh) ? withShare(fresh, windows, grant.seconds) : fresh);
    return grant;
  }

  /** One share more, as large as the limits allow. */
  grow(id: string, windows: Windows, wanted: number): Grant {
    const charge = this.#charges.get(id);
    if (charge === undefined) return { seconds: 0, shortage: undefined };
    const grant = this.#granted(charge, windows, wanted);
    if (grant.seconds > 0 && this.#isLimited(charge)) this.#put(withShare(charge, windows, grant.seconds));
    return grant;
  }

  /**
   * It counts for others, or costs something else, from its beginning. Undefined where that is possible; else nothing changes.
   * `first`: what it takes if nothing had limited it before.
   */
  rework(id: string, scopes: readonly Scope[], rates: readonly Rate[], first?: FirstGrant): Shortage | undefined {
    const before = this.#charges.get(id);
    if (before === undefined) return undefined;
    this.#remove(id);
    let next: Charge = { ...before, scopes: distinct(scopes), rates, shares: [] };
    this.#put(next);
    for (const { windows, seconds } of before.shares) {
      const { seconds: left, shortage } = this.#granted(next, windows, seconds);
      if (left < seconds) {
        this.#remove(id);
        this.#put(before);
        return shortage;
      }
      next = withShare(next, windows, seconds);
      this.#put(next);
    }
    if (first === undefined || before.shares.length > 0) return undefined;
    const grant = this.open(next, first.windows, first.wanted, first.least);
    if (grant.seconds >= first.least) return undefined;
    this.#put(before);
    return grant.shortage;
  }

  /** It has ended after so many seconds. What has no share counts for the last one's windows, or for `windows`. */
  settle(id: string, seconds: number, windows: Windows): void {
    const charge = this.#charges.get(id);
    if (charge === undefined) return;
    this.#remove(id);
    const last = charge.shares.at(-1)?.windows ?? windows;
    const used = cutTo([...charge.shares, { windows: last, seconds: Infinity }], seconds);
    for (const part of partsOf(charge.rates, used)) {
      if (part.seconds === 0) continue;
      for (const counter of this.#countersOf(charge.scopes, part.windows)) {
        counter.seconds += part.seconds;
        counter.money += part.money;
        this.#changedCounters.add(counter);
      }
    }
  }

  /** The same charge under another id. */
  rename(id: string, to: string): void {
    const charge = this.#charges.get(id);
    if (charge === undefined) return;
    this.#remove(id);
    this.#put({ ...charge, id: to });
  }

  /** What is used up and not given back: by calls that have ended, and by those in progress. */
  usage(scope: Scope, window: string): Usage & { readonly heldSeconds: number; readonly heldMoney: Money } {
    const { seconds, money, told, heldSeconds, heldMoney } = this.#counter(scope, window);
    return { scope, window, seconds, money, told, heldSeconds, heldMoney };
  }

  /** As `usage`, of calls in progress only what they have used after `talked` seconds. */
  consumed(scope: Scope, window: string, talked: (charge: string) => number): { seconds: number; money: Money } {
    const sum = { ...this.#counter(scope, window) };
    const key = scopeKey(scope);
    for (const { id, scopes, rates, shares } of this.#charges.values()) {
      if (!scopes.some((one) => scopeKey(one) === key)) continue;
      for (const part of partsOf(rates, cutTo(shares, talked(id)))) {
        if (part.windows.day !== window && part.windows.month !== window) continue;
        sum.seconds += part.seconds;
        sum.money += part.money;
      }
    }
    return { seconds: sum.seconds, money: sum.money };
  }

  /** True the first time in a window; what was reached is not warned of any more. */
  tell(scope: Scope, window: string, what: Exclude<Told, "nothing">): boolean {
    const counter = this.#counter(scope, window);
    if (counter.told === what || counter.told === "reached") return false;
    counter.told = what;
    this.#changedCounters.add(counter);
    return true;
  }

  /** All scopes that have used or hold anything in these windows. */
  scopesIn(windows: Windows): readonly Scope[] {
    const found = new Map<string, Scope>();
    for (const { scope, window, seconds, heldSeconds } of this.#counters.values()) {
      if ((window === windows.day || window === windows.month) && seconds + heldSeconds > 0)
        found.set(scopeKey(scope), scope);
    }
    return [...found.values()];
  }

  /** What has changed since it was asked last: to be stored. */
  takeChanges(): Changes {
    const usages = [...this.#changedCounters].map(({ scope, window, seconds, money, told }) => ({
      scope,
      window,
      seconds,
      money,
      told,
    }));
    const ids = [...this.#changedCharges];
    const charges = ids.flatMap((id) => this.#charges.get(id) ?? []);
    const settled = ids.filter((id) => !this.#charges.has(id));
    this.#changedCounters = new Set();
    this.#changedCharges = new Set();
    return { usages, charges, settled };
  }

  /** Forgets what was used in windows that are over, and that no charge has a share of. */
  forget(isOver: (window: string) => boolean): void {
    for (const [key, { window, heldSeconds }] of this.#counters)
      if (heldSeconds === 0 && isOver(window)) this.#counters.delete(key);
  }

  #isLimited({ scopes }: Charge): boolean {
    return scopes.some((scope) => isBounded(this.#allowanceOf(scope)));
  }

  #granted({ scopes, rates, shares }: Charge, windows: Windows, wanted: number): Grant {
    const from = shares.reduce((sum, share) => sum + share.seconds, 0);
    let grant: Grant = { seconds: wanted, shortage: undefined };
    const cut = (seconds: number, shortage: Shortage): void => {
      if (seconds < grant.seconds) grant = { seconds: Math.max(0, seconds), shortage };
    };
    for (const scope of scopes) {
      const allowance = this.#allowanceOf(scope);
      for (const [span, window] of eachWindow(windows)) {
        const { seconds, money }: Bounds = allowance[span];
        const counter = this.#counter(scope, window);
        const shortage = (of: Shortage["of"], limit: number, used: number, held: number): Shortage => ({
          scope,
          span,
          of,
          limit,
          used,
          held,
        });
        if (seconds !== undefined)
          cut(
            seconds - counter.seconds - counter.heldSeconds,
            shortage("seconds", seconds, counter.seconds, counter.heldSeconds),
          );
        if (money !== undefined)
          cut(
            affordable(rates, from, money - counter.money - counter.heldMoney, grant.seconds),
            shortage("money", money, counter.money, counter.heldMoney),
          );
      }
    }
    return grant;
  }

  #put(charge: Charge): void {
    this.#remove(charge.id);
    this.#charges.set(charge.id, charge);
    this.#changedCharges.add(charge.id);
    this.#hold(charge, 1);
  }

  #remove(id: string): void {
    const charge = this.#charges.get(id);
    if (charge === undefined) return;
    this.#hold(charge, -1);
    this.#charges.delete(id);
    this.#changedCharges.add(id);
  }

  #hold({ scopes, rates, shares }: Charge, sign: 1 | -1): void {
    for (const { windows, seconds, money } of partsOf(rates, shares)) {
      for (const counter of this.#countersOf(scopes, windows)) {
        counter.heldSeconds += sign * seconds;
        counter.heldMoney += sign * money;
      }
    }
  }

  #countersOf(scopes: readonly Scope[], windows: Windows): readonly Counter[] {
    return scopes.flatMap((scope) => spans.map((span) => this.#counter(scope, windows[span])));
  }

  #counter(scope: Scope, window: string): Counter {
    const key = `${scopeKey(scope)}\n${window}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const fresh: Counter = { scope, window, seconds: 0, money: 0, heldSeconds: 0, heldMoney: 0, told: "nothing" };
    this.#counters.set(key, fresh);
    return fresh;
  }
}

/** A call counts once for each, also where one who pays for it already takes it over. */
function distinct(scopes: readonly Scope[]): readonly Scope[] {
  return [...new Map(scopes.map((scope) => [scopeKey(scope), scope])).values()];
}

/** How long the call may last by now. */
export function grantedS({ shares }: Charge): number {
  return shares.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** The first so many seconds of them. */
function cutTo(shares: readonly Share[], seconds: number): readonly Share[] {
  let rest = seconds;
  return shares.map((share) => {
    const part = { windows: share.windows, seconds: Math.min(rest, share.seconds) };
    rest -= part.seconds;
    return part;
  });
}

/** Each share with what it costs, given those before it. */
function partsOf(rates: readonly Rate[], shares: readonly Share[]): readonly Part[] {
  let seconds = 0;
  return shares.map((share) => {
    const before = dearestCost(rates, seconds);
    seconds += share.seconds;
    return { ...share, money: dearestCost(rates, seconds) - before };
  });
}

/** Shares of one day are one. */
function withShare(charge: Charge, windows: Windows, seconds: number): Charge {
  const last = charge.shares.at(-1);
  if (last === undefined || last.windows.day !== windows.day)
    return { ...charge, shares: [...charge.shares, { windows, seconds }] };
  return { ...charge, shares: [...charge.shares.slice(0, -1), { windows, seconds: last.seconds + seconds }] };
}
