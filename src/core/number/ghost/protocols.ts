// The names under which a homeserver offers telephone numbers to its clients (MSC2845), and by which older clients connect
// people with the users that stand for their numbers.

/** The stable name first; older clients look for the other, Element on iOS for nothing else. */
export const pstnProtocolNames = ["m.protocol.pstn", "im.vector.protocol.pstn"] as const;
export type PstnProtocolName = (typeof pstnProtocolNames)[number];

export function isPstnProtocol(name: string): name is PstnProtocolName {
  return pstnProtocolNames.some((known) => known === name);
}

/** Asked whose number a ghost is, and which ghost is a person's number. */
export const virtualUserProtocolNames = ["im.vector.protocol.sip_native", "im.vector.protocol.sip_virtual"] as const;
export type VirtualUserProtocolName = (typeof virtualUserProtocolNames)[number];

export function isVirtualUserProtocol(name: string): name is VirtualUserProtocolName {
  return virtualUserProtocolNames.some((known) => known === name);
}
