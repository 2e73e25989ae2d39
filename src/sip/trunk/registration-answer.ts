// What a registrar's 200 says of our binding (RFC 3261 s10.2.4, s10.3) and of the way our requests take (RFC 3608).
import { bindingMs } from "./registration-times.ts";
import { splitList } from "../wire/fields/grammar.ts";
import { formatAddress } from "../wire/header-builder.ts";
import { header, headerValues, type SipResponse } from "../wire/message.ts";
import { parseNameAddr, type NameAddr } from "../wire/fields/name-addr.ts";
import { sameSipUri } from "../wire/fields/uri-comparison.ts";
import { userText, type SipUri } from "../../core/address/uri.ts";

/** A route is a few proxies long; more than that is nobody's route. */
const MAX_ROUTES = 10;

/** For how long we are bound, ms; 0 where the answer lists others but not us. */
export function grantedMs(response: SipResponse, ours: SipUri, askedMs: number): number {
  const otherwiseMs = bindingMs(header(response, "Expires")) ?? askedMs;
  const { contacts } = response;
  // Some registrars list nothing: their 200 has to do.
  if (contacts === "*" || contacts.length === 0) return otherwiseMs;
  const grantedTo = ({ params }: NameAddr): number => bindingMs(params.get("expires")) ?? otherwiseMs;
  const exact = contacts.find(({ uri }) => uri.kind === "sip" && sameSipUri(uri, ours));
  if (exact !== undefined) return grantedTo(exact);
  // As a registrar rewrites it behind a NAT. Of several that could be ours, it is the one that was made just now.
  const rewritten = contacts.filter(({ uri }) => uri.kind === "sip" && userText(uri) === userText(ours));
  if (rewritten.length > 1) return Math.min(askedMs, Math.max(...rewritten.map(grantedTo)));
  return rewritten[0] === undefined ? 0 : grantedTo(rewritten[0]);
}

/** Route values for our requests outside of dialogs, first hop first; those that cannot be read are left out. */
export function serviceRouteOf(response: SipResponse): readonly string[] {
  return headerValues(response, "Service-Route")
    .flatMap((value) => splitList(value) ?? [])
    .slice(0, MAX_ROUTES)
    .map((value) => parseNameAddr(value))
    .filter((address) => address !== undefined)
    .flatMap((address) => (address.uri.kind === "sip" ? [formatAddress(address)] : []));
}
