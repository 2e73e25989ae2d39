// Cuts a byte stream (TCP, TLS) into SIP messages by Content-Length (RFC 3261 s18.3) and finds the keep-alives
// between them (RFC 5626 s4.4.1). Owns no socket: the transport pushes bytes and acts on what comes back.
import { parseHeaderSection } from "./header-section.ts";
import { parseDigits } from "./fields/grammar.ts";
import { DEFAULT_PARSE_LIMITS, type ParseLimits } from "./parser.ts";

export type FramingProblem =
  | "headers-too-long"
  | "body-too-long"
  | "malformed-headers"
  | "malformed-content-length"
  | "missing-content-length";

export type Frame =
  /** One whole message, for `parseSip`. */
  | { readonly kind: "message"; readonly bytes: Buffer }
  /** Answer with one CRLF. Only on connections that the peer opened. */
  | { readonly kind: "ping" }
  /** The answer to our ping. Only on connections that we opened. */
  | { readonly kind: "pong" }
  /** Nobody knows where the next message starts: close. `head` may still be parsed, to answer with 400 first. */
  | { readonly kind: "error"; readonly problem: FramingProblem; readonly head: Buffer };

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

/** Bytes that wait for the rest of their message. Appending is amortised O(1), and each byte is searched once. */
export class StreamFramer {
  readonly #opened: boolean;
  readonly #limits: ParseLimits;
  /** What waits is `#buffer` from `#start` to `#end`. */
  #buffer: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** Whether `#buffer` is ours to append to, or a chunk that was pushed. */
  #owned = false;
  /** How the headers of the waiting message end, known from its first line on. */
  #terminator: "\r\n\r\n" | "\n\n" | undefined;
  /** Bytes of the waiting message in which no end of headers was found. */
  #searched = 0;
  /** Bytes of head and body of the waiting message; 0 while its headers are unfinished. */
  #messageLength = 0;
  /** The first CRLF of a ping has been seen. */
  #halfPing = false;
  #failed = false;

  /** `opened`: the connection was opened by us, so that a CRLF is a pong and never half a ping. */
  constructor(opened: boolean, limits: ParseLimits = DEFAULT_PARSE_LIMITS) {
    this.#opened = opened;
    this.#limits = limits;
  }

  /** Whether a message has begun and waits for its rest. */
  get unfinished(): boolean {
    return this.#start < this.#end;
  }

  /**
   * Takes the next bytes and gives what they complete, in order; after an error nothing more.
   * `chunk` is kept and handed on without a copy where possible: it must not be written to again.
   */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#failed) return frames;
    this.#append(chunk);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      frames.push(frame);
      this.#failed = frame.kind === "error";
      if (this.#failed) break;
    }
    if (this.#failed || this.#start === this.#end) this.#release();
    return frames;
  }

  #release(): void {
    this.#buffer = NOTHING;
    this.#start = 0;
    this.#end = 0;
    this.#owned = false;
  }

  #append(chunk: Buffer): void {
    const waiting = this.#end - this.#start;
    if (waiting === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#buffer.length - this.#end < chunk.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * (waiting + chunk.length), 1_024));
      this.#buffer.copy(grown, 0, this.#start, this.#end);
      this.#buffer = grown;
      this.#owned = true;
      this.#start = 0;
      this.#end = waiting;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  #next(): Frame | undefined {
    if (this.#messageLength === 0) {
      const keepAlive = this.#searched === 0 ? this.#skipLineEnds() : undefined;
      if (keepAlive !== undefined) return keepAlive;
      const problem = this.#measure();
      if (problem !== undefined) return this.#error(problem);
    }
    if (this.#messageLength === 0 || this.#end - this.#start < this.#messageLength) return undefined;
    // A view will do: what has been appended is never written over.
    const bytes = this.#buffer.subarray(this.#start, this.#start + this.#messageLength);
    this.#start += this.#messageLength;
    this.#messageLength = 0;
    this.#halfPing = false;
    return { kind: "message", bytes };
  }

  /** Passes the line ends before a message. However many pings they are, one answer will do. */
  #skipLineEnds(): Frame | undefined {
    let keepAlive: Frame | undefined;
    while (this.#start < this.#end) {
      const code = this.#buffer[this.#start];
      if (code === LINE_FEED) {
        this.#start += 1;
      } else if (code === CARRIAGE_RETURN && this.#start + 1 < this.#end) {
        if (this.#buffer[this.#start + 1] !== LINE_FEED) break;
        this.#start += 2;
        if (this.#opened) keepAlive = { kind: "pong" };
        else if (this.#halfPing) keepAlive = { kind: "ping" };
        this.#halfPing = !this.#halfPing;
      } else break;
    }
    return keepAlive;
  }

  /** Sets `#messageLength` once all headers are there. */
  #measure(): FramingProblem | undefined {
    const { maxHeaderBytes, maxHeaders, maxBodyBytes } = this.#limits;
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    if (waiting.length === 1 && waiting[0] === CARRIAGE_RETURN) return undefined;
    if (this.#terminator === undefined) {
      const feed = waiting.indexOf(LINE_FEED, this.#searched);
      if (feed < 0) {
        this.#searched = waiting.length;
        return waiting.length > maxHeaderBytes ? "headers-too-long" : undefined;
      }
      const carriage = feed > 0 && waiting[feed - 1] === CARRIAGE_RETURN;
      this.#terminator = carriage ? "\r\n\r\n" : "\n\n";
      this.#searched = carriage ? feed - 1 : feed;
    }
    const terminator = this.#terminator;
    const at = waiting.indexOf(terminator, this.#searched, "latin1");
    if (at < 0) {
      this.#searched = Math.max(this.#searched, waiting.length - terminator.length + 1);
      return waiting.length > maxHeaderBytes ? "headers-too-long" : undefined;
    }
    const headEnd = at + terminator.length / 2;
    if (headEnd > maxHeaderBytes) return "headers-too-long";
    this.#searched = 0;
    this.#terminator = undefined;
    const bodyLength = contentLengthOf(waiting.toString("utf8", 0, headEnd), maxHeaders);
    if (typeof bodyLength === "string") return bodyLength;
    if (bodyLength > maxBodyBytes) return "body-too-long";
    this.#messageLength = at + terminator.length + bodyLength;
    return undefined;
  }

  #error(problem: FramingProblem): Frame {
    const headBytes = Math.min(this.#end - this.#start, this.#limits.maxHeaderBytes);
    const head = Buffer.from(this.#buffer.subarray(this.#start, this.#start + headBytes));
    return { kind: "error", problem, head };
  }
}

/** Read with the parser's own eyes, so that framing and parsing never disagree. */
function contentLengthOf(head: string, maxHeaders: number): number | FramingProblem {
  const section = parseHeaderSection(head, maxHeaders);
  if (section.problem === "malformed-line-end" || section.problem === "too-many-headers") return "malformed-headers";
  let length: number | undefined;
  for (const { name, value } of section.headers) {
    if (name !== "Content-Length") continue;
    const parsed = parseDigits(value, Number.MAX_SAFE_INTEGER);
    if (parsed === undefined || (length !== undefined && length !== parsed)) return "malformed-content-length";
    length = parsed;
  }
  return length ?? "missing-content-length";
}
