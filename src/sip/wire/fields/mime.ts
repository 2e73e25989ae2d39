// Bodies made of parts, and the parts of them (RFC 2045, RFC 2046 s5.1, RFC 5621). What is in a part is for others to read.
import { NO_PARAMS, parseParams, type Params } from "./grammar.ts";

export interface MimePart {
  /** `type/subtype` in lower case. */
  readonly type: string;
  readonly params: Params;
  /** As they were before they were encoded for the way. */
  readonly bytes: Buffer;
}

const MAX_PARTS = 20;

/** RFC 2046 s5.1.1: parts stand between lines of two dashes and the boundary. None in a body that is not made of parts. */
export function partsOf({ type, params, bytes }: MimePart): readonly MimePart[] {
  const boundary = type.startsWith("multipart/") ? params.get("boundary") : undefined;
  if (!boundary) return [];
  // Not all senders end their lines with CRLF.
  const pieces = `\r\n${bytes.toString("latin1")}`.split(new RegExp(`\\r?\\n--${escapedPattern(boundary)}`), MAX_PARTS);
  const parts: MimePart[] = [];
  for (const piece of pieces.slice(1)) {
    if (piece.startsWith("--")) break;
    const part = mimePart(piece.replace(/^[ \t]*\r?\n/, ""));
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

function escapedPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Headers, an empty line, and the content; without headers it is plain text (RFC 2046 s5.1). `raw`: bytes as Latin-1. */
export function mimePart(raw: string): MimePart | undefined {
  const end = /^\r?\n|\r?\n\r?\n/.exec(raw);
  if (end === null) return undefined;
  const head = raw.slice(0, end.index);
  const content = raw.slice(end.index + end[0].length);
  const stated = /^content-type[ \t]*:[ \t]*([^;\r\n]*)((?:;[^\r\n]*|\r?\n[ \t][^\r\n]*)*)/im.exec(head);
  const type = stated?.[1]?.trim().toLowerCase() || "text/plain";
  const params = parseParams((stated?.[2] ?? "").replace(/\r?\n/g, " ").trim()) ?? NO_PARAMS;
  const encoding = /^content-transfer-encoding[ \t]*:[ \t]*([\w-]+)/im.exec(head)?.[1]?.toLowerCase();
  return { type, params, bytes: transferred(content, encoding) };
}

function transferred(content: string, encoding: string | undefined): Buffer {
  if (encoding === "base64") return Buffer.from(content, "base64");
  if (encoding !== "quoted-printable") return Buffer.from(content, "latin1");
  const soft = content.replace(/=[ \t]*\r?\n/g, "");
  const bytes = soft.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}
