// A dear number inside digits that are none as they stand: behind prefixes, codes and digits for the outside line, or before
// surplus digits. Networks take such things away and connect the call.
import {
  callingCodeOf,
  dearBeginnings,
  internationalPrefix,
  readNumber,
  type Country,
  type NumberReading,
} from "../e164.ts";
import { isUsualWay, type Reading } from "./readings.ts";

type DearClass = "satellite" | "premium" | "shared-cost";
const severity: readonly DearClass[] = ["satellite", "premium", "shared-cost"];

function dearestOf(...found: readonly (DearClass | undefined)[]): DearClass | undefined {
  return severity.find((kind) => found.includes(kind));
}

/** As long as a barred number can be written with prefixes, and room for digits behind it. */
export const longestRead = 32;
/** libphonenumber reads no longer national number. */
const longestParsed = 17;

/** As dialled in the country; of too many digits the first. */
export function readAny(digits: string, country: Country | undefined): NumberReading | undefined {
  return readNumber(digits.slice(0, longestRead), country) ?? readNumber(digits.slice(0, longestParsed), country);
}

/** `+870` Inmarsat, `+881` and `+882` the satellite and world networks, `+883` likewise save iNum (883 510), which is plain VoIP. */
const satelliteNumber = /^(?:870|881|882|883(?!510))/;

/** Digits that begin with a country code. */
export function isSatellite(digits: string): boolean {
  return satelliteNumber.test(digits);
}

/** Directory enquiries on 118 and further digits, charged as premium wherever Europe has them. */
const directoryCountries = new Set(
  "AT BE BG CH CY CZ DE EE ES FI FR GB GG GR HR HU IE IM IT JE LT LU LV PL PT RO SE SI SK".split(" "),
);
const directoryCode = /^118\d{1,3}$/;

/**
 * `number`: the digits as dialled in the country. An assigned number is searched less; in one that is written as everybody
 * writes it, nothing is looked for, save behind a digit for the outside line.
 */
export function hiddenClass(
  digits: string,
  number: NumberReading | undefined,
  likeliest: Reading | undefined,
  country: Country | undefined,
): DearClass | undefined {
  // No number begins so there; digits too many are dropped.
  if (/^118\d{2}/.test(digits) && directoryCountries.has(country ?? "")) return "premium";
  const kept = digits.slice(0, longestRead);
  const isAssigned = likeliest?.kind !== undefined;
  const isUsual = isAssigned && isUsualWay(likeliest.way) && !dropsZeros(digits, number);
  // Without its plus, and with digits too many.
  const isBare = !isUsual && !(isAssigned && likeliest.way === "e164-without-plus") && /^[1-9]\d{9}/.test(kept);
  const bare = isBare ? abroad(kept) : undefined;
  if (number?.kind !== undefined && !dropsZeros(digits, number)) {
    // An international prefix is no outside line.
    return likeliest?.way === "international" ? bare : dearestOf(behindOutsideLine(digits, country), bare);
  }
  const local = (number?.nationalNumber ?? digits).replace(/^(?:0+|\d(?=118\d{2}))/, "");
  if (directoryCode.test(local) && directoryCountries.has(number?.country ?? country ?? "")) return "premium";
  return isUsual ? undefined : dearestOf(bare, hiddenBehind(kept, number, likeliest, country));
}

/** Zeros behind a country code are taken for a trunk prefix left there, but may be a part of something else. */
function dropsZeros(digits: string, number: NumberReading | undefined): boolean {
  return number !== undefined && digits.startsWith("+") && digits !== `+${number.callingCode}${number.nationalNumber}`;
}

/** Of these digits by themselves, written in whichever way. */
function dearClass(digits: string, country: Country | undefined): DearClass | undefined {
  const number = readAny(digits, country);
  if (number && isSatellite(number.callingCode + number.nationalNumber)) return "satellite";
  const kind = number?.kind === "premium" || number?.kind === "shared-cost" ? number.kind : undefined;
  return kind ?? hiddenClass(digits, number, number && { ...number, way: "national" }, country);
}

/** Where numbers have no fixed length, digits for the outside line make an assigned number of a barred one. */
function behindOutsideLine(digits: string, country: Country | undefined): DearClass | undefined {
  const rest = /^[1-9]{1,2}(0.*)/.exec(digits)?.[1];
  if (rest === undefined || country === undefined || callingCodeOf(country) === "1") return undefined;
  return dearClass(rest, country);
}

/** What is dialled before a foreign number in most of the world, and in America: many a gateway takes either anywhere. */
const commonPrefixes = /^(?:00|011)/;
/** Few countries have numbers of their own that begin so. */
const commonPrefix = /^00/;

const longestOutsideLine = 2;
/** Without codes and prefixes. */
const shortestDear = 6;

/**
 * Of digits that are no assigned number: networks drop digits too many, and take carriers' codes and outside-line digits
 * away, so that a barred number with more before or behind it still rings, and still costs.
 */
function hiddenBehind(
  digits: string,
  number: NumberReading | undefined,
  likeliest: Reading | undefined,
  country: Country | undefined,
): DearClass | undefined {
  if (digits.startsWith("+")) {
    const rest = digits.slice(1);
    const isNumber = number?.isPossible === true && !dropsZeros(digits, number);
    // A plus before another prefix: what remains is a text of its own.
    return dearestOf(abroad(rest), isNumber ? undefined : dearClass(rest, country));
  }
  const isAssigned = likeliest?.kind !== undefined;
  const own = country && callingCodeOf(country);
  // Behind an international prefix, the country's own code is not the beginning of one of its numbers.
  const isOwn = likeliest?.way === "international" && likeliest.isPossible && likeliest.callingCode === own;
  const withCode = isOwn ? likeliest.callingCode + likeliest.nationalNumber : undefined;
  const prefix = country && internationalPrefix(country);
  const found = new Set<DearClass | undefined>([number && national(number.callingCode, number.nationalNumber)]);
  // A number of usual length hides another only behind that one's own prefix.
  const isLikely = isAssigned || number?.isPossible === true;
  const common = isLikely ? commonPrefix : commonPrefixes;
  for (let at = 0; digits.length - at >= shortestDear; at += 1) {
    const rest = digits.slice(at);
    for (const international of new Set([prefix?.exec(rest)?.[0], common.exec(rest)?.[0]])) {
      if (international !== undefined) found.add(abroad(rest.slice(international.length)));
    }
    if (own === undefined || rest === withCode) continue;
    if (!isLikely || at <= longestOutsideLine || digits[at - 1] === "0") found.add(national(own, rest));
  }
  return dearestOf(...found);
}

/** Digits that begin with a country code. */
function abroad(digits: string): DearClass | undefined {
  const plain = digits.replace(/^0+/, "");
  if (isSatellite(plain)) return "satellite";
  for (let length = 1; length <= 3; length += 1) {
    const callingCode = plain.slice(0, length);
    if (!dearBeginnings(callingCode)) continue;
    const rest = plain.slice(length);
    // Zeros between country code and number are its own, or what people leave of the national prefix.
    return dearestOf(national(callingCode, rest), national(callingCode, rest.replace(/^0+/, "")));
  }
  return undefined;
}

function national(callingCode: string, digits: string): DearClass | undefined {
  const beginnings = dearBeginnings(callingCode);
  if (beginnings?.premium.test(digits)) return "premium";
  return beginnings?.sharedCost.test(digits) ? "shared-cost" : undefined;
}
