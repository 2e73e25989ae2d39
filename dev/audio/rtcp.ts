// RTCP as RFC 3550 s6 lays it out: one sender report with CNAME, one BYE, and what the other side's reports say.

const RTCP_SENDER_REPORT = 200;
const RTCP_SOURCE_DESCRIPTION = 202;
const RTCP_BYE = 203;
const SECONDS_1900_TO_1970 = 2_208_988_800;

/** What one source's packets looked like on arrival (s6.4.1). */
export interface ReceptionReport {
  readonly ssrc: number;
  /** Of the packets expected since the last report, in 1/256. */
  readonly fractionLost: number;
  readonly lost: number;
  /** Extended with the number of wraps. */
  readonly highestSequence: number;
  /** In ticks of the RTP clock. */
  readonly jitter: number;
}

export interface SenderReport {
  readonly ssrc: number;
  readonly nowMs: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly reception: ReceptionReport | undefined;
  readonly cname: string;
}

function header(type: number, count: number, words: number): Buffer {
  const bytes = Buffer.alloc(4 * words);
  bytes[0] = 0x80 | count;
  bytes[1] = type;
  bytes.writeUInt16BE(words - 1, 2);
  return bytes;
}

export function encodeSenderReport(report: SenderReport): Buffer {
  const { reception } = report;
  const bytes = header(RTCP_SENDER_REPORT, reception ? 1 : 0, reception ? 13 : 7);
  bytes.writeUInt32BE(report.ssrc, 4);
  bytes.writeUInt32BE((Math.floor(report.nowMs / 1000) + SECONDS_1900_TO_1970) >>> 0, 8);
  bytes.writeUInt32BE(Math.floor(((report.nowMs % 1000) / 1000) * 2 ** 32) >>> 0, 12);
  bytes.writeUInt32BE(report.rtpTimestamp >>> 0, 16);
  bytes.writeUInt32BE(report.packets >>> 0, 20);
  bytes.writeUInt32BE(report.octets >>> 0, 24);
  if (reception !== undefined) {
    bytes.writeUInt32BE(reception.ssrc, 28);
    bytes.writeUInt8(Math.min(255, Math.max(0, reception.fractionLost)), 32);
    bytes.writeIntBE(Math.min(0x7fffff, Math.max(-0x800000, reception.lost)), 33, 3);
    bytes.writeUInt32BE(reception.highestSequence >>> 0, 36);
    bytes.writeUInt32BE(reception.jitter >>> 0, 40);
  }
  return Buffer.concat([bytes, cname(report.ssrc, report.cname)]);
}

function cname(ssrc: number, name: string): Buffer {
  const text = Buffer.from(name, "latin1").subarray(0, 255);
  // Type, length, text, and at least one zero octet up to the next word (s6.5).
  const bytes = header(RTCP_SOURCE_DESCRIPTION, 1, 2 + Math.ceil((2 + text.length + 1) / 4));
  bytes.writeUInt32BE(ssrc, 4);
  bytes[8] = 1;
  bytes[9] = text.length;
  text.copy(bytes, 10);
  return bytes;
}

export function encodeBye(ssrc: number): Buffer {
  const bytes = header(RTCP_BYE, 1, 2);
  bytes.writeUInt32BE(ssrc, 4);
  return bytes;
}

/** Types of the packets in a compound packet, in order; those after a broken one are not read (s A.2). */
export function rtcpTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const next = at + 4 * (bytes.readUInt16BE(at + 2) + 1);
    if ((bytes[at] ?? 0) >> 6 !== 2 || next > bytes.length) break;
    types.push(bytes[at + 1] ?? 0);
    at = next;
  }
  return types;
}
