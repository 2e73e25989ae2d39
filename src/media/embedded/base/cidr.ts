// Networks in CIDR notation, and whether an address is in one of them.
import { BlockList, isIP } from "node:net";

/** Throws RangeError on what is no network: the configuration has been checked before. */
export function networks(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", prefix] = cidr.split("/");
    const family = isIP(address);
    if (family === 0) throw new RangeError(`not a network: ${cidr}`);
    list.addSubnet(address, prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix), familyName(address));
  }
  return list;
}

export function isWithin(list: BlockList, address: string): boolean {
  return list.check(address, familyName(address));
}

export function familyName(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
