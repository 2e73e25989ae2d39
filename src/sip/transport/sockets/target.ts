// Where a message goes: a resolved next hop. resolver.ts makes them, hub.ts sends to them.
import { isIP, isIPv6 } from "node:net";
import type { SipTransportName } from "../../../ports/sip.ts";

export interface Target {
  readonly transport: SipTransportName;
  /** Numeric, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** The name it was resolved from: verified by TLS and sent as SNI (RFC 5922 s7). */
  readonly host: string;
  /** Of a WebSocket URL; `/` elsewhere. */
  readonly path: string;
}

/** An address and port on one machine, IPv6 without brackets. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export function isSameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.address === other.address && one.port === other.port;
}

/** RFC 3261 s19.1.2, RFC 7118 s5.2.2. */
export function defaultPort(transport: SipTransportName): number {
  switch (transport) {
    case "udp":
    case "tcp":
      return 5060;
    case "tls":
      return 5061;
    case "ws":
      return 80;
    case "wss":
      return 443;
  }
}

/** Whether the transport itself delivers or fails: no timers A, E, G (RFC 3261 s17.1.1.2). */
export function isReliable(transport: SipTransportName): boolean {
  return transport !== "udp";
}

/** Without the brackets that URIs put around IPv6. */
export function unbracketed(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** With the brackets that URIs and Via want around IPv6. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

export function isNumeric(host: string): boolean {
  return isIP(unbracketed(host)) !== 0;
}

/** Sockets open to both families report IPv4 as `::ffff:192.0.2.1`. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** One target as a key: same transport, address and port is the same connection. */
export function targetKey(target: Pick<Target, "transport" | "address" | "port">): string {
  return `${target.transport} ${target.address} ${target.port}`;
}

/** Whose certificate a server may show, one of `names`, and the one that it is told (`serverName`: as configured). */
export function tlsNames(
  target: Pick<Target, "host">,
  serverName: string | undefined,
  serverNames: readonly string[],
): { readonly names: readonly string[]; readonly shown: string | undefined } {
  // A Contact or Record-Route mostly names an address, and the certificate there the trunk (RFC 5922 s7.1).
  const own = isIP(target.host) === 0 ? [] : serverNames;
  const names = serverName === undefined ? [target.host, ...own] : [serverName];
  // RFC 6066 s3: an address is no server name, but it may be what the certificate is for.
  return { names, shown: names.find((name) => isIP(name) === 0) };
}
