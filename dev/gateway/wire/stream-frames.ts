// Cuts the bytes of one TCP connection into SIP messages (RFC 3261 s18.3: Content-Length rules).
// Reads no more of a message than that; the parser judges the rest.

const HEAD_LIMIT_BYTES = 32_768;
const BODY_LIMIT_BYTES = 65_536;
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r\n/i;

/** What came out of the stream. After `broken` the connection can only be closed: nobody knows where to read on. */
type Frame =
  | { readonly kind: "message"; readonly bytes: Buffer }
  /** A double CRLF between messages (RFC 5626 s4.4.1), to be answered with one. */
  | { readonly kind: "ping" }
  | { readonly kind: "broken"; readonly why: string };

/** One for each connection. */
export interface StreamFrames {
  push(chunk: Buffer): Frame[];
}

export function streamFrames(): StreamFrames {
  let pending: Buffer = Buffer.alloc(0);

  const next = (): Frame | undefined => {
    let start = 0;
    while (pending[start] === 0x0d || pending[start] === 0x0a) start += 1;
    if (start >= 4) {
      pending = pending.subarray(start);
      return { kind: "ping" };
    }
    // A lone CRLF may be half a ping, or trailing rubbish in front of a message.
    if (start === pending.length) return undefined;
    const end = pending.indexOf("\r\n\r\n", start, "latin1");
    const headBytes = (end < 0 ? pending.length : end) - start;
    if (headBytes > HEAD_LIMIT_BYTES) return { kind: "broken", why: "header section too long" };
    if (end < 0) return undefined;
    const head = pending.toString("latin1", start, end + 2);
    // Mandatory on a stream (s18.3); a message without one is read as having no body.
    const bodyBytes = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
    if (bodyBytes > BODY_LIMIT_BYTES) return { kind: "broken", why: "body too long" };
    const after = end + 4 + bodyBytes;
    if (after > pending.length) return undefined;
    const bytes = pending.subarray(start, after);
    pending = pending.subarray(after);
    return { kind: "message", bytes };
  };

  return {
    push(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const frames: Frame[] = [];
      for (let frame = next(); frame !== undefined; frame = next()) {
        frames.push(frame);
        if (frame.kind === "broken") break;
      }
      return frames;
    },
  };
}
