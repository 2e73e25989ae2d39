// What a server may ask of a well-formed request before it looks at its meaning (RFC 3261 s8.2.1 to s8.2.3):
// method, Request-URI scheme, extensions, body. Syntax was the parser's, everything later is the dialog's.
import { mediaTypesHeader, tokensHeader, type HeaderLine } from "./header-builder.ts";
import { header, headerTokens, headerValues, type SipRequest } from "./message.ts";

export type Capabilities = {
  readonly methods: readonly string[];
  readonly uriSchemes: readonly string[];
  /** Extensions that may stand in Require. */
  readonly optionTags: readonly string[];
  /** Bodies that we read, lower case. */
  readonly mediaTypes: readonly string[];
};

/** A final response and the header fields that it must carry. */
export type Refusal = {
  readonly statusCode: number;
  readonly reasonPhrase: string;
  readonly headers: readonly HeaderLine[];
};

/** Registered methods (IANA, SIP Parameters): those are recognised, whether or not they are served. */
const KNOWN_METHODS: readonly string[] = [
  "ACK",
  "BYE",
  "CANCEL",
  "INFO",
  "INVITE",
  "MESSAGE",
  "NOTIFY",
  "OPTIONS",
  "PRACK",
  "PUBLISH",
  "REFER",
  "REGISTER",
  "SUBSCRIBE",
  "UPDATE",
];

/** The refusal that the request has earned; undefined when it may go on. Never ask this of an ACK. */
export function screenRequest(request: SipRequest, capabilities: Capabilities): Refusal | undefined {
  const { methods, uriSchemes, optionTags, mediaTypes } = capabilities;
  if (!methods.includes(request.method)) {
    const allow = tokensHeader("Allow", methods);
    // RFC 3261 s8.2.1: 405 for a method that is recognised and not supported; s21.5.2: 501 for one that is not recognised.
    if (KNOWN_METHODS.includes(request.method)) return refusal(405, "Method Not Allowed", allow);
    return refusal(501, "Not Implemented", allow);
  }
  if (!uriSchemes.includes(request.uri.scheme)) return refusal(416, "Unsupported URI Scheme");
  // RFC 3261 s8.2.2.3: a CANCEL is not refused for what it requires.
  const unknown = headerTokens(request, "Require").filter((tag) => !optionTags.includes(tag.toLowerCase()));
  if (unknown.length > 0 && request.method !== "CANCEL") {
    return refusal(420, "Bad Extension", tokensHeader("Unsupported", unknown));
  }
  if (request.bodyBytes.length > 0 && !bodyIsOptional(request)) {
    const encoding = header(request, "Content-Encoding")?.toLowerCase() ?? "identity";
    if (!readable(request, mediaTypes)) return unreadableBody(mediaTypes);
    // RFC 3261 s8.2.3: which encodings would be understood.
    if (encoding !== "identity") return unreadableBody(mediaTypes, tokensHeader("Accept-Encoding", ["identity"]));
  }
  if (request.method === "INVITE" && !acceptsOneOf(request, mediaTypes)) return refusal(406, "Not Acceptable");
  return undefined;
}

/** 415 with what would be taken (RFC 3261 s8.2.3). */
export function unreadableBody(mediaTypes: readonly string[], ...more: readonly HeaderLine[]): Refusal {
  return refusal(415, "Unsupported Media Type", mediaTypesHeader("Accept", mediaTypes), ...more);
}

function refusal(statusCode: number, reasonPhrase: string, ...headers: readonly HeaderLine[]): Refusal {
  return { statusCode, reasonPhrase, headers };
}

/** RFC 3261 s20.11: a body with `handling=optional` may be ignored. */
export function bodyIsOptional(request: SipRequest): boolean {
  return /;\s*handling\s*=\s*optional\b/i.test(header(request, "Content-Disposition") ?? "");
}

/** A body without a type is taken for SDP, as clients of RFC 2543 meant it. */
function readable(request: SipRequest, mediaTypes: readonly string[]): boolean {
  const type = request.contentType?.type ?? "application/sdp";
  return mediaTypes.includes(type) || type.startsWith("multipart/");
}

/** Whether an answer of ours could be read (RFC 3261 s20.1: no Accept means application/sdp). */
function acceptsOneOf(request: SipRequest, mediaTypes: readonly string[]): boolean {
  const accepts = headerValues(request, "Accept");
  if (accepts.length === 0) return true;
  const ranges = accepts
    .flatMap((value) => value.split(","))
    .map((range) => range.split(";", 1)[0]?.trim().toLowerCase());
  return ranges.some(
    (range) => range === "*/*" || mediaTypes.some((type) => range === type || range === `${type.split("/", 1)[0]}/*`),
  );
}
