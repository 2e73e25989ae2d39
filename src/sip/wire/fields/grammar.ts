// The pieces of RFC 3261 s25.1 that every header value shares: lists, quoted strings, parameters.
// Reading only; what leaves us is built in header-builder.ts.

/** Parameters by lower-case name, in order; `null` is a parameter without a value (";lr"). */
export type Params = ReadonlyMap<string, string | null>;

export const NO_PARAMS: Params = new Map();

const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LEFT_ANGLE = 0x3c;
const RIGHT_ANGLE = 0x3e;

/**
 * Splits a comma-separated header value (RFC 3261 s7.3.1), minding quoted strings and angle brackets.
 * Elements are trimmed; undefined when a quote or a bracket stays open, or an element is empty.
 */
export function splitList(value: string): string[] | undefined {
  if (!value.includes(",")) {
    const only = value.trim();
    return only === "" ? undefined : [only];
  }
  const parts = splitOutside(value, ",");
  return parts === undefined || parts.includes("") ? undefined : parts;
}

/** The elements of a header that is a list, from all its lines; undefined when one of them is malformed. */
export function parseList<Element>(
  lines: readonly string[],
  parse: (text: string) => Element | undefined,
): Element[] | undefined {
  const elements: Element[] = [];
  for (const line of lines) {
    const parts = splitList(line);
    if (parts === undefined) return undefined;
    for (const part of parts) {
      const element = parse(part);
      if (element === undefined) return undefined;
      elements.push(element);
    }
  }
  return elements;
}

/** Splits at `separator` outside of quoted strings and angle brackets; parts are trimmed. */
export function splitOutside(value: string, separator: "," | ";"): string[] | undefined {
  const separatorCode = separator.charCodeAt(0);
  const parts: string[] = [];
  let inQuotes = false;
  let inAngles = false;
  let start = 0;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (inQuotes) {
      if (code === BACKSLASH) at++;
      else if (code === DOUBLE_QUOTE) inQuotes = false;
    } else if (inAngles) {
      if (code === RIGHT_ANGLE) inAngles = false;
    } else if (code === DOUBLE_QUOTE) inQuotes = true;
    else if (code === LEFT_ANGLE) inAngles = true;
    else if (code === separatorCode) {
      parts.push(value.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (inQuotes || inAngles) return undefined;
  parts.push(value.slice(start).trim());
  return parts;
}

/**
 * Where the quoted string that opens at `open` closes: the index of its closing quote,
 * or -1 when it stays open.
 */
export function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === DOUBLE_QUOTE) return at;
  }
  return -1;
}

/** The text a quoted string stands for; `quoted` includes both quotes. */
export function unquoted(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return inner.includes("\\") ? inner.replace(/\\([^])/g, "$1") : inner;
}

/** Wider than `token`: what real branches, tags and addresses hold, but nothing that could end the parameter. */
const PARAM_VALUE = /^[^\s"<>,;\\]*$/;
const PARAM_NAME = /^[^\s"<>,;\\=]+$/;
const ANY_NUMBER: readonly string[] = [];
const DIGITS = /^\d{1,32}$/;

/**
 * Parses `;name=value;name` (RFC 3261 s25.1 generic-param), values unquoted, names in lower case.
 * `text` is empty or starts with a semicolon. Of a repeated name the first stands, but a repeated
 * `once` name makes the whole malformed: two tags or branches are two readings of one message.
 */
export function parseParams(text: string, once: readonly string[] = ANY_NUMBER): Params | undefined {
  if (text === "") return NO_PARAMS;
  const parts = text.includes('"') ? splitOutside(text, ";") : text.split(";");
  if (parts?.shift()?.trim() !== "") return undefined;
  const params = new Map<string, string | null>();
  for (const part of parts) {
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).trim();
    if (equals < 0 && name === "") continue;
    if (!PARAM_NAME.test(name)) return undefined;
    const value = equals < 0 ? null : paramValue(part.slice(equals + 1).trim());
    if (value === undefined) return undefined;
    const lower = name.toLowerCase();
    if (!params.has(lower)) params.set(lower, value);
    else if (once.includes(lower)) return undefined;
  }
  return params;
}

function paramValue(text: string): string | undefined {
  if (!text.startsWith('"')) return PARAM_VALUE.test(text) ? text : undefined;
  return closingQuote(text, 0) === text.length - 1 ? unquoted(text) : undefined;
}

/** `1*DIGIT` as a number up to `max`, undefined otherwise. Leading zeros are allowed. */
export function parseDigits(text: string, max: number): number | undefined {
  if (!DIGITS.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
