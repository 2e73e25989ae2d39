// What can be wrong with a message: a code for logs and metrics, and the status that a request gets for it.
// RFC 3261 s21.4.1 wants the reason phrase to name the trouble.

const PROBLEMS = {
  "not-sip": { status: 400, reason: "Not a SIP message" },
  "malformed-start-line": { status: 400, reason: "Malformed request line" },
  "malformed-request-uri": { status: 400, reason: "Malformed Request-URI" },
  "unsupported-version": { status: 505, reason: "SIP version not supported" },
  "malformed-line-end": { status: 400, reason: "Bare CR or LF in header" },
  "control-character": { status: 400, reason: "Control character in header" },
  "malformed-header": { status: 400, reason: "Malformed header field" },
  "unfinished-headers": { status: 400, reason: "Headers not ended by an empty line" },
  "too-many-headers": { status: 513, reason: "Too many header fields" },
  "headers-too-long": { status: 513, reason: "Header fields too long" },
  "body-too-long": { status: 513, reason: "Body too long" },
  "missing-via": { status: 400, reason: "Missing Via" },
  "missing-from": { status: 400, reason: "Missing From" },
  "missing-to": { status: 400, reason: "Missing To" },
  "missing-call-id": { status: 400, reason: "Missing Call-ID" },
  "missing-cseq": { status: 400, reason: "Missing CSeq" },
  "malformed-via": { status: 400, reason: "Malformed Via" },
  "malformed-from": { status: 400, reason: "Malformed From" },
  "malformed-to": { status: 400, reason: "Malformed To" },
  "malformed-call-id": { status: 400, reason: "Malformed Call-ID" },
  "malformed-cseq": { status: 400, reason: "Malformed CSeq" },
  "cseq-out-of-range": { status: 400, reason: "CSeq number out of range" },
  "cseq-method-mismatch": { status: 400, reason: "CSeq method does not match" },
  "malformed-contact": { status: 400, reason: "Malformed Contact" },
  "malformed-route": { status: 400, reason: "Malformed Route" },
  "malformed-record-route": { status: 400, reason: "Malformed Record-Route" },
  "malformed-max-forwards": { status: 400, reason: "Malformed Max-Forwards" },
  "malformed-content-length": { status: 400, reason: "Malformed Content-Length" },
  "malformed-content-type": { status: 400, reason: "Malformed Content-Type" },
  "truncated-body": { status: 400, reason: "Body shorter than Content-Length" },
  "repeated-header": { status: 400, reason: "Repeated single header field" },
} as const;

export type Problem = keyof typeof PROBLEMS;

/** The final response that a request with this problem gets. */
export function answerTo(problem: Problem): { readonly status: number; readonly reason: string } {
  return PROBLEMS[problem];
}
