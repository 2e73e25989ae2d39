// Ports for the parts: on 127.0.0.1, free for UDP and TCP, never given out twice by one process.
// They lie below the range from which the system takes its own (32768 on Linux), so that no
// outgoing connection can sit on a port between its allocation and its use.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const FIRST = 20_000;
const END = 32_000;

// Two runs on one machine begin in different places.
let next = FIRST + ((process.pid * 64) % (END - FIRST));

const udpIsFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: "127.0.0.1", port, exclusive: true }, () => socket.close(() => resolve(true)));
  });

const tcpIsFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });

const isFree = async (port: number): Promise<boolean> => (await udpIsFree(port)) && (await tcpIsFree(port));

/**
 * The first of `count` adjacent free ports; it is even, as RTP wants it (RFC 3550 s11).
 * @throws where no such row of ports is free
 */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < (END - FIRST) / 2; tries += 1) {
    if (next % 2 === 1) next += 1;
    if (next + count > END) next = FIRST;
    const first = next;
    next += count;
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} adjacent free ports between ${FIRST} and ${END}`);
}

/** One free port. */
export const freePort = (): Promise<number> => freePorts(1);
