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
  const canonical = canonicalAddress(address);
  return canonical === "0.0.0.0" || canonical === "::";
}

/** Multicast and broadcast: nothing that a call's media may be sent to. */
export function isMulticast(address: string): boolean {
  const canonical = canonicalAddress(address);
  if (addressFamily(canonical) === 6) return canonical.startsWith("ff");
  return Number(canonical.slice(0, canonical.indexOf("."))) >= 224;
}

/** Same address, however it is spelt: IPv6 as RFC 5952 has it, and IPv4 mapped into IPv6 as IPv4. */
export function canonicalAddress(address: string): string {
  if (!address.includes(":") || !isIpv6(address)) return address.toLowerCase();
  const groups = groupsOf(address);
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join(".");
  const zeros = longestZeros(groups);
  const words = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return words.join(":");
  return `${words.slice(0, zeros.start).join(":")}::${words.slice(zeros.start + zeros.length).join(":")}`;
}

/** All eight, of what is an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = [], tail = []] = address.split("::").map(numbersOf);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function numbersOf(half: string): number[] {
  if (half === "") return [];
  return half.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [first = 0, second = 0, third = 0, fourth = 0] = group.split(".").map(Number);
    return [first * 256 + second, third * 256 + fourth];
  });
}

/** The run that `::` stands for: the longest, and the first of them (RFC 5952 s4.2). */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
