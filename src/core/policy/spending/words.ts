// What people read about limits: which one, how much of it, and when it ends.
import type { Shortage } from "./account.ts";
import type { Scope } from "./allowance.ts";
import { endOf, momentText, type Span } from "./calendar.ts";
import { moneyText } from "./money.ts";

/** What words need to know besides. */
export interface Telling {
  readonly zone: string;
  readonly currency: string;
  /** ms since the epoch. */
  readonly atMs: number;
}

type OwnUse = Pick<Shortage, "span" | "of" | "used"> & { readonly limit: number | undefined };

const spanWords: Readonly<Record<Span, string>> = { day: "today", month: "this month" };

/** `60 minutes`, `5.00 EUR`. */
function amountText(of: Shortage["of"], amount: number, currency: string): string {
  if (of === "money") return moneyText(amount, currency);
  const minutes = Math.floor(amount / 60);
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

export function refusalWords({ scope, span, of, limit, used, held }: Shortage, telling: Telling): string {
  const amount = amountText(of, limit, telling.currency);
  const when = spanWords[span];
  // What a call in progress does not use, it gives back.
  const isHeld = used < limit && held > 0;
  const state = isHeld ? "are used or kept for calls in progress" : "are used up";
  const what = `${subjectOf(scope, amount)} for ${when} ${of === "money" ? state.replace("are", "is") : state}`;
  const again = momentText(endOf(span, telling.atMs, telling.zone), telling.zone);
  return `${what}, so this call was not placed. ${isHeld ? "Try again when a call has ended, or" : "Try again"} after ${again}.`;
}

/** The call will end when `inS` seconds have passed. */
export function nearWords({ scope, span, of, limit }: Shortage, inS: number, telling: Telling): string {
  const amount = amountText(of, limit, telling.currency);
  const within = inS >= 60 ? "one minute" : `${inS} seconds`;
  return `This call ends in ${within}: then ${subjectOf(scope, amount, "inner")} for ${spanWords[span]} will be used up.`;
}

export function endWords({ scope, span, of, limit }: Shortage, telling: Telling): string {
  const amount = amountText(of, limit, telling.currency);
  const isAre = of === "money" ? "is" : "are";
  const again = momentText(endOf(span, telling.atMs, telling.zone), telling.zone);
  return `The call ended because ${subjectOf(scope, amount, "inner")} for ${spanWords[span]} ${isAre} used up. You can call again after ${again}.`;
}

/** For the person whose limit it is, at 80 % of it. */
export function warningWords({ span, of, limit, used }: Shortage, telling: Telling): string {
  const amount = amountText(of, limit, telling.currency);
  const until = momentText(endOf(span, telling.atMs, telling.zone), telling.zone);
  return `You have used ${amountText(of, used, telling.currency)} of your ${amount} of calls for ${spanWords[span]}. A new ${span} begins at ${until}.`;
}

/** For the person who asks: `today: 12 minutes of 60 minutes, 48 minutes left`. */
export function useWords({ span, of, used, limit }: OwnUse, currency: string): string {
  const amount = (part: number) => amountText(of, part, currency);
  const spent = `${spanWords[span]}: ${amount(used)}`;
  return limit === undefined ? spent : `${spent} of ${amount(limit)}, ${amount(Math.max(0, limit - used))} left`;
}

/** For admins, at 80 % of a limit and at all of it. */
export function limitWords({ scope, span, of, limit, used }: Omit<Shortage, "held">, currency: string): string {
  const share = `${amountText(of, used, currency)} of ${amountText(of, limit, currency)}`;
  return `${share} for ${spanWords[span]} ${of === "money" ? "is" : "are"} used by calls ${payersOf(scope)}.`;
}

function payersOf(scope: Scope): string {
  switch (scope.kind) {
    case "user":
      return `of ${scope.name}`;
    case "trunk":
      return `over trunk ${scope.name}`;
    case "country":
      return `to ${countryName(scope.name)}`;
    case "bridge":
      return "of everybody";
  }
}

export function crowdedWords(scope: Scope, limit: number): string {
  const calls = limit === 1 ? "1 call" : `${limit} calls`;
  return `Only ${calls} ${placeOf(scope)} may be made at once. Please try again when one has ended.`;
}

export function tooOftenWords(scope: Scope, limit: number): string {
  const calls = limit === 1 ? "1 call" : `${limit} calls`;
  return `Only ${calls} a minute ${placeOf(scope)} may be tried. Please wait a minute.`;
}

function subjectOf(scope: Scope, amount: string, where: "first" | "inner" = "first"): string {
  const the = where === "first" ? "The" : "the";
  switch (scope.kind) {
    case "user":
      return where === "first" ? `Your ${amount} of calls` : `your ${amount} of calls`;
    case "trunk":
      return `${the} ${amount} of calls over this telephone line`;
    case "country":
      return `${the} ${amount} of calls to ${countryName(scope.name)}`;
    case "bridge":
      return `${the} ${amount} of calls of everybody here`;
  }
}

function placeOf(scope: Scope): string {
  switch (scope.kind) {
    case "country":
      return `to ${countryName(scope.name)}`;
    case "trunk":
      return "over this telephone line";
    case "user":
    case "bridge":
      return "from here";
  }
}

const names = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

/** English puts an article before these. */
const plural =
  /^United|^Isle|Islands$|^(?:Netherlands|Philippines|Bahamas|Gambia|Maldives|Comoros|Seychelles|Dominican Republic|Central African Republic)$/;

/** `Latvia`, `the United Kingdom`; a calling code stays as it is. */
function countryName(country: string): string {
  const name = /^[A-Z]{2}$/.test(country) ? (names.of(country) ?? country) : country;
  return plural.test(name) ? `the ${name}` : name;
}
