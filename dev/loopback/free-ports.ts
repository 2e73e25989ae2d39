// Ports of 127.0.0.1 for programs that have to be told their port before they take it. They lie outside of what the
// system gives to connections (from 32768 on Linux) and of the bridge's RTP (20000 to 29999 unless configured), and come
// in blocks: a block belongs to the process that listens on its first port, until that process ends.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { bind, listen } from "./listen.ts";

// `fetch` and browsers refuse 10080 (https://fetch.spec.whatwg.org/#port-blocking).
const FIRST = 10_200;
const BLOCK = 200;
const BLOCKS = 49;

// What an earlier process has just left may not be free yet: this one begins elsewhere.
let block = process.pid % BLOCKS;
let next = 0;
let end = 0;

let previous: Promise<unknown> = Promise.resolve();

/**
 * The first of `count` adjacent ports, at most 198, that nobody has for UDP or TCP and that no other call here gets. It is
 * even, as RTP wants it (RFC 3550 s11), and nobody gets the one after a single port: some take it for SIP over TLS.
 * Rejects where there is no such row.
 */
export function freePorts(count: number): Promise<number> {
  const row = previous.then(() => nextRow(count));
  previous = row.catch(() => undefined);
  return row;
}

export const freePort = (): Promise<number> => freePorts(1);

async function nextRow(count: number): Promise<number> {
  for (let tries = 0; tries < BLOCKS * 2; tries += 1) {
    const first = next + (next % 2);
    if (first + count > end) await claimBlock();
    else {
      next = first + count;
      const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
      if (free.every(Boolean)) return first;
    }
  }
  throw new Error(`no ${count} adjacent ports are free between ${FIRST} and ${FIRST + BLOCK * BLOCKS}`);
}

async function claimBlock(): Promise<void> {
  block = (block + 1) % BLOCKS;
  const first = FIRST + block * BLOCK;
  const guard = createServer().unref();
  try {
    await listen(guard, first);
  } catch {
    return;
  }
  next = first + 1;
  end = first + BLOCK;
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const server = createServer();
  const taken = await Promise.allSettled([bind(socket, port), listen(server, port)]);
  socket.close();
  server.close();
  return taken.every(({ status }) => status === "fulfilled");
}
