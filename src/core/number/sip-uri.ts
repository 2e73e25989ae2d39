// `sip:` and `sips:` URIs as core needs them: an address made of a user and a host (RFC 3261 s19.1).
// Not the wire parser: headers of a URI, passwords and anything else a call is never placed to are refused here.
import { escapeBytes, escaping, unescapeBytes } from "./escape.ts";

export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** Unescaped; undefined for a URI that names a host only. */
  readonly user: string | undefined;
  /** Lower case; an IPv6 address in its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** In the order written, names in lower case; a parameter without a value has undefined. */
  readonly parameters: readonly (readonly [name: string, value: string | undefined])[];
}

// RFC 3261 s25.1: user = 1*( unreserved / escaped / user-unreserved ).
const userEscaping = escaping("%", "A-Za-z0-9\\-_.!~*'()&=+$,;?/");
// pvalue = 1*( param-unreserved / unreserved / escaped ).
const parameterEscaping = escaping("%", "A-Za-z0-9\\-_.!~*'()[\\]/:&+$");

const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const ipv4Octet = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const ipv4 = new RegExp(`^${ipv4Octet}(?:\\.${ipv4Octet}){3}$`);

/** A host name, an IPv4 address or a bracketed IPv6 address, without a port. A name made of digits alone is none. */
export function isHost(text: string): boolean {
  if (text.startsWith("[")) return text.endsWith("]") && isIpv6(text.slice(1, -1));
  if (/^[\d.]+$/.test(text)) return ipv4.test(text);
  return hostName.test(text);
}

function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const all = groups.flat();
  const last = all.at(-1) ?? "";
  const embedded = last.includes(".");
  if (embedded && !(ipv4.test(last) && text.endsWith(last))) return false;
  const hex = embedded ? all.slice(0, -1) : all;
  const count = hex.length + (embedded ? 2 : 0);
  return hex.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (halves.length === 2 ? count < 8 : count === 8);
}

/** The user part as RFC 3261 writes it, every byte outside its set as `%hh`. */
export function escapeUser(user: string): string {
  return escapeBytes(user, userEscaping);
}

/** undefined where the text could not stand between `sip:` and `@`. */
export function unescapeUser(text: string): string | undefined {
  return unescapeBytes(text, userEscaping);
}

/** `user` unescaped; the host as it is. */
export function formatSipUri(uri: {
  readonly scheme?: "sip" | "sips";
  readonly user?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly parameters?: SipUri["parameters"];
}): string {
  const user = uri.user === undefined ? "" : `${escapeUser(uri.user)}@`;
  const port = uri.port === undefined ? "" : `:${uri.port}`;
  const parameters = (uri.parameters ?? []).map(([name, value]) =>
    value === undefined
      ? `;${escapeBytes(name, parameterEscaping)}`
      : `;${escapeBytes(name, parameterEscaping)}=${escapeBytes(value, parameterEscaping)}`,
  );
  return `${uri.scheme ?? "sip"}:${user}${uri.host}${port}${parameters.join("")}`;
}

const uriForm = /^(sips?):(?:([^@]+)@)?(\[[^\]@]*\]|[^:;?@[\]]+)(?::(\d{1,5}))?((?:;[^;?@]+)*)$/i;

/** undefined for anything that is not exactly such a URI; a password and URI headers are not taken. */
export function parseSipUri(text: string): SipUri | undefined {
  const match = uriForm.exec(text);
  if (!match) return undefined;
  const [, scheme = "", rawUser, rawHost = "", rawPort, rawParameters = ""] = match;
  const user = rawUser === undefined ? undefined : unescapeUser(rawUser);
  if (rawUser !== undefined && user === undefined) return undefined;
  const port = rawPort === undefined ? undefined : Number(rawPort);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  if (!isHost(rawHost)) return undefined;
  const parameters: [string, string | undefined][] = [];
  for (const parameter of rawParameters.split(";").slice(1)) {
    const equals = parameter.indexOf("=");
    const name = unescapeBytes(equals < 0 ? parameter : parameter.slice(0, equals), parameterEscaping);
    const value = equals < 0 ? undefined : unescapeBytes(parameter.slice(equals + 1), parameterEscaping);
    if (name === undefined || name === "" || (equals >= 0 && !value)) return undefined;
    parameters.push([name.toLowerCase(), value]);
  }
  return {
    scheme: scheme.toLowerCase() === "sips" ? "sips" : "sip",
    user,
    host: rawHost.toLowerCase(),
    port,
    parameters,
  };
}
