// A door in front of the ICE library (node-datachannel 0.33, November 2026), which has two troubles with a peer that is
// quicker than the news of its answer. Checks that reach it early let it connect in the middle of taking the answer,
// before it knows whose certificate to expect, and the call fails: so none reach it before. And it loses a ClientHello
// that comes before its own check has been answered, and the peer sends the next a second later: so that is kept.
import { createSocket, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { bind } from "../loopback/listen.ts";

const LOOPBACK = "127.0.0.1";
const PACKETS_KEPT = 8;

export interface IceGate {
  /** IPv4 addresses that lead to the gate, with its one port: what is told to the peer. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The answer is in: from now on packets go through, to and from the library's port on loopback. */
  open(libraryPort: number): void;
  /** ICE is connected: from now on DTLS goes through too. */
  connected(): void;
  close(): void;
}

/** The library has to be bound to 127.0.0.1. `bindHost`: one address instead of all. */
export async function iceGate(bindHost: string | undefined): Promise<IceGate> {
  const outside = createSocket("udp4");
  await bind(outside, 0, bindHost ?? "0.0.0.0");
  /** The library sees each of the peer's addresses as a port of loopback. */
  const inside = new Map<string, Socket>();
  const earlyChecks: (() => void)[] = [];
  const earlyDtls: (() => void)[] = [];
  let isConnected = false;
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
    const pass = (): void => letIn(packet, address, port);
    const held = isDtls(packet) && !isConnected ? earlyDtls : libraryPort === undefined ? earlyChecks : undefined;
    if (held === undefined) pass();
    else if (held.length < PACKETS_KEPT) held.push(pass);
  });
  // A peer that has closed its port (ICMP) is the library's business: its own checks will tell it.
  outside.on("error", () => undefined);

  return {
    addresses: bindHost === undefined ? ownAddresses() : [bindHost],
    port: outside.address().port,
    open(port) {
      libraryPort = port;
      for (const pass of earlyChecks.splice(0)) pass();
    },
    connected() {
      isConnected = true;
      for (const pass of earlyDtls.splice(0)) pass();
    },
    close() {
      closed = true;
      outside.close();
      for (const socket of inside.values()) socket.close();
    },
  };
}

/** RFC 7983 s7. */
const isDtls = (packet: Buffer): boolean => (packet[0] ?? 0) >= 20 && (packet[0] ?? 0) <= 63;

/** Loopback only where there is nothing else, as a browser does it. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ family, internal }) => family === "IPv4" && !internal);
  return usable.length === 0 ? [LOOPBACK] : usable.map(({ address }) => address);
}
