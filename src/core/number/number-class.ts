// What kind of number was dialled, as far as permissions and prices go. Looks for the number that the network will reach,
// behind service codes, prefixes and surplus digits: whoever wants past a bar writes the number a little differently.
import type { E164 } from "../ids.ts";
import { dialString } from "./dialled.ts";
import {
  callingCodeOf,
  countriesWith,
  dearBeginnings,
  internationalPrefix,
  readNumber,
  shortestPublicNumber,
  type Country,
  type NumberReading,
} from "./e164.ts";
import { behindPresentationCode, isEmergencyCode } from "./emergency.ts";

/** `private` has no place in the public plan: an extension, a short code, a SIP user. */
export type NumberClass =
  | "ordinary"
  | "toll-free"
  | "shared-cost"
  | "premium"
  | "satellite"
  | "emergency"
  | "service-code"
  | "private";

/** What a dial string means in a country. */
export interface NumberMeaning {
  readonly e164: E164 | undefined;
  readonly class: NumberClass;
}

/** The dearest first. */
const severity: readonly NumberClass[] = ["emergency", "satellite", "premium", "shared-cost"];

/** The one that is barred first; else the first given. */
export function dearest(first: NumberClass, ...others: readonly NumberClass[]): NumberClass {
  return severity.find((found) => found === first || others.includes(found)) ?? first;
}

/** Of a text that no telephone could dial `private`. */
export function classify(dialled: string, country: Country | undefined): NumberClass {
  const keys = dialString(dialled);
  return keys === undefined ? "private" : understand(keys, country).class;
}

/** Of a dial string, read once. */
export function understand(keys: string, country: Country | undefined): NumberMeaning {
  if (/[*#]/.test(keys)) {
    const calls = emergencyDigits(keys, country) !== undefined;
    return { e164: undefined, class: calls ? "emergency" : classOfCode(keys, country) };
  }
  const number = readAny(keys, country);
  if (isCryForHelp(keys, number, country)) return { e164: undefined, class: "emergency" };
  return { e164: keys.length > longestRead ? undefined : number?.e164, class: classOfNumber(number, keys, country) };
}

/** The digits that call for help, where that is what dialling these keys does: of `*31#+49112` it is `+49112`. */
export function emergencyDigits(keys: string, country: Country | undefined): string | undefined {
  const runs = digitRuns(keys);
  const last = /\d$/.test(keys) ? runs.slice(-1) : [];
  // Without a mark between them, as in *67911, the code is two or three digits.
  const begins = runs.length > 1 ? last : last.flatMap((run) => [run.slice(2), run.slice(3)]);
  const candidates = /^[*#]/.test(keys) ? begins : [...runs.slice(0, 1), ...last];
  return candidates.find((digits) => digits !== "" && isCryForHelp(digits, readAny(digits, country), country));
}

function isCryForHelp(digits: string, number: NumberReading | undefined, country: Country | undefined): boolean {
  if (isEmergencyCode(behindPresentationCode(digits, country), country)) return true;
  return number !== undefined && isEmergencyNumber(number, country);
}

/** An emergency number with a country code or a national prefix put in front, as a dial plan may strip it again. */
function isEmergencyNumber({ nationalNumber, callingCode }: NumberReading, country: Country | undefined): boolean {
  if (nationalNumber.length > longestEmergencyNumber) return false;
  const inside = country !== undefined && callingCodeOf(country) === callingCode;
  const bare = nationalNumber.replace(callingCode === "1" ? /^1/ : /^0/, "");
  return (inside ? [country] : countriesWith(callingCode)).some(
    (candidate) => isEmergencyCode(nationalNumber, candidate) || isEmergencyCode(bare, candidate),
  );
}

/** A code of five digits and a prefix. */
const longestEmergencyNumber = 6;

function digitRuns(keys: string): readonly string[] {
  return keys.split(/[*#]+/).filter((run) => run !== "");
}

/** A network acts on the number inside a code: *31#NUMBER hides the caller, *21*NUMBER# forwards, NUMBER# is sent at once. */
function classOfCode(keys: string, country: Country | undefined): NumberClass {
  const runs = digitRuns(keys);
  // The first run behind a mark begins with the code; and there are networks to which the marks mean nothing.
  const begins = /^[*#]/.test(keys);
  const numbers = [...(begins ? runs.slice(1) : runs), runs.join("")];
  const classes = numbers.map((digits) => classOfNumber(readAny(digits, country), digits, country));
  return dearest("service-code", ...classes.filter((found) => found !== "emergency"));
}

/** As long as a barred number can be written with prefixes, and room for digits behind it. */
const longestRead = 32;
/** libphonenumber reads no longer national number. */
const longestParsed = 17;

function readAny(digits: string, country: Country | undefined): NumberReading | undefined {
  return readNumber(digits.slice(0, longestRead), country) ?? readNumber(digits.slice(0, longestParsed), country);
}

/** `+870` Inmarsat, `+881` and `+882` the satellite and world networks, `+883` likewise save iNum (883 510), which is plain VoIP. */
const satelliteNumber = /^(?:870|881|882|883(?!510))/;
/** Directory enquiries on 118 and further digits, charged as premium wherever Europe has them. */
const directoryCountries = new Set(
  "AT BE BG CH CY CZ DE EE ES FI FR GB GG GR HR HU IE IM IT JE LT LU LV PL PT RO SE SI SK".split(" "),
);
const directoryCode = /^118\d{1,3}$/;

function classOfNumber(number: NumberReading | undefined, digits: string, country: Country | undefined): NumberClass {
  if (number && satelliteNumber.test(number.callingCode + number.nationalNumber)) return "satellite";
  // No number begins so there; digits too many are dropped.
  if (/^118\d{2}/.test(digits) && directoryCountries.has(country ?? "")) return "premium";
  if (number?.kind !== undefined) return behindOutsideLine(digits, country) ?? number.kind;
  const local = (number?.nationalNumber ?? digits).replace(/^(?:0+|\d(?=118\d{2}))/, "");
  if (directoryCode.test(local) && directoryCountries.has(number?.country ?? country ?? "")) return "premium";
  const hidden = hiddenClass(number, digits.slice(0, longestRead), country);
  return hidden ?? (number?.e164 === undefined ? "private" : "ordinary");
}

/** Where numbers have no fixed length, digits for the outside line make an assigned number of a barred one. */
function behindOutsideLine(digits: string, country: Country | undefined): NumberClass | undefined {
  const rest = /^[1-9]{1,2}(0.*)/.exec(digits)?.[1];
  if (rest === undefined || country === undefined || callingCodeOf(country) === "1") return undefined;
  const found = classOfNumber(readAny(rest, country), rest, country);
  return severity.includes(found) ? found : undefined;
}

/**
 * Of digits that are no assigned number: networks drop digits too many, and take carriers' codes and outside-line digits
 * away, so that a barred number with more before or behind it still rings, and still costs.
 */
function hiddenClass(
  number: NumberReading | undefined,
  digits: string,
  country: Country | undefined,
): NumberClass | undefined {
  if (digits.startsWith("+")) return abroad(digits.slice(1));
  if (country === undefined) return undefined;
  const own = callingCodeOf(country);
  const prefix = internationalPrefix(country);
  const found = new Set<NumberClass | undefined>([number && national(number.callingCode, number.nationalNumber)]);
  // A number of usual length hides another only behind that one's own prefix.
  const isUsual = number?.isPossible === true;
  for (let at = 0; digits.length - at >= shortestPublicNumber; at += 1) {
    const rest = digits.slice(at);
    const international = prefix.exec(rest)?.[0];
    if (international !== undefined) found.add(abroad(rest.slice(international.length)));
    if (!isUsual || digits[at - 1] === "0") found.add(national(own, rest));
  }
  return severity.find((candidate) => found.has(candidate));
}

/** Digits that begin with a country code. */
function abroad(digits: string): NumberClass | undefined {
  const plain = digits.replace(/^0+/, "");
  if (satelliteNumber.test(plain)) return "satellite";
  for (let length = 1; length <= 3; length += 1) {
    const callingCode = plain.slice(0, length);
    // Zeros between country code and number are what people leave of the national prefix.
    if (dearBeginnings(callingCode)) return national(callingCode, plain.slice(length).replace(/^0+/, ""));
  }
  return undefined;
}

function national(callingCode: string, digits: string): NumberClass | undefined {
  const beginnings = dearBeginnings(callingCode);
  if (beginnings?.premium.test(digits)) return "premium";
  return beginnings?.sharedCost.test(digits) ? "shared-cost" : undefined;
}
