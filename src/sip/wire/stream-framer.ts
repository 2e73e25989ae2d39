// Cuts a byte stream (TCP, TLS) into SIP messages by Content-Length (RFC 3261 s18.3) and finds the keep-alives
// between them (RFC 5626 s4.4.1). Owns no socket: the transport pushes bytes and acts on what comes back.
import { ByteQueue } from "./byte-queue.ts";
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

/**
 * What is read of the stream (RFC 3261 s18.3):
 *
 * ```
 * between --first byte--> line --its end--> headers --their end--> body --last byte--> between
 *              line, headers --too long, malformed--> failed
 * ```
 */
type State =
  /** `halfPing`: the first CRLF of a ping has been seen. */
  | { readonly phase: "between"; readonly halfPing: boolean }
  /** The first line. `searched`: bytes in which no end was found. */
  | { readonly phase: "line"; readonly searched: number }
  /** `ending`: how they end, by the first line. */
  | { readonly phase: "headers"; readonly ending: "\r\n\r\n" | "\n\n"; readonly searched: number }
  /** `length`: bytes of head and body. */
  | { readonly phase: "body"; readonly length: number }
  | { readonly phase: "failed" };

/** Each byte is searched once. */
export class StreamFramer {
  readonly #opened: boolean;
  readonly #limits: ParseLimits;
  readonly #bytes = new ByteQueue();
  #state: State = { phase: "between", halfPing: false };

  /** `opened`: the connection was opened by us, so that a CRLF is a pong and never half a ping. */
  constructor(opened: boolean, limits: ParseLimits = DEFAULT_PARSE_LIMITS) {
    this.#opened = opened;
    this.#limits = limits;
  }

  /** Whether a message has begun and waits for its rest. */
  get unfinished(): boolean {
    return this.#bytes.size > 0;
  }

  /**
   * Takes the next bytes and gives what they complete, in order; after an error nothing more.
   * `chunk` is kept and handed on without a copy where possible: it must not be written to again.
   */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#state.phase === "failed") return frames;
    this.#bytes.append(chunk);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    if (this.#bytes.size === 0) this.#bytes.clear();
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#state.phase === "between") {
      const keepAlive = this.#skipLineEnds(this.#state.halfPing);
      if (keepAlive !== undefined) return keepAlive;
    }
    if (this.#state.phase === "line") this.#state = searchLine(this.#state, this.#bytes.waiting);
    if (this.#state.phase === "headers") {
      const next = this.#searchEnd(this.#state);
      if (typeof next === "string") return this.#fail(next);
      this.#state = next;
    }
    if (this.#state.phase === "line" || this.#state.phase === "headers") {
      return this.#bytes.size > this.#limits.maxHeaderBytes ? this.#fail("headers-too-long") : undefined;
    }
    if (this.#state.phase !== "body" || this.#bytes.size < this.#state.length) return undefined;
    const bytes = this.#bytes.take(this.#state.length);
    this.#state = { phase: "between", halfPing: false };
    return { kind: "message", bytes };
  }

  /** Passes the line ends before a message. However many pings they are, one answer will do. */
  #skipLineEnds(halfPing: boolean): Frame | undefined {
    let keepAlive: Frame | undefined;
    let half = halfPing;
    for (;;) {
      const first = this.#bytes.at(0);
      const second = this.#bytes.at(1);
      if (first === LINE_FEED) this.#bytes.take(1);
      else if (first === CARRIAGE_RETURN && second === LINE_FEED) {
        this.#bytes.take(2);
        if (this.#opened) keepAlive = { kind: "pong" };
        else if (half) keepAlive = { kind: "ping" };
        half = !half;
      } else {
        const isHere = first !== undefined && (first !== CARRIAGE_RETURN || second !== undefined);
        this.#state = isHere ? { phase: "line", searched: 0 } : { phase: "between", halfPing: half };
        return keepAlive;
      }
    }
  }

  #searchEnd(state: Extract<State, { phase: "headers" }>): State | FramingProblem {
    const { ending, searched } = state;
    const { maxHeaderBytes, maxHeaders, maxBodyBytes } = this.#limits;
    const { waiting } = this.#bytes;
    const at = waiting.indexOf(ending, searched, "latin1");
    if (at < 0) return { ...state, searched: Math.max(searched, waiting.length - ending.length + 1) };
    const headEnd = at + ending.length / 2;
    if (headEnd > maxHeaderBytes) return "headers-too-long";
    const bodyLength = contentLengthOf(waiting.toString("utf8", 0, headEnd), maxHeaders);
    if (typeof bodyLength === "string") return bodyLength;
    if (bodyLength > maxBodyBytes) return "body-too-long";
    return { phase: "body", length: at + ending.length + bodyLength };
  }

  #fail(problem: FramingProblem): Frame {
    const head = Buffer.from(this.#bytes.take(Math.min(this.#bytes.size, this.#limits.maxHeaderBytes)));
    this.#bytes.clear();
    this.#state = { phase: "failed" };
    return { kind: "error", problem, head };
  }
}

function searchLine({ searched }: Extract<State, { phase: "line" }>, waiting: Buffer): State {
  const feed = waiting.indexOf(LINE_FEED, searched);
  if (feed < 0) return { phase: "line", searched: waiting.length };
  return waiting[feed - 1] === CARRIAGE_RETURN
    ? { phase: "headers", ending: "\r\n\r\n", searched: feed - 1 }
    : { phase: "headers", ending: "\n\n", searched: feed };
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
