// SIP messages as the IP packets that they could have been: addresses, ports and checksums are right. What went over TLS or a
// WebSocket is in TCP packets without it.
import { addressBytes } from "../../ladders/address-bytes.ts";

export interface Flight {
  /** `192.0.2.1:5060` or `[2001:db8::1]:5060`. */
  readonly from: string;
  readonly to: string;
  readonly isUdp: boolean;
  readonly payload: Buffer;
}

interface Place {
  readonly address: Buffer;
  readonly port: number;
}

const ipv4Header = 20;
const ipv6Header = 40;
const udp = { number: 17, header: 8 };
const tcp = { number: 6, header: 20 };
const hopLimit = 64;
/** PSH and ACK. */
const flags = 0x18;
const window = 65_535;

/** Undefined: it has no address that can stand in a packet. */
function placeOf(text: string): Place | undefined {
  const [, v6, v4, port = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = addressBytes(v6 ?? v4 ?? "");
  return address && { address, port: Number(port) };
}

function sumOf(bytes: Buffer, start = 0): number {
  let sum = start;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  return bytes.length % 2 === 0 ? sum : sum + (bytes.at(-1) ?? 0) * 256;
}

/** RFC 1071. */
function checksum(sum: number): number {
  let folded = sum;
  while (folded > 0xff_ff) folded = (folded & 0xff_ff) + Math.floor(folded / 0x1_00_00);
  return ~folded & 0xff_ff;
}

/** Where each direction of each connection is. */
export class Packets {
  readonly #sequences = new Map<string, number>();

  /** An IP packet; undefined where an address is not known. */
  packet({ from, to, isUdp, payload }: Flight): Buffer | undefined {
    const [source, target] = [placeOf(from), placeOf(to)];
    if (source?.address.length !== target?.address.length || source === undefined || target === undefined)
      return undefined;
    const kind = isUdp ? udp : tcp;
    const segment = Buffer.concat([Buffer.alloc(kind.header), payload]);
    segment.writeUInt16BE(source.port, 0);
    segment.writeUInt16BE(target.port, 2);
    if (isUdp) segment.writeUInt16BE(segment.length, 4);
    else {
      segment.writeUInt32BE(this.#next(`${from} ${to}`, payload.length), 4);
      segment.writeUInt32BE(this.#next(`${to} ${from}`, 0), 8);
      segment.writeUInt8((tcp.header / 4) << 4, 12);
      segment.writeUInt8(flags, 13);
      segment.writeUInt16BE(window, 14);
    }
    // The pseudo-header of RFC 768, RFC 9293 and RFC 8200 s8.1.
    const pseudo = sumOf(source.address, sumOf(target.address, kind.number + segment.length));
    const sum = checksum(sumOf(segment, pseudo));
    segment.writeUInt16BE(isUdp && sum === 0 ? 0xff_ff : sum, isUdp ? 6 : 16);
    const isV4 = source.address.length === 4;
    return Buffer.concat([
      isV4 ? ipv4(source, target, kind.number, segment) : ipv6(source, target, kind.number, segment),
      segment,
    ]);
  }

  /** The sequence number of what is sent now. */
  #next(direction: string, length: number): number {
    const now = this.#sequences.get(direction) ?? 1;
    this.#sequences.set(direction, (now + length) % 2 ** 32);
    return now;
  }
}

function ipv4(source: Place, target: Place, protocol: number, { length }: Buffer): Buffer {
  const header = Buffer.alloc(ipv4Header);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(ipv4Header + length, 2);
  // Not to be fragmented.
  header.writeUInt16BE(0x40_00, 6);
  header.writeUInt8(hopLimit, 8);
  header.writeUInt8(protocol, 9);
  source.address.copy(header, 12);
  target.address.copy(header, 16);
  header.writeUInt16BE(checksum(sumOf(header)), 10);
  return header;
}

function ipv6(source: Place, target: Place, protocol: number, { length }: Buffer): Buffer {
  const header = Buffer.alloc(ipv6Header);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(hopLimit, 7);
  source.address.copy(header, 8);
  target.address.copy(header, 24);
  return header;
}
