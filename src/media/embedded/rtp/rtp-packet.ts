// The fixed header of an RTP packet (RFC 3550 s5.1), read from and written into the buffer it came in.

export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Where the payload begins (after CSRCs and extension) and ends (before padding). */
  readonly start: number;
  readonly end: number;
}

const rtpHeaderLength = 12;

/** RTCP among RTP on one port: packet types 192 to 223 (RFC 5761 s4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return packet.length >= 8 && type >= 192 && type <= 223;
}

/** Undefined for what is no RTP of version 2, or says it is longer than it is. */
export function readRtp(packet: Buffer): RtpHeader | undefined {
  const first = packet[0] ?? 0;
  const second = packet[1] ?? 0;
  if (packet.length < rtpHeaderLength || first >> 6 !== 2) return undefined;
  let start = rtpHeaderLength + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (start + 4 > packet.length) return undefined;
    start += 4 + 4 * packet.readUInt16BE(start + 2);
  }
  let end = packet.length;
  if ((first & 0x20) !== 0) {
    const padding = packet[packet.length - 1] ?? 0;
    if (padding === 0) return undefined;
    end -= padding;
  }
  if (start > end) return undefined;
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    start,
    end,
  };
}

export interface RtpFields {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** A packet of our own. */
export function writeRtp(fields: RtpFields, payload: Uint8Array): Buffer {
  const packet = Buffer.alloc(rtpHeaderLength + payload.length);
  packet.set(payload, rtpHeaderLength);
  writeHeader(packet, 0, fields);
  return packet;
}

/** Writes a bare header right before the payload and returns header and payload, without CSRCs, extension, padding. */
export function rewriteRtp(packet: Buffer, header: RtpHeader, fields: RtpFields): Buffer {
  const offset = header.start - rtpHeaderLength;
  writeHeader(packet, offset, fields);
  return offset === 0 && header.end === packet.length ? packet : packet.subarray(offset, header.end);
}

function writeHeader(packet: Buffer, offset: number, fields: RtpFields): void {
  packet[offset] = 0x80;
  packet[offset + 1] = (fields.marker ? 0x80 : 0) | fields.payloadType;
  packet.writeUInt16BE(fields.sequence, offset + 2);
  packet.writeUInt32BE(fields.timestamp, offset + 4);
  packet.writeUInt32BE(fields.ssrc, offset + 8);
}
