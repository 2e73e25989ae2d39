// Requests as they leave: the core's message object with our own serialisation, in which no value can start a
// new line, and Supported says only what is true.
import { OutgoingRequestMessage } from "sip.js/lib/core/index.js";
import { lineText } from "../wire/fields/escaping.ts";

/** What a peer may ask of us (RFC 3261 s20.5). All else is refused before the core sees it (wire/screening.ts). */
export const ALLOWED_METHODS = [
  "INVITE",
  "ACK",
  "CANCEL",
  "BYE",
  "OPTIONS",
  "INFO",
  "PRACK",
  "UPDATE",
  "REFER",
  "NOTIFY",
  "MESSAGE",
] as const;

export const ALLOW_HEADER = `Allow: ${ALLOWED_METHODS.join(", ")}`;

/** RFC 3261 s7.3.1: what proxies look at first goes first. */
const ORDER = [
  "Via",
  "Route",
  "Max-Forwards",
  "From",
  "To",
  "Call-ID",
  "CSeq",
  "Reason",
  "Authorization",
  "Proxy-Authorization",
] as const;

/** Has no UTF-8 form, so that the length would be counted wrong. */
const LONE_SURROGATE = /\p{Cs}/gu;

export class OutgoingRequest extends OutgoingRequestMessage {
  readonly #userAgent: string;

  constructor(userAgent: string, ...args: ConstructorParameters<typeof OutgoingRequestMessage>) {
    super(...args);
    this.#userAgent = userAgent;
  }

  /** Replaces the From that the core built, which escapes no display name. `address` is without the tag. */
  setFrom(address: string): void {
    this.setHeader("from", `${address};tag=${this.fromTag}`);
  }

  override toString(): string {
    let text = `${this.method} ${lineText(this.ruri.toRaw())} SIP/2.0\r\n`;
    for (const name of ORDER) {
      for (const value of this.headers[name] ?? []) text += `${name}: ${lineText(value)}\r\n`;
    }
    for (const line of this.extraHeaders) text += `${lineText(line)}\r\n`;
    // RFC 3262 s4: in the INVITE that starts a dialog only, where PRACK is ours to send.
    if (this.method === "INVITE" && this.toTag === "") text += "Supported: 100rel, replaces, timer\r\n";
    if (this.#userAgent !== "") text += `User-Agent: ${lineText(this.#userAgent)}\r\n`;
    const content = typeof this.body === "object" ? this.body : undefined;
    if (content !== undefined) text += `Content-Type: ${lineText(content.contentType)}\r\n`;
    const body = content?.body.replace(LONE_SURROGATE, "\uFFFD") ?? "";
    return `${text}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }
}

/** The credentials that went with a request, for the ACK and CANCEL that belong to it (RFC 3261 s22.1). */
export function credentialHeaders(request: OutgoingRequestMessage): string[] {
  return ["Authorization", "Proxy-Authorization"].flatMap((name) =>
    (request.headers[name] ?? []).map((value) => `${name}: ${value}`),
  );
}

/** SDP as a body of sip.js. */
export function sdpBody(sdp: string): { contentDisposition: string; contentType: string; content: string } {
  return { contentDisposition: "session", contentType: "application/sdp", content: sdp };
}
