// The user id of a telephone number's ghost, and back (MSC2845's example, the user-id grammar, MSC4009).
// Reading an id is pure text: nothing in it depends on the numbering plan, so that an id means the same for ever. Who comes
// in: lookup, ghosts, rooms.
import { parseUserId, type DialString, type UserId } from "../../ids.ts";
import { dialString } from "../dialled.ts";
import { internationalForm, knownForm, type Country } from "../e164.ts";
import { keysEntered, restorePlus } from "../entered.ts";
import { escapeBytes, escaping, unescapeBytes, type Escaping } from "../../address/escape.ts";
import { isHost } from "../../address/host.ts";
import { escapeUser, unescapeUser } from "../../address/uri.ts";

/**
 * Whom a call is for, parsed. `user` is unescaped, `host` in lower case. `withheld` stands for all callers whose number is not
 * known: nobody can call it.
 */
export type DialTarget =
  | { readonly kind: "number"; readonly dialled: DialString }
  | { readonly kind: "address"; readonly user: string; readonly host: string }
  | { readonly kind: "withheld" };

export type GhostEncoding = "percent" | "grammar" | "e164";

export interface GhostIdOptions {
  /** The homeserver's server name. */
  readonly domain: string;
  /** What every ghost's localpart begins with: `_sip_`. */
  readonly prefix: string;
  /** How new ids are written. All three can always be read. */
  readonly encoding: GhostEncoding;
  /** Host in the SIP address of a dialled number. */
  readonly gateway: string;
  /** Hosts of SIP addresses that may be looked up, in lower case. */
  readonly sipDomains: readonly string[];
  /** For the display name of a number dialled nationally. */
  readonly country?: Country | undefined;
  /** How new ids write a dial string: where one number is to have one id, however it was dialled. As dialled without it. */
  readonly numberFor?: ((keys: DialString) => DialString) | undefined;
}

type GhostLookup =
  /** `entered` is the text as the person typed it, a plus that the query string lost put back. */
  | { readonly kind: "ghost"; readonly user: UserId; readonly target: DialTarget; readonly entered: string }
  | { readonly kind: "none"; readonly why: "empty" | "not-dialable" | "domain-not-allowed" | "too-long" };

export interface GhostIds {
  /** The ghost for a text from a dial pad. */
  forDialled(text: string): GhostLookup;
  /**
   * The id that a target has now, in the configured or the given encoding; that of an earlier version may have been another.
   * undefined where none can be: over 255 bytes, or not callable text.
   */
  format(target: DialTarget, encoding?: GhostEncoding): UserId | undefined;
  /** What a canonical id of ours stands for, in whichever encoding; undefined for every other text. */
  parse(user: string): DialTarget | undefined;
  /** International form where the numbering plan knows the number, else as dialled; an address as `user@host`; `Anonymous`. */
  displayName(target: DialTarget): string;
  /** The one ghost of all calls whose number is withheld; no lookup gives it. */
  readonly withheld: UserId;
}

// `+` stands as it is in all of them (MSC4009). The grammar would let `/` stand too, but Synapse puts it bare into the path
// of its user query, where it is a separator.
const plain = "a-z0-9._+-";
const grammar = escaping("=", plain);
const escapings: Readonly<Record<GhostEncoding, Escaping>> = {
  percent: escaping("%", plain),
  grammar,
  /** For what is not E.164. */
  e164: grammar,
};
// By form alone (ITU-T E.164: no country code begins with 0), so that news from a numbering plan never renames a ghost.
const e164Form = /^\+[1-9]\d{0,14}$/;
const maxEnteredLength = 255;
/** Every other id holds an escaped `@` or begins with a plus, so that none is like this one. */
const withheldRest = "anonymous";

export function createGhostIds(options: GhostIdOptions): GhostIds {
  const { domain, prefix } = options;
  const gateway = options.gateway.toLowerCase();
  const sipDomains = new Set(options.sipDomains.map((name) => name.toLowerCase()));
  const start = `@${prefix}`;
  const end = `:${domain}`;
  const withheld = (start + withheldRest + end) as UserId;
  // Whatever a number is, it is escaped: only the host decides whether a URI with it can be read.
  const isGatewayReadable = isReadable(gateway);
  /** The end of an id, behind the escaped user part. */
  const atHost = (host: string, encoding: GhostEncoding): string => escapeBytes(`@${host}`, escapings[encoding]) + end;
  const gatewayEnds: Readonly<Record<GhostEncoding, string>> = {
    percent: atHost(gateway, "percent"),
    grammar: atHost(gateway, "grammar"),
    e164: atHost(gateway, "e164"),
  };

  /** One meaning, one target: a number at the gateway is a number, and nothing else lives there unless the config says so. */
  function target(user: string, host: string): DialTarget | undefined {
    const keys = host === gateway ? dialString(user) : undefined;
    if (keys !== undefined) return { kind: "number", dialled: keys };
    if (host === gateway && !sipDomains.has(host)) return undefined;
    return isCallableUser(user) ? { kind: "address", user, host } : undefined;
  }

  /** As new ids write it: separators and, where that is wished, ways of dialling make no other ghost. */
  function canonical(keys: DialString): DialTarget {
    return { kind: "number", dialled: options.numberFor?.(keys) ?? keys };
  }

  function format(wanted: DialTarget, encoding = options.encoding): UserId | undefined {
    if (wanted.kind === "number") return written(canonical(wanted.dialled), encoding);
    const found = wanted.kind === "address" ? target(wanted.user, wanted.host) : wanted;
    return found && written(found, encoding);
  }

  function written(known: DialTarget, encoding: GhostEncoding): UserId | undefined {
    if (known.kind === "withheld") return withheld;
    return known.kind === "number" ? idOf(known.dialled, gateway, encoding) : idOf(known.user, known.host, encoding);
  }

  /** The id of a user at a host, or of a number at the gateway; undefined for a host that no URI can hold, and over 255 bytes. */
  function idOf(user: string, host: string, encoding: GhostEncoding): UserId | undefined {
    const isGateway = host === gateway;
    if (!(isGateway ? isGatewayReadable : isReadable(host))) return undefined;
    if (isGateway && encoding === "e164" && e164Form.test(user)) return parseUserId(start + user + end);
    const rest = isGateway ? gatewayEnds[encoding] : atHost(host, encoding);
    return parseUserId(start + escapeBytes(escapeUser(user), escapings[encoding]) + rest);
  }

  function parse(user: string): DialTarget | undefined {
    if (!user.startsWith(start) || !user.endsWith(end)) return undefined;
    if (user === withheld) return { kind: "withheld" };
    const rest = user.slice(start.length, user.length - end.length);
    // `=` is escaped in a percent id and `%` in a grammar id, and both escape the `@` that each of them holds:
    // so the first mark tells the encoding, and an id without one can only be E.164.
    const encoding = rest.includes("%") ? "percent" : rest.includes("=") ? "grammar" : "e164";
    const address = encoding === "e164" ? numberAt(rest) : readAddress(unescapeBytes(rest, escapings[encoding]));
    // What its own encoding would have written otherwise is another user. Ids of earlier versions hold separators.
    if (address === undefined || idOf(address.user, address.host, encoding) !== user) return undefined;
    return target(address.user, address.host);
  }

  function numberAt(text: string): Address | undefined {
    return e164Form.test(text) ? { user: text, host: gateway } : undefined;
  }

  function forDialled(text: string): GhostLookup {
    if (text.trim() === "") return { kind: "none", why: "empty" };
    if (text.length > maxEnteredLength) return { kind: "none", why: "too-long" };
    const entered = restorePlus(text);
    const found = entered.includes("@") ? atAddress(entered) : numberEntered(entered);
    if (typeof found === "string") return { kind: "none", why: found };
    const user = written(found, options.encoding);
    return user === undefined ? { kind: "none", why: "too-long" } : { kind: "ghost", user, target: found, entered };
  }

  function numberEntered(text: string): DialTarget | "not-dialable" {
    const keys = keysEntered(text);
    return keys === undefined ? "not-dialable" : canonical(keys);
  }

  function atAddress(text: string): DialTarget | "not-dialable" | "domain-not-allowed" {
    const address = readTypedAddress(text);
    if (!address) return "not-dialable";
    const { user, host } = address;
    const number = host === gateway ? numberEntered(user) : "not-dialable";
    if (typeof number !== "string") return number;
    if (!sipDomains.has(host)) return "domain-not-allowed";
    const found = target(user, host);
    return found?.kind === "address" ? found : "not-dialable";
  }

  function displayName(shown: DialTarget): string {
    if (shown.kind === "withheld") return "Anonymous";
    if (shown.kind === "address") return `${shown.user}@${shown.host}`;
    const known = knownForm(shown.dialled, options.country);
    return known === undefined ? shown.dialled : internationalForm(known);
  }

  return { forDialled, format, parse, displayName, withheld };
}

interface Address {
  readonly user: string;
  readonly host: string;
}

/** `user@host` as a SIP URI writes it, without a port and parameters. */
function readAddress(text: string | undefined): Address | undefined {
  const [, escaped, host = ""] = /^([^@]+)@([^@]+)$/.exec(text ?? "") ?? [];
  const user = escaped === undefined ? undefined : unescapeUser(escaped);
  return user === undefined || !isHost(host) ? undefined : { user, host: host.toLowerCase() };
}

/** Whether an id can hold the host, in lower case. */
function isReadable(host: string): boolean {
  return isHost(host) && host.toLowerCase() === host;
}

/** A person may type the scheme, and letters beyond ASCII as they are; a URI cannot hold those so. Links of numbers say so. */
function readTypedAddress(text: string): Address | undefined {
  if (/\p{Cs}/u.test(text)) return undefined;
  const address = text.replace(/^sips?:/i, "").replace(/;user=phone$/i, "");
  return readAddress(address.replaceAll(/[^\0-\x7f]+/g, escapeUser));
}

/** Text without control characters, line separators, direction overrides and broken surrogates: it is shown to people and logged. */
function isCallableUser(user: string): boolean {
  return user !== "" && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(user);
}
