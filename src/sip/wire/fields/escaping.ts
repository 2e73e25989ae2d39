// The only ways by which text gets into a header value that leaves us. Nothing that comes out of here holds
// a line end, a control character or an open quote, whatever went in. header-builder.ts makes headers of it.
import type { Params } from "./grammar.ts";

const CONTROL = /\p{Cc}/gu;
const LONE_SURROGATE = /\p{Cs}/gu;
const NOT_IN_TOKEN = /[^A-Za-z0-9\-.!%*_+`'~]/g;
const NOT_IN_HOST = /[^A-Za-z0-9\-_.[\]:]/g;
/** What may stand bare as a parameter value: token, host and what real branches and tags hold besides. */
const BARE_VALUE = /^[A-Za-z0-9\-.!%*_+`'~[\]:/=@$&^{}|?#()]+$/;

/** One line of text: runs of control characters become one space. */
export function lineText(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, " ")
    .replace(LONE_SURROGATE, "\uFFFD")
    .trim();
}

/** `quoted-string` (RFC 3261 s25.1), quotes included. Control characters are left out. */
export function quotedString(text: string): string {
  const printable = text.replace(CONTROL, "").replace(LONE_SURROGATE, "\uFFFD");
  return `"${printable.replace(/["\\]/g, "\\$&")}"`;
}

/** `token`: characters that cannot stand in one are left out. Empty only when nothing is left. */
export function tokenText(text: string): string {
  return text.replace(NOT_IN_TOKEN, "");
}

/** A host as it may stand in a URI or Via: what no host can hold is left out. */
export function hostText(text: string): string {
  return text.replace(NOT_IN_HOST, "");
}

/** `;name=value;name` with values quoted where they must be; names that are no token lose what does not fit. */
export function paramsText(params: Params): string {
  let text = "";
  for (const [name, value] of params) {
    const token = tokenText(name);
    if (token === "") continue;
    text += `;${token}`;
    if (value !== null) text += `=${BARE_VALUE.test(value) ? value : quotedString(value)}`;
  }
  return text;
}
