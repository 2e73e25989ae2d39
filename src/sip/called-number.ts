// Which number of ours an INVITE or MESSAGE is for. Trunks say it in the Request-URI, in To where the Request-URI
// is our account, or in a header of their own. What it leads to is core/number's business.
import type { InboundSettings } from "../ports/sip.ts";
import { splitList } from "./wire/grammar.ts";
import { canonicalHeaderName } from "./wire/header-names.ts";
import { header, type SipRequest } from "./wire/message.ts";
import { parseNameAddr } from "./wire/name-addr.ts";
import { unescaped, type Uri } from "./wire/uri.ts";

const MAX_CALLED = 255;

/** Unescaped, parameters cut off; empty where nothing is said. What cannot be read counts as not said, and the Request-URI stands. */
export function calledOf(request: SipRequest, calledFrom: InboundSettings["calledFrom"]): string {
  const where = calledFrom.toLowerCase();
  const stated =
    where === "request-uri"
      ? undefined
      : where === "to"
        ? userIn(request.to.uri)
        : inHeader(header(request, canonicalHeaderName(calledFrom) ?? ""));
  return (stated ?? userIn(request.uri) ?? "").slice(0, MAX_CALLED);
}

/** P-Called-Party-ID holds an address (RFC 7315 s5.2), X-DID and its kind often a bare number. */
function inHeader(value: string | undefined): string | undefined {
  const first = value === undefined ? undefined : splitList(value)?.[0];
  if (first === undefined) return undefined;
  const address = parseNameAddr(first);
  if (address !== undefined && address.uri.kind !== "other") return userIn(address.uri);
  const bare = (first.split(/[;@]/, 1)[0] ?? "").replace(/^["<\s]+|[">\s]+$/g, "");
  return bare === "" ? undefined : bare;
}

function userIn(uri: Uri): string | undefined {
  if (uri.kind === "other") return undefined;
  // Cut while still escaped: an escaped semicolon is part of the name.
  const user = (uri.kind === "tel" ? uri.number : (uri.user ?? "")).split(";", 1)[0] ?? "";
  const isNumber = uri.kind === "tel" || uri.params.get("user")?.toLowerCase() === "phone";
  const text = unescaped(user);
  // RFC 3966 s5.1.1: visual separators mean nothing.
  const plain = isNumber ? text.replace(/[-.()]/g, "") : text;
  return plain === "" ? undefined : plain;
}
