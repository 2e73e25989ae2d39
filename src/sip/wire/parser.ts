// Bytes of one datagram or frame to a message, or to what is to be done instead. Never throws.
// No transaction knowledge here: who may send what is for dialog and trunk to judge.
import { splitOutside } from "./fields/grammar.ts";
import { parseHeaderSection } from "./header-section.ts";
import type { SipMessage } from "./message.ts";
import { parseFields } from "./message-fields.ts";
import { answerTo, type Problem } from "./problems.ts";
import { collectFields, type RawFields } from "./raw-fields.ts";
import { parseStartLine } from "./start-line.ts";
import { parseVia, type Via } from "./fields/via.ts";

/** All that a response to a broken request can be built from (RFC 3261 s8.2.6.2); values as sent. */
export type AnswerFields = {
  readonly method: string;
  readonly vias: readonly [Via, ...Via[]];
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly sipCallId: string | undefined;
  readonly cseq: string | undefined;
};

export type ParseResult =
  | { readonly outcome: "message"; readonly message: SipMessage }
  /** CRLF keep-alives (RFC 5626 s4.4.1) and empty datagrams: nothing to do. */
  | { readonly outcome: "keep-alive" }
  /** A request to be refused with `status` and `reason`, from the fields that could be read. */
  | {
      readonly outcome: "invalid";
      readonly problem: Problem;
      readonly status: number;
      readonly reason: string;
      readonly answer: AnswerFields;
    }
  /** Drop: a broken response, a broken ACK, or nothing that an answer could be sent to. */
  | { readonly outcome: "unrepresentable"; readonly problem: Problem };

export type ParseLimits = {
  /** Bytes of start line and header fields. */
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  readonly maxHeaders: number;
};

export const DEFAULT_PARSE_LIMITS: ParseLimits = {
  maxHeaderBytes: 32_768,
  maxBodyBytes: 65_536,
  maxHeaders: 256,
};

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** One SIP message from the whole of a datagram, a frame of a stream or a WebSocket message. */
export function parseSip(datagram: Buffer | string, limits: ParseLimits = DEFAULT_PARSE_LIMITS): ParseResult {
  const bytes = typeof datagram === "string" ? Buffer.from(datagram, "utf8") : datagram;
  let start = 0;
  // RFC 3261 s7.5: empty lines before the start line are ignored.
  while (bytes[start] === CARRIAGE_RETURN || bytes[start] === LINE_FEED) start++;
  if (start === bytes.length) return { outcome: "keep-alive" };

  const { headEnd, bodyStart } = findHeaderEnd(bytes, start);
  const tooLong = headEnd - start > limits.maxHeaderBytes;
  const text = bytes.toString("utf8", start, tooLong ? start + limits.maxHeaderBytes : headEnd);
  const section = parseHeaderSection(text, limits.maxHeaders);
  const startLine = parseStartLine(section.startLine);
  const method = startLine.kind === "response" ? undefined : startLine.method;
  const fields = collectFields(section.headers);
  if (startLine.kind === "broken") return refuse(startLine.problem, method, fields);
  if (tooLong) return refuse("headers-too-long", method, fields);
  if (section.problem !== undefined) return refuse(section.problem, method, fields);
  if (bodyStart < 0) return refuse("unfinished-headers", method, fields);

  const body = bytes.subarray(bodyStart);
  const parsed = parseFields(fields, startLine, section.headers, body, limits.maxBodyBytes);
  if (typeof parsed === "string") return refuse(parsed, method, fields);
  return { outcome: "message", message: parsed };
}

/** `headEnd` is after the last header's line end, `bodyStart` after the empty line or -1 without one. */
function findHeaderEnd(bytes: Buffer, start: number): { headEnd: number; bodyStart: number } {
  const firstFeed = bytes.indexOf(LINE_FEED, start);
  if (firstFeed > start && bytes[firstFeed - 1] === CARRIAGE_RETURN) {
    const end = bytes.indexOf("\r\n\r\n", firstFeed - 1, "latin1");
    if (end >= 0) return { headEnd: end + 2, bodyStart: end + 4 };
  } else if (firstFeed >= 0) {
    const end = bytes.indexOf("\n\n", firstFeed, "latin1");
    if (end >= 0) return { headEnd: end + 1, bodyStart: end + 2 };
  }
  return { headEnd: bytes.length, bodyStart: -1 };
}

function refuse(problem: Problem, method: string | undefined, fields: RawFields): ParseResult {
  // RFC 3261 s17.1.1.3: nobody answers an ACK.
  const vias = method === undefined || method === "ACK" ? undefined : readableVias(fields.via);
  if (method === undefined || vias === undefined) return { outcome: "unrepresentable", problem };
  const { from, to, sipCallId, cseq } = fields;
  const answer = { method, vias, from, to, sipCallId, cseq };
  return { outcome: "invalid", problem, ...answerTo(problem), answer };
}

/** The Via values that can be read; undefined when the topmost cannot, and so nobody is there to be answered. */
function readableVias(lines: readonly string[]): [Via, ...Via[]] | undefined {
  const values = lines.flatMap((line) => splitOutside(line, ",") ?? []);
  const [top, ...below] = values.map(parseVia);
  if (top === undefined) return undefined;
  return [top, ...below.filter((via) => via !== undefined)];
}
