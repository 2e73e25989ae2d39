// IP addresses and networks of them as text: recognised, compared, never resolved. What the configuration takes for one is
// one for every edge.

export type AddressFamily = 4 | 6;

/** Eight groups of 16 bits. An IPv4 address is that of IPv6 into which it is mapped (RFC 4291 s2.5.5.2). */
type Groups = readonly number[];

const mapped: Groups = [0, 0, 0, 0, 0, 0xffff];
/** Without leading zeros, which some read as octal. */
const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4Form = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);
const groupForm = /^[0-9A-Fa-f]{1,4}$/;

/** Undefined for host names and everything else that is no IP address (RFC 3986 s3.2.2, without brackets and zone). */
export function addressFamily(text: string): AddressFamily | undefined {
  if (!text.includes(":")) return ipv4Form.test(text) ? 4 : undefined;
  return groupsOf(text) === undefined ? undefined : 6;
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

// RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291
const privateIpv4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"];
const privateIpv6 = ["fc00::/7", "fe80::/10"];

/** Nobody on the internet reaches it. Loopback addresses are none of these. */
export function isPrivate(address: string): boolean {
  return within([...privateIpv4, ...privateIpv6])(address);
}

/** Same address, however it is spelt: IPv6 as RFC 5952 has it, and IPv4 mapped into IPv6 as IPv4. */
export function canonicalAddress(address: string): string {
  const groups = address.includes(":") ? groupsOf(address) : undefined;
  if (groups === undefined) return address.toLowerCase();
  if (mapped.every((group, at) => groups[at] === group))
    return groups
      .slice(mapped.length)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join(".");
  const zeros = longestZeros(groups);
  const words = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return words.join(":");
  return `${words.slice(0, zeros.start).join(":")}::${words.slice(zeros.start + zeros.length).join(":")}`;
}

/** An address, or one with the length of a prefix behind it (RFC 4632): `192.0.2.0/24`. */
export function isNetwork(text: string): boolean {
  return networkOf(text) !== undefined;
}

/** Tells whether an address is in one of these networks. Throws RangeError on what is no network. */
export function within(networks: readonly string[]): (address: string) => boolean {
  const known = networks.map((text) => {
    const network = networkOf(text);
    if (network === undefined) throw new RangeError(`not a network: ${text}`);
    return network;
  });
  return (address) => {
    // A socket names the zone of a link-local address.
    const groups = known.length === 0 ? undefined : groupsOf(address.replace(/%.*$/, ""));
    return groups !== undefined && known.some((network) => holds(network, groups));
  };
}

interface Network {
  readonly groups: Groups;
  /** Of 128 bits. */
  readonly prefix: number;
}

function networkOf(text: string): Network | undefined {
  const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const groups = groupsOf(address);
  const bits = address.includes(":") ? 128 : 32;
  const prefix = Number(length ?? bits);
  return groups === undefined || prefix > bits ? undefined : { groups, prefix: prefix + 128 - bits };
}

function holds({ groups, prefix }: Network, address: Groups): boolean {
  return groups.every((group, at) => {
    const ignored = 16 - Math.min(16, Math.max(0, prefix - 16 * at));
    return group >> ignored === (address[at] ?? 0) >> ignored;
  });
}

/** Undefined for what is no address. */
function groupsOf(text: string): Groups | undefined {
  if (!text.includes(":")) {
    const last = ipv4Groups(text);
    return last && [...mapped, ...last];
  }
  const [head = "", tail, ...others] = text.split("::");
  const before = ipv6Groups(head);
  const after = ipv6Groups(tail ?? "");
  if (others.length > 0 || before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1 || head.includes(".")) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

/** The last 32 bits may be written as those of an IPv4 address. */
function ipv6Groups(text: string): Groups | undefined {
  const groups: number[] = [];
  const parts = text === "" ? [] : text.split(":");
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? "";
    const embedded = at === parts.length - 1 && part.includes(".") ? ipv4Groups(part) : undefined;
    if (embedded !== undefined) groups.push(...embedded);
    else if (groupForm.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function ipv4Groups(text: string): Groups | undefined {
  const [, ...octets] = ipv4Form.exec(text) ?? [];
  const [a, b, c, d] = octets.map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return [a * 256 + b, c * 256 + d];
}

/** The run that `::` stands for: the longest, and the first of them (RFC 5952 s4.2). */
function longestZeros(groups: Groups): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
