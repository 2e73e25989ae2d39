// SIP messages as the gateway writes them. What it echoes was sent to it; what it adds is its own and plain.
import { formatUri, type Uri } from "../../../src/core/address/uri.ts";
import { formatVia, type Via } from "../../../src/sip/wire/fields/via.ts";

export type Headers = readonly (readonly [name: string, value: string])[];

/** What a response repeats of its request (RFC 3261 s8.2.6.2); header values as they were sent. */
export interface Echoed {
  readonly vias: readonly Via[];
  readonly from: string;
  readonly to: string;
  readonly sipCallId: string;
  readonly cseq: string;
}

const USER_AGENT = "matrix-appservice-sip dev gateway";
export const ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY, MESSAGE, REGISTER";

/** From or To without their tag. */
export function addressText(uri: Uri, displayName = ""): string {
  const name = displayName === "" ? "" : `"${displayName.replace(/["\\]/g, "\\$&")}" `;
  return `${name}<${formatUri(uri)}>`;
}

function message(startLine: string, headers: Headers, body: string): string {
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const typed = headers.some(([name]) => name === "Content-Type");
  if (body !== "" && !typed) lines.push("Content-Type: application/sdp");
  return `${lines.join("\r\n")}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** `toTag` is added unless the request's To had a tag already. */
export function responseText(
  echoed: Echoed,
  status: number,
  reason: string,
  toTag: string | undefined,
  headers: Headers = [],
  body = "",
): string {
  const tagged = toTag === undefined || /;[ \t]*tag[ \t]*=/i.test(echoed.to.slice(echoed.to.lastIndexOf(">") + 1));
  return message(
    `SIP/2.0 ${status} ${reason}`,
    [
      ...echoed.vias.map((via) => ["Via", formatVia(via)] as const),
      ["From", echoed.from],
      ["To", tagged ? echoed.to : `${echoed.to};tag=${toTag}`],
      ["Call-ID", echoed.sipCallId],
      ["CSeq", echoed.cseq],
      ...headers,
      ["Server", USER_AGENT],
    ],
    body,
  );
}

export interface RequestDraft {
  readonly method: string;
  readonly uri: Uri;
  readonly via: string;
  readonly routes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly sipCallId: string;
  readonly cseq: number;
  readonly headers: Headers;
  readonly body: string;
}

export function requestText(draft: RequestDraft): string {
  return message(
    `${draft.method} ${formatUri(draft.uri)} SIP/2.0`,
    [
      ["Via", draft.via],
      ["Max-Forwards", "70"],
      ...draft.routes.map((route) => ["Route", route] as const),
      ["From", draft.from],
      ["To", draft.to],
      ["Call-ID", draft.sipCallId],
      ["CSeq", `${draft.cseq} ${draft.method}`],
      ...draft.headers,
      ["User-Agent", USER_AGENT],
    ],
    draft.body,
  );
}
