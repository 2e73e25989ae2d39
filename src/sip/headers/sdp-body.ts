// The session description inside a message: alone, or as one part of several (RFC 5621), which trunks with
// ISUP inside send. Other bodies are nobody's business here.
import { partsOf } from "../wire/fields/mime.ts";
import type { SipMessage } from "../wire/message.ts";

const SDP = "application/sdp";

/** The SDP of a message, or undefined when it carries none. */
export function sdpOf(message: SipMessage): string | undefined {
  if (message.body.trim() === "") return undefined;
  const { contentType } = message;
  // Content-Type is mandatory (RFC 3261 s20.15) and still forgotten; SDP says itself what it is.
  if (contentType === undefined) return message.body.trimStart().startsWith("v=0") ? message.body : undefined;
  if (contentType.type === SDP) return message.body;
  const part = partsOf({ ...contentType, bytes: message.bodyBytes }).find(({ type }) => type === SDP);
  const sdp = part?.bytes.toString();
  // The line end before the boundary is the boundary's, but not all senders write it twice.
  return sdp === undefined || sdp.endsWith("\n") ? sdp : `${sdp}\r\n`;
}
