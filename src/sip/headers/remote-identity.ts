// Who is at the other end, read from what a message of the trunk says (RFC 3261, RFC 3325, RFC 3323, ATIS-1000074 and
// the Remote-Party-ID of older gateways). Parsed only: what of it is believed and shown is decided in core/policy.
import type { RemoteIdentity, SipAddressee } from "../../core/policy/remote-identity.ts";
import { splitList } from "../wire/fields/grammar.ts";
import type { InboundSettings } from "../../ports/sip.ts";
import { canonicalHeaderName, isToken } from "../wire/fields/header-names.ts";
import { headerValues, type SipMessage } from "../wire/message.ts";
import { parseNameAddr, type NameAddr } from "../wire/fields/name-addr.ts";
import { unescaped, userText, type Uri } from "../../core/address/uri.ts";

/** Which headers of the trunk say what it thinks of the caller. */
export type VerdictHeaders = Pick<InboundSettings, "verstatHeader" | "spamHeader">;

/** Told the name of a header that cannot be read, and is passed over. */
export type OnUnreadable = (header: string) => void;

/** Of a header that a trunk sends a few of, so many are looked at. */
const MAX_VALUES = 20;
const MAX_TEXT = 256;

/**
 * The peer's identity: of a request its sender's, of a response that of whoever answers.
 * `asserted` holds at most one sip and one tel URI, as RFC 3325 s9.1 has it.
 */
export function remoteIdentityOf(
  message: SipMessage,
  onUnreadable: OnUnreadable = () => {},
  { verstatHeader, spamHeader }: VerdictHeaders = {},
): RemoteIdentity {
  const stated = message.kind === "request" ? message.from : message.to;
  const asserted = onePerKind(addressesIn(message, "P-Asserted-Identity", onUnreadable));
  const party = asserted.length > 0 ? [] : remoteParties(message, onUnreadable);
  const screened = party.find(({ params }) => params.get("screen")?.toLowerCase() === "yes");
  const vouchedFor = asserted.length > 0 ? asserted : screened === undefined ? [] : [screened];
  return {
    from: addresseeOf(stated),
    asserted: vouchedFor.map(addresseeOf),
    privacy: [...privacyOf(message), ...party.flatMap(partyPrivacy)],
    verstat:
      verstatHeader === undefined
        ? [...asserted, stated].map(verstatOf).find((verdict) => verdict !== undefined)
        : valuesOf(message, verstatHeader).find(isVerdict),
    ...(spamHeader === undefined ? {} : { spamMarks: valuesOf(message, spamHeader) }),
  };
}

function valuesOf(message: SipMessage, name: string): readonly string[] {
  const values = headerValues(message, canonicalHeaderName(name) ?? name);
  return values.slice(0, MAX_VALUES).map((value) => value.slice(0, MAX_TEXT).trim());
}

function isVerdict(text: string): boolean {
  return isToken(text) && text.length <= 64;
}

export function addresseeOf({ displayName, uri }: NameAddr): SipAddressee {
  const name = displayName.trim().slice(0, MAX_TEXT);
  return {
    displayName: name === "" ? undefined : name,
    uri,
    user: userText(uri),
    host: uri.kind === "sip" ? uri.host : undefined,
  };
}

/** All addresses of that header that can be read, in the order of the wire; others cost only themselves. */
export function addressesIn(message: SipMessage, name: string, onUnreadable: OnUnreadable): readonly NameAddr[] {
  const values = headerValues(message, name)
    .slice(0, MAX_VALUES)
    .flatMap((value) => splitList(value) ?? [""]);
  return values.slice(0, MAX_VALUES).flatMap((value) => {
    const address = parseNameAddr(value);
    if (address !== undefined && address.uri.kind !== "other") return [address];
    onUnreadable(name);
    return [];
  });
}

function onePerKind(addresses: readonly NameAddr[]): readonly NameAddr[] {
  const first = addresses[0];
  const other = addresses.find(({ uri }) => uri.kind !== first?.uri.kind);
  return [first, other].filter((address) => address !== undefined);
}

/**
 * Remote-Party-ID (draft-ietf-sip-privacy-04), without a `party` the sender's. Inside a dialog the sender may be either
 * of the two, by who called whom; in the INVITE that makes one, `called` is us.
 */
function remoteParties(message: SipMessage, onUnreadable: OnUnreadable): readonly NameAddr[] {
  const parties =
    message.kind === "response" ? ["called"] : message.toTag === undefined ? ["calling"] : ["calling", "called"];
  return addressesIn(message, "Remote-Party-ID", onUnreadable).filter(({ params }) => {
    const party = params.get("party")?.toLowerCase();
    return party === undefined || parties.includes(party);
  });
}

function partyPrivacy({ params }: NameAddr): readonly string[] {
  return tokens((params.get("privacy") ?? "").split(/[;,-]/)).filter((value) => value !== "off");
}

/** RFC 3323 s4.2 separates with semicolons; commas are met. */
function privacyOf(message: SipMessage): readonly string[] {
  return tokens(headerValues(message, "Privacy").flatMap((value) => value.split(/[;,]/)));
}

function tokens(texts: readonly string[]): readonly string[] {
  const values = texts.map((text) => text.trim().toLowerCase()).filter((text) => isToken(text) && text.length <= 64);
  return [...new Set(values)].slice(0, MAX_VALUES);
}

/** ATIS-1000074 s5.3.1 puts it among the number's parameters; it is met among the URI's and the header's too. */
function verstatOf({ uri, params }: NameAddr): string | undefined {
  const candidates = [userParam(uri, "verstat"), uri.kind === "other" ? undefined : uri.params.get("verstat")];
  return [...candidates, params.get("verstat")].find(
    (verdict): verdict is string => typeof verdict === "string" && isVerdict(verdict),
  );
}

/** A parameter of the number that a sip URI's user part is (RFC 3261 s19.1.6). */
function userParam(uri: Uri, name: string): string | undefined {
  if (uri.kind !== "sip" || uri.user === undefined) return undefined;
  for (const part of uri.user.split(";").slice(1)) {
    const equals = part.indexOf("=");
    if (equals > 0 && part.slice(0, equals).toLowerCase() === name) return unescaped(part.slice(equals + 1));
  }
  return undefined;
}
