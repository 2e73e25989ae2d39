// RTCP (RFC 3550 s6): the compound packets we send on each leg, and the little we need of those that come.
// Reports are made here and not passed through: each leg is told how it is heard by us, under numbers it knows.
import type { ReceptionReport } from "./reception-stats.ts";

const packetTypes = { sender: 200, receiver: 201, description: 202, bye: 203 } as const;
/** Seconds from 1900 to 1970 (RFC 3550 s4). */
const ntpEpochSeconds = 2_208_988_800;

/** What a sender has sent until now. */
export interface SenderInfo {
  readonly nowMs: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** A report on what came, with the last sender report of that source (RFC 3550 s6.4.1, LSR and DLSR). */
export interface ReceptionBlock extends ReceptionReport {
  readonly lastSenderReport: number;
  /** In units of 1/65536 s. */
  readonly delay: number;
}

/** SR where something was sent, RR otherwise, and the CNAME that has to come with it. */
export function reportPacket(
  ssrc: number,
  cname: string,
  sender: SenderInfo | undefined,
  block: ReceptionBlock | undefined,
): Buffer {
  return Buffer.concat([
    sender === undefined ? receiverReport(ssrc, block) : senderReport(ssrc, sender, block),
    description(ssrc, cname),
  ]);
}

/** The last packet of a stream (RFC 3550 s6.6), after a report as every compound has to begin with one. */
export function byePacket(ssrc: number, cname: string): Buffer {
  const bye = Buffer.alloc(8);
  head(bye, 1, packetTypes.bye);
  bye.writeUInt32BE(ssrc, 4);
  return Buffer.concat([receiverReport(ssrc, undefined), description(ssrc, cname), bye]);
}

/** What matters to us in a peer's compound packet. */
export interface RtcpNews {
  /** Middle 32 bits of the NTP timestamp of a sender report, by the sender's SSRC. */
  readonly senderReports: readonly { readonly ssrc: number; readonly middleNtp: number }[];
  /** How the peer hears others. */
  readonly blocks: readonly HeardBlock[];
  readonly isBye: boolean;
}

/** One report block of a peer. */
export interface HeardBlock {
  /** Whom it hears. */
  readonly ssrc: number;
  /** Lost since its report before, of 256. */
  readonly fraction: number;
  /** In units of the RTP timestamp. */
  readonly jitter: number;
  /** The middle of the NTP timestamp of the last sender report that it has had; 0: none. */
  readonly lastSenderReport: number;
  /** Since then, in units of 1/65536 s. */
  readonly delay: number;
}

/** Reads a compound packet up to the first part that is not as long as it says. */
export function readRtcp(packet: Buffer): RtcpNews {
  const senderReports: { ssrc: number; middleNtp: number }[] = [];
  const heard: HeardBlock[] = [];
  let isBye = false;
  for (let offset = 0; offset + 4 <= packet.length;) {
    const length = 4 + 4 * packet.readUInt16BE(offset + 2);
    if ((packet[offset] ?? 0) >> 6 !== 2 || offset + length > packet.length) break;
    const type = packet[offset + 1];
    if (type === packetTypes.sender && length >= 28)
      senderReports.push({ ssrc: packet.readUInt32BE(offset + 4), middleNtp: packet.readUInt32BE(offset + 10) });
    if (type === packetTypes.bye) isBye = true;
    const blocks = type === packetTypes.sender ? 28 : type === packetTypes.receiver ? 8 : length;
    for (let block = offset + blocks; block + 24 <= offset + length; block += 24)
      heard.push({
        ssrc: packet.readUInt32BE(block),
        fraction: packet[block + 4] ?? 0,
        jitter: packet.readUInt32BE(block + 12),
        lastSenderReport: packet.readUInt32BE(block + 16),
        delay: packet.readUInt32BE(block + 20),
      });
    offset += length;
  }
  return { senderReports, blocks: heard, isBye };
}

/** The timestamp of our sender reports (RFC 3550 s4). */
function ntpOf(nowMs: number): { readonly seconds: number; readonly fraction: number } {
  const seconds = Math.floor(nowMs / 1000);
  const fraction = Math.floor(((nowMs / 1000 - seconds) * 0x1_0000_0000) % 0x1_0000_0000);
  return { seconds: (seconds + ntpEpochSeconds) >>> 0, fraction };
}

/** Longer than any call that is still one. */
const longestTripMs = 10_000;

/** To the peer and back (RFC 3550 s6.4.1); undefined: it has had no report of ours, or what it says cannot be. */
export function roundTripMs({ lastSenderReport, delay }: HeardBlock, nowMs: number): number | undefined {
  if (lastSenderReport === 0) return undefined;
  const { seconds, fraction } = ntpOf(nowMs);
  const middle = ((seconds & 0xffff) * 0x1_0000 + (fraction >>> 16)) >>> 0;
  // Modulo 2^32, and a little below zero where both clocks round.
  const trip = (((middle - lastSenderReport - delay) | 0) * 1000) / 65_536;
  if (trip < -5 || trip > longestTripMs) return undefined;
  return Math.max(0, Math.round(trip * 10) / 10);
}

function head(packet: Buffer, count: number, type: number): void {
  packet[0] = 0x80 | count;
  packet[1] = type;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
}

function senderReport(ssrc: number, sender: SenderInfo, block: ReceptionBlock | undefined): Buffer {
  const packet = Buffer.alloc(block === undefined ? 28 : 52);
  head(packet, block === undefined ? 0 : 1, packetTypes.sender);
  packet.writeUInt32BE(ssrc, 4);
  const { seconds, fraction } = ntpOf(sender.nowMs);
  packet.writeUInt32BE(seconds, 8);
  packet.writeUInt32BE(fraction, 12);
  packet.writeUInt32BE(sender.rtpTimestamp, 16);
  packet.writeUInt32BE(sender.packets >>> 0, 20);
  packet.writeUInt32BE(sender.octets >>> 0, 24);
  if (block !== undefined) writeBlock(packet, 28, block);
  return packet;
}

function receiverReport(ssrc: number, block: ReceptionBlock | undefined): Buffer {
  const packet = Buffer.alloc(block === undefined ? 8 : 32);
  head(packet, block === undefined ? 0 : 1, packetTypes.receiver);
  packet.writeUInt32BE(ssrc, 4);
  if (block !== undefined) writeBlock(packet, 8, block);
  return packet;
}

function writeBlock(packet: Buffer, offset: number, block: ReceptionBlock): void {
  packet.writeUInt32BE(block.ssrc, offset);
  packet[offset + 4] = block.fractionLost;
  packet.writeIntBE(block.cumulativeLost, offset + 5, 3);
  packet.writeUInt32BE(block.highestSequence, offset + 8);
  packet.writeUInt32BE(block.jitter >>> 0, offset + 12);
  packet.writeUInt32BE(block.lastSenderReport, offset + 16);
  packet.writeUInt32BE(block.delay >>> 0, offset + 20);
}

/** One chunk with a CNAME item, closed by at least one zero octet (RFC 3550 s6.5). */
function description(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, "ascii");
  const packet = Buffer.alloc(4 + 4 * Math.ceil((4 + 2 + name.length + 1) / 4));
  head(packet, 1, packetTypes.description);
  packet.writeUInt32BE(ssrc, 4);
  packet[8] = 1;
  packet[9] = name.length;
  name.copy(packet, 10);
  return packet;
}
