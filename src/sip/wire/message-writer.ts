// Responses as bytes, for those who have no request that could be read, or none any more: refusals of what could not be
// parsed, stateless answers. Header fields come in as built by header-builder.ts.
import { lineText } from "./fields/escaping.ts";
import { HeaderBuildError, numberHeader, textHeader, viaHeader, type HeaderLine } from "./header-builder.ts";
import { parseNameAddr } from "./fields/name-addr.ts";
import type { AnswerFields } from "./parser.ts";

/** Bytes of a response without a body. `statusCode` is 100 to 699. */
export function formatResponse(statusCode: number, reasonPhrase: string, headers: readonly HeaderLine[]): Buffer {
  if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 699) {
    throw new HeaderBuildError("malformed-number");
  }
  const lines = [`SIP/2.0 ${statusCode} ${lineText(reasonPhrase)}`, ...headers, numberHeader("Content-Length", 0)];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/**
 * The header fields that every response copies from its request (RFC 3261 s8.2.6.2). `toTag` is added where
 * the request has none. Vias as they are in `request`: stamp the topmost before (`withSource`).
 */
export function echoedHeaders({ vias, from, to, sipCallId, cseq }: AnswerFields, toTag: string): HeaderLine[] {
  const lines = vias.map(viaHeader);
  if (from !== undefined) lines.push(textHeader("From", from));
  if (to !== undefined) lines.push(textHeader("To", echoedTo(to, toTag)));
  if (sipCallId !== undefined) lines.push(textHeader("Call-ID", sipCallId));
  if (cseq !== undefined) lines.push(textHeader("CSeq", cseq));
  return lines;
}

/** To as a response has it. A tag is only appended to what is an address without one: never into an open quote. */
function echoedTo(to: string, toTag: string): string {
  const address = parseNameAddr(to);
  return address === undefined || address.params.has("tag") ? to : `${to};tag=${toTag}`;
}
