// URIs and what stands around them in headers, as ladders show them: who and where, without names, passwords and parameters that
// nobody knows.
import { asNumber } from "./marks.ts";

export const removed = "[removed]";
/** Chosen at random by whoever wrote it, to tell dialogs and transactions apart. */
export const identifier = /^[\w.!%*+`'~@:-]{1,255}$/;
const host = /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])$/;
const sipUri = /^(sips?):(?:([^@]*)@)?([^@:;?]+|\[[^\]]*\])(?::(\d{1,5}))?(;[^?]*)?(\?.*)?$/i;
const telUri = /^tel:([^;?]+)([;?].*)?$/i;
const userText = /^[\w.!~*'()&=+$,/%#-]{1,100}$/;
const none: readonly string[] = [];

type Form = RegExp;
export type Forms = Readonly<Record<string, Form>>;

const digits = /^\d{1,10}$/;
const uriForms: Forms = {
  transport: /^(?:udp|tcp|tls|sctp|ws|wss)$/i,
  user: /^(?:phone|ip|dialog)$/i,
  lr: /^(?:|on|yes|true)$/,
  ttl: digits,
  maddr: host,
  ob: /^$/,
};

const addressForms: Forms = {
  tag: identifier,
  expires: digits,
  q: /^[01](?:\.\d{1,3})?$/,
  "reg-id": digits,
  reason:
    /^"?(?:unknown|user-busy|no-answer|unavailable|unconditional|time-of-day|do-not-disturb|deflection|follow-me|out-of-service|away)"?$/i,
  counter: digits,
  limit: digits,
  privacy: /^"?(?:full|off|id|name|uri)"?$/i,
  screen: /^(?:yes|no)$/i,
  party: /^(?:calling|called)$/i,
};

const viaForms: Forms = {
  branch: identifier,
  rport: /^\d{0,5}$/,
  received: /^(?:[0-9.]+|\[?[0-9A-Fa-f:.]+\]?)$/,
  ttl: digits,
  maddr: host,
  alias: /^$/,
  keep: /^\d{0,5}$/,
};

/** Cut at a separator outside of quotes and angle brackets. */
export function splitOutside(text: string, separator: string): readonly string[] {
  if (!text.includes(separator)) return [text];
  if (!/["<>]/.test(text)) return text.split(separator);
  const parts: string[] = [];
  let part = "";
  let isQuoted = false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (isQuoted && character === "\\") {
      part += character + text.charAt(++at);
      continue;
    }
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === "<") depth += 1;
    else if (!isQuoted && character === ">") depth -= 1;
    if (character === separator && !isQuoted && depth <= 0) {
      parts.push(part);
      part = "";
    } else part += character;
  }
  return [...parts, part];
}

/** `;name=value` for each that is known and of its form; `;...` stands for the others. */
export function shownParameters(parts: readonly string[], forms: Forms): string {
  let shown = "";
  let isLeftOut = false;
  for (const part of parts) {
    const [name = "", ...rest] = part.trim().split("=");
    const value = rest.join("=").trim();
    const key = name.trim().toLowerCase();
    if (key === "") continue;
    if (Object.hasOwn(forms, key) && forms[key]?.test(value) === true)
      shown += `;${key}${rest.length > 0 ? `=${value}` : ""}`;
    else isLeftOut = true;
  }
  return isLeftOut ? `${shown};left-out` : shown;
}

function shownUser(text: string): string {
  // RFC 3261 s19.1.1: a password stands behind a colon; RFC 3966's parameters behind a semicolon.
  const [user = ""] = text.split(/[:;]/, 1);
  return userText.test(user) ? asNumber(user) : removed;
}

export function shownUri(text: string): string {
  const tel = telUri.exec(text);
  if (tel !== null) return `tel:${shownUser(tel[1] ?? "")}`;
  const found = sipUri.exec(text);
  const [, scheme = "", user, where = "", port, parameters, headers] = found ?? [];
  if (found === null || !host.test(where)) return removed;
  const shown = shownParameters(parameters?.split(";") ?? none, uriForms);
  const who = user === undefined ? "" : `${shownUser(user)}@`;
  return `${scheme.toLowerCase()}:${who}${where}${port === undefined ? "" : `:${port}`}${shown}${headers === undefined ? "" : "?left-out"}`;
}

/** A name-addr or addr-spec with its parameters. */
function shownAddress(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "*") return trimmed;
  const bracketed = /^(.*?)<([^<>]*)>(.*)$/s.exec(trimmed);
  if (bracketed === null) {
    // RFC 3261 s20.10: without brackets, parameters are the header's.
    const [uri = "", ...parameters] = splitOutside(trimmed, ";");
    return `<${shownUri(uri.trim())}>${shownParameters(parameters, addressForms)}`;
  }
  const [, name = "", uri = "", rest = ""] = bracketed;
  const parameters = splitOutside(rest, ";");
  return `${name.trim() === "" ? "" : '"left out" '}<${shownUri(uri)}>${shownParameters(parameters, addressForms)}`;
}

export function shownAddresses(text: string): string {
  return splitOutside(text, ",").map(shownAddress).join(", ");
}

const via = /^SIP\s*\/\s*2\.0\s*\/\s*(UDP|TCP|TLS|WSS?|SCTP)\s+([^\s;:]+|\[[^\]]*\])(?::(\d{1,5}))?\s*(;.*)?$/i;

export function shownVias(text: string): string {
  return splitOutside(text, ",")
    .map((one) => {
      const [, protocol = "", where = "", port, parameters] = via.exec(one.trim()) ?? [];
      if (!host.test(where)) return removed;
      const shown = shownParameters(parameters?.split(";") ?? none, viaForms);
      return `SIP/2.0/${protocol.toUpperCase()} ${where}${port === undefined ? "" : `:${port}`}${shown}`;
    })
    .join(", ");
}
