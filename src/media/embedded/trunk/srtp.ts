// SRTP and SRTCP with AES in counter mode and HMAC-SHA1 (RFC 3711, keys from RFC 4568), one context per direction.
// The ciphers are node:crypto's; AES runs as ECB over counter blocks, because that cipher object can be kept
// (2 us a packet instead of 4 for a new AES-CTR one).
import {
  createCipheriv,
  createHmac,
  createSecretKey,
  timingSafeEqual,
  type Cipheriv,
  type KeyObject,
} from "node:crypto";
import type { SrtpSuite } from "../../../core/sdp/crypto-attribute.ts";
import { readRtp } from "../rtp/rtp-packet.ts";
import type { SrtpMark } from "./dialog-media.ts";

const keyLength = 16;
const saltLength = 14;
const masterLength = keyLength + saltLength;
/** SRTCP keeps the long tag in both suites (RFC 4568 s6.2). */
const srtcpTagLength = 10;
const indexLength = 4;
const windowSize = 64;
const maxStreams = 8;

/** Key derivation labels (RFC 3711 s4.3.1, s4.3.2). */
const labels = { srtp: [0, 1, 2], srtcp: [3, 4, 5] } as const;

/** AES-CM keystream of one session key. */
class Keystream {
  readonly #cipher: Cipheriv;
  #blocks = Buffer.alloc(0);

  constructor(key: Buffer) {
    this.#cipher = createCipheriv("aes-128-ecb", createSecretKey(key), null).setAutoPadding(false);
  }

  /** XORs `data` in place; `iv` is 14 octets and a zero block counter (RFC 3711 s4.1.1). */
  apply(iv: Buffer, data: Buffer): void {
    const count = Math.ceil(data.length / 16);
    if (this.#blocks.length < count * 16) this.#blocks = Buffer.alloc(count * 16);
    for (let block = 0; block < count; block += 1) {
      iv.copy(this.#blocks, block * 16, 0, 14);
      this.#blocks.writeUInt16BE(block, block * 16 + 14);
    }
    const stream = this.#cipher.update(this.#blocks.subarray(0, count * 16));
    for (let index = 0; index < data.length; index += 1) data[index] = (data[index] ?? 0) ^ (stream[index] ?? 0);
  }
}

/** Session keys of SRTP or SRTCP. Exported for the vectors of RFC 3711 B.3. */
export function deriveKey(master: Buffer, label: number, length: number): Buffer {
  // With a key derivation rate of zero the index is out of it, and the label meets octet 7 of the salt.
  const iv = Buffer.alloc(14);
  master.copy(iv, 0, keyLength, masterLength);
  iv[7] = (iv[7] ?? 0) ^ label;
  const derived = Buffer.alloc(length);
  new Keystream(master.subarray(0, keyLength)).apply(iv, derived);
  return derived;
}

class SessionKeys {
  readonly keystream: Keystream;
  readonly #authentication: KeyObject;
  readonly #salt: Buffer;
  readonly #iv = Buffer.alloc(14);

  constructor(master: Buffer, [encryption, authentication, salt]: readonly [number, number, number]) {
    this.keystream = new Keystream(deriveKey(master, encryption, keyLength));
    this.#authentication = createSecretKey(deriveKey(master, authentication, 20));
    this.#salt = deriveKey(master, salt, saltLength);
  }

  /** Salt, SSRC and packet index, exclusive-ored (RFC 3711 s4.1.1). `index` below 2^48. */
  iv(ssrc: number, index: number): Buffer {
    const iv = this.#iv;
    this.#salt.copy(iv);
    iv.writeUInt32BE((iv.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    iv.writeUInt32BE((iv.readUInt32BE(8) ^ Math.floor(index / 0x1_0000)) >>> 0, 8);
    iv.writeUInt16BE(iv.readUInt16BE(12) ^ (index & 0xffff), 12);
    return iv;
  }

  tag(data: Buffer, tail: Buffer, length: number): Buffer {
    return createHmac("sha1", this.#authentication).update(data).update(tail).digest().subarray(0, length);
  }
}

const allSeen = BigInt.asUintN(windowSize, -1n);

/** Which indices of a stream were seen already (RFC 3711 s3.3.2). */
class ReplayWindow {
  /** -1: nothing yet. */
  highest: number;
  #seen: bigint;

  /** After `highest`, of which all before counts as seen. */
  constructor(highest = -1) {
    this.highest = highest;
    this.#seen = highest < 0 ? 0n : allSeen;
  }

  isFresh(index: number): boolean {
    const behind = this.highest - index;
    return behind < 0 || (behind < windowSize && ((this.#seen >> BigInt(behind)) & 1n) === 0n);
  }

  mark(index: number): void {
    const ahead = index - this.highest;
    if (ahead > 0) {
      const kept = ahead >= windowSize ? 0n : this.#seen << BigInt(ahead);
      this.#seen = BigInt.asUintN(windowSize, kept | 1n);
      this.highest = index;
    } else this.#seen |= 1n << BigInt(-ahead);
  }
}

/** The likely 48-bit index of a packet, from what came before (RFC 3711 s3.3.1, appendix A). */
function estimateIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence;
  const rollover = Math.floor(highest / 0x1_0000);
  const last = highest & 0xffff;
  let guess = rollover;
  if (last < 0x8000 && sequence - last > 0x8000) guess -= 1;
  else if (last >= 0x8000 && last - 0x8000 > sequence) guess += 1;
  return Math.max(0, guess) * 0x1_0000 + sequence;
}

export class SrtpContext {
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #tagLength: number;
  readonly #mkiLength: number;
  readonly #windows = new Map<number, ReplayWindow>();
  readonly #rtcpWindows = new Map<number, ReplayWindow>();
  readonly #rollover = Buffer.alloc(4);
  #rtcpIndex = 0;

  /**
   * `master`: 16 octets of key and 14 of salt. `mkiLength`: octets before the tag in which the peer names the key (RFC 3711
   * s3.1); with one key there is nothing to choose by them. Ours are never named.
   */
  constructor(suite: SrtpSuite, master: Buffer, mkiLength = 0) {
    this.#mkiLength = mkiLength;
    this.#rtp = new SessionKeys(master, labels.srtp);
    this.#rtcp = new SessionKeys(master, labels.srtcp);
    this.#tagLength = suite === "AES_CM_128_HMAC_SHA1_32" ? 4 : 10;
  }

  /** How far both directions of its streams have come. */
  get mark(): SrtpMark {
    return { rtp: highestOf(this.#windows), rtcp: highestOf(this.#rtcpWindows), sentRtcp: this.#rtcpIndex };
  }

  /** Goes on after what another context with the same key has sent and heard. */
  resume({ rtp, rtcp, sentRtcp }: SrtpMark): void {
    for (const [ssrc, index] of rtp) this.#windows.set(ssrc, new ReplayWindow(index));
    for (const [ssrc, index] of rtcp) this.#rtcpWindows.set(ssrc, new ReplayWindow(index));
    this.#rtcpIndex = sentRtcp;
  }

  /** Encrypts a well-formed RTP packet of ours. */
  protectRtp(packet: Buffer): Buffer {
    const header = readRtp(packet);
    if (header === undefined) throw new RangeError("not an RTP packet");
    const window = windowOf(this.#windows, header.ssrc);
    const index = estimateIndex(window.highest, header.sequence);
    window.mark(index);
    const sealed = Buffer.allocUnsafe(packet.length + this.#tagLength);
    packet.copy(sealed);
    const body = sealed.subarray(0, packet.length);
    this.#rtp.keystream.apply(this.#rtp.iv(header.ssrc, index), body.subarray(header.start));
    this.#rollover.writeUInt32BE(Math.floor(index / 0x1_0000) >>> 0);
    this.#rtp.tag(body, this.#rollover, this.#tagLength).copy(sealed, packet.length);
    return sealed;
  }

  /** The packet in the clear, in its own buffer; undefined if it is forged, replayed or no SRTP. */
  openRtp(packet: Buffer): Buffer | undefined {
    const length = packet.length - this.#tagLength - this.#mkiLength;
    if (length < 12) return undefined;
    const ssrc = packet.readUInt32BE(8);
    const known = this.#windows.get(ssrc);
    const window = known ?? new ReplayWindow();
    let index = estimateIndex(window.highest, packet.readUInt16BE(2));
    if (!window.isFresh(index)) return undefined;
    const body = packet.subarray(0, length);
    const tag = packet.subarray(length + this.#mkiLength);
    if (!this.#isSigned(body, tag, index)) {
      // A stream that began before we had its key, or was lost for a while at its beginning, may have rolled over already.
      index += 0x1_0000;
      if (known !== undefined || !this.#isSigned(body, tag, index)) return undefined;
    }
    // Padding is encrypted too, so the header is read as if there were none.
    const start = payloadStart(body);
    if (start === undefined) return undefined;
    this.#rtp.keystream.apply(this.#rtp.iv(ssrc, index), body.subarray(start));
    window.mark(index);
    if (known === undefined) keep(this.#windows, ssrc, window);
    return body;
  }

  #isSigned(body: Buffer, tag: Buffer, index: number): boolean {
    this.#rollover.writeUInt32BE(Math.floor(index / 0x1_0000) >>> 0);
    return timingSafeEqual(this.#rtp.tag(body, this.#rollover, this.#tagLength), tag);
  }

  /** Encrypts a compound RTCP packet of ours (RFC 3711 s3.4). */
  protectRtcp(packet: Buffer): Buffer {
    this.#rtcpIndex = (this.#rtcpIndex + 1) & 0x7fff_ffff;
    const sealed = Buffer.allocUnsafe(packet.length + indexLength + srtcpTagLength);
    packet.copy(sealed);
    const iv = this.#rtcp.iv(packet.readUInt32BE(4), this.#rtcpIndex);
    this.#rtcp.keystream.apply(iv, sealed.subarray(8, packet.length));
    sealed.writeUInt32BE((this.#rtcpIndex | 0x8000_0000) >>> 0, packet.length);
    const signed = sealed.subarray(0, packet.length + indexLength);
    this.#rtcp.tag(signed, noTail, srtcpTagLength).copy(sealed, packet.length + indexLength);
    return sealed;
  }

  openRtcp(packet: Buffer): Buffer | undefined {
    const length = packet.length - indexLength - this.#mkiLength - srtcpTagLength;
    if (length < 8) return undefined;
    const signed = packet.subarray(0, length + indexLength);
    const tag = packet.subarray(packet.length - srtcpTagLength);
    if (!timingSafeEqual(this.#rtcp.tag(signed, noTail, srtcpTagLength), tag)) return undefined;
    const word = packet.readUInt32BE(length);
    const index = word & 0x7fff_ffff;
    const ssrc = packet.readUInt32BE(4);
    const known = this.#rtcpWindows.get(ssrc);
    const window = known ?? new ReplayWindow();
    if (!window.isFresh(index)) return undefined;
    window.mark(index);
    if (known === undefined) keep(this.#rtcpWindows, ssrc, window);
    const body = packet.subarray(0, length);
    if (word >= 0x8000_0000) this.#rtcp.keystream.apply(this.#rtcp.iv(ssrc, index), body.subarray(8));
    return body;
  }
}

const noTail = Buffer.alloc(0);

function payloadStart(packet: Buffer): number | undefined {
  const first = packet[0] ?? 0;
  if (first >> 6 !== 2) return undefined;
  let start = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) start += start + 4 > packet.length ? packet.length : 4 + 4 * packet.readUInt16BE(start + 2);
  return start > packet.length ? undefined : start;
}

function highestOf(windows: ReadonlyMap<number, ReplayWindow>): [number, number][] {
  return [...windows].map(([ssrc, { highest }]) => [ssrc, highest]);
}

function windowOf(windows: Map<number, ReplayWindow>, ssrc: number): ReplayWindow {
  const window = windows.get(ssrc) ?? new ReplayWindow();
  keep(windows, ssrc, window);
  return window;
}

/** A peer that keeps changing its SSRC costs no memory: the oldest stream goes. */
function keep(windows: Map<number, ReplayWindow>, ssrc: number, window: ReplayWindow): void {
  windows.set(ssrc, window);
  if (windows.size <= maxStreams) return;
  const oldest = windows.keys().next().value;
  if (oldest !== undefined) windows.delete(oldest);
}
