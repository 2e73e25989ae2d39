// What a call costs: so much a minute, billed in increments, and perhaps a fee for being connected.
import { dividedUp, type Money } from "./money.ts";

export interface Rate {
  /** What the price list calls the destination. */
  readonly name: string;
  readonly perMinute: Money;
  /** Once, when the call is answered. */
  readonly connection: Money;
  /** The least that is billed, and the steps after that, in seconds: 60 and 60, 1 and 1, 30 and 6. */
  readonly initialS: number;
  readonly followingS: number;
}

/** Higher prices are no longer exact for the longest calls. */
export const dearestPerMinute: Money = 10_000_000_000;

/** Of an answered call that lasted so many seconds (whole ones); 0 seconds are no call. */
export function cost({ perMinute, connection, initialS, followingS }: Rate, seconds: number): Money {
  if (seconds <= 0) return 0;
  const beyond = Math.max(0, seconds - initialS);
  const billed = initialS + dividedUp(beyond, followingS) * followingS;
  return connection + dividedUp(perMinute * billed, 60);
}

/** Where it is not known which of them will count: the dearest, second by second. None: it costs nothing. */
export function dearestCost(rates: readonly Rate[], seconds: number): Money {
  return rates.reduce((most, rate) => Math.max(most, cost(rate, seconds)), 0);
}

/** How many seconds more may follow the first `from` for so much money, `most` at most. */
export function affordable(rates: readonly Rate[], from: number, money: Money, most: number): number {
  const before = dearestCost(rates, from);
  let [enough, tooMany] = [0, Math.max(0, most) + 1];
  while (tooMany - enough > 1) {
    const tried = Math.floor((enough + tooMany) / 2);
    if (dearestCost(rates, from + tried) - before <= money) enough = tried;
    else tooMany = tried;
  }
  return enough;
}
