// The text before the body: start line and header fields, cut apart and unfolded (RFC 3261 s7.3.1).
// Knows no header's meaning; parser.ts does.
import { canonicalHeaderName } from "./fields/header-names.ts";
import type { HeaderField } from "./message.ts";
import type { Problem } from "./problems.ts";

export type HeaderSection = {
  readonly startLine: string;
  readonly headers: readonly HeaderField[];
  /** The first trouble met; what was readable is there all the same, so that it can be answered. */
  readonly problem: Problem | undefined;
};

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

const CONTROL = /[^\P{Cc}\t\r\n\u0080-\u009f]/u;
/** Control characters are legal nowhere but in quoted-pair (RFC 3261 s25.1). */
const BARE_CONTROL = /(?<!\\)(?:\\\\)*[^\P{Cc}\t\r\n\u0080-\u009f]/u;

/**
 * Cuts `text`, which ends after the last header field's line end. Lines end in CRLF; a message whose start
 * line ends in a bare LF is read with bare LF throughout. Never both: what one element takes for text and
 * the next for a line end is how headers are smuggled.
 */
export function parseHeaderSection(text: string, maxHeaders: number): HeaderSection {
  let problem: Problem | undefined;
  const firstFeed = text.indexOf("\n");
  const bareFeeds = firstFeed < 1 || text.charCodeAt(firstFeed - 1) !== CARRIAGE_RETURN;
  const endWidth = bareFeeds ? 1 : 2;
  const startEnd = firstFeed < 0 ? text.length : firstFeed + 1 - endWidth;
  const startLine = text.slice(0, startEnd);
  if (bareFeeds && text.includes("\r")) problem = "malformed-line-end";
  if (CONTROL.test(text) && BARE_CONTROL.test(text)) problem ??= "control-character";
  if (!bareFeeds && startLine.includes("\r")) problem ??= "malformed-line-end";

  const headers: HeaderField[] = [];
  let at = firstFeed < 0 ? text.length : firstFeed + 1;
  // Searched for once, not once for each line that has none.
  let colon = text.indexOf(":", at);
  for (let lines = 0; at < text.length; lines++) {
    if (lines === maxHeaders) {
      problem ??= "too-many-headers";
      break;
    }
    let feed = text.indexOf("\n", at);
    let folded = false;
    while (feed >= 0 && isBlank(text.charCodeAt(feed + 1))) {
      folded = true;
      feed = text.indexOf("\n", feed + 1);
    }
    const next = feed < 0 ? text.length : feed + 1;
    const end = feed < 0 ? next : next - endWidth;
    if (!bareFeeds && !endsLinesWell(text, at, next, folded)) {
      problem ??= "malformed-line-end";
      break;
    }
    if (colon >= 0 && colon < at) colon = text.indexOf(":", at);
    const name = colon < 0 || colon > end ? undefined : canonicalHeaderName(trimmedName(text, at, colon));
    if (name === undefined) problem ??= "malformed-header";
    else {
      let value = text.slice(colon + 1, end);
      if (folded) value = value.replace(/\r?\n[ \t]+/g, " ");
      headers.push({ name, value: value.trim() });
    }
    at = next;
  }
  return { startLine, headers, problem };
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** RFC 3261 s7.3.1: white space may stand before the colon, never before the name. */
function trimmedName(text: string, at: number, colon: number): string {
  let end = colon;
  while (end > at && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(at, end);
}

/** Whether every CR of a header field has its LF and every LF its CR. */
function endsLinesWell(text: string, at: number, next: number, folded: boolean): boolean {
  let carriage = text.indexOf("\r", at);
  if (!folded) return carriage === next - 2 && text.charCodeAt(next - 1) === LINE_FEED;
  while (carriage >= 0 && carriage < next) {
    if (text.charCodeAt(carriage + 1) !== LINE_FEED) return false;
    carriage = text.indexOf("\r", carriage + 1);
  }
  return !/[^\r]\n/.test(text.slice(at, next));
}
