// Where 3xx responses lead a call (RFC 3261 s8.1.3.4): their Contacts by preference, each tried once. Which of them
// are gateways of the trunk is the trunk's to say.
import { parseDigits } from "../wire/fields/grammar.ts";
import type { SipResponse } from "../wire/message.ts";
import { asRequestUri, formatUri, type SipUri } from "../../core/address/uri.ts";

/** So often a call lets itself be sent on. */
const MAX_HOPS = 5;
/** So many Contacts of one response are looked at. */
const MAX_CONTACTS = 10;

export interface Redirects {
  readonly hops: number;
  /** Request-URIs that are still to be tried, the next one first. */
  readonly left: readonly SipUri[];
  /** The texts of those that were. */
  readonly seen: ReadonlySet<string>;
}

/** @param target the Request-URI that the call begins with */
export function noRedirects(target: SipUri): Redirects {
  return { hops: 0, left: [], seen: new Set([formatUri(target)]) };
}

/** With the Contacts of a 3xx, which go before those of the earlier ones. */
export function redirected(redirects: Redirects, response: SipResponse): Redirects {
  const { hops, left, seen } = redirects;
  if (hops >= MAX_HOPS) return redirects;
  const places = new Map([...contactsByPreference(response), ...left].toReversed().map((uri) => [formatUri(uri), uri]));
  for (const text of seen) places.delete(text);
  return { hops: hops + 1, left: [...places.values()].toReversed(), seen };
}

/** The first `count` have been looked at. */
export function lookedAt({ hops, left, seen }: Redirects, count: number): Redirects {
  return { hops, left: left.slice(count), seen: new Set([...seen, ...left.slice(0, count).map(formatUri)]) };
}

/** Highest q first, 1 where none is given (RFC 3261 s20.10); without what no Request-URI may have (s19.1.1, table 1). */
function contactsByPreference({ contacts }: SipResponse): SipUri[] {
  if (contacts === "*") return [];
  return contacts
    .slice(0, MAX_CONTACTS)
    .flatMap(({ uri, params }) => (uri.kind === "sip" ? [{ uri, q: qualityOf(params.get("q")) }] : []))
    .toSorted((a, b) => b.q - a.q)
    .map(({ uri }) => asRequestUri(uri));
}

/** In thousandths. */
function qualityOf(text: string | null | undefined): number {
  const match = /^([01])(?:\.(\d{0,3}))?$/.exec(text ?? "");
  if (match === null) return 1_000;
  const [, whole = "0", fraction = ""] = match;
  return Math.min(1_000, Number(whole) * 1_000 + (parseDigits(fraction.padEnd(3, "0"), 999) ?? 0));
}
