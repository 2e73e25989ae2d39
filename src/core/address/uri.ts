// URIs as SIP carries them: sip and sips (RFC 3261 s19.1), tel (RFC 3966), any other scheme as it stands.
// Parsing keeps escapes as they were sent, so that a URI goes back out as it came in.
import { escapeBytes, escaping, unescapeBytes, type Escaping } from "./escape.ts";
import { addressFamily } from "./ip.ts";

/** By lower-case name, in order; `null` is a parameter without a value (";lr"). */
type UriParams = ReadonlyMap<string, string | null>;

/** `user`, `password`, parameter and header values are still escaped; `userText` decodes. */
export type SipUri = {
  readonly kind: "sip";
  readonly scheme: "sip" | "sips";
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Lower-case name or address; IPv6 in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: UriParams;
  readonly headers: readonly (readonly [name: string, value: string])[];
};

/** `number` as sent, with `+` and visual separators. */
export type TelUri = {
  readonly kind: "tel";
  readonly scheme: "tel";
  readonly number: string;
  readonly params: UriParams;
};

/** A scheme that we do not look into; `opaque` is all after the colon. */
type OtherUri = {
  readonly kind: "other";
  readonly scheme: string;
  readonly opaque: string;
};

export type Uri = SipUri | TelUri | OtherUri;

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
/** Nothing that could end a URI, a header value or a line may stand inside of one. */
const NOT_IN_URI = /[\p{Cc} <>"\\]/u;
const HOST_PORT = /^(?:(\[[0-9A-Fa-f:.]+\])|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const NO_HEADERS: SipUri["headers"] = [];
const NO_URI_PARAMS: UriParams = new Map();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// What may stand unescaped (RFC 3261 s25.1): unreserved plus the specials of each place.
const UNRESERVED = "A-Za-z0-9\\-_.!~*'()";
const USER = escaping("%", `${UNRESERVED}&=+$,;?/`);
/** The same where escapes stand already. */
const IN_USER = escaping("%", `${UNRESERVED}&=+$,;?/%`, "upper");
const IN_PASSWORD = escaping("%", `${UNRESERVED}&=+$,%`, "upper");
const IN_PARAM = escaping("%", `${UNRESERVED}[\\]/:&+$%`, "upper");
const IN_HEADER = escaping("%", `${UNRESERVED}[\\]/?:+$%`, "upper");
const IN_OPAQUE = escaping("%", `${UNRESERVED}&=+$,;?/:@[\\]%`, "upper");
const NOT_IN_HOST = /[^A-Za-z0-9\-_.[\]:]/g;

/** The URI, or undefined when it is not one. Leading and trailing spaces are not part of a URI. */
export function parseUri(text: string): Uri | undefined {
  const colon = text.indexOf(":");
  if (colon < 1 || NOT_IN_URI.test(text)) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  const rest = text.slice(colon + 1);
  if (scheme === "sip" || scheme === "sips") return parseSipUri(scheme, rest);
  if (!SCHEME.test(scheme) || rest === "") return undefined;
  return scheme === "tel" ? parseTelUri(rest) : { kind: "other", scheme, opaque: rest };
}

function parseSipUri(scheme: "sip" | "sips", rest: string): SipUri | undefined {
  let user: string | undefined;
  let password: string | undefined;
  let tail = rest;
  const at = rest.indexOf("@");
  if (at >= 0) {
    tail = rest.slice(at + 1);
    user = rest.slice(0, at);
    const colon = user.indexOf(":");
    if (colon >= 0) {
      password = user.slice(colon + 1);
      user = user.slice(0, colon);
    }
    if (user === "") return undefined;
  }
  if (tail.includes("%") || user?.includes("%") || password?.includes("%")) {
    if (BROKEN_ESCAPE.test(rest)) return undefined;
  }
  const question = tail.indexOf("?");
  // Only after the question mark do telephones forget to escape an @ (Refer-To with Replaces).
  const beforeHeaders = question < 0 ? tail : tail.slice(0, question);
  if (beforeHeaders.includes("@")) return undefined;
  const semicolon = beforeHeaders.indexOf(";");
  const hostPort = parseHostPort(semicolon < 0 ? beforeHeaders : beforeHeaders.slice(0, semicolon));
  if (hostPort === undefined) return undefined;
  const params = semicolon < 0 ? NO_URI_PARAMS : parseUriParams(beforeHeaders.slice(semicolon + 1));
  if (params === undefined) return undefined;
  const headers = question < 0 ? NO_HEADERS : parseUriHeaders(tail.slice(question + 1));
  const { host, port } = hostPort;
  return { kind: "sip", scheme, user, password, host, port, params, headers };
}

/** `host[:port]`: a name (underscores are met in the field), IPv4, or IPv6 in brackets. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const match = HOST_PORT.exec(text);
  if (match === null) return undefined;
  const [, bracketed, name, portText] = match;
  // RFC 5118 s4.10: the grammar of RFC 3261 wrongly allows a third colon before an embedded IPv4 address.
  const ipv6 = bracketed?.replace(/:::(?=[\d.]+\]$)/, "::");
  if (ipv6 !== undefined && addressFamily(ipv6.slice(1, -1)) !== 6) return undefined;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65_535) return undefined;
  return { host: ((ipv6 ?? name) as string).toLowerCase(), port };
}

function parseUriParams(text: string): UriParams | undefined {
  const params = new Map<string, string | null>();
  for (const part of text.split(";")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = paramName(equals < 0 ? part : part.slice(0, equals));
    if (name === "") return undefined;
    if (!params.has(name)) params.set(name, equals < 0 ? null : part.slice(equals + 1));
  }
  return params;
}

/** Lower case, and letters that were escaped without need bare: `%6C%72` is `lr` (RFC 3261 s19.1.4). */
function paramName(text: string): string {
  const lower = text.toLowerCase();
  if (!lower.includes("%")) return lower;
  return lower.replace(/%([0-9a-f]{2})/g, (triplet, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16)).toLowerCase();
    return /[a-z0-9]/.test(character) ? character : triplet.toUpperCase();
  });
}

function parseUriHeaders(text: string): SipUri["headers"] {
  return text.split("&").map((pair) => {
    const equals = pair.indexOf("=");
    return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
  });
}

function parseTelUri(rest: string): TelUri | undefined {
  const semicolon = rest.indexOf(";");
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon);
  if (number === "") return undefined;
  const params = semicolon < 0 ? NO_URI_PARAMS : parseUriParams(rest.slice(semicolon + 1));
  return params && { kind: "tel", scheme: "tel", number, params };
}

/** Undoes %-escapes as UTF-8; bytes that are no UTF-8 become U+FFFD, a lone % stays. */
export function unescaped(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    decoder.decode(Uint8Array.from(run.slice(1).split("%"), (hex) => Number.parseInt(hex, 16))),
  );
}

/** The user part as text: of a sip URI decoded, of a tel URI the number; undefined where there is none. */
export function userText(uri: Uri): string | undefined {
  if (uri.kind === "sip") return uri.user === undefined ? undefined : unescaped(uri.user);
  return uri.kind === "tel" ? unescaped(uri.number) : undefined;
}

/** The first URI header of that name (`?Replaces=...`), decoded. */
export function uriHeader(uri: Uri, name: string): string | undefined {
  if (uri.kind !== "sip") return undefined;
  const lower = name.toLowerCase();
  const found = uri.headers.find(([key]) => unescaped(key).toLowerCase() === lower);
  return found && unescaped(found[1]);
}

/** Escapes plain text for the user part of a sip URI, where also a % is a plain character. */
export function escapeUser(text: string): string {
  return escapeBytes(text, USER);
}

/** undefined where the text could not stand between `sip:` and `@`. */
export function unescapeUser(text: string): string | undefined {
  return unescapeBytes(text, USER);
}

/** What a sip URI is made of: `user` is plain text, nothing in it escaped yet; an IPv6 address stands in its brackets. */
export type SipUriParts = {
  readonly scheme?: "sip" | "sips";
  readonly user?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly params?: UriParams;
};

export function makeSipUri({ scheme = "sip", user, host, port, params = NO_URI_PARAMS }: SipUriParts): SipUri {
  const escaped = user === undefined ? undefined : escapeUser(user);
  return { kind: "sip", scheme, user: escaped, password: undefined, host, port, params, headers: NO_HEADERS };
}

/** Without what may not stand in a Request-URI (RFC 3261 s19.1.1, table 1). */
export function asRequestUri(uri: SipUri): SipUri {
  const params = new Map([...uri.params].filter(([name]) => name !== "method"));
  return { ...uri, params, headers: NO_HEADERS };
}

/** Escapes what is illegal in that place and every % that starts no escape; escapes already there stay. */
function legal(text: string, place: Escaping): string {
  return escapeBytes(text.includes("%") ? text.replace(/%(?![0-9A-Fa-f]{2})/g, "%25") : text, place);
}

function formatParams(params: UriParams): string {
  let text = "";
  for (const [name, value] of params) {
    text += `;${legal(name, IN_PARAM)}`;
    if (value !== null) text += `=${legal(value, IN_PARAM)}`;
  }
  return text;
}

/** The URI as it goes on the wire: always legal, whatever the fields hold (RFC 3261 s19.1.1). */
export function formatUri(uri: Uri): string {
  if (uri.kind === "other") return `${uri.scheme}:${legal(uri.opaque, IN_OPAQUE)}`;
  if (uri.kind === "tel") return `tel:${legal(uri.number, IN_USER)}${formatParams(uri.params)}`;
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) {
    text += legal(uri.user, IN_USER);
    if (uri.password !== undefined) text += `:${legal(uri.password, IN_PASSWORD)}`;
    text += "@";
  }
  text += uri.host.replace(NOT_IN_HOST, "");
  if (uri.port !== undefined) text += `:${uri.port}`;
  text += formatParams(uri.params);
  if (uri.headers.length > 0) {
    const pairs = uri.headers.map(([name, value]) => `${legal(name, IN_HEADER)}=${legal(value, IN_HEADER)}`);
    text += `?${pairs.join("&")}`;
  }
  return text;
}
