// How a call came to us over others: Diversion (RFC 5806) and History-Info (RFC 7044), the latest first.
import type { Diversion } from "../../core/policy/remote-identity.ts";
import { addresseeOf, addressesIn, type OnUnreadable } from "./remote-identity.ts";
import { parseReasons } from "../wire/header-builder.ts";
import { isToken } from "../wire/fields/header-names.ts";
import type { SipMessage } from "../wire/message.ts";
import type { NameAddr } from "../wire/fields/name-addr.ts";
import { makeSipUri, uriHeader, type Uri } from "../../core/address/uri.ts";

/** RFC 7544 s7.1: what RFC 4458's causes are called in Diversion. */
const REASONS: Readonly<Record<string, string>> = {
  "302": "unconditional",
  "404": "unknown",
  "408": "no-answer",
  "480": "deflection",
  "486": "user-busy",
  "487": "deflection",
  "503": "unavailable",
};

const PRIVATE: Diversion["by"] = {
  displayName: undefined,
  uri: makeSipUri({ user: "anonymous", host: "anonymous.invalid" }),
  user: "anonymous",
  host: "anonymous.invalid",
};

/** A trunk that sends both means the same by them: Diversion says it more directly. */
export function diversionsOf(message: SipMessage, onUnreadable: OnUnreadable = () => {}): readonly Diversion[] {
  const diversions = addressesIn(message, "Diversion", onUnreadable).map(diversion);
  return diversions.length > 0 ? diversions : fromHistory(addressesIn(message, "History-Info", onUnreadable));
}

/** RFC 5806 s4: each diversion is put before the earlier ones. */
function diversion(address: NameAddr): Diversion {
  const reason = address.params.get("reason")?.toLowerCase();
  const hidden = ["full", "uri"].includes(address.params.get("privacy")?.toLowerCase() ?? "");
  return { by: hidden ? PRIVATE : addresseeOf(address), reason: reason && isToken(reason) ? reason : undefined };
}

interface Entry {
  readonly address: NameAddr;
  /** `1.2.1` as [1, 2, 1]. */
  readonly index: readonly number[];
}

/**
 * RFC 7044: a list of all targets so far. One with a `cause` (RFC 4458) was taken instead of the one that it came from,
 * which is whom the call was diverted by.
 */
function fromHistory(addresses: readonly NameAddr[]): readonly Diversion[] {
  const entries = addresses.flatMap((address): readonly Entry[] => {
    const index = indexOf(address.params.get("index"));
    return index === undefined ? [] : [{ address, index }];
  });
  entries.sort((a, b) => compared(a.index, b.index));
  const diversions = entries.flatMap((entry, at): readonly Diversion[] => {
    const origin = originOf(entry, entries.slice(0, at));
    const cause = origin && (causeOf(entry.address.uri) ?? reasonIn(origin.uri));
    if (origin === undefined || cause === undefined) return [];
    return [{ by: isPrivate(origin.uri) ? PRIVATE : addresseeOf(origin), reason: REASONS[cause] }];
  });
  return diversions.toReversed();
}

/** Whom `rc`, `mp` or `np` names (RFC 7044 s10.1), else the entry above it, else the one before. */
function originOf({ address, index }: Entry, earlier: readonly Entry[]): NameAddr | undefined {
  const { params } = address;
  const named = indexOf(params.get("rc") ?? params.get("mp") ?? params.get("np")) ?? index.slice(0, -1);
  return (earlier.find((entry) => compared(entry.index, named) === 0) ?? earlier.at(-1))?.address;
}

function causeOf(uri: Uri): string | undefined {
  return uri.kind === "other" ? undefined : uri.params.get("cause") || undefined;
}

/** Why that target was left, where it is said of itself (RFC 7044 s10.1.1). */
function reasonIn(uri: Uri): string | undefined {
  const reason = parseReasons(uriHeader(uri, "Reason") ?? "").find(({ protocol }) => protocol.toUpperCase() === "SIP");
  return reason?.cause === undefined ? undefined : String(reason.cause);
}

function isPrivate(uri: Uri): boolean {
  return /history|session|header/i.test(uriHeader(uri, "Privacy") ?? "");
}

function indexOf(text: string | null | undefined): readonly number[] | undefined {
  return text && /^\d{1,6}(?:\.\d{1,6}){0,20}$/.test(text) ? text.split(".").map(Number) : undefined;
}

function compared(a: readonly number[], b: readonly number[]): number {
  for (const [at, part] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    if (part !== other) return part - other;
  }
  return a.length - b.length;
}
