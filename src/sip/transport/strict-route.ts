// Requests to a strict router (RFC 3261 s12.2.1.1): one that Record-Routes without `lr`, as RFC 2543 had it.
import { lineText } from "../wire/fields/escaping.ts";
import type { SipRequest } from "../wire/message.ts";
import { formatUri, type Uri } from "../wire/fields/uri.ts";

/**
 * The text as such a router wants it: its own URI in the request line, the request's target at the end of the routes.
 * Undefined where the first route is none, or loose.
 */
export function towardsStrictRouter(request: SipRequest, text: string): { text: string; next: Uri } | undefined {
  const [first] = request.routes;
  if (first?.uri.kind !== "sip" || first.uri.params.has("lr")) return undefined;
  const next = first.uri;
  // Without angle brackets it stands outside of the URI, and is meant all the same.
  if (first.params.has("lr")) return undefined;
  const [, ...others] = request.headers.filter(({ name }) => name === "Route").map(({ value }) => value);
  const headEnd = text.indexOf("\r\n\r\n");
  const [, ...lines] = text.slice(0, headEnd).split("\r\n");
  const via = lines.findLastIndex((line) => line.startsWith("Via: "));
  const routes = [...others, `<${request.uriText}>`].map((value) => `Route: ${lineText(value)}`);
  const head = [
    `${request.method} ${formatUri(asRequestUri(next))} SIP/2.0`,
    ...lines.slice(0, via + 1),
    ...routes,
    ...lines.slice(via + 1).filter((line) => !line.startsWith("Route: ")),
  ];
  return { text: head.join("\r\n") + text.slice(headEnd), next };
}

/** Without what may not stand in a Request-URI (RFC 3261 s19.1.1, table 1). */
function asRequestUri(uri: Extract<Uri, { kind: "sip" }>): Uri {
  const params = new Map([...uri.params].filter(([name]) => name !== "method"));
  return { ...uri, params, headers: [] };
}
