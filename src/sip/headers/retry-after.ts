// How long a server that is overloaded asks to be left alone (RFC 3261 s20.33, s21.5.4).
import { parseDigits } from "../wire/fields/grammar.ts";
import { header, type SipMessage } from "../wire/message.ts";

/** A server cannot take itself out of a trunk for longer, by mistake or otherwise. */
const LONGEST_MS = 10 * 60_000;

/** In ms; undefined where the message does not say. */
export function retryAfterMs(message: SipMessage): number | undefined {
  const seconds = /^\s*(\d+)/.exec(header(message, "Retry-After") ?? "")?.[1];
  if (seconds === undefined) return undefined;
  return Math.min((parseDigits(seconds, Number.MAX_SAFE_INTEGER) ?? Infinity) * 1_000, LONGEST_MS);
}
