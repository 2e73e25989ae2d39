// The names under which a homeserver offers telephone numbers to its clients (MSC2845).

/** The stable name first; older clients look for the other, Element on iOS for nothing else. */
export const pstnProtocolNames = ["m.protocol.pstn", "im.vector.protocol.pstn"] as const;
export type PstnProtocolName = (typeof pstnProtocolNames)[number];

export function isPstnProtocol(name: string): name is PstnProtocolName {
  return (pstnProtocolNames as readonly string[]).includes(name);
}
