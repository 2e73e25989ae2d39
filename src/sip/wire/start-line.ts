// The first line of a message (RFC 3261 s7.1, s7.2): Request-Line or Status-Line.
import { isToken } from "./fields/header-names.ts";
import type { Problem } from "./problems.ts";
import { parseUri, type Uri } from "../../core/address/uri.ts";

export type RequestLine = {
  readonly kind: "request";
  readonly method: string;
  readonly uri: Uri;
  readonly uriText: string;
};

export type StatusLine = {
  readonly kind: "response";
  readonly statusCode: number;
  readonly reasonPhrase: string;
};

/** `method` is there when a request was meant, and so an answer may be owed. */
export type BrokenLine = {
  readonly kind: "broken";
  readonly method: string | undefined;
  readonly problem: Problem;
};

/** Any character but spaces; whether it is a URI is asked later. */
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) ([^ \t]+) SIP\/(\d+)\.(\d+)$/i;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^]*))?$/i;
const VERSION_AT_END = /^\S.*\sSIP\/\d+\.\d+[ \t]*$/i;

/** `line` without its line end. */
export function parseStartLine(line: string): RequestLine | StatusLine | BrokenLine {
  const request = REQUEST_LINE.exec(line);
  if (request !== null) {
    const [, method = "", uriText = "", major, minor] = request;
    if (major !== "2" || minor !== "0") {
      return { kind: "broken", method, problem: "unsupported-version" };
    }
    const uri = parseUri(uriText);
    // RFC 3261 s19.1.1: a Request-URI carries no headers.
    if (uri === undefined || (uri.kind === "sip" && uri.headers.length > 0)) {
      return { kind: "broken", method, problem: "malformed-request-uri" };
    }
    return { kind: "request", method, uri, uriText };
  }
  const status = STATUS_LINE.exec(line);
  if (status !== null) {
    return { kind: "response", statusCode: Number(status[1]), reasonPhrase: status[2] ?? "" };
  }
  if (/^SIP\//i.test(line)) {
    const otherVersion = !/^SIP\/2\.0 /i.test(line);
    const problem = otherVersion ? "unsupported-version" : "malformed-start-line";
    return { kind: "broken", method: undefined, problem };
  }
  const method = /^\S+/.exec(line)?.[0] ?? "";
  // Only what calls itself SIP deserves an answer: scanners and other protocols are dropped.
  if (!VERSION_AT_END.test(line) || !isToken(method)) {
    return { kind: "broken", method: undefined, problem: "not-sip" };
  }
  return { kind: "broken", method, problem: "malformed-start-line" };
}
