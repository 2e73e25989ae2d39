// Requests to a strict router (RFC 3261 s12.2.1.1): one that Record-Routes without `lr`, as RFC 2543 had it.
import { parseNameAddr } from "../wire/fields/name-addr.ts";
import { asRequestUri, formatUri, parseUri, type Uri } from "../../core/address/uri.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";

/** Where a request is sent first: by its first route, or by its Request-URI. Undefined where that cannot be read. */
export function nextHopOf({ uri, routes }: Pick<OutgoingRequest, "uri" | "routes">): Uri | undefined {
  const [first] = routes;
  return first === undefined ? parseUri(uri) : parseNameAddr(first)?.uri;
}

/**
 * The request as such a router wants it: its own URI in the request line, the request's target at the end of the routes.
 * The same where the first route is none, or loose.
 */
export function towardsStrictRouter(request: OutgoingRequest): OutgoingRequest {
  const [first, ...others] = request.routes;
  const route = first === undefined ? undefined : parseNameAddr(first);
  if (route?.uri.kind !== "sip" || route.uri.params.has("lr")) return request;
  // Without angle brackets it stands outside of the URI, and is meant all the same.
  if (route.params.has("lr")) return request;
  return { ...request, uri: formatUri(asRequestUri(route.uri)), routes: [...others, `<${request.uri}>`] };
}
