// A SIP message as a ladder shows it. Whole again: whoever can read SIP can read it, and its Content-Length is that of the body
// that is left.
import { unmarked, withoutControl } from "./marks.ts";
import { shownSdp } from "./sdp.ts";
import { removed, shownUri } from "./sip-address.ts";
import { canonicalName, shownHeader } from "./sip-headers.ts";
import { mediaTypes, methods, phraseOf } from "./words.ts";

export interface SipHead {
  /** Its own, or of a response that of the request which it answers. */
  readonly method: string;
  readonly isRequest: boolean;
  /** `INVITE`, `180 Ringing`, `200 OK (BYE)`. */
  readonly label: string;
  readonly sipCallId: string;
  /** Of the topmost Via: the same in a request and its responses. */
  readonly branch: string;
  readonly startLine: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const longestHead = 65_536;
const mostHeaders = 200;

/** Undefined: it is no SIP message. */
export function readHead(bytes: Uint8Array): SipHead | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 2 * longestHead)).toString(
    "utf8",
  );
  const end = /\r?\n\r?\n/.exec(text);
  const head = text.slice(0, Math.min(end?.index ?? text.length, longestHead));
  const body = end === null ? "" : text.slice(end.index + end[0].length);
  const [startLine = "", ...lines] = head.replaceAll(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  const headers = lines.slice(0, mostHeaders).flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 1
      ? []
      : [[canonicalName(line.slice(0, colon)), withoutControl(line.slice(colon + 1).trim())] as const];
  });
  const first = (wanted: string): string | undefined => headers.find(([name]) => name === wanted)?.[1];
  const sipCallId = first("call-id");
  const branch = /;\s*branch\s*=\s*([^;,\s]+)/i.exec(first("via") ?? "")?.[1] ?? "";
  const status = /^SIP\/2\.0 (\d{3})(?: |$)/.exec(startLine)?.[1];
  const told = status === undefined ? startLine.split(" ", 1)[0] : first("cseq")?.trim().split(/\s+/)[1];
  const method = told !== undefined && methods.has(told) ? told : "other";
  if (sipCallId === undefined || (status === undefined && !startLine.endsWith(" SIP/2.0"))) return undefined;
  const label = status === undefined ? method : `${status} ${phraseOf(Number(status))}`.trim();
  return {
    method,
    isRequest: status === undefined,
    label: status === undefined || method === "INVITE" ? label : `${label} (${method})`,
    sipCallId,
    branch,
    startLine: withoutControl(startLine),
    headers,
    body,
  };
}

function shownBody(body: string, contentType: string): string {
  if (body === "") return "";
  const [type = ""] = contentType.split(";", 1);
  const kind = type.trim().toLowerCase();
  if (kind === "application/sdp") return shownSdp(body);
  const status = /^SIP\/2\.0 (\d{3})/.exec(body)?.[1];
  if (kind === "message/sipfrag" && status !== undefined) return `SIP/2.0 ${status} ${phraseOf(Number(status))}\r\n`;
  const what = kind.startsWith("text/") ? "text" : mediaTypes.has(kind) ? kind : "body";
  // Its length would tell how many keys were pressed, or how long a word is.
  return `[${what} left out]\r\n`;
}

function shownStartLine({ startLine, isRequest, method }: SipHead): string {
  if (isRequest) return `${method === "other" ? removed : method} ${shownUri(startLine.split(" ")[1] ?? "")} SIP/2.0`;
  const status = startLine.slice(8, 11);
  return `SIP/2.0 ${status} ${phraseOf(Number(status))}`;
}

/** With its numbers marked. */
export function shownMessage(head: SipHead): string {
  const contentType = head.headers.find(([name]) => name === "content-type")?.[1] ?? "";
  const body = shownBody(head.body, contentType);
  const lines = [shownStartLine(head)];
  let leftOut = 0;
  for (const [name, value] of head.headers) {
    if (name === "content-length") continue;
    const shown = shownHeader(name, value);
    if (shown === undefined) leftOut += 1;
    else lines.push(shown);
  }
  if (leftOut > 0) lines.push(`X-Left-Out: ${leftOut}`);
  lines.push(`Content-Length: ${Buffer.byteLength(unmarked(body, (number) => number))}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
