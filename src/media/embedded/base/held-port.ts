// A UDP port for ICE, from the configured range. libdatachannel ends the process where its range has none left, so a port is
// bound here first, and the library is given that one alone.
import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { WorkerSettings } from "./settings.ts";

/** Enough for every range that is full but for a few, and soon over where all is taken. */
const maxPortTries = 1000;

/** Bound, until it is closed, which lets go of the port at once. Throws if no port is free. */
export async function holdPort({ bindHost, portMin, portMax }: WorkerSettings["ice"]): Promise<Socket> {
  const hosts = bindHost === undefined ? ["::", "0.0.0.0"] : [bindHost];
  const isRange = portMin !== undefined || portMax !== undefined;
  const ports = isRange ? portsOf(portMin ?? 1024, portMax ?? 65_535) : [0];
  for (const host of hosts) {
    for (const port of ports) {
      const socket = await bound(host, port);
      if (socket !== undefined) return socket;
    }
  }
  throw new Error("no port is free for ICE");
}

/** For a connection that is made at once; undefined: any, as there is no range. Throws if no port is free. */
export async function freePort(ice: WorkerSettings["ice"]): Promise<number | undefined> {
  if (ice.portMin === undefined && ice.portMax === undefined) return undefined;
  const held = await holdPort(ice);
  const { port } = held.address();
  held.close();
  return port;
}

/** One after the other, from one that nobody foresees. */
function portsOf(min: number, max: number): number[] {
  const count = max - min + 1;
  const start = randomInt(count);
  return Array.from({ length: Math.min(count, maxPortTries) }, (_, index) => min + ((start + index) % count));
}

async function bound(host: string, port: number): Promise<Socket | undefined> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  return new Promise((resolve) => {
    socket.once("error", () => resolve(undefined));
    socket.bind(port, host, () => {
      socket.removeAllListeners("error");
      // ICMP errors of a STUN server come as errors of the socket.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}
