// The numbering plan: the only home of libphonenumber. Turns what was dialled into E.164 and back. Metadata gets older than
// the plans it describes, so nothing here decides that a number cannot exist. What a number costs: number-class.ts.
import {
  getCountries,
  getCountryCallingCode,
  Metadata,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumber,
} from "libphonenumber-js/max";
import type { DialString, E164 } from "../ids.ts";
import { dialString } from "./dialled.ts";

/** ISO 3166-1 alpha-2, upper case, with a numbering plan of its own. */
export type Country = CountryCode;

/** All there are. */
export const countries: readonly Country[] = getCountries();

/** A number as the numbering plan reads it. */
export interface NumberReading {
  readonly callingCode: string;
  /** Without the national prefix. */
  readonly nationalNumber: string;
  readonly country: Country | undefined;
  readonly e164: E164 | undefined;
  /** As long as numbers of its plan are. */
  readonly isPossible: boolean;
  /** undefined: not assigned, as far as the metadata knows. */
  readonly kind: "premium" | "shared-cost" | "toll-free" | "ordinary" | undefined;
}

/** From here on a number that the metadata calls invalid is still more likely a new range than an extension. */
const shortestPublicNumber = 7;

function parse(keys: string, country: Country | undefined): PhoneNumber | undefined {
  return parsePhoneNumberFromString(keys, { ...(country && { defaultCountry: country }), extract: false });
}

/** Each number is read several times while one call is planned, and reading takes long. */
const remembered = new Map<string, NumberReading | undefined>();
const rememberedNumbers = 512;

/** Of a dial string without `*` and `#`; undefined for what is far too short or too long. */
export function readNumber(keys: string, country: Country | undefined): NumberReading | undefined {
  // With a plus, the country says nothing.
  const where = keys.startsWith("+") ? undefined : country;
  const key = `${where} ${keys}`;
  const known = remembered.get(key);
  if (known !== undefined || remembered.has(key)) return known;
  if (remembered.size >= rememberedNumbers) remembered.clear();
  const read = readAfresh(keys, where);
  remembered.set(key, read);
  return read;
}

function readAfresh(keys: string, country: Country | undefined): NumberReading | undefined {
  const number = parse(keys, country);
  if (!number) return undefined;
  const isPossible = number.isPossible();
  const kind = kindOf(number);
  return {
    callingCode: number.countryCallingCode,
    nationalNumber: number.nationalNumber,
    country: number.country,
    e164: isPossible && isPublic(number, keys, kind !== undefined) ? exact(number, kind !== undefined) : undefined,
    isPossible,
    kind,
  };
}

function kindOf(number: PhoneNumber): NumberReading["kind"] {
  // With the full metadata, to have a type and to be valid are the same.
  switch (number.getType()) {
    case undefined:
      return undefined;
    case "PREMIUM_RATE":
      return "premium";
    case "SHARED_COST":
      return "shared-cost";
    case "TOLL_FREE":
      return "toll-free";
    default:
      return "ordinary";
  }
}

function isPublic(number: PhoneNumber, keys: string, isValid: boolean): boolean {
  return isValid || keys.startsWith("+") || number.nationalNumber.length >= shortestPublicNumber;
}

/** undefined for more than the 15 digits of E.164, and for what would be another number, or none, when it is read again. */
function exact({ number }: PhoneNumber, isValid: boolean): E164 | undefined {
  if (!/^\+[1-9]\d{1,14}$/.test(number)) return undefined;
  if (isValid) return number as E164;
  // A zero too many is taken for the national prefix, and so would be the next one; and there are local numbers without area.
  const again = parse(number, undefined);
  return again?.number === number && again.isPossible() ? (number as E164) : undefined;
}

/** The E.164 number that this means when dialled in `country`; undefined for short numbers, service codes and what is none. */
export function toE164(keys: DialString, country?: Country): E164 | undefined {
  return /[*#]/.test(keys) ? undefined : readNumber(keys, country)?.e164;
}

/** As `toE164`, where the numbering plan lists the number as assigned. */
export function knownForm(keys: DialString, country?: Country): E164 | undefined {
  if (/[*#]/.test(keys)) return undefined;
  const number = readNumber(keys, country);
  return number?.kind === undefined ? undefined : number.e164;
}

/** `+44 20 7946 0000`; as it is where the plan has no grouping for it. */
export function internationalForm(number: E164): string {
  return parse(number, undefined)?.formatInternational() ?? number;
}

/** As people in `country` write it: `020 7946 0000` at home, `+49 30 123456` abroad. */
export function readableForm(number: E164, country: Country | undefined): string {
  const parsed = parse(number, undefined);
  const isHome = country !== undefined && parsed?.countryCallingCode === getCountryCallingCode(country);
  return parsed === undefined ? number : isHome ? parsed.formatNational() : parsed.formatInternational();
}

/** Digits as dialled inside `country`: with the national prefix, or with the international one for numbers elsewhere. */
export function nationalForm(number: E164, country: Country): DialString {
  const parsed = parse(number, undefined);
  if (!parsed) return number;
  const inside = parsed.countryCallingCode === getCountryCallingCode(country);
  // Countries with several carriers' international prefixes have no one form to dial: libphonenumber gives nothing, whatever
  // its types say, and the plus stands for all of them.
  const written: string | undefined = inside
    ? parsed.format("NATIONAL")
    : parsed.format("IDD", { fromCountry: country });
  return dialString(written?.replaceAll(/[^\d+]/g, "") ?? "") ?? number;
}

const countriesOf = Map.groupBy(countries, callingCodeOf);

/** Those that share a country code; none for codes that belong to no country. */
export function countriesWith(callingCode: string): readonly Country[] {
  return countriesOf.get(callingCode) ?? [];
}

export function callingCodeOf(country: Country): string {
  return getCountryCallingCode(country);
}

/**
 * Whether these digits, which are a whole national number, lack the trunk prefix that the country writes in front of them:
 * `2079460000` in Britain does, `2125550123` in America does not.
 */
export function lacksTrunkPrefix(digits: string, country: Country): boolean {
  if (!patternsOf(country)?.nationalPrefix()) return false;
  const number = parse(`+${callingCodeOf(country)}${digits}`, undefined);
  return number?.nationalNumber === digits && number.format("NATIONAL").replaceAll(/\D/g, "") !== digits;
}

/** What the library's types leave out of its numbering plans. */
interface PlanPatterns {
  type(name: "PREMIUM_RATE" | "SHARED_COST"): { pattern(): string } | undefined;
  IDDPrefix(): string;
  nationalPrefix(): string | undefined;
}

function patternsOf(plan: string): PlanPatterns | undefined {
  const metadata = new Metadata();
  try {
    // Country codes without a country, such as 979, are plans too.
    metadata.selectNumberingPlan(plan as Country);
  } catch {
    return undefined;
  }
  return metadata.numberingPlan as unknown as PlanPatterns;
}

/** What numbers that cost more begin with, behind a country code. */
export interface DearBeginnings {
  readonly premium: RegExp;
  readonly sharedCost: RegExp;
}

const dear = new Map<string, DearBeginnings | undefined>();

/** undefined: there is no such country code. */
export function dearBeginnings(callingCode: string): DearBeginnings | undefined {
  if (!dear.has(callingCode)) dear.set(callingCode, beginningsOf(callingCode));
  return dear.get(callingCode);
}

function beginningsOf(callingCode: string): DearBeginnings | undefined {
  const inCountries = countriesWith(callingCode).map((country) => patternsOf(country));
  const plans = [...inCountries, patternsOf(callingCode)].filter((plan) => plan !== undefined);
  if (plans.length === 0) return undefined;
  const beginning = (type: "PREMIUM_RATE" | "SHARED_COST"): RegExp => {
    const patterns = new Set(plans.flatMap((plan) => plan.type(type)?.pattern() ?? []));
    return patterns.size === 0 ? /(?!)/ : new RegExp(`^(?:${[...patterns].join("|")})`);
  };
  return { premium: beginning("PREMIUM_RATE"), sharedCost: beginning("SHARED_COST") };
}

const prefixes = new Map<Country, RegExp>();

/** What is dialled in `country` before a foreign number, at the beginning of a text. */
export function internationalPrefix(country: Country): RegExp {
  const known = prefixes.get(country) ?? new RegExp(`^(?:${patternsOf(country)?.IDDPrefix() ?? "00"})`);
  prefixes.set(country, known);
  return known;
}

let allPrefixes: readonly RegExp[] | undefined;
/** A single digit is far more often something else. */
const shortestPrefix = 2;

/** Whether a text ends with what is dialled before a foreign number in some country. */
export function endsWithInternationalPrefix(text: string): boolean {
  allPrefixes ??= [...new Set(countries.map(internationalPrefix))];
  for (let at = 0; text.length - at >= shortestPrefix; at += 1) {
    const end = text.slice(at);
    if (allPrefixes.some((prefix) => prefix.exec(end)?.[0] === end)) return true;
  }
  return false;
}
