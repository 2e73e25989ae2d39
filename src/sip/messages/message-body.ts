// The words in the body of a MESSAGE (RFC 3428): plain, in a wrapping, or written as HTML. Never throws, whatever
// the body holds; that it is no longer than a message may be is the parser's.
import { NO_PARAMS } from "../wire/fields/grammar.ts";
import { mimePart, partsOf, type MimePart } from "../wire/fields/mime.ts";

/** What Accept says of us. */
export const TEXT_TYPES = [
  "text/plain",
  "text/html",
  "message/cpim",
  "multipart/mixed",
  "multipart/alternative",
] as const;

/** `typing`: nothing was said yet (RFC 3994). Undefined: there is no text in it that we could read. */
export type MessageBody = { readonly kind: "text"; readonly text: string } | { readonly kind: "typing" } | undefined;

/** A wrapping in a wrapping in a wrapping is nobody's text. */
const MAX_DEPTH = 3;

/** A body without a type is taken for plain text. */
export function readMessageBody(contentType: Omit<MimePart, "bytes"> | undefined, bytes: Buffer): MessageBody {
  return read({ type: contentType?.type ?? "text/plain", params: contentType?.params ?? NO_PARAMS, bytes }, 0);
}

function read(part: MimePart, depth: number): MessageBody {
  const { type, params, bytes } = part;
  if (depth > MAX_DEPTH) return undefined;
  if (type === "text/plain") return text(decoded(bytes, params.get("charset")));
  if (type === "text/html") return text(plainText(decoded(bytes, params.get("charset"))));
  if (type === "application/im-iscomposing+xml") return { kind: "typing" };
  if (type === "message/cpim") return readCpim(bytes, depth);
  const parts = partsOf(part);
  const plain = parts.find((one) => one.type === "text/plain");
  if (plain !== undefined) return read(plain, depth + 1);
  for (const one of parts) {
    const found = read(one, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** RFC 3862 s2: its own headers, an empty line, and a MIME part. */
function readCpim(bytes: Buffer, depth: number): MessageBody {
  const raw = bytes.toString("latin1");
  const head = /\r?\n\r?\n/.exec(raw);
  if (head === null) return undefined;
  const part = mimePart(raw.slice(head.index + head[0].length));
  return part && read(part, depth + 1);
}

/** Bytes that do not belong to the charset become U+FFFD; an unknown charset counts as UTF-8. */
function decoded(bytes: Buffer, charset: string | null | undefined): string {
  try {
    return new TextDecoder(charset ?? "utf-8").decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

/** Of the control characters, line ends and tabs alone mean something to a reader. */
function text(raw: string): MessageBody {
  const clean = raw.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
  // Not by a pattern: one that looks for the last line ends would start at every line end.
  let end = clean.length;
  while (clean[end - 1] === "\n") end -= 1;
  return { kind: "text", text: clean.slice(0, end) };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** What a reader without a browser would see. It is shown as text, never as HTML again. */
function plainText(html: string): string {
  return html
    .replace(/<(script|style|head)\b[^]*?(?:<\/\1\s*>|$)/gi, "")
    .replace(/\s+/g, " ")
    .replace(/<(?:br|\/p|\/div|\/li|\/tr|\/h[1-6])\b[^>]*(?:>|$)/gi, "\n")
    .replace(/<[^>]*(?:>|$)/g, "")
    .replace(/ {2,}/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (entity: string, name: string) => entityText(name) ?? entity)
    .trim();
}

function entityText(name: string): string | undefined {
  if (!name.startsWith("#")) return ENTITIES[name.toLowerCase()];
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  const scalar = code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
  return scalar ? String.fromCodePoint(code) : "\uFFFD";
}
