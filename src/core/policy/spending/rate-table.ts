// A price list: which rate a number has, by the longest prefix of its E.164 digits. Compact: price lists have hundreds of
// thousands of rows.
import type { TrunkName } from "../../ids.ts";
import type { Rate } from "./rate.ts";

export interface RateRow extends Rate {
  /** E.164 digits without the plus. */
  readonly prefix: string;
  /** Undefined: counts on every trunk. */
  readonly trunk: TrunkName | undefined;
}

/** Longer prefixes are no number (ITU-T E.164). */
export const longestPrefix = 15;

/** Of prefixes of one length and one trunk: sorted, with the place of each one's rate. */
interface Prefixes {
  readonly values: Float64Array;
  readonly rates: Uint32Array;
}

/** By length. */
type Index = readonly (Prefixes | undefined)[];

export class RateTable {
  /** Each different rate once. */
  readonly #rates: readonly Rate[];
  readonly #everywhere: Index;
  readonly #byTrunk: ReadonlyMap<TrunkName, Index>;
  readonly size: number;

  /** Of two rows with one prefix and trunk, either may count: whoever reads a list reports those. */
  constructor(rows: readonly RateRow[]) {
    const rates = new Map<string, { readonly at: number; readonly rate: Rate }>();
    const placed = new Map<TrunkName | undefined, Map<number, [value: number, rate: number][]>>();
    for (const { prefix, trunk, name, perMinute, connection, initialS, followingS } of rows) {
      const key = `${perMinute} ${connection} ${initialS} ${followingS} ${name}`;
      const rate = rates.get(key) ?? {
        at: rates.size,
        rate: { name, perMinute, connection, initialS, followingS },
      };
      rates.set(key, rate);
      const lengths = placed.get(trunk) ?? new Map<number, [number, number][]>();
      placed.set(trunk, lengths);
      const list = lengths.get(prefix.length) ?? [];
      lengths.set(prefix.length, list);
      list.push([Number(prefix), rate.at]);
    }
    this.#rates = [...rates.values()].map(({ rate }) => rate);
    this.size = rows.length;
    this.#everywhere = indexOf(placed.get(undefined));
    this.#byTrunk = new Map(
      [...placed].flatMap(([trunk, lengths]) => (trunk === undefined ? [] : [[trunk, indexOf(lengths)] as const])),
    );
  }

  /** Undefined: the list has none. Of two rows as long as each other the trunk's own counts. */
  find(digits: string, trunk: TrunkName): Rate | undefined {
    const own = this.#byTrunk.get(trunk);
    for (let length = Math.min(longestPrefix, digits.length); length > 0; length -= 1) {
      const value = Number(digits.slice(0, length));
      const at = (own && placeIn(own[length], value)) ?? placeIn(this.#everywhere[length], value);
      if (at !== undefined) return this.#rates[at];
    }
    return undefined;
  }
}

function indexOf(lengths: ReadonlyMap<number, [number, number][]> | undefined): Index {
  return Array.from({ length: longestPrefix + 1 }, (_, length) => {
    const list = lengths?.get(length)?.toSorted(([one], [other]) => one - other);
    return (
      list && {
        values: Float64Array.from(list, ([value]) => value),
        rates: Uint32Array.from(list, ([, rate]) => rate),
      }
    );
  });
}

function placeIn(prefixes: Prefixes | undefined, value: number): number | undefined {
  if (prefixes === undefined) return undefined;
  const { values, rates } = prefixes;
  let [from, to] = [0, values.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((values[middle] ?? 0) < value) from = middle + 1;
    else to = middle;
  }
  return values[from] === value ? rates[from] : undefined;
}
