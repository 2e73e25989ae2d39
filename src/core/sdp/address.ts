// IP addresses as SDP and ICE write them: recognised, never resolved.

export type AddressFamily = 4 | 6;

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4Form = new RegExp(`^${octet}(?:\\.${octet}){3}$`);
const ipv6Characters = /^[0-9A-Fa-f:.]{2,45}$/;
const groupForm = /^[0-9A-Fa-f]{1,4}$/;

function groupCount(half: string): number | undefined {
  if (half === "") return 0;
  const groups = half.split(":");
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (groupForm.test(group)) count += 1;
    else if (index === groups.length - 1 && ipv4Form.test(group)) count += 2;
    else return undefined;
  }
  return count;
}

function isIpv6(text: string): boolean {
  if (!ipv6Characters.test(text)) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const [head = "", tail] = halves;
  const first = groupCount(head);
  if (first === undefined) return false;
  if (tail === undefined) return first === 8 && head !== "";
  const second = groupCount(tail);
  return second !== undefined && first + second <= 7;
}

/** Undefined for host names and everything else that is no IP address (RFC 3986 s3.2.2, without zone). */
export function addressFamily(text: string): AddressFamily | undefined {
  if (ipv4Form.test(text)) return 4;
  return isIpv6(text) ? 6 : undefined;
}

/** `0.0.0.0` and `::`: nobody's address, and in a `c=` line the old way to put on hold (RFC 3264 s8.4). */
export function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || (addressFamily(address) === 6 && /^[0:.]+$/.test(address));
}

/** Multicast and broadcast: nothing that a call's media may be sent to. */
export function isMulticast(address: string): boolean {
  if (addressFamily(address) === 6) return /^ff/i.test(address);
  return Number(address.slice(0, address.indexOf("."))) >= 224;
}

/** Same address, however it is spelt (letters of IPv6 in either case, IPv4 mapped into IPv6). */
export function canonicalAddress(address: string): string {
  const lower = address.toLowerCase();
  const mapped = lower.startsWith("::ffff:") ? lower.slice(7) : lower;
  return addressFamily(mapped) === undefined ? lower : mapped;
}
