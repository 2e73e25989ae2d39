// Whether two sip URIs are the same by the rules for comparison (RFC 3261 s19.1.4), which are not those of the text.
import { unescaped, type SipUri } from "../../../core/address/uri.ts";

/** In one URI alone these make a difference; any other parameter counts only where both have it. */
const ALWAYS_COMPARED = ["user", "ttl", "method", "maddr", "transport"];

export function sameSipUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return false;
  if (decoded(a.user) !== decoded(b.user) || decoded(a.password) !== decoded(b.password)) return false;
  const names = new Set([...ALWAYS_COMPARED, ...[...a.params.keys()].filter((name) => b.params.has(name))]);
  for (const name of names) {
    if (a.params.has(name) !== b.params.has(name)) return false;
    if (plain(a.params.get(name)) !== plain(b.params.get(name))) return false;
  }
  const headers = (uri: SipUri): string =>
    uri.headers
      .map(([name, value]) => `${plain(name)}=${unescaped(value)}`)
      .toSorted()
      .join("&");
  return headers(a) === headers(b);
}

/** User and password are compared with their case. */
function decoded(text: string | undefined): string | undefined {
  return text === undefined ? undefined : unescaped(text);
}

function plain(text: string | null | undefined): string {
  return unescaped(text ?? "").toLowerCase();
}
