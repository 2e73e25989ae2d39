// Who sends and who hears, as SDP says it (RFC 3264 s5.1, s6.1). A direction is always the word of one party.

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

export function sends(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

export function receives(direction: Direction): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}

export function directionOf(sending: boolean, receiving: boolean): Direction {
  if (sending) return receiving ? "sendrecv" : "sendonly";
  return receiving ? "recvonly" : "inactive";
}

/** The answer of a party that wants `wanted` to an offer of `offered`: never more than was offered (RFC 3264 s6.1). */
export function answerTo(offered: Direction, wanted: Direction): Direction {
  return directionOf(receives(offered) && sends(wanted), sends(offered) && receives(wanted));
}
