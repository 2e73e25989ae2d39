// Whole messages as bytes, for those who speak SIP without a stack: refusals of what could not be parsed,
// stateless answers, small servers. Header fields come in as built by header-builder.ts.
import { lineText } from "./fields/escaping.ts";
import { HeaderBuildError, numberHeader, textHeader, viaHeader, type HeaderLine } from "./header-builder.ts";
import { isToken } from "./fields/header-names.ts";
import { header, headerValues, type SipRequest } from "./message.ts";
import { parseNameAddr } from "./fields/name-addr.ts";
import type { AnswerFields } from "./parser.ts";
import { formatUri, type Uri } from "../../core/address/uri.ts";

/** Bytes of a request; Content-Length is added. */
export function formatRequest(
  method: string,
  uri: Uri,
  headers: readonly HeaderLine[],
  body: Buffer | string = "",
): Buffer {
  if (!isToken(method)) throw new HeaderBuildError("malformed-name");
  return formatMessage(`${method} ${formatUri(uri)} SIP/2.0`, headers, body);
}

/** Bytes of a response; Content-Length is added. `statusCode` is 100 to 699. */
export function formatResponse(
  statusCode: number,
  reasonPhrase: string,
  headers: readonly HeaderLine[],
  body: Buffer | string = "",
): Buffer {
  if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 699) {
    throw new HeaderBuildError("malformed-number");
  }
  return formatMessage(`SIP/2.0 ${statusCode} ${lineText(reasonPhrase)}`, headers, body);
}

function formatMessage(startLine: string, headers: readonly HeaderLine[], body: Buffer | string): Buffer {
  const content = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  const lines = [startLine, ...headers, numberHeader("Content-Length", content.length)];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "utf8"), content]);
}

/**
 * The header fields that every response copies from its request (RFC 3261 s8.2.6.2). `toTag` is added where
 * the request has none; 100 goes without. Vias as they are in `request`: stamp the topmost before (`withSource`).
 */
export function echoedHeaders(request: SipRequest | AnswerFields, toTag: string | undefined): HeaderLine[] {
  const lines = request.vias.map(viaHeader);
  const { from, to, sipCallId, cseq } = "kind" in request ? rawFields(request) : request;
  if (from !== undefined) lines.push(textHeader("From", from));
  if (to !== undefined) lines.push(textHeader("To", echoedTo(to, toTag)));
  if (sipCallId !== undefined) lines.push(textHeader("Call-ID", sipCallId));
  if (cseq !== undefined) lines.push(textHeader("CSeq", cseq));
  if ("kind" in request && toTag !== undefined) {
    // RFC 3261 s12.1.1: responses that may make a dialog repeat the route.
    lines.push(...headerValues(request, "Record-Route").map((value) => textHeader("Record-Route", value)));
  }
  return lines;
}

function rawFields(request: SipRequest): Pick<AnswerFields, "from" | "to" | "sipCallId" | "cseq"> {
  const { number, method } = request.cseq;
  const cseq = `${number} ${method}`;
  return { from: header(request, "From"), to: header(request, "To"), sipCallId: request.sipCallId, cseq };
}

/** To as a response has it. A tag is only appended to what is an address without one: never into an open quote. */
function echoedTo(to: string, toTag: string | undefined): string {
  if (toTag === undefined) return to;
  const address = parseNameAddr(to);
  return address === undefined || address.params.has("tag") ? to : `${to};tag=${toTag}`;
}
