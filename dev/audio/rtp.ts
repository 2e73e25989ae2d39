// RTP packets as RFC 3550 s5.1 lays them out: enough to build one, and to read one that may be hostile.

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

/** Is this RTCP on an RTP port? RFC 5761 s4: packet types 192 to 223. */
export const isRtcp = (bytes: Uint8Array): boolean => {
  const type = bytes[1] ?? 0;
  return type >= 192 && type <= 223;
};

/** One packet, with neither CSRCs nor an extension. Numbers are taken modulo their width. */
export function encodeRtp(packet: RtpPacket): Uint8Array {
  const bytes = new Uint8Array(12 + packet.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x80;
  bytes[1] = (packet.marker ? 0x80 : 0) | (packet.payloadType & 0x7f);
  view.setUint16(2, packet.sequence & 0xffff);
  view.setUint32(4, packet.timestamp >>> 0);
  view.setUint32(8, packet.ssrc >>> 0);
  bytes.set(packet.payload, 12);
  return bytes;
}

/** The packet in these bytes, without CSRCs, extension and padding; undefined where it is no RTP. */
export function decodeRtp(bytes: Uint8Array): RtpPacket | undefined {
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  if (bytes.length < 12 || first >> 6 !== 2 || isRtcp(bytes)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 12 + 4 * (first & 0x0f);
  if (first & 0x10) {
    if (start + 4 > bytes.length) return undefined;
    start += 4 + 4 * view.getUint16(start + 2);
  }
  const padding = first & 0x20 ? (bytes[bytes.length - 1] ?? 0) : 0;
  const end = bytes.length - padding;
  if (start > end || (first & 0x20 && padding === 0)) return undefined;
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, end),
  };
}
