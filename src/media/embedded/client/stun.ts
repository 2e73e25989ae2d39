// Asks STUN servers how the world sees a socket (RFC 8489): the one question that is needed for a server-reflexive
// candidate. TURN servers answer it as well.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";

export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

const cookie = 0x2112_a442;
const headerLength = 20;
const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const xorMappedAddress = 0x0020;
/** When the question is sent (again), in ms from the beginning (RFC 8489 s6.2.1, RTO of 500 ms). */
const sendAtMs = [0, 500, 1500];

/** As the first server sees it that answers within `timeoutMs`; undefined if none does. */
export async function mappedAddress(
  socket: Socket,
  servers: readonly { readonly hostname: string; readonly port: number }[],
  timeoutMs: number,
): Promise<TransportAddress | undefined> {
  if (servers.length === 0) return undefined;
  const request = Buffer.alloc(headerLength);
  request.writeUInt16BE(bindingRequest, 0);
  request.writeUInt32BE(cookie, 4);
  randomBytes(12).copy(request, 8);
  const timers: NodeJS.Timeout[] = [];
  let hear: ((packet: Buffer) => void) | undefined;
  try {
    return await new Promise((resolve) => {
      hear = (packet) => {
        const mapped = readMapped(packet, request);
        if (mapped !== undefined) resolve(mapped);
      };
      socket.on("message", hear);
      for (const { hostname, port } of servers)
        for (const atMs of sendAtMs) timers.push(setTimeout(() => void ask(socket, request, hostname, port), atMs));
      timers.push(setTimeout(() => resolve(undefined), timeoutMs));
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    if (hear !== undefined) socket.off("message", hear);
  }
}

async function ask(socket: Socket, request: Buffer, hostname: string, port: number): Promise<void> {
  try {
    const isIpv6 = isIPv6(socket.address().address);
    const found = await lookup(hostname, isIpv6 ? { order: "ipv4first" } : { family: 4 });
    const address = isIpv6 && found.family === 4 ? `::ffff:${found.address}` : found.address;
    socket.send(request, port, address, () => undefined);
  } catch {
    // Not found, or the socket was closed meanwhile: then there is one server less.
  }
}

function readMapped(packet: Buffer, request: Buffer): TransportAddress | undefined {
  if (packet.length < headerLength || packet.readUInt16BE(0) !== bindingSuccess) return undefined;
  if (!packet.subarray(4, headerLength).equals(request.subarray(4))) return undefined;
  const end = Math.min(packet.length, headerLength + packet.readUInt16BE(2));
  for (let offset = headerLength; offset + 4 <= end;) {
    const length = packet.readUInt16BE(offset + 2);
    const value = packet.subarray(offset + 4, offset + 4 + length);
    if (packet.readUInt16BE(offset) === xorMappedAddress) return readXorAddress(value, request);
    offset += 4 + length + ((4 - (length % 4)) % 4);
  }
  return undefined;
}

/** Exclusive-ored with the cookie and the transaction id (RFC 8489 s14.2). */
function readXorAddress(value: Buffer, request: Buffer): TransportAddress | undefined {
  const length = value[1] === 1 ? 4 : 16;
  if (value.length < 4 + length) return undefined;
  const port = value.readUInt16BE(2) ^ (cookie >>> 16);
  const octets = Buffer.from(value.subarray(4, 4 + length)).map((octet, index) => octet ^ (request[4 + index] ?? 0));
  if (length === 4) return { address: octets.join("."), port };
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(octets)
      .readUInt16BE(index * 2)
      .toString(16),
  );
  return { address: groups.join(":"), port };
}
