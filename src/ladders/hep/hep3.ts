// One message as a HEP3 packet (sipcapture's HEP/EEP, version 3): chunks with vendor, type and length, all in network order.
import { addressBytes } from "../address-bytes.ts";

export interface HepPacket {
  readonly source: { readonly address: string; readonly port: number };
  readonly target: { readonly address: string; readonly port: number };
  readonly isUdp: boolean;
  readonly atMs: number;
  readonly microseconds: number;
  /** 1: SIP. 100: a line of a log, here a Matrix event. */
  readonly protocol: 1 | 100;
  readonly captureId: number;
  readonly authKey: string | undefined;
  readonly correlation: string | undefined;
  readonly payload: string;
}

const chunks = {
  family: 0x01,
  transport: 0x02,
  sourceV4: 0x03,
  targetV4: 0x04,
  sourceV6: 0x05,
  targetV6: 0x06,
  sourcePort: 0x07,
  targetPort: 0x08,
  seconds: 0x09,
  microseconds: 0x0a,
  protocol: 0x0b,
  captureId: 0x0c,
  authKey: 0x0e,
  payload: 0x0f,
  correlation: 0x11,
} as const;

const generic = 0x00_00;
/** AF_INET and AF_INET6 of Linux, as collectors expect them. */
const families = { v4: 2, v6: 10 } as const;
/** A packet's length is 16 bits wide. */
const longestPayload = 60_000;

function chunk(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(generic, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(6 + body.length, 4);
  return Buffer.concat([head, body]);
}

function whole(type: number, bytes: 1 | 2 | 4, value: number): Buffer {
  const body = Buffer.alloc(bytes);
  body.writeUIntBE(value, 0, bytes);
  return chunk(type, body);
}

/** Undefined where the addresses are none, or of two families. */
export function hep3(packet: HepPacket): Buffer | undefined {
  const { source, target, isUdp, atMs, microseconds, protocol, captureId, authKey, correlation, payload } = packet;
  const [from, to] = [addressBytes(source.address), addressBytes(target.address)];
  if (from === undefined || to === undefined || from.length !== to.length) return undefined;
  const isV4 = from.length === 4;
  const body = Buffer.concat([
    whole(chunks.family, 1, isV4 ? families.v4 : families.v6),
    whole(chunks.transport, 1, isUdp ? 17 : 6),
    chunk(isV4 ? chunks.sourceV4 : chunks.sourceV6, from),
    chunk(isV4 ? chunks.targetV4 : chunks.targetV6, to),
    whole(chunks.sourcePort, 2, source.port),
    whole(chunks.targetPort, 2, target.port),
    whole(chunks.seconds, 4, Math.floor(atMs / 1000)),
    whole(chunks.microseconds, 4, (Math.floor(atMs) % 1000) * 1000 + microseconds),
    whole(chunks.protocol, 1, protocol),
    whole(chunks.captureId, 4, captureId),
    ...(authKey === undefined ? [] : [chunk(chunks.authKey, Buffer.from(authKey))]),
    ...(correlation === undefined ? [] : [chunk(chunks.correlation, Buffer.from(correlation))]),
    chunk(chunks.payload, Buffer.from(payload).subarray(0, longestPayload)),
  ]);
  const head = Buffer.alloc(6);
  head.write("HEP3", 0, "latin1");
  head.writeUInt16BE(6 + body.length, 4);
  return Buffer.concat([head, body]);
}
