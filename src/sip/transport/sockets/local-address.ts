// Which of our addresses a peer should be told, where the socket is bound to all of them.
import { createSocket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import type { Endpoint } from "./target.ts";

export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/**
 * What binds a connection of ours to the address that the trunk listens on: peers and firewalls know us by it. The port
 * is any free one, because the listening one is taken. To the other family it cannot be bound.
 */
export function boundTo(localHost: string, target: Endpoint): { readonly localAddress?: string } {
  const isBound = !isWildcard(localHost) && isIP(localHost) !== 0 && isIP(localHost) === isIP(target.address);
  return isBound ? { localAddress: localHost } : {};
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
