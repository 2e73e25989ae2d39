// How a transfer goes, as NOTIFY says it: the start of a SIP response (RFC 3420), of which the status counts.
import { reasonPhrase } from "../wire/reason-phrases.ts";

const STATUS_LINE = /^\s{0,10}SIP\/2\.0[ \t]+([1-6]\d\d)(?![^ \t\r\n])/i;

export const SIPFRAG_TYPE = "message/sipfrag;version=2.0";

/** 100 to 699; undefined for what is no response. */
export function parseSipfrag(body: string): number | undefined {
  const status = STATUS_LINE.exec(body.slice(0, 200))?.[1];
  return status === undefined ? undefined : Number(status);
}

/** A status line; RFC 3420 s2 asks for no more. */
export function formatSipfrag(status: number): string {
  return `SIP/2.0 ${status} ${reasonPhrase(status) || (status < 200 ? "Progress" : "Failed")}\r\n`;
}
