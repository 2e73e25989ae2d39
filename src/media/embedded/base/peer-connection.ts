// How a peer connection of node-datachannel begins and ends, whoever stands at its other end.
import nodeDataChannel, { type PeerConnection, type RtcConfig, type Track } from "node-datachannel";
import type { IceServer } from "../../../ports/media.ts";
import { nativeIceServers } from "./ice-servers.ts";
import type { WorkerSettings } from "./settings.ts";

const closingMs = 5000;
const closing = new Set<object>();

/** `port`: of our own; undefined: one of the range, or any. */
export function newConnection(
  ice: WorkerSettings["ice"],
  iceServers: readonly IceServer[],
  port: number | undefined,
  config: Partial<RtcConfig> = {},
): PeerConnection {
  const portMin = port ?? ice.portMin;
  const portMax = port ?? ice.portMax;
  return new nodeDataChannel.PeerConnection("bridge", {
    iceServers: nativeIceServers(iceServers),
    disableAutoNegotiation: true,
    ...(ice.bindHost === undefined ? {} : { bindAddress: ice.bindHost }),
    ...(portMin === undefined ? {} : { portRangeBegin: portMin }),
    ...(portMax === undefined ? {} : { portRangeEnd: portMax }),
    ...config,
  });
}

/** `owner`: what the callbacks of the connection refer to. */
export function closeConnection(owner: object, connection: PeerConnection, tracks: readonly Track[]): void {
  // Until a track is closed itself, the library holds its callbacks, and by them everything of the call.
  for (const track of tracks) track.close();
  connection.close();
  // The library closes on threads of its own, and its callbacks hold bare pointers to the objects behind ours: these
  // must not be collected before it is done.
  closing.add(owner);
  setTimeout(() => closing.delete(owner), closingMs);
}
