// Which number of ours an INVITE or MESSAGE is for. Trunks say it in the Request-URI, in To where the Request-URI
// is our account, or in a header of their own. What it leads to is core/number's business.
import type { InboundSettings } from "../../ports/sip.ts";
import { splitList } from "../wire/fields/grammar.ts";
import { canonicalHeaderName } from "../wire/fields/header-names.ts";
import { header, type SipRequest } from "../wire/message.ts";
import { parseNameAddr } from "../wire/fields/name-addr.ts";
import { unescaped, type Uri } from "../../core/address/uri.ts";

const MAX_CALLED = 255;

/**
 * Unescaped; of the parameters only a `phone-context` that begins a number is kept (RFC 3966 s5.1.5). Empty where nothing is
 * said. What cannot be read counts as not said, and the Request-URI stands.
 */
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
  const [user = "", ...inUser] = (uri.kind === "tel" ? uri.number : (uri.user ?? "")).split(";");
  const isNumber = uri.kind === "tel" || uri.params.get("user")?.toLowerCase() === "phone";
  const text = unescaped(user);
  // RFC 3966 s5.1.1: visual separators mean nothing.
  const plain = isNumber ? text.replace(/[-.()]/g, "") : text;
  if (plain === "") return undefined;
  const context = unescaped(contextAmong(inUser) ?? uri.params.get("phone-context") ?? "");
  // Of a domain it says no more than that the number is local there, as all numbers without a context are.
  return context.startsWith("+") && /^\d/.test(plain) ? `${plain};phone-context=${context}` : plain;
}

/** Still escaped. */
function contextAmong(parameters: readonly string[]): string | undefined {
  const found = parameters.find((parameter) => /^phone-context=./i.test(parameter));
  return found?.slice(found.indexOf("=") + 1);
}
