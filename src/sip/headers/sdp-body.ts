// The session description inside a message: alone, or as one part of several (RFC 5621), which trunks with
// ISUP inside send. Other bodies are nobody's business here.
import type { SipMessage } from "../wire/message.ts";

const SDP = "application/sdp";

/** The SDP of a message, or undefined when it carries none. */
export function sdpOf(message: SipMessage): string | undefined {
  if (message.body.trim() === "") return undefined;
  const { contentType } = message;
  // Content-Type is mandatory (RFC 3261 s20.15) and still forgotten; SDP says itself what it is.
  if (contentType === undefined) return message.body.trimStart().startsWith("v=0") ? message.body : undefined;
  if (contentType.type === SDP) return message.body;
  const boundary = contentType.type.startsWith("multipart/") ? contentType.params.get("boundary") : undefined;
  return boundary ? sdpPart(message.body, boundary) : undefined;
}

/** RFC 2046 s5.1.1: parts stand between lines of two dashes and the boundary. */
function sdpPart(body: string, boundary: string): string | undefined {
  // Not all senders end their lines with CRLF.
  const parts = `\n${body}`.split(`\n--${boundary}`).slice(1);
  for (const whole of parts) {
    const part = whole.replace(/\r$/, "");
    if (part.startsWith("--")) return undefined;
    const [ending] = /\r?\n\r?\n/.exec(part) ?? [];
    if (ending === undefined) continue;
    const head = part.indexOf(ending);
    const type = /^content-type[ \t]*:[ \t]*([^;\r\n]+)/im.exec(part.slice(0, head))?.[1];
    if (type?.trim().toLowerCase() !== SDP) continue;
    const sdp = part.slice(head + ending.length);
    // The line end before the boundary is the boundary's, but not all senders write it twice.
    return sdp.endsWith("\n") ? sdp : `${sdp}\r\n`;
  }
  return undefined;
}
