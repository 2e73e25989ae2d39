// What kind of number was dialled, as far as permissions and prices go: the dearest that anybody may make of the digits.
import type { E164 } from "../../ids.ts";
import { callingCodeOf, countriesWith, type Country, type NumberReading } from "../e164.ts";
import { behindPresentationCode, isEmergencyCode } from "./emergency.ts";
import { hiddenClass, isSatellite, longestRead, readAny } from "./hidden-number.ts";
import { isUsualWay, readingsOf, type Reading } from "./readings.ts";

/**
 * `private` has no place in the public plan: an extension, a short code, a SIP user. `unknown` is longer than those, and no
 * number in any reading.
 */
export type NumberClass =
  | "ordinary"
  | "toll-free"
  | "shared-cost"
  | "premium"
  | "satellite"
  | "unknown"
  | "emergency"
  | "service-code"
  | "private";

/** What a dial string means in a country. */
export interface NumberMeaning {
  /** The likeliest reading of it. */
  readonly e164: E164 | undefined;
  /** The dearest of all readings. */
  readonly class: NumberClass;
  /** What the readings are, each once or more often. */
  readonly classes: readonly NumberClass[];
  /** Whether the numbering plan lists the likeliest reading as assigned. */
  readonly isAssigned: boolean;
  /** Whether the likeliest reading is E.164 without its plus. */
  readonly isBare: boolean;
  /** Whether it may be another number as well as the likeliest one. */
  readonly isAmbiguous: boolean;
  /** Whether another reading than the likeliest one makes it dear. */
  readonly isDoubtful: boolean;
}

/** The dearest first. */
const severity: readonly NumberClass[] = ["emergency", "satellite", "premium", "shared-cost", "unknown"];

/** The one that is barred first; else the first given. */
export function dearest(first: NumberClass, ...others: readonly NumberClass[]): NumberClass {
  return severity.find((found) => found === first || others.includes(found)) ?? first;
}

/** Whether such calls cost more than others do. */
export function isDear(kind: NumberClass | undefined): kind is "satellite" | "premium" | "shared-cost" {
  return kind === "satellite" || kind === "premium" || kind === "shared-cost";
}

/** Kinds that nobody may call unless they are allowed by name. */
export type BarredClass = Extract<NumberClass, "premium" | "shared-cost" | "satellite" | "unknown">;

export function isBarred(kind: NumberClass): kind is BarredClass {
  return isDear(kind) || kind === "unknown";
}

/** Of a dial string. */
export function understand(keys: string, country: Country | undefined): NumberMeaning {
  const unread = { e164: undefined, isAssigned: false, isBare: false, isAmbiguous: false, isDoubtful: false };
  if (/[*#]/.test(keys)) {
    const calls = emergencyDigits(keys, country) !== undefined;
    return { ...unread, ...(calls ? emergency : classOfCode(keys, country)) };
  }
  if (isCryForHelp(keys, readAny(keys, country), country)) return { ...unread, ...emergency };
  return meaningOf(keys, country);
}

const emergency = { class: "emergency", classes: ["emergency"] } as const;

function meaningOf(keys: string, country: Country | undefined): NumberMeaning {
  const readings = readingsOf(keys, country);
  const [likeliest] = readings;
  const isAssigned = likeliest?.kind !== undefined;
  const own = likeliest !== undefined && isAssigned ? classOfReading(likeliest) : classByForm(keys, readings, country);
  const isUsual = isAssigned && isUsualWay(likeliest.way);
  const others = readings.filter((reading) => reading.kind !== undefined || (reading.isPossible && !isUsual));
  const hidden = hiddenClass(keys, readAny(keys, country), likeliest, country);
  const classes = [own, ...others.map(classOfReading), ...(hidden === undefined ? [] : [hidden])];
  const found = dearest(own, ...classes);
  const e164 = keys.length > longestRead || isGuess(likeliest, country) ? undefined : likeliest?.e164;
  const isBare = likeliest?.way === "e164-without-plus";
  const isDoubtful = isDear(found) && isAssigned && !isDear(own);
  return { e164, class: found, classes, isAssigned, isBare, isAmbiguous: numbersOf(readings).size > 1, isDoubtful };
}

/** Any long text is as long as some number abroad: without a plus, it takes more to be one. */
function isGuess(reading: Reading | undefined, country: Country | undefined): boolean {
  if (reading?.way !== "e164-without-plus" || reading.kind !== undefined) return false;
  return country === undefined || callingCodeOf(country) !== reading.callingCode;
}

/** What is only as long as a number counts where nothing is assigned. */
function numbersOf(readings: readonly Reading[]): ReadonlySet<E164> {
  const assigned = readings.filter(({ kind }) => kind !== undefined);
  return new Set((assigned.length > 0 ? assigned : readings).flatMap(({ e164 }) => e164 ?? []));
}

/** Of what nobody has been given, as far as is known: new ranges are numbers too. */
function classByForm(keys: string, readings: readonly Reading[], country: Country | undefined): NumberClass {
  const [likeliest] = readings;
  if (likeliest !== undefined && isSatellite(likeliest.callingCode + likeliest.nationalNumber)) return "satellite";
  if (likeliest?.e164 !== undefined && !isGuess(likeliest, country)) return "ordinary";
  const isPossible = readings.some((reading) => reading.isPossible);
  const isShort = !keys.startsWith("+") && keys.length <= (country === undefined ? longestNumber : longestExtension);
  return isPossible || isShort ? "private" : "unknown";
}

/** Longer than extensions, and than numbers that are dialled without their area code. */
const longestExtension = 8;
/** ITU-T E.164 s6.2. */
const longestNumber = 15;

/** What one reading is, whatever else the text may mean. */
export function classOfReading({ callingCode, nationalNumber, kind, e164 }: Reading): NumberClass {
  if (isSatellite(callingCode + nationalNumber)) return "satellite";
  return kind ?? (e164 === undefined ? "private" : "ordinary");
}

/**
 * What a trunk can make of an assigned number in E.164 when it gets it without the plus, as it asks for numbers:
 * nothing but that, save where the same digits are another assigned number, written as usual there.
 */
export function classesWithoutPlus(digits: string, country: Country | undefined): readonly NumberClass[] {
  const read = readingsOf(digits, country).filter(({ kind }) => kind !== undefined);
  return read.filter(({ way }) => way !== "national-without-trunk-prefix").map(classOfReading);
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
function classOfCode(keys: string, country: Country | undefined): Pick<NumberMeaning, "class" | "classes"> {
  const runs = digitRuns(keys);
  // The first run behind a mark begins with the code; and there are networks to which the marks mean nothing.
  const begins = /^[*#]/.test(keys);
  const numbers = [...(begins ? runs.slice(1) : runs), runs.join("")];
  const classes = numbers.flatMap((digits) => meaningOf(digits, country).classes).filter(isDear);
  return { class: dearest("service-code", ...classes), classes };
}
