// Messages of ours as data, and the one place that writes them. The transport writes each once, when it is known which
// way it goes: Via names the transport, and credentials go to servers of the trunk alone.
import { lineText } from "./fields/escaping.ts";
import type { Via } from "./fields/via.ts";
import { header, type SipRequest } from "./message.ts";
import { formatVia } from "./fields/via.ts";
import { reasonPhrase } from "./reason-phrases.ts";

/** `content` is UTF-8 text. */
export interface OutgoingBody {
  readonly contentType: string;
  readonly content: string;
}

export interface OutgoingRequest {
  readonly kind: "request";
  readonly method: string;
  /** The Request-URI, escaped. */
  readonly uri: string;
  /** Value of the only Via, with its branch. */
  readonly via: string;
  readonly branch: string;
  /** Route values, first hop first. */
  readonly routes: readonly string[];
  /** Values with their tags. */
  readonly from: string;
  readonly to: string;
  readonly fromTag: string;
  /** Undefined outside of dialogs. */
  readonly toTag: string | undefined;
  readonly callId: string;
  readonly cseq: number;
  /** Authorization and Proxy-Authorization lines. */
  readonly credentials: readonly string[];
  /** All other lines, in their order. */
  readonly headers: readonly string[];
  readonly body: OutgoingBody | undefined;
}

/** What a response has of its request and the transport goes by. */
export interface Exchange {
  /** Topmost first, stamped with the source. */
  readonly vias: readonly [Via, ...Via[]];
  readonly sipCallId: string;
  readonly cseq: { readonly number: number; readonly method: string };
}

export interface OutgoingResponse {
  readonly kind: "response";
  readonly statusCode: number;
  readonly exchange: Exchange;
  readonly bytes: Buffer;
}

export type OutgoingMessage = OutgoingRequest | OutgoingResponse;

/** What a response says besides what it echoes. `toTag` is added where the request has none; 100 goes without. */
export interface Reply {
  readonly statusCode: number;
  /** The usual one where undefined. */
  readonly phrase?: string | undefined;
  readonly toTag: string;
  readonly userAgent: string;
  readonly headers: readonly string[];
  readonly body?: OutgoingBody | undefined;
}

/** Has no UTF-8 form, so that the length would be counted wrong. */
const LONE_SURROGATE = /\p{Cs}/gu;
const PROTOCOL = /^SIP\/2\.0\/\S+/;

/** RFC 3261 s7.3.1: what proxies look at first goes first. `protocol` as Via names it: `UDP`, `TLS`. */
export function writeRequest(request: OutgoingRequest, protocol: string, withCredentials: boolean): Buffer {
  const { method, uri, via, routes, from, to, callId, cseq, credentials, headers, body } = request;
  let text = `${method} ${lineText(uri)} SIP/2.0\r\nVia: ${lineText(via.replace(PROTOCOL, `SIP/2.0/${protocol}`))}\r\n`;
  for (const route of routes) text += `Route: ${lineText(route)}\r\n`;
  text += `Max-Forwards: 70\r\nFrom: ${lineText(from)}\r\nTo: ${lineText(to)}\r\n`;
  text += `Call-ID: ${lineText(callId)}\r\nCSeq: ${cseq} ${method}\r\n`;
  if (withCredentials) for (const line of credentials) text += `${lineText(line)}\r\n`;
  for (const line of headers) text += `${lineText(line)}\r\n`;
  return Buffer.from(text + contentText(body));
}

/** RFC 3261 s8.2.6. */
export function responseTo(request: SipRequest, reply: Reply): OutgoingResponse {
  const { statusCode, phrase = reasonPhrase(statusCode), toTag, userAgent, headers, body } = reply;
  const { vias, sipCallId, cseq } = request;
  let text = `SIP/2.0 ${statusCode} ${lineText(phrase)}\r\n`;
  for (const via of vias) text += `Via: ${lineText(formatVia(via))}\r\n`;
  text += `From: ${lineText(header(request, "From") ?? "")}\r\n`;
  const tag = statusCode === 100 || request.to.params.has("tag") ? "" : `;tag=${toTag}`;
  text += `To: ${lineText(`${header(request, "To") ?? ""}${tag}`)}\r\n`;
  text += `CSeq: ${cseq.number} ${cseq.method}\r\nCall-ID: ${lineText(sipCallId)}\r\n`;
  if (userAgent !== "") text += `User-Agent: ${lineText(userAgent)}\r\n`;
  for (const line of headers) text += `${lineText(line)}\r\n`;
  const bytes = Buffer.from(text + contentText(body));
  return { kind: "response", statusCode, exchange: { vias, sipCallId, cseq }, bytes };
}

/** The lines about the body, the empty line, and the body. */
function contentText(body: OutgoingBody | undefined): string {
  if (body === undefined) return "Content-Length: 0\r\n\r\n";
  const content = body.content.replace(LONE_SURROGATE, "\uFFFD");
  return `Content-Type: ${lineText(body.contentType)}\r\nContent-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}`;
}
