// An IP address as it stands in packets.
import { isIPv4, isIPv6 } from "node:net";

/** 4 or 16 bytes. */
export function addressBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address)) return undefined;
  // The URL parser writes every IPv6 address in one form, without an embedded IPv4 address.
  const host = new URL(`http://[${address.split("%", 1)[0] ?? ""}]/`).hostname.slice(1, -1);
  const [head = "", tail] = host.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of first.entries()) bytes.writeUInt16BE(group, index * 2);
  for (const [index, group] of last.entries()) bytes.writeUInt16BE(group, 16 - last.length * 2 + index * 2);
  return bytes;
}
