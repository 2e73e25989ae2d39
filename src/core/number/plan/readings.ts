// What digits may mean to whoever dials them: E.164 with its plus or without, national with the trunk prefix or without,
// international behind a prefix. Which of them costs what: number-class.ts.
import {
  callingCodeOf,
  dearBeginnings,
  internationalPrefix,
  lacksTrunkPrefix,
  readNumber,
  type Country,
  type NumberReading,
} from "../e164.ts";

export type ReadingWay =
  /** `+442079460000` */
  | "e164"
  /** `442079460000` */
  | "e164-without-plus"
  /** `00442079460000`, or behind a carrier's code */
  | "international"
  /** `02079460000`; `2125550123` in countries that write no trunk prefix */
  | "national"
  /** `2079460000` in countries that do */
  | "national-without-trunk-prefix";

export interface Reading extends NumberReading {
  readonly way: ReadingWay;
}

/** Written as everybody there writes it, so that nothing else is likely to be meant. */
export function isUsualWay(way: ReadingWay): boolean {
  return way === "e164" || way === "international" || way === "national";
}

/**
 * Of a dial string without `*` and `#`, the likeliest first, each number once. With a plus there is one reading at most;
 * none for what is far too short or too long in any of them.
 */
export function readingsOf(keys: string, country: Country | undefined): readonly Reading[] {
  if (keys.startsWith("+")) return as("e164", readNumber(keys, undefined));
  const all = [
    ...asInternational(keys, country),
    ...(country === undefined ? [] : asNational(keys, country)),
    ...(/^[1-9]/.test(keys) ? as("e164-without-plus", readNumber(`+${keys}`, undefined)) : []),
  ].toSorted((one, other) => rank(one) - rank(other));
  const seen = new Set<string>();
  return all.filter(({ callingCode, nationalNumber }) => {
    const number = `${callingCode} ${nationalNumber}`;
    return !seen.has(number) && seen.add(number);
  });
}

function as(way: ReadingWay, number: NumberReading | undefined): readonly Reading[] {
  return number === undefined ? [] : [{ ...number, way }];
}

/** The country's own prefixes, and the one of most of the world, which stands before no number of the country itself. */
function asInternational(keys: string, country: Country | undefined): readonly Reading[] {
  const own = country === undefined ? /^011/ : internationalPrefix(country);
  const found = new Set([own.exec(keys)?.[0], /^00+/.exec(keys)?.[0]].filter((prefix) => prefix !== undefined));
  return [...found].flatMap((prefix) => as("international", readNumber(`+${keys.slice(prefix.length)}`, undefined)));
}

function asNational(keys: string, country: Country): readonly Reading[] {
  const own = callingCodeOf(country);
  const number = internationalPrefix(country).test(keys) ? undefined : readNumber(keys, country);
  // Where the country code was taken off, it is E.164 without plus.
  const isInternational = number === undefined || (number.nationalNumber !== keys && isBehind(own, keys, number));
  const asDialled = isInternational ? [] : as(wayOf(keys, number, country), number);
  // A trunk prefix that may as well be the first digit of a dear number.
  const isDear = number?.nationalNumber !== keys && isExactlyDear(own, keys);
  return isDear
    ? [...asDialled, ...as("national-without-trunk-prefix", readNumber(`+${own}${keys}`, undefined))]
    : asDialled;
}

function isBehind(callingCode: string, keys: string, { nationalNumber }: NumberReading): boolean {
  return callingCode !== "1" && keys === callingCode + nationalNumber;
}

function wayOf(keys: string, { nationalNumber }: NumberReading, country: Country): ReadingWay {
  const lacksPrefix = nationalNumber === keys && lacksTrunkPrefix(keys, country);
  return lacksPrefix ? "national-without-trunk-prefix" : "national";
}

/** Whether a number of exactly these digits is assigned, and dear. */
function isExactlyDear(callingCode: string, digits: string): boolean {
  const beginnings = dearBeginnings(callingCode);
  return [beginnings?.premium, beginnings?.sharedCost].some((dear) => dear?.exec(digits)?.[0] === digits);
}

/**
 * What is assigned goes before what is only as long as a number; then what is written as usual; then E.164 before a national
 * number that lacks the trunk prefix, which hardly anybody leaves out.
 */
function rank({ way, kind, isPossible }: Reading): number {
  if (kind !== undefined) return isUsualWay(way) ? 0 : way === "e164-without-plus" ? 1 : 2;
  if (!isPossible) return 6;
  return isUsualWay(way) ? 3 : way === "national-without-trunk-prefix" ? 4 : 5;
}
