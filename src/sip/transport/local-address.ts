// Which of our addresses a peer should be told, where the socket is bound to all of them.
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Endpoint } from "./target.ts";

export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** The address that packets to `target` leave from; loopback when there is no way to it. */
export function addressTowards(target: Endpoint | undefined, wildcard: string): Promise<string> {
  const loopback = isIPv6(wildcard) ? "::1" : "127.0.0.1";
  if (target === undefined) return Promise.resolve(loopback);
  const probe = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
  return new Promise((resolve) => {
    const end = (address: string): void => {
      probe.close();
      resolve(address);
    };
    probe.once("error", () => end(loopback));
    // Connecting a datagram socket sends nothing; it only asks the routing table.
    probe.connect(target.port, target.address, () => end(probe.address().address));
  });
}
