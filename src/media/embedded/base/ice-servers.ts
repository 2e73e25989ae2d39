// STUN and TURN addresses as a homeserver or the configuration gives them (RFC 7064, RFC 7065), for the ICE library.
import type { IceServer as NativeIceServer } from "node-datachannel";
import type { IceServer } from "../../../ports/media.ts";

const urlForm =
  /^(stun|stuns|turn|turns):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i;

/** What the library can use, which is STUN and TURN over UDP; the rest is left out. */
export function nativeIceServers(servers: readonly IceServer[]): NativeIceServer[] {
  const native: NativeIceServer[] = [];
  for (const server of servers) {
    for (const url of server.urls) {
      const match = urlForm.exec(url);
      const [, scheme = "", host = "", port, transport = "udp"] = match ?? [];
      const isTurn = scheme.toLowerCase() === "turn";
      if (match === null || transport.toLowerCase() !== "udp") continue;
      if (!isTurn && scheme.toLowerCase() !== "stun") continue;
      if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) continue;
      const place = { hostname: host.replaceAll(/[[\]]/g, ""), port: port === undefined ? 3478 : Number(port) };
      if (!isTurn) native.push(place);
      else if (server.username !== undefined && server.credential !== undefined)
        native.push({ ...place, username: server.username, password: server.credential, relayType: "TurnUdp" });
    }
  }
  return native;
}
