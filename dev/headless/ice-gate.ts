// A door in front of the ICE library. The peer may check our candidates long before its answer has reached us, and the
// library (node-datachannel 0.33, November 2026) then connects in the middle of taking the answer, before it knows
// whose certificate to expect, and ends the call. So nothing reaches it before the answer is in.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";

const LOOPBACK = "127.0.0.1";
const CHECKS_KEPT = 8;

export interface IceGate {
  /** IPv4 addresses that lead to the gate, with its one port: what is told to the peer. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** From now on packets go through, to and from the library's port on loopback. */
  open(libraryPort: number): void;
  close(): void;
}

/** The library has to be bound to 127.0.0.1. `bindHost`: one address instead of all. */
export async function iceGate(bindHost: string | undefined): Promise<IceGate> {
  const outside = createSocket("udp4");
  outside.bind(0, bindHost ?? "0.0.0.0");
  await once(outside, "listening");
  /** The library sees each of the peer's addresses as a port of loopback. */
  const inside = new Map<string, Socket>();
  /** The peer's first checks: let in when the gate opens, so that nobody waits for them to be sent again. */
  const waiting: (() => void)[] = [];
  let libraryPort: number | undefined;
  let closed = false;

  const letIn = (packet: Buffer, address: string, port: number): void => {
    const key = `${address}:${port}`;
    let socket = inside.get(key);
    if (socket === undefined) {
      socket = createSocket("udp4");
      inside.set(key, socket);
      socket.on("message", (back) => {
        if (!closed) outside.send(back, port, address);
      });
      socket.on("error", () => undefined);
      socket.bind(0, LOOPBACK);
    }
    if (libraryPort !== undefined && !closed) socket.send(packet, libraryPort, LOOPBACK);
  };
  outside.on("message", (packet, { address, port }) => {
    if (libraryPort !== undefined) letIn(packet, address, port);
    else if (waiting.length < CHECKS_KEPT) waiting.push(() => letIn(packet, address, port));
  });
  // A peer that has closed its port (ICMP) is the library's business: its own checks will tell it.
  outside.on("error", () => undefined);

  return {
    addresses: bindHost === undefined ? ownAddresses() : [bindHost],
    port: outside.address().port,
    open(port) {
      libraryPort = port;
      for (const check of waiting.splice(0)) check();
    },
    close() {
      closed = true;
      outside.close();
      for (const socket of inside.values()) socket.close();
    },
  };
}

/** Loopback only where there is nothing else, as a browser does it. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ family, internal }) => family === "IPv4" && !internal);
  return usable.length === 0 ? [LOOPBACK] : usable.map(({ address }) => address);
}
