// Hosts as URIs and configurations name them.
import { addressFamily } from "./ip.ts";

const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Whether only this machine reaches it; IPv6 with brackets or without. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[?(?:::1|::ffff:127(?:\.\d+){3})\]?)$/i.test(host);
}

/** A host name, an IPv4 address or a bracketed IPv6 address, without a port. A name made of digits alone is none. */
export function isHost(text: string): boolean {
  if (text.startsWith("[")) return text.endsWith("]") && addressFamily(text.slice(1, -1)) === 6;
  return /^[\d.]+$/.test(text) ? addressFamily(text) === 4 : hostName.test(text);
}
