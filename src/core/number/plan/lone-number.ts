// Whether a text that stands alone is a telephone number to a person, or may as well be a date, a time, a price or something
// else that is written in digits. Whoever writes it behind `call` is not asked.
import type { DialString } from "../../ids.ts";
import { plain } from "../entered.ts";
import { behindWithholding, type DialPlan } from "./dial-plan.ts";
import { understand } from "./number-class.ts";
import { isUsualWay, readingsOf } from "./readings.ts";

/** `doubtful`: it can be dialled, and need not be meant so. `none`: too short for a number. */
export type LoneNumber = "number" | "doubtful" | "none";

const fewestDigits = 3;

const day = "(?:0?[1-9]|[12]\\d|3[01])";
const month = "(?:0?[1-9]|1[0-2])";
const year = "(?:(?:19|20)\\d\\d)";
const clock = "(?:[01]?\\d|2[0-4])\\.[0-5]\\d";

const whole = (...forms: readonly string[]): RegExp => new RegExp(`^(?:${forms.join("|")})$`);

/** Nobody writes a number so, whatever can be dialled. */
const moment = whole(
  // 30.11.2026, 30/11/26, 30. 11. 2026, 30 11 2026
  `${day}([./-]) ?${month}\\1 ?(?:${year}|\\d\\d)`,
  `${day} ${month} ${year}`,
  // 11/30/2026, 2026-11-30, 2026 11 30
  `${month}([./-])${day}\\2(?:${year}|\\d\\d)`,
  `${year}([./ -])${month}\\3${day}`,
  // 30.11., 24.12.-26.12.
  `${day}\\. ?${month}\\.(?: ?- ?${day}\\. ?${month}\\.)?`,
  // 11/2026, 2026-11, 2025/26, 2025-2027
  `${month}[./-]${year}`,
  `${year} ?[./-] ?(?:\\d\\d|${year})`,
  // 9.00-17.30
  `${clock} ?- ?${clock}`,
);

/** Unless the numbering plan knows a number that is written so. */
const amount = whole(
  // 12.99, 19.30, 1.5, 3/4, 10-12, 100.-
  "\\d+\\.\\d{1,2}",
  "\\d{1,3} ?[/-] ?\\d{1,3}",
  "\\d+\\.-*",
  // 10.000, 1 250 000, 1.250.000.00
  "\\d{1,3}(?:([. ])\\d{3})(?:\\1\\d{3})*(?:\\.\\d\\d)?",
  // 192.168.1.1, 1.12.3
  "\\d{1,3}(?:\\.\\d{1,3}){2,3}",
  // 20261130, 30112026
  `${year}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])`,
  `(?:0[1-9]|[12]\\d|3[01])(?:0[1-9]|1[0-2])${year}`,
);

/** Harmonised in Europe, and written with a gap: 116 117. */
const sharedCode = /^116 \d{3}$/;

/** @param keys what the text dials */
export function loneNumber(text: string, keys: DialString, plan: DialPlan): LoneNumber {
  const shown = plain(text).trim();
  const dialled = behindWithholding(keys, plan);
  const meaning = understand(dialled, plan.country);
  if (meaning.class === "emergency") return "number";
  if (dialled.replaceAll(/\D/g, "").length < fewestDigits) return "none";
  // `*100#` is nobody's number, and sixteen digits are a card's.
  if (meaning.class === "service-code" || meaning.class === "unknown") return "doubtful";
  if (moment.test(shown) || isMomentOf(shown.split(" "))) return "doubtful";
  if (isNamed(dialled, plan) || isKnown(dialled, plan) || sharedCode.test(shown)) return "number";
  return amount.test(shown) || whole(year).test(shown) ? "doubtful" : "number";
}

/** A date with a time, say. */
function isMomentOf(parts: readonly string[]): boolean {
  return parts.some((part) => moment.test(part)) && parts.every((part) => moment.test(part) || amount.test(part));
}

/** Assigned, and dialled as everybody there dials it. */
function isKnown(keys: string, { country }: DialPlan): boolean {
  const [likeliest] = readingsOf(keys, country);
  return likeliest?.kind !== undefined && isUsualWay(likeliest.way);
}

/** The plan has a way for what begins like this, such as extensions. */
function isNamed(keys: string, { routes }: DialPlan): boolean {
  return routes.some(({ prefix }) => prefix !== "" && !prefix.startsWith("+") && keys.startsWith(prefix));
}
