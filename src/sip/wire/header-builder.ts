// Every header field that leaves us is made here, from typed parts. Whatever the parts hold, the result is one
// line: no CR, LF or control character, no open quote, no second header. Parsing is elsewhere, but for Reason.
import {
  formatUri,
  makeSipUri,
  parseHostPort,
  type SipUri,
  type SipUriParts,
  type Uri,
} from "../../core/address/uri.ts";
import { lineText, paramsText, quotedString, tokenText } from "./fields/escaping.ts";
import { NO_PARAMS, parseDigits, parseParams, splitOutside, type Params } from "./fields/grammar.ts";
import { canonicalHeaderName, isToken } from "./fields/header-names.ts";
import { formatVia, type Via } from "./fields/via.ts";

declare const built: unique symbol;

/** `Name: value` without line end, safe to be put into a message. Only this file makes them. */
export type HeaderLine = string & { readonly [built]: true };

/** A part that cannot be put on the wire in any form: a name that is no token, a host that is none. */
export class HeaderBuildError extends Error {
  override readonly name = "HeaderBuildError";
  readonly code: "malformed-name" | "malformed-host" | "malformed-port" | "malformed-number" | "empty-list";
  constructor(code: HeaderBuildError["code"]) {
    super(`header cannot be built: ${code}`);
    this.code = code;
  }
}

function line(name: string, value: string): HeaderLine {
  const canonical = canonicalHeaderName(name);
  if (canonical === undefined) throw new HeaderBuildError("malformed-name");
  return `${canonical}: ${value}` as HeaderLine;
}

/** Free text: Subject, User-Agent, Call-ID, anything without a structure of its own. Line ends become spaces. */
export function textHeader(name: string, text: string): HeaderLine {
  return line(name, lineText(text));
}

/** An integer of at least 0: Max-Forwards, Expires, Content-Length, Session-Expires. */
export function numberHeader(name: string, value: number, params: Params = NO_PARAMS): HeaderLine {
  if (!Number.isSafeInteger(value) || value < 0) throw new HeaderBuildError("malformed-number");
  return line(name, `${value}${paramsText(params)}`);
}

/** A list of tokens: Allow, Supported, Require, Unsupported. Characters that no token has are left out. */
export function tokensHeader(name: string, tokens: readonly string[]): HeaderLine {
  return line(
    name,
    tokens
      .map(tokenText)
      .filter((token) => token !== "")
      .join(", "),
  );
}

/** A list of `type/subtype`: Accept. */
export function mediaTypesHeader(name: string, types: readonly string[]): HeaderLine {
  return line(name, types.map(mediaType).join(", "));
}

function mediaType(text: string): string {
  const [type = "", subtype = ""] = text.split("/", 2).map(tokenText);
  if (type === "" || subtype === "") throw new HeaderBuildError("malformed-name");
  return `${type}/${subtype}`;
}

/** What an address is built from; a NameAddr will do. */
export type AddressParts = {
  readonly displayName?: string;
  readonly uri: Uri;
  readonly params?: Params;
};

/** `"name" <uri>;params`: always with brackets, so that no parameter can change sides (RFC 3261 s20.10). */
export function formatAddress({ displayName = "", uri, params = NO_PARAMS }: AddressParts): string {
  const name = displayName.trim() === "" ? "" : `${quotedString(displayName.trim())} `;
  return `${name}<${formatUri(uri)}>${paramsText(params)}`;
}

/** From, To, Contact, Route, Record-Route, Refer-To, Diversion and their kind: one address or several. */
export function addressHeader(name: string, ...addresses: readonly AddressParts[]): HeaderLine {
  if (addresses.length === 0) throw new HeaderBuildError("empty-list");
  return line(name, addresses.map(formatAddress).join(", "));
}

export function viaHeader(via: Via): HeaderLine {
  return line("Via", formatVia(via));
}

/** Who the network vouches for (RFC 3325 s9.1): at most a sip and a tel URI; any parameters are left out. */
export function assertedIdentityHeader(...identities: readonly AddressParts[]): HeaderLine {
  return addressHeader("P-Asserted-Identity", ...identities.map(withoutParams));
}

/** Which identity we would like the trunk to assert (RFC 3325 s9.2). */
export function preferredIdentityHeader(...identities: readonly AddressParts[]): HeaderLine {
  return addressHeader("P-Preferred-Identity", ...identities.map(withoutParams));
}

function withoutParams({ displayName, uri }: AddressParts): AddressParts {
  return displayName === undefined ? { uri } : { displayName, uri };
}

/** RFC 3323 s4.2, RFC 3325 s9.3 (`id`), RFC 7044 s10.1 (`history`). */
export type PrivacyValue = "id" | "user" | "header" | "session" | "history" | "critical" | "none";

/** Separated by semicolons (RFC 3323 s4.2). */
export function privacyHeader(...values: readonly PrivacyValue[]): HeaderLine {
  if (values.length === 0) throw new HeaderBuildError("empty-list");
  return line("Privacy", values.map(tokenText).join(";"));
}

/** What is wrong with an offer (RFC 3261 s20.43). Who says so goes by a pseudonym. */
export function warningHeader(code: number, text: string): HeaderLine {
  if (!Number.isInteger(code) || code < 300 || code > 399) throw new HeaderBuildError("malformed-number");
  return line("Warning", `${code} bridge ${quotedString(text)}`);
}

/** Why a call ended (RFC 3326): `cause` is a SIP status or a Q.850 cause, by `protocol`. */
export type Reason = {
  readonly protocol: string;
  readonly cause: number | undefined;
  readonly text: string | undefined;
};

export function reasonHeader(...reasons: readonly Reason[]): HeaderLine {
  if (reasons.length === 0) throw new HeaderBuildError("empty-list");
  return line("Reason", reasons.map(formatReason).join(", "));
}

function formatReason({ protocol, cause, text }: Reason): string {
  const token = tokenText(protocol);
  if (token === "") throw new HeaderBuildError("malformed-name");
  if (cause !== undefined && (!Number.isSafeInteger(cause) || cause < 0)) {
    throw new HeaderBuildError("malformed-number");
  }
  const causeParam = cause === undefined ? "" : `;cause=${cause}`;
  return `${token}${causeParam}${text === undefined ? "" : `;text=${quotedString(text)}`}`;
}

/** The reasons of one Reason header value; those that cannot be read are left out. */
export function parseReasons(value: string): Reason[] {
  return (splitOutside(value, ",") ?? []).flatMap((part) => {
    const semicolon = part.indexOf(";");
    const protocol = (semicolon < 0 ? part : part.slice(0, semicolon)).trim();
    if (!isToken(protocol)) return [];
    // Gateways write the text without its quotes: what is wrong there costs no cause.
    const params = splitOutside(semicolon < 0 ? "" : part.slice(semicolon + 1), ";") ?? [];
    const read = (name: string): string | undefined =>
      params.map((one) => parseParams(`;${one}`)?.get(name)).find((value) => typeof value === "string") ?? undefined;
    return [{ protocol, cause: parseDigits(read("cause") ?? "", Number.MAX_SAFE_INTEGER), text: read("text") }];
  });
}

/** A sip URI with its user part escaped (RFC 3261 s25.1): a `#` of a service code becomes %23, `;` and `@` too. */
export function sipUri({ host, user, port, ...others }: SipUriParts): SipUri {
  const address = parseHostPort(host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);
  if (address === undefined || address.port !== undefined) throw new HeaderBuildError("malformed-host");
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new HeaderBuildError("malformed-port");
  }
  const uri = makeSipUri({ ...others, user: user === "" ? undefined : user, host: address.host, port });
  // RFC 3261 s19.1.2: in a user part a semicolon starts telephone-subscriber parameters, so a plain one is escaped.
  return { ...uri, user: uri.user?.replaceAll(";", "%3b") };
}
