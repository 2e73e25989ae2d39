// Whether anybody listens at a UDP port. Errors that ICMP brings are kept from a socket that talks to many, so a
// second one asks: it is connected to the port, and the system tells it.
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Endpoint } from "./target.ts";

/** What every SIP server passes over (RFC 3261 s7.5). */
const EMPTY_LINES = Buffer.from("\r\n\r\n");

/** True: the machine says that nothing listens there (ICMP port unreachable). False: it says nothing within `withinMs`. */
export function portRefused(target: Endpoint, localHost: string, withinMs: number): Promise<boolean> {
  const socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
  socket.unref();
  return new Promise((resolve) => {
    const end = (refused: boolean): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      // A second error would have no listener.
      socket.on("error", () => {});
      socket.close();
      resolve(refused);
    };
    const timer = setTimeout(() => end(false), withinMs);
    timer.unref();
    socket.once("error", (error) => end("code" in error && error.code === "ECONNREFUSED"));
    socket.once("connect", () => socket.send(EMPTY_LINES));
    const ask = (): void => socket.connect(target.port, target.address);
    // From the trunk's own address, which may be the only one that the server's firewall knows.
    if (isIPv6(localHost) === isIPv6(target.address)) socket.bind(0, localHost, ask);
    else ask();
  });
}
