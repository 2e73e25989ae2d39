// A SIP message after parsing: plain data, independent of any SIP stack. parser.ts makes it;
// transports, trunks and the dialog layer read it.
import type { Params } from "./fields/grammar.ts";
import type { NameAddr } from "./fields/name-addr.ts";
import type { Uri } from "../../core/address/uri.ts";
import type { Via } from "./fields/via.ts";

/** One header field line: canonical name, value unfolded and trimmed, lists not split. */
export type HeaderField = { readonly name: string; readonly value: string };

/** Content-Type: `type/subtype` in lower case. */
export type MediaType = { readonly type: string; readonly params: Params };

type MessageBase = {
  /** In the order of the wire, unknown ones included. */
  readonly headers: readonly HeaderField[];
  /** Topmost first, comma-separated ones split. */
  readonly vias: readonly [Via, ...Via[]];
  readonly from: NameAddr;
  readonly fromTag: string | undefined;
  readonly to: NameAddr;
  readonly toTag: string | undefined;
  /** Call-ID as sent; compared byte by byte (RFC 3261 s20.8). */
  readonly sipCallId: string;
  readonly cseq: { readonly number: number; readonly method: string };
  /** `"*"` only in REGISTER (RFC 3261 s10.2.2). */
  readonly contacts: readonly NameAddr[] | "*";
  readonly routes: readonly NameAddr[];
  readonly recordRoutes: readonly NameAddr[];
  readonly contentType: MediaType | undefined;
  /** The header's value, where it was sent. The body has been cut to it. */
  readonly contentLength: number | undefined;
  /** The body read as UTF-8. */
  readonly body: string;
  /** The body's bytes: a view of the datagram, not a copy. */
  readonly bodyBytes: Buffer;
};

export type SipRequest = MessageBase & {
  readonly kind: "request";
  /** Case-sensitive (RFC 3261 s7.1). */
  readonly method: string;
  readonly uri: Uri;
  /** The Request-URI as sent: what digest is computed over. */
  readonly uriText: string;
  /** Absent from RFC 2543 clients. 0 to 255. */
  readonly maxForwards: number | undefined;
};

export type SipResponse = MessageBase & {
  readonly kind: "response";
  /** 100 to 699. */
  readonly statusCode: number;
  /** May be empty. */
  readonly reasonPhrase: string;
};

export type SipMessage = SipRequest | SipResponse;

/** The value of the first header of that canonical name. */
export function header(message: SipMessage, name: string): string | undefined {
  for (const field of message.headers) if (field.name === name) return field.value;
  return undefined;
}

/** The values of all headers of that canonical name, one per line of the wire. */
export function headerValues(message: SipMessage, name: string): string[] {
  return message.headers.filter((field) => field.name === name).map((field) => field.value);
}

/** The comma-separated tokens of all headers of that name (Require, Supported, Allow); empty ones left out. */
export function headerTokens(message: SipMessage, name: string): string[] {
  return headerValues(message, name)
    .flatMap((value) => value.split(","))
    .map((token) => token.trim())
    .filter((token) => token !== "");
}
