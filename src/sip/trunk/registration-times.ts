// When to register again: before a binding ends, after a failure, and what Expires and Min-Expires may make of it.
import { parseDigits } from "../wire/fields/grammar.ts";
import { header, type SipMessage } from "../wire/message.ts";

/** A registrar that grants a second is not asked every second. */
export const SHORTEST_BINDING_MS = 10_000;
/** Longer ones count as a day: a timer cannot hold every number of the wire. */
const LONGEST_BINDING_MS = 24 * 3_600_000;
/** A registrar that was started anew between two OPTIONS, and forgot us, is noticed after this long. */
const LONGEST_LOOK_MS = 15 * 60_000;
/**
 * RFC 5626 s4.5, where no flow stands. The upper bound is the RFC's to configure: who cannot be called for half an
 * hour has lost more than a REGISTER every five minutes costs.
 */
const BASE_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** Wrong credentials do not get right by themselves, and who asks too often is locked out. */
const BASE_REFUSED_MS = 10 * 60_000;
const LONGEST_REFUSED_MS = 3_600_000;

/** At 80 to 90 % of the binding, or of what is the longest without a look. `chance` is in [0, 1). */
export function refreshAfterMs(expiresMs: number, chance: number): number {
  return Math.floor(Math.min(expiresMs, LONGEST_LOOK_MS) * (0.8 + chance / 10));
}

/** After that many failures before this one: from half of the doubled time to the whole (RFC 5626 s4.5). */
export function retryAfterFailureMs(failures: number, chance: number): number {
  return backoffMs(BASE_RETRY_MS, LONGEST_RETRY_MS, failures, chance);
}

/** The same where the registrar said that it does not want us. */
export function retryAfterRefusalMs(refusals: number, chance: number): number {
  return backoffMs(BASE_REFUSED_MS, LONGEST_REFUSED_MS, refusals, chance);
}

function backoffMs(baseMs: number, longestMs: number, times: number, chance: number): number {
  const upperMs = Math.min(longestMs, baseMs * 2 ** Math.min(times, 20));
  return Math.floor(upperMs * (0.5 + chance / 2));
}

/** A number in [0, 1) from an unguessable id: registrations of many bridges must not come in step. */
export function chanceOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 65_536;
  return sum / 65_536;
}

/** Delta-seconds of a header or parameter as ms, within what a binding may last; undefined where it is none. */
export function bindingMs(seconds: string | null | undefined): number | undefined {
  if (seconds === null || seconds === undefined) return undefined;
  const digits = /^\s*(\d+)/.exec(seconds)?.[1];
  if (digits === undefined) return undefined;
  // A number too long to be read is a long time.
  const parsed = parseDigits(digits, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
  return Math.min(parsed * 1_000, LONGEST_BINDING_MS);
}

/** What a 423 asks for (RFC 3261 s10.2.8). */
export function minExpiresMs(response: SipMessage): number | undefined {
  return bindingMs(header(response, "Min-Expires"));
}
