// Header field names: canonical spelling and compact forms (RFC 3261 s7.3.3 and the IANA registry).
// Every name in a parsed message has passed through here; values live elsewhere.

/** Compact form to long form, lower-case letter to canonical name. */
const COMPACT_FORMS: Readonly<Record<string, string>> = {
  a: "Accept-Contact", // RFC 3841
  b: "Referred-By", // RFC 3892
  c: "Content-Type",
  d: "Request-Disposition", // RFC 3841
  e: "Content-Encoding",
  f: "From",
  i: "Call-ID",
  j: "Reject-Contact", // RFC 3841
  k: "Supported",
  l: "Content-Length",
  m: "Contact",
  n: "Identity-Info", // RFC 4474
  o: "Event", // RFC 6665
  r: "Refer-To", // RFC 3515
  s: "Subject",
  t: "To",
  u: "Allow-Events", // RFC 6665
  v: "Via",
  x: "Session-Expires", // RFC 4028
  y: "Identity", // RFC 8224
};

/** Names whose registered spelling is not "Each-Part-Capitalised". */
const IRREGULAR = [
  "Call-ID",
  "CSeq",
  "WWW-Authenticate",
  "MIME-Version",
  "Min-SE",
  "RAck",
  "RSeq",
  "SIP-ETag",
  "SIP-If-Match",
  "P-DCS-Billing-Info",
  "P-Called-Party-ID",
  "Remote-Party-ID",
];

const IRREGULAR_BY_LOWER = new Map(IRREGULAR.map((name) => [name.toLowerCase(), name]));

/** RFC 3261 s25.1 `token`. */
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Names seen before. Bounded, because the names come from the network. */
const CACHE_LIMIT = 1_000;
const CACHED_NAME_LENGTH = 64;
const cache = new Map<string, string>();

/**
 * The canonical spelling of a header field name in any case or compact form;
 * undefined when the name is not a token.
 */
export function canonicalHeaderName(name: string): string | undefined {
  const known = cache.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) return undefined;
  const lower = name.toLowerCase();
  const canonical = (lower.length === 1 ? COMPACT_FORMS[lower] : IRREGULAR_BY_LOWER.get(lower)) ?? capitalised(lower);
  if (cache.size < CACHE_LIMIT && name.length <= CACHED_NAME_LENGTH) {
    // A slice would keep its whole datagram alive for as long as the cache lives.
    cache.set(Buffer.from(name, "latin1").toString("latin1"), canonical);
  }
  return canonical;
}

function capitalised(lower: string): string {
  return lower.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** Whether `text` is a `token` (RFC 3261 s25.1). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
