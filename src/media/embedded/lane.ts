// One direction of a call's audio, packet by packet: read, counted, renumbered into one continuous stream, sent on.
// Runs 50 times a second and call, so it works in the buffer the packet came in.
import { TokenBucket } from "../../core/policy/token-bucket.ts";
import type { Crossing } from "../../core/sdp/agreement.ts";
import type { Digit } from "./digit-listener.ts";
import { DigitListener } from "./digit-listener.ts";
import { KeySender, type Key, type KeyFormat } from "./key-sender.ts";
import { Reception } from "./reception.ts";
import { readRtp, rewriteRtp, writeRtp, type RtpHeader } from "./rtp-packet.ts";
import { Splice, type SpliceStart } from "./splice.ts";

export interface LaneExit {
  /** False: there is nowhere to send it yet. */
  send(packet: Buffer): boolean;
  /** `isRelayed`: it goes on to the other side as it came. */
  digit(digit: Digit, isRelayed: boolean): void;
}

/** What our stream has carried, for sender reports (RFC 3550 s6.4.1). */
export interface Sent {
  readonly packets: number;
  readonly octets: number;
}

/** Keys that are told of: faster than any dialler, which takes 80 ms for each (ITU-T Q.24). */
const keysTold = { perSecond: 15, atOnce: 64 };

export class Lane {
  /** Of the one stream this lane sends, for the life of the session. */
  readonly ssrc: number;
  readonly reception = new Reception();
  readonly #exit: LaneExit;
  readonly #splice: Splice;
  readonly #digits = new DigitListener();
  readonly #told = new TokenBucket(keysTold.perSecond, keysTold.atOnce);
  readonly #keys: KeySender;
  #crossings: ReadonlyMap<number, Crossing> = new Map();
  #isOpen = false;
  #clockRate = 8000;
  #sentPackets = 0;
  #sentOctets = 0;
  #malformed = 0;

  constructor(ssrc: number, start: SpliceStart, exit: LaneExit) {
    this.ssrc = ssrc;
    this.#splice = new Splice(start);
    this.#exit = exit;
    this.#keys = new KeySender({
      begin: (nowMs) => this.timestampAt(nowMs),
      send: (payloadType, marker, timestamp, payload) => {
        const fields = { payloadType, marker, sequence: this.#splice.insert(), timestamp, ssrc };
        this.#send(writeRtp(fields, payload), payload.length);
      },
      end: (timestamp, durationMs, nowMs) =>
        this.#splice.reached(timestamp + Math.round((durationMs * this.#clockRate) / 1000), nowMs),
    });
  }

  get sent(): Sent {
    return { packets: this.#sentPackets, octets: this.#sentOctets };
  }

  /** Packets that were no RTP, or our own. */
  get malformed(): number {
    return this.#malformed;
  }

  /** What may pass, whether it may now (hold), and how keys of our own are told, if they are. */
  agree(crossings: ReadonlyMap<number, Crossing>, isOpen: boolean, keys: KeyFormat | undefined): void {
    this.#keys.retune(keys);
    this.#crossings = crossings;
    this.#isOpen = isOpen;
    for (const { isEvent, toClockRate } of crossings.values()) {
      if (isEvent) continue;
      this.#clockRate = toClockRate;
      break;
    }
  }

  /** A key of our own takes the place of what else is in the stream while it lasts, also on hold. */
  press(key: Key, nowMs: number): boolean {
    return this.#keys.press(key, nowMs);
  }

  close(): void {
    this.#keys.close();
  }

  timestampAt(nowMs: number): number {
    return this.#splice.timestampAt(nowMs, this.#clockRate);
  }

  packet(packet: Buffer, nowMs: number): void {
    const header = readRtp(packet);
    // What this lane has sent comes back to it only where an SDP named the port of the session's other end: such a packet
    // would go round for ever (RFC 3550 s8.2).
    if (header === undefined || header.ssrc === this.ssrc) {
      this.#malformed += 1;
      return;
    }
    const crossing = this.#crossings.get(header.payloadType);
    const timed = crossing === undefined || crossing.isEvent ? undefined : crossing.fromClockRate;
    const { ssrc, sequence, timestamp, start, end } = header;
    this.reception.packet(ssrc, sequence, timestamp, end - start, timed, nowMs);
    // Comfort noise, redundancy and everything that was not agreed on both sides ends here.
    if (crossing === undefined || !this.#isOpen || start === end) this.#splice.skip(ssrc, sequence);
    else if (!crossing.isRelayed) this.#hear(packet, header, crossing, nowMs);
    else if (this.#keys.isBusy) this.#splice.skip(ssrc, sequence);
    else this.#forward(packet, header, crossing, nowMs);
  }

  #forward(packet: Buffer, header: RtpHeader, crossing: Crossing, nowMs: number): void {
    const { ssrc, sequence, timestamp, start, end } = header;
    if (!crossing.isEvent) this.#clockRate = crossing.toClockRate;
    const place = this.#splice.place(ssrc, sequence, timestamp, this.#clockRate, nowMs);
    if (place === undefined) return;
    if (crossing.isEvent) this.#event(packet.subarray(start, end), timestamp, crossing, nowMs);
    const sent = rewriteRtp(packet, header, {
      payloadType: crossing.payloadType,
      marker: header.marker || place.isFirst,
      sequence: place.sequence,
      timestamp: place.timestamp,
      ssrc: this.ssrc,
    });
    this.#send(sent, end - start);
  }

  #send(packet: Buffer, octets: number): void {
    if (!this.#exit.send(packet)) return;
    this.#sentPackets += 1;
    this.#sentOctets += octets;
  }

  /** A key that the other side does not take as an event. */
  #hear(packet: Buffer, header: RtpHeader, crossing: Crossing, nowMs: number): void {
    const { ssrc, sequence, timestamp, start, end } = header;
    this.#splice.skip(ssrc, sequence);
    this.#event(packet.subarray(start, end), timestamp, crossing, nowMs);
  }

  #event(payload: Buffer, timestamp: number, crossing: Crossing, nowMs: number): void {
    const { fromClockRate, toClockRate, isRelayed } = crossing;
    for (const digit of this.#digits.packet(timestamp, payload, fromClockRate))
      if (this.#told.take(nowMs)) this.#exit.digit(digit, isRelayed);
    if (fromClockRate === toClockRate || payload.length < 4) return;
    const duration = Math.round((payload.readUInt16BE(2) * toClockRate) / fromClockRate);
    payload.writeUInt16BE(Math.min(0xffff, duration), 2);
  }
}
