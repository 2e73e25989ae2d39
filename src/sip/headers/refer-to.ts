// Refer-To and Replaces, written and read (RFC 3515 s2.1, RFC 3891 s6.1). What becomes of a REFER is elsewhere.
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";
import type { ReferTarget } from "../../core/call/model/order.ts";
import type { SipAddressee } from "../../core/policy/remote-identity.ts";
import { addresseeOf } from "./remote-identity.ts";
import { parseReplaces } from "./replaces.ts";
import { splitList } from "../wire/fields/grammar.ts";
import { addressHeader, HeaderBuildError, textHeader, type HeaderLine } from "../wire/header-builder.ts";
import { isToken } from "../wire/fields/header-names.ts";
import { headerValues, type SipRequest } from "../wire/message.ts";
import { parseNameAddr } from "../wire/fields/name-addr.ts";
import { asRequestUri, parseUri, uriHeader, type Uri } from "../../core/address/uri.ts";

/** Refer-To of a REFER of ours. Throws HeaderBuildError where it is not known where a dialog's other end is. */
export function referToHeader(target: ReferTarget): HeaderLine {
  if (target.kind === "address") return addressHeader("Refer-To", { uri: target.uri });
  const { dialog } = target;
  const stated = parseUri(dialog.remoteUri);
  // A tel URI holds no headers; its telephone is also to be reached where its dialog is.
  const uri = stated?.kind === "sip" ? stated : parseUri(dialog.remoteTarget);
  if (uri?.kind !== "sip") throw new HeaderBuildError("malformed-host");
  // A `%` of the value itself has to be escaped first: one that is there counts as an escape when the URI is written.
  const value = asSeenThere(dialog).replaceAll("%", "%25");
  return addressHeader("Refer-To", { uri: { ...uri, headers: [...uri.headers, ["Replaces", value]] } });
}

/**
 * RFC 3891 s3: whoever gets the INVITE compares to-tag with its own tag and from-tag with the other side's. That is the
 * far end of our dialog, so to-tag is the tag that is remote to us, and from-tag is ours; who had called does not matter.
 */
function asSeenThere({ sipCallId, localTag, remoteTag }: SipDialogState): string {
  return replacesValue(sipCallId, remoteTag, localTag);
}

export function replacesHeader(replaces: string): HeaderLine {
  return textHeader("Replaces", replaces);
}

/** What a REFER of the trunk asks for. */
export interface Reference {
  /** Without the headers and the method that stood in it. */
  readonly target: SipAddressee;
  /** The value of a Replaces header, written anew. */
  readonly replaces: string | undefined;
  /** The URI of Referred-By (RFC 3892). */
  readonly referredBy: Uri | undefined;
}

const MAX_REPLACES = 1_000;

/** The status to refuse it with where it cannot be followed. */
export function readReference(request: SipRequest): Reference | number {
  const values = headerValues(request, "Refer-To").flatMap((value) => splitList(value) ?? [""]);
  const [only = ""] = values;
  // RFC 3515 s2.4.1: exactly one.
  const address = values.length === 1 ? parseNameAddr(only) : undefined;
  if (address === undefined) return 400;
  const { uri } = address;
  if (uri.kind === "other") return 416;
  const method = uri.params.get("method");
  if (method != null && method.toUpperCase() !== "INVITE") return 501;
  const asked = uriHeader(uri, "Replaces");
  const replaces = asked === undefined ? undefined : readReplaces(asked);
  if (asked !== undefined && replaces === undefined) return 400;
  // RFC 3261 s19.1.5: other headers in a URI are not for us to honour.
  const plain = uri.kind === "sip" ? asRequestUri(uri) : uri;
  const by = parseNameAddr(headerValues(request, "Referred-By")[0] ?? "");
  return {
    target: addresseeOf({ ...address, uri: plain }),
    replaces,
    referredBy: by === undefined || by.uri.kind === "other" ? undefined : by.uri,
  };
}

/** Written anew, so that nothing else gets into our INVITE with it. */
function readReplaces(value: string): string | undefined {
  const read = value.length > MAX_REPLACES ? undefined : parseReplaces(value);
  if (read === undefined) return undefined;
  const { sipCallId, localTag, remoteTag } = read.dialog;
  if (!/^[\x21-\x7e]+$/.test(sipCallId) || /[",;]/.test(sipCallId)) return undefined;
  if (!isToken(localTag) || (remoteTag !== "" && !isToken(remoteTag))) return undefined;
  return `${replacesValue(sipCallId, localTag, remoteTag)}${read.earlyOnly ? ";early-only" : ""}`;
}

/** RFC 3891 s3: a zero stands for no tag. */
function replacesValue(sipCallId: string, toTag: string, fromTag: string): string {
  return `${sipCallId};to-tag=${toTag || "0"};from-tag=${fromTag || "0"}`;
}
