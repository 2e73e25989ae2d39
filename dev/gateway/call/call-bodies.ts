// The small bodies that travel inside of a call: keys in INFO, and how a transfer goes (RFC 3420).
import type { Keypress } from "../../audio/telephone-event.ts";

const KEY_MS = 160;
/** Of a key whose body says no length. */
const UNSTATED_MS = 0;
const EVENTS = "0123456789*#ABCD";

/** `application/dtmf-relay` has fields, `application/dtmf` the key alone. */
export function infoBody(digit: string, as: "dtmf-relay" | "dtmf"): string {
  return as === "dtmf" ? digit : `Signal=${digit}\r\nDuration=${KEY_MS}\r\n`;
}

/** The key in an INFO, if it brings one; some write `10` and `11` for star and hash. */
export function readInfo(type: string | undefined, body: string): Keypress[] {
  const relayed = type === "application/dtmf-relay";
  if (!relayed && type !== "application/dtmf") return [];
  const signal = (relayed ? /^signal\s*=\s*(\S+)/im.exec(body)?.[1] : body.trim())?.toUpperCase() ?? "";
  const digit = signal.length === 1 ? signal : EVENTS[/^1\d$/.test(signal) ? Number(signal) : Infinity];
  if (digit === undefined || !EVENTS.includes(digit)) return [];
  const duration = relayed ? /^duration\s*=\s*(\d{1,6})/im.exec(body)?.[1] : undefined;
  return [{ digit, durationMs: duration === undefined ? UNSTATED_MS : Number(duration) }];
}

export const SIPFRAG = "message/sipfrag;version=2.0";

const PHRASES: Readonly<Record<number, string>> = { 100: "Trying", 180: "Ringing", 200: "OK" };

export const sipfrag = (status: number): string =>
  `SIP/2.0 ${status} ${PHRASES[status] ?? (status < 200 ? "Progress" : "Failed")}\r\n`;

export function readSipfrag(body: string): number | undefined {
  const status = /^SIP\/2\.0 ([1-6]\d\d)(?!\d)/i.exec(body)?.[1];
  return status === undefined ? undefined : Number(status);
}
