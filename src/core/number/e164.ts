// The numbering plan: the only home of libphonenumber. Turns what was dialled into E.164 and back, and says what kind of
// number it is. Metadata gets older than the plans it describes, so nothing here decides that a number cannot exist.
import {
  getCountries,
  getCountryCallingCode,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumber,
} from "libphonenumber-js/max";
import type { E164 } from "../ids.ts";
import { dialString } from "./dialled.ts";
import { isEmergencyCode } from "./emergency.ts";

/** ISO 3166-1 alpha-2, upper case, with a numbering plan of its own. */
export type Country = CountryCode;

/** What a number is, as far as permissions and prices go. `private` has no place in the public plan: an extension, a short code, a SIP user. */
export type NumberClass =
  | "ordinary"
  | "toll-free"
  | "shared-cost"
  | "premium"
  | "satellite"
  | "emergency"
  | "service-code"
  | "private";

/** All there are. */
export const countries: readonly Country[] = getCountries();

/** From here on a number that the metadata calls invalid is still more likely a new range than an extension. */
const shortestPublicNumber = 7;

function parse(keys: string, country: Country | undefined): PhoneNumber | undefined {
  return parsePhoneNumberFromString(keys, { ...(country && { defaultCountry: country }), extract: false });
}

function readNumber(dialled: string, country: Country | undefined): PhoneNumber | undefined {
  const keys = dialString(dialled);
  return keys === undefined || /[*#]/.test(keys) ? undefined : parse(keys, country);
}

/** The E.164 number that this means when dialled in `country`; undefined for short numbers, service codes and what is none. */
export function toE164(dialled: string, country?: Country): E164 | undefined {
  const number = readNumber(dialled, country);
  if (!number?.isPossible()) return undefined;
  const international = dialString(dialled)?.startsWith("+") === true;
  const known = number.isValid() || international || number.nationalNumber.length >= shortestPublicNumber;
  // libphonenumber lets a national number of 16 and more digits pass for some countries; E.164 ends at 15.
  return known && /^\+[1-9]\d{1,14}$/.test(number.number) ? (number.number as E164) : undefined;
}

/** As `toE164`, where the numbering plan lists the number as assigned. */
export function knownForm(dialled: string, country?: Country): E164 | undefined {
  return readNumber(dialled, country)?.isValid() === true ? toE164(dialled, country) : undefined;
}

/** `+44 20 7946 0000`; as it is where the plan has no grouping for it. */
export function internationalForm(number: E164): string {
  return parse(number, undefined)?.formatInternational() ?? number;
}

/** Digits as dialled inside `country`: with the national prefix, or with the international one for numbers elsewhere. */
export function nationalForm(number: E164, country: Country): string {
  const parsed = parse(number, undefined);
  if (!parsed) return number;
  const inside = parsed.countryCallingCode === getCountryCallingCode(country);
  // Countries with several carriers' international prefixes have no one form to dial: libphonenumber gives nothing, whatever
  // its types say, and the plus stands for all of them.
  const written: string | undefined = inside
    ? parsed.format("NATIONAL")
    : parsed.format("IDD", { fromCountry: country });
  return written?.replaceAll(/[^\d+]/g, "") || number;
}

/** `+870` Inmarsat, `+881` and `+882` the satellite and world networks, `+883` likewise save iNum (883 510), which is plain VoIP. */
const satelliteNumber = /^\+(?:870|881|882|883(?!510))/;
/** Directory enquiries on 118 and further digits, charged as premium wherever Europe has them. */
const directoryCountries = new Set(
  "AT BE BG CH CY CZ DE EE ES FI FR GB GG GR HR HU IE IM IT JE LT LU LV PL PT RO SE SI SK".split(" "),
);
const directoryCode = /^118\d{1,3}$/;
/** As long as a barred number can be written with an international prefix, and room for digits behind it. */
const longestRead = 24;

const severity = ["emergency", "satellite", "premium", "shared-cost"] as const;

/** The kind of number, seen from `country`; of a text no telephone could dial `private`. */
export function classify(dialled: string, country: Country | undefined): NumberClass {
  const keys = dialString(dialled);
  if (keys === undefined) return "private";
  if (!/[*#]/.test(keys)) return classifyDigits(keys, country);
  // A network acts on the number inside a code: *31#112 hides the caller, *21*NUMBER# forwards. Without a mark between
  // them, as in *67911, the code is the first two or three digits.
  const [first = "", ...rest] = keys.split(/[*#]+/).filter((run) => run !== "");
  const inside = rest.length > 0 ? rest : [first.slice(2), first.slice(3)];
  const classes = new Set(inside.filter((run) => run !== "").map((run) => classifyDigits(run, country)));
  return severity.find((found) => classes.has(found)) ?? "service-code";
}

function classifyDigits(keys: string, country: Country | undefined): NumberClass {
  if (isEmergencyCode(keys, country)) return "emergency";
  const number = parse(keys.slice(0, longestRead), country);
  if (!number) return satelliteNumber.test(keys) ? "satellite" : "private";
  if (isEmergencyNumber(number, country)) return "emergency";
  if (satelliteNumber.test(number.number)) return "satellite";
  if (number.isValid()) return classOfType(number);
  const local = number.nationalNumber.replace(/^0+/, "");
  if (directoryCode.test(local) && directoryCountries.has(number.country ?? country ?? "")) return "premium";
  return overdialled(keys, country) ?? (toE164(keys, country) === undefined ? "private" : "ordinary");
}

function classOfType(number: PhoneNumber): NumberClass {
  switch (number.getType()) {
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

/** Networks drop digits too many, so a premium number with more behind it still rings, and still costs. */
function overdialled(keys: string, country: Country | undefined): NumberClass | undefined {
  for (let length = Math.min(keys.length, longestRead) - 1; length >= shortestPublicNumber; length -= 1) {
    const number = parse(keys.slice(0, length), country);
    const found = number?.isValid() === true ? classOfType(number) : "ordinary";
    if (found === "premium" || found === "shared-cost") return found;
  }
  return undefined;
}

let countriesOf: Map<string, Country[]> | undefined;

function countriesWith(callingCode: string): readonly Country[] {
  if (!countriesOf) {
    countriesOf = new Map();
    for (const country of countries) {
      const code = getCountryCallingCode(country);
      countriesOf.set(code, [...(countriesOf.get(code) ?? []), country]);
    }
  }
  return countriesOf.get(callingCode) ?? [];
}

/** An emergency number with a country code or a national prefix put in front, as a dial plan may strip it again. */
function isEmergencyNumber(number: PhoneNumber, country: Country | undefined): boolean {
  const digits = number.nationalNumber;
  const callingCode = number.countryCallingCode;
  const inside = country !== undefined && getCountryCallingCode(country) === callingCode;
  const bare = callingCode === "1" ? digits.replace(/^1/, "") : digits.replace(/^0/, "");
  return (inside ? [country] : countriesWith(callingCode)).some(
    (candidate) => isEmergencyCode(digits, candidate) || isEmergencyCode(bare, candidate),
  );
}
