// Where a call goes: which trunk, which Request-URI, and what kind of number that is. Who may call it is policy's business.
import type { DialString, E164, TrunkName } from "../../ids.ts";
import { dialString, withoutPlus } from "../dialled.ts";
import { endsWithInternationalPrefix, internationalPrefix, nationalForm, type Country } from "../e164.ts";
import { isEmergencyCode } from "./emergency.ts";
import type { DialTarget } from "../ghost/ghost-id.ts";
import {
  classesWithoutPlus,
  dearest,
  emergencyDigits,
  isBarred,
  isDear,
  understand,
  type NumberClass,
  type NumberMeaning,
} from "./number-class.ts";
import { makeSipUri, type SipUri } from "../../address/uri.ts";
import { meaningOfUser } from "./user-part.ts";

/** How a trunk wants numbers that are E.164; others reach it as dialled, without visual separators. */
type NumberFormat = "e164" | "e164-without-plus" | "national" | "as-dialled";

export interface PlanTrunk {
  readonly name: TrunkName;
  /** Host and port of the Request-URI of a number. */
  readonly host: string;
  readonly port: number | undefined;
  readonly format: NumberFormat;
  /** Where the trunk is at home: what is sent to it is read as dialled there. Undefined: as in the plan's own country. */
  readonly country?: Country | undefined;
  /** Put in front of every number as sent, emergency numbers excepted. */
  readonly numberPrefix: string;
  /** Adds `user=phone` (RFC 3261 s19.1.1). */
  readonly userPhone: boolean;
}

export interface PlanRoute {
  /** `+44` is matched against E.164, `9` or `*1` against what was dialled; empty matches everything. */
  readonly prefix: string;
  /** One at least, in the order in which they are tried. */
  readonly trunks: readonly TrunkName[];
  /** Characters taken away in front of what the prefix matched. */
  readonly strip: number;
  /** Put in front instead. */
  readonly prepend: string;
}

export interface DialPlan {
  readonly country: Country | undefined;
  readonly trunks: readonly PlanTrunk[];
  /** None at all: everything goes to the first trunk. Otherwise the longest prefix decides, and no match is no route. */
  readonly routes: readonly PlanRoute[];
  /** Undefined: emergency numbers are refused. */
  readonly emergencyTrunk: TrunkName | undefined;
  /** Dialled before a number, each of these withholds the caller's own for this call (CLIR); never sent. */
  readonly withholdPrefixes: readonly string[];
  /** SIP domains (lower case) that may be called, and the trunk that reaches each. */
  readonly sipDomains: ReadonlyMap<string, TrunkName>;
}

/** One trunk that a call may go to, and how the number is written there. */
export interface PlannedTrunk {
  readonly trunk: TrunkName;
  /** Request-URI and To. */
  readonly uri: SipUri;
  /** For people and logs: E.164 where it is one, else as sent to the trunk, or `user@host`. */
  readonly number: string;
}

export type PlannedCall =
  | (PlannedTrunk & {
      readonly kind: "route";
      readonly e164: E164 | undefined;
      /** The dearest of what anybody may make of the number, as dialled and as sent to any of the trunks. */
      readonly class: NumberClass;
      /** `e164` is the likeliest of several numbers that this may be. */
      readonly isAmbiguous?: true;
      /** Further barred kinds, in other readings; missing where there are none. */
      readonly otherClasses?: readonly NumberClass[];
      /** It is dear in another reading than the likeliest one: written with + and the country code it would be clear. */
      readonly isDoubtful?: true;
      /** Trunks to try in this order where the first one fails before it rings. */
      readonly alternatives: readonly PlannedTrunk[];
      /** The person dialled it so that their own number is not shown. */
      readonly withheld: boolean;
    })
  | {
      readonly kind: "refused";
      readonly why: "no-route" | "domain-not-allowed" | "emergency" | "withheld-number";
    };

/** Also one that is refused: whoever needs help must learn at once that it is not to be had here. */
export function isEmergency(call: PlannedCall): boolean {
  return call.kind === "route" ? call.class === "emergency" : call.why === "emergency";
}

/** Never throws; a plan that names a trunk it does not have has no route there. */
export function planCall(target: DialTarget, plan: DialPlan): PlannedCall {
  switch (target.kind) {
    case "number":
      return planNumber(target.dialled, plan);
    case "address":
      return planAddress(target.user, target.host, plan);
    case "withheld":
      return { kind: "refused", why: "withheld-number" };
  }
}

/** What is sent, what it means, and what it may cost. */
interface Routed {
  readonly trunk: PlanTrunk;
  readonly sent: DialString;
  readonly e164: E164 | undefined;
  readonly class: NumberClass;
  readonly classes: readonly NumberClass[];
  readonly isAmbiguous: boolean;
  readonly isDoubtful: boolean;
}

function planNumber(entered: DialString, plan: DialPlan): PlannedCall {
  // Emergency either way: 911 although 9 is the outside line, 9911 because it is, and *31#112 with and without its beginning.
  const whole = understand(entered, plan.country);
  if (whole.class === "emergency") return planEmergency(entered, plan);
  const keys = behindWithholding(entered, plan);
  const withheld = keys !== entered;
  const meaning = withheld ? understand(keys, plan.country) : whole;
  if (meaning.class === "emergency") return planEmergency(keys, plan);
  const routed = route(keys, meaning, plan);
  const emergency = routed.find((way) => way.class === "emergency");
  if (emergency) return planEmergency(emergency.sent, plan);
  // Help in another country is not what somebody here calls for.
  if (routed.some((way) => callsForHelpThere(way, plan))) return { kind: "refused", why: "emergency" };
  const [first, ...alternatives] = routed;
  if (!first) return { kind: "refused", why: "no-route" };
  const found = dearest(first.class, ...alternatives.map((way) => way.class));
  const others = new Set(routed.flatMap((way) => way.classes).filter((kind) => isBarred(kind) && kind !== found));
  const isDoubtful = routed.every((way) => way.isDoubtful || !isDear(way.class)) && isDear(found);
  return {
    kind: "route",
    ...plannedTrunk(first),
    e164: first.e164,
    class: found,
    ...(first.isAmbiguous && { isAmbiguous: true }),
    ...(others.size > 0 && { otherClasses: [...others] }),
    ...(isDoubtful && { isDoubtful }),
    alternatives: alternatives.map(plannedTrunk),
    withheld,
  };
}

/** Where what is sent to a trunk is dialled. */
function homeOf({ country }: PlanTrunk, plan: DialPlan): Country | undefined {
  return country ?? plan.country;
}

function callsForHelpThere({ trunk, sent }: Routed, plan: DialPlan): boolean {
  const there = homeOf(trunk, plan);
  return there !== plan.country && understand(sent, there).class === "emergency";
}

function plannedTrunk({ trunk, sent, e164 }: Routed): PlannedTrunk {
  return { trunk: trunk.name, uri: numberUri(trunk, trunk.numberPrefix + sent), number: e164 ?? sent };
}

/** The number without the code that withholds the caller's own; a code with no number behind it is a number itself. */
export function behindWithholding(keys: DialString, { withholdPrefixes }: DialPlan): DialString {
  for (const prefix of withholdPrefixes.toSorted((one, other) => other.length - one.length)) {
    if (prefix === "" || !keys.startsWith(prefix)) continue;
    const rest = dialString(keys.slice(prefix.length));
    if (rest !== undefined && /\d/.test(rest)) return rest;
  }
  return keys;
}

/** As short as the network wants it: never in E.164, never with a prefix. */
function planEmergency(keys: string, plan: DialPlan): PlannedCall {
  const trunk = plan.trunks.find(({ name }) => name === plan.emergencyTrunk);
  if (!trunk) return { kind: "refused", why: "emergency" };
  const number = emergencyCode(keys, plan.country);
  const uri = numberUri(trunk, number);
  // Whoever calls for help is to be called back.
  const shown = { withheld: false, alternatives: [], e164: undefined, class: "emergency" } as const;
  return { kind: "route", trunk: trunk.name, uri, number, ...shown };
}

/** `+49112`, `0112` and `*31#112` mean the 112 at their end. */
function emergencyCode(keys: string, country: Country | undefined): string {
  const digits = emergencyDigits(keys, country) ?? keys;
  for (let start = 0; start < digits.length - 1; start += 1) {
    const end = digits.slice(start);
    if (isEmergencyCode(end, country)) return end;
  }
  return digits;
}

/** One for each trunk of the best route, in its order; none where no route fits. */
function route(keys: DialString, meaning: NumberMeaning, plan: DialPlan): readonly Routed[] {
  const best = bestRoute(keys, meaning, plan);
  return [...new Set(best?.trunks)].flatMap((name) => {
    const trunk = plan.trunks.find((candidate) => candidate.name === name);
    return best && trunk ? (routeOver(trunk, best, keys, meaning, plan) ?? []) : [];
  });
}

function routeOver(
  trunk: PlanTrunk,
  best: PlanRoute,
  keys: DialString,
  meaning: NumberMeaning,
  plan: DialPlan,
): Routed | undefined {
  const rewrites = best.strip > 0 || best.prepend !== "";
  if (!rewrites) return asWritten(keys, named(meaning, keys, best), trunk, plan);
  const { e164 } = meaning;
  const byE164 = best.prefix.startsWith("+") && e164 !== undefined;
  const rewritten = dialString(best.prepend + (byE164 ? e164 : keys).slice(best.strip));
  if (rewritten === undefined) return undefined;
  if (byE164) return toTheLetter(rewritten, meaning, best, trunk, plan);
  const meant = named(understand(rewritten, plan.country), rewritten, best);
  const isAbroad = stripsInternationalPrefix(best, plan);
  if (isAbroad && e164 !== undefined && meant.e164 !== e164) {
    return toTheLetter(rewritten, meaning, best, trunk, plan);
  }
  // What is left behind an outside-line digit is the number that was meant.
  const behindPrefix = endsWithInternationalPrefix(best.prepend)
    ? classesAsSent(`+${keys.slice(best.strip)}`, undefined)
    : [];
  const others = [...behindPrefix, ...(isAbroad ? meaning.classes : [])].filter(isDear);
  return dearer(asWritten(rewritten, meant, trunk, plan), others);
}

/** A rewritten number is what the trunk asked for, to the letter; it costs what the number itself costs, or more. */
function toTheLetter(
  sent: DialString,
  meaning: NumberMeaning,
  { prepend }: PlanRoute,
  trunk: PlanTrunk,
  plan: DialPlan,
): Routed {
  const country = homeOf(trunk, plan);
  const { e164, isAssigned, isAmbiguous, isDoubtful } = meaning;
  // With what the trunk itself dials before numbers abroad, whether or not this country does, nothing else can be meant.
  const isClear = isAssigned && sent === prepend + e164?.slice(1) && endsWithInternationalPrefix(prepend);
  // Where all its digits are sent, whoever wanted them so reads them so, as with `e164-without-plus`.
  const isWhole = isAssigned && e164 !== undefined && sent.endsWith(e164.slice(1));
  const texts = [...(isClear ? [] : [sent]), ...(trunk.numberPrefix === "" ? [] : [trunk.numberPrefix + sent])];
  const asSent = texts.flatMap((text) => (isWhole ? classesWithoutPlus : classesAsSent)(text, country));
  const classes = [...meaning.classes, ...asSent.filter((kind) => kind !== "unknown")];
  return { trunk, sent, e164, class: dearest(meaning.class, ...classes), classes, isAmbiguous, isDoubtful };
}

/** Such a route is for numbers abroad, and the trunk may be at home elsewhere: `011` for `00`, or no `0044` in Britain. */
function stripsInternationalPrefix({ prefix, strip }: PlanRoute, { country }: DialPlan): boolean {
  const own = country && internationalPrefix(country).exec(prefix);
  const taken = own ?? /^00/.exec(prefix);
  return taken !== null && taken[0].length <= strip;
}

function dearer(routed: Routed, others: readonly NumberClass[]): Routed {
  const found = dearest(routed.class, ...others);
  return { ...routed, class: found, classes: [...routed.classes, ...others] };
}

/** What the admin's own route names is known, even if no numbering plan has it, and is no number abroad without its plus. */
function named(meaning: NumberMeaning, keys: string, { prefix }: PlanRoute): NumberMeaning {
  if (prefix === "" || prefix.startsWith("+") || !keys.startsWith(prefix)) return meaning;
  if (meaning.class === "unknown") return { ...meaning, class: "private", classes: [] };
  return meaning.isBare ? { ...meaning, e164: undefined, isAssigned: false } : meaning;
}

function asWritten(keys: DialString, meaning: NumberMeaning, trunk: PlanTrunk, plan: DialPlan): Routed {
  const { e164, isAmbiguous, isDoubtful } = meaning;
  const sent = written(keys, e164, trunk, plan);
  const classes = [...meaning.classes, ...classesWritten(sent, keys, meaning, trunk, plan)];
  const found = dearest(meaning.class, ...classes);
  const isNew = isDear(found) && !isDear(meaning.class);
  // Clear with its plus, but not as this trunk would have it: then the plus stays.
  if (isNew && meaning.isAssigned && e164 !== undefined && trunk.numberPrefix === "") {
    return { trunk, sent: e164, e164, class: meaning.class, classes: meaning.classes, isAmbiguous, isDoubtful };
  }
  return { trunk, sent, e164, class: found, classes, isAmbiguous, isDoubtful };
}

/** What the trunk may make of the text, besides what was dialled. */
function classesWritten(
  sent: DialString,
  keys: DialString,
  { e164, isAssigned }: NumberMeaning,
  trunk: PlanTrunk,
  plan: DialPlan,
): readonly NumberClass[] {
  const { format, numberPrefix } = trunk;
  const country = homeOf(trunk, plan);
  const isBare = isAssigned && format === "e164-without-plus";
  // What was dialled has been judged already, as dialled here.
  const isClear = (sent === keys && country === plan.country) || (isAssigned && sent === e164);
  const itself = isClear ? [] : isBare ? classesWithoutPlus(sent, country) : classesAsSent(sent, country);
  if (numberPrefix === "") return itself;
  // The trunk takes its prefix away; but should it not, the prefix is a part of the number.
  const whole = numberPrefix + sent;
  const asWhole = isAssigned ? classesWithoutPlus(whole, country) : classesAsSent(whole, country);
  return [...itself, ...asWhole.filter((kind) => kind !== "unknown")];
}

/** Emergency numbers were looked for before. */
function classesAsSent(text: string, country: Country | undefined): readonly NumberClass[] {
  const keys = dialString(text);
  const classes = keys === undefined ? [] : understand(keys, country).classes;
  return classes.filter((kind) => kind !== "emergency");
}

/** Undefined where none fits. Of a plan without routes the one that it stands for. */
export function bestRoute(keys: string, { e164, isBare }: NumberMeaning, plan: DialPlan): PlanRoute | undefined {
  const [first] = plan.trunks;
  if (plan.routes.length === 0) return first && { prefix: "", trunks: [first.name], strip: 0, prepend: "" };
  // What the plan names by its first digits is that before it is a number abroad that lacks its plus.
  return (isBare ? longestMatch(keys, undefined, plan.routes, 1) : undefined) ?? longestMatch(keys, e164, plan.routes);
}

function longestMatch(
  keys: string,
  e164: E164 | undefined,
  routes: readonly PlanRoute[],
  least = 0,
): PlanRoute | undefined {
  let best: PlanRoute | undefined;
  for (const candidate of routes) {
    const text = candidate.prefix.startsWith("+") ? (e164 ?? keys) : keys;
    // Of two equally long ones the first in the list counts.
    const isLonger = candidate.prefix.length > (best?.prefix.length ?? least - 1);
    if (text.startsWith(candidate.prefix) && isLonger) best = candidate;
  }
  return best;
}

function written(keys: DialString, e164: E164 | undefined, trunk: PlanTrunk, plan: DialPlan): DialString {
  if (e164 === undefined) return keys;
  switch (trunk.format) {
    case "e164":
      return e164;
    case "e164-without-plus":
      return withoutPlus(e164);
    case "national": {
      const country = homeOf(trunk, plan);
      return country === undefined ? e164 : nationalForm(e164, country);
    }
    case "as-dialled":
      return keys;
  }
}

function numberUri({ host, port, userPhone }: PlanTrunk, number: string): SipUri {
  const params = new Map(userPhone ? [["user", "phone"]] : []);
  return makeSipUri({ user: number, host, port, params });
}

function planAddress(user: string, host: string, plan: DialPlan): PlannedCall {
  const trunk = plan.sipDomains.get(host);
  if (trunk === undefined) return { kind: "refused", why: "domain-not-allowed" };
  if (!plan.trunks.some(({ name }) => name === trunk)) return { kind: "refused", why: "no-route" };
  const meaning = meaningOfUser(user, plan.country);
  if (meaning.class === "emergency") return planEmergency(meaning.keys, plan);
  const { e164, isDoubtful } = meaning;
  const other = meaning.classes.filter((found) => isDear(found) && found !== meaning.class);
  // The domain is allowed by name, and its users may be called anything.
  const kind = meaning.class === "unknown" ? "private" : meaning.class;
  const number = `${user}@${host}`;
  const uri = makeSipUri({ user, host });
  const doubt = { ...(other.length > 0 && { otherClasses: other }), ...(isDoubtful && { isDoubtful }) };
  return { kind: "route", trunk, uri, number, e164, class: kind, ...doubt, alternatives: [], withheld: false };
}
