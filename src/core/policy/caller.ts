// Who is calling, as far as a trunk may be believed and the caller wants it known (RFC 3323, RFC 3325), and the words about
// it that people read. Whom it rings: number/did. Our own identity towards the network: caller-identity.
import { contextOfAddressee, type Diversion, type RemoteIdentity, type SipAddressee } from "./remote-identity.ts";
import type { DialString } from "../ids.ts";
import { dialString } from "../number/dialled.ts";
import { internationalForm, knownForm, type Country } from "../number/e164.ts";
import type { DialTarget } from "../number/ghost/ghost-id.ts";
import { spellingIn, type InboundNumberFormat } from "../number/plan/spelling.ts";
import { oneLine } from "./one-line.ts";

export interface CallerTrust {
  /** `asserted`: P-Asserted-Identity or Remote-Party-ID, and From only where nothing is asserted. `from`: From alone. */
  readonly identity: "asserted" | "from";
  /** Whether people are shown the display name that the trunk sends. */
  readonly displayName: boolean;
  /** How the trunk writes numbers; `auto` where it is not said. */
  readonly numberFormat?: InboundNumberFormat | undefined;
  /** Whether its verdict on the number is its own, or may be whatever callers send. */
  readonly verstat?: boolean | undefined;
  readonly spam?: SpamSign | undefined;
}

/** What becomes of a kind of callers; `voicemail`: the trunk is told that nobody can be reached, and does what it does then. */
export const callerChoices = ["allow", "reject", "voicemail"] as const;
export type CallerChoice = (typeof callerChoices)[number];

/** By what a trunk marks spam. */
interface SpamSign {
  /** Of the header's value. `*` stands for any text. */
  readonly pattern: string;
  /** Undefined: as for all trunks. */
  readonly calls: CallerChoice | undefined;
}

/** How the numbers of a trunk are read. */
interface NumberReader {
  readonly country: Country | undefined;
  readonly format: InboundNumberFormat | undefined;
}

/** The network's verdict on the number (STIR/SHAKEN); undefined where it has none. */
export type Verification = "passed" | "failed" | undefined;

export type Caller = (
  | {
      readonly kind: "number";
      /** E.164 where it is understood, else as sent: what a person would dial to call back. */
      readonly dialled: DialString;
      readonly displayName: string | undefined;
    }
  | {
      readonly kind: "address";
      readonly user: string;
      readonly host: string;
      readonly displayName: string | undefined;
    }
  | { readonly kind: "withheld" }
) & { readonly verified: Verification };

/** Never throws. A caller whose identity is missing or makes no sense counts as one who withholds it. */
export function identifyCaller(identity: RemoteIdentity, trust: CallerTrust, country: Country | undefined): Caller {
  const withheld: Caller = { kind: "withheld", verified: undefined };
  const reader: NumberReader = { country, format: trust.numberFormat };
  if (wantsPrivacy(identity)) return withheld;
  const stated = trust.identity === "asserted" && identity.asserted.length > 0 ? identity.asserted : [identity.from];
  // Of a sip: and a tel: URI (RFC 3325 s9.1) the one that holds a number is called back.
  const read = stated.map((caller) => ({ caller, dialled: numberIn(caller, reader) }));
  const [first] = read;
  const { caller, dialled } = read.find((one) => one.dialled !== undefined) ?? first ?? {};
  if (caller === undefined || isNobody(caller)) return withheld;
  const displayName = trust.displayName && !hidesName(identity) ? shownName(caller.displayName) : undefined;
  if (dialled !== undefined) {
    const verified = trust.verstat === true ? verdictOn(dialled, identity, reader) : undefined;
    return { kind: "number", dialled, displayName, verified };
  }
  const user = oneLine(caller.user);
  if (user === undefined || user !== caller.user || !caller.host) return withheld;
  return { kind: "address", user, host: caller.host.toLowerCase(), displayName, verified: undefined };
}

/** For whom the ghost of this caller stands. */
export function targetOf(caller: Caller): DialTarget {
  switch (caller.kind) {
    case "number":
      return { kind: "number", dialled: caller.dialled };
    case "address":
      return { kind: "address", user: caller.user, host: caller.host };
    case "withheld":
      return { kind: "withheld" };
  }
}

const anonymousUsers = new Set(["anonymous", "restricted", "withheld", "private"]);
/** Not hidden, but not known either. */
const unknownUsers = new Set(["unknown", "unavailable", "asserted", "null", "none", "undefined"]);

/** RFC 3323 s4.2 and RFC 3325 s7 say it in Privacy; the From of an anonymous caller says it too (RFC 3323 s4.1.1.3). */
function wantsPrivacy({ from, privacy }: RemoteIdentity): boolean {
  const wishes = new Set(privacy.map((wish) => wish.trim().toLowerCase()));
  if (["id", "user", "header", "full", "uri"].some((wish) => wishes.has(wish))) return true;
  // An express wish not to be hidden.
  return !wishes.has("none") && isAnonymous(from);
}

/** Of Remote-Party-ID: the number may be shown, the name not. */
function hidesName({ privacy }: RemoteIdentity): boolean {
  return privacy.some((wish) => wish.trim().toLowerCase() === "name");
}

function isAnonymous({ user, host, displayName }: SipAddressee): boolean {
  return (
    anonymousUsers.has(plain(user)) ||
    plain(host).replace(/\.$/, "") === "anonymous.invalid" ||
    anonymousUsers.has(plain(displayName))
  );
}

function isNobody(caller: SipAddressee): boolean {
  return isAnonymous(caller) || plain(caller.user) === "" || unknownUsers.has(plain(caller.user)) || isInvalid(caller);
}

/** RFC 2606: `unknown.invalid` and its like (3GPP TS 29.163). */
function isInvalid({ host }: SipAddressee): boolean {
  return /(?:^|\.)invalid\.?$/.test(plain(host));
}

function plain(text: string | undefined): string {
  return text?.trim().toLowerCase() ?? "";
}

/** As long as numbers are, with a code in front and an extension behind. */
const longestNumber = 40;

/** The number that stands before the @, in the form that a person would dial; undefined where there is none. */
function numberIn(stated: SipAddressee, { country, format }: NumberReader): DialString | undefined {
  const [head = ""] = stated.user?.replace(/^tel:/i, "").split(";") ?? [];
  const keys = dialString(head);
  if (keys === undefined || !/\d/.test(keys) || keys.length > longestNumber) return undefined;
  const { sent, e164 } = spellingIn(contextOfAddressee(stated), keys, country, format);
  return e164[0] ?? sent;
}

/** Gateways put the number in where they have no name; a number as a name would pass for another one's. */
function shownName(displayName: string | undefined): string | undefined {
  const name = oneLine(displayName);
  if (name === undefined || !/\p{L}/u.test(name) || /^(?:sips?|tel):|^@/i.test(name)) return undefined;
  return unknownUsers.has(name.toLowerCase()) ? undefined : name;
}

/**
 * ATIS-1000074 s5.3.1. Attestation B and C, where a trunk tells it, vouch for the line or the gateway only, and not for the
 * number.
 */
function verdictOf(verstat: string | undefined): Verification {
  const verdict = verstat?.trim().toLowerCase();
  if (/^tn-validation-passed(?:-a(?:-passthrough)?)?$/.test(verdict ?? "")) return "passed";
  return verdict?.startsWith("tn-validation-failed") === true ? "failed" : undefined;
}

/** A number is vouched for only where no other one stands beside it, which the verdict could be about. */
function verdictOn(dialled: DialString, identity: RemoteIdentity, reader: NumberReader): Verification {
  const verdict = verdictOf(identity.verstat);
  if (verdict !== "passed") return verdict;
  const stated = [...identity.asserted, identity.from].map((one) => numberIn(one, reader));
  const isOnly = stated.every((number) => number === undefined || number === dialled);
  return isOnly ? verdict : undefined;
}

const longestTrail = 3;

/** What a person should know of the call besides who is calling, one line each; none for most calls. `badge`: in words. */
export function callerWords(
  badge: string | undefined,
  diversions: readonly Diversion[],
  country: Country | undefined,
  format?: InboundNumberFormat,
): readonly string[] {
  const trail = new Set(diversions.map((diversion) => diversionWords(diversion, { country, format })));
  const lines = [...(badge === undefined ? [] : [badge]), ...[...trail].slice(0, longestTrail)];
  return lines;
}

/** RFC 5806 s4 and RFC 7044; reasons that say nothing to a person are left out. */
const reasonWords: ReadonlyMap<string, string> = new Map([
  ["user-busy", "was busy"],
  ["busy", "was busy"],
  ["no-answer", "did not answer"],
  ["unavailable", "could not be reached"],
  ["do-not-disturb", "takes no calls"],
  ["away", "is away"],
  ["time-of-day", "takes no calls at this time"],
  ["out-of-service", "is out of service"],
]);

function diversionWords({ by, reason }: Diversion, reader: NumberReader): string {
  const number = numberIn(by, reader);
  const known = number === undefined ? undefined : knownForm(number, reader.country);
  const shown = known === undefined ? number : internationalForm(known);
  const name = isNobody(by) ? undefined : (shown ?? shownName(by.displayName) ?? oneLine(by.user));
  const why = reasonWords.get(plain(reason));
  const which = why === undefined ? "" : `, which ${why}`;
  return name === undefined ? `Forwarded from a withheld number${which}.` : `Forwarded from ${name}${which}.`;
}
