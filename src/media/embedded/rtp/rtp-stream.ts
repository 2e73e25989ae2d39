// One direction of a call's audio, packet by packet: read, counted, and put into the stream of the other end.
// Runs 50 times a second and call, so it works in the buffer the packet came in.
import { TokenBucket } from "../../../core/policy/token-bucket.ts";
import type { Crossing } from "../../../core/sdp/exchange/agreement.ts";
import { clockMs } from "../base/clock.ts";
import { Converter, type Numbers } from "./converter.ts";
import type { Digit } from "./dtmf-receiver.ts";
import { DtmfReceiver } from "./dtmf-receiver.ts";
import type { DigitFormat } from "../../../core/sdp/exchange/flows.ts";
import { Loudness } from "./loudness.ts";
import { ReceptionStats } from "./reception-stats.ts";
import type { OutgoingStream } from "./outgoing-stream.ts";
import { readRtp, type RtpHeader } from "./rtp-packet.ts";

/** `isRelayed`: the digit goes on to the other end as it came. */
type DigitReport = (digit: Digit, isRelayed: boolean) => void;

/** Digits that are told of: faster than any dialler, which takes 80 ms for each (ITU-T Q.24). */
const digitsTold = { perSecond: 15, atOnce: 64 };

/** RFC 3389, at 8 kHz: nobody agrees on it, and some send it. */
const comfortNoise = 13;

export class RtpStream {
  readonly reception = new ReceptionStats();
  /** Of what is passed on. */
  readonly loudness = new Loudness();
  readonly #to: OutgoingStream;
  readonly #report: DigitReport;
  readonly #digits = new DtmfReceiver();
  readonly #told = new TokenBucket(digitsTold.perSecond, digitsTold.atOnce);
  #converter: Converter | undefined;
  #crossings: ReadonlyMap<number, Crossing> = new Map();
  #isOpen = false;
  /** The source was not let through until now: whoever listens has to adapt its playout (RFC 3551 s4.1). */
  #isStart = false;
  #malformed = 0;

  constructor(to: OutgoingStream, report: DigitReport) {
    this.#to = to;
    this.#report = report;
  }

  /** Packets that were no RTP, or our own. */
  get malformed(): number {
    return this.#malformed;
  }

  /** What may pass, whether it may now (hold), and how digits of our own are told, if they are. */
  agree(crossings: ReadonlyMap<number, Crossing>, isOpen: boolean, digits: DigitFormat | undefined): void {
    const spoken = [...crossings.values()].find(({ isEvent }) => !isEvent);
    this.#to.agree(spoken?.toClockRate, digits);
    this.#convert(spoken);
    this.#crossings = crossings;
    this.#isStart ||= isOpen && !this.#isOpen;
    this.#isOpen = isOpen;
  }

  packet(packet: Buffer, nowMs: number): void {
    const header = readRtp(packet);
    // What our stream has carried comes back only where an SDP named the port of the session's other end: such a packet
    // would go round for ever (RFC 3550 s8.2).
    if (header === undefined || header.ssrc === this.#to.ssrc) {
      this.#malformed += 1;
      return;
    }
    const crossing = this.#crossings.get(header.payloadType);
    const timed = crossing === undefined || crossing.isEvent ? undefined : crossing.fromClockRate;
    const { ssrc, sequence, timestamp, start, end } = header;
    this.reception.packet(ssrc, sequence, timestamp, end - start, timed, nowMs);
    // A peer may speak any codec that it has agreed on, so each packet says whether it is converted.
    const isAudio = crossing !== undefined && !crossing.isEvent;
    if (isAudio && (crossing.converts ?? this.#converter) !== undefined) this.#convert(crossing);
    if (this.#converter !== undefined) {
      this.#converted(this.#converter, packet, header, crossing, nowMs);
      return;
    }
    // Comfort noise, redundancy and everything that was not agreed at both ends ends here.
    if (crossing === undefined || !this.#isOpen || start === end) {
      this.#to.skip(header);
      return;
    }
    if (crossing.isEvent && (!crossing.isRelayed || !this.#to.isBusy)) this.#event(packet, header, crossing, nowMs);
    if (!crossing.isRelayed || this.#to.isBusy) this.#to.skip(header);
    else this.#forward(packet, header, crossing, nowMs);
  }

  /** Nothing more is sent by itself. */
  close(): void {
    this.#converter?.close();
    this.#converter = undefined;
  }

  #convert(spoken: Crossing | undefined): void {
    const before = this.#converter;
    if (before?.isFor(spoken) === true) return;
    this.close();
    const emit = (numbers: Numbers, payload: Uint8Array, crossing: Crossing): void => {
      // A digit of ours, or a hold, may have begun since the packet was made.
      if (this.#to.isBusy || !this.#isOpen) this.#to.skip(numbers);
      else this.#utter(numbers, payload, crossing);
    };
    this.#converter = Converter.for(spoken, emit, () => this.#to.lossPercent);
    if (before !== this.#converter) this.#to.part();
  }

  #forward(packet: Buffer, header: RtpHeader, crossing: Crossing, nowMs: number): void {
    if (!crossing.isEvent) this.loudness.packet(crossing.name, packet, header.start, header.end, nowMs);
    if (this.#to.forward(packet, header, crossing, this.#isStart, nowMs)) this.#isStart = false;
  }

  #utter(numbers: Numbers, payload: Uint8Array, crossing: Crossing): void {
    const nowMs = clockMs();
    if (!crossing.isEvent) this.loudness.packet(crossing.name, payload, 0, payload.length, nowMs);
    if (this.#to.utter(numbers, payload, crossing, this.#isStart, nowMs)) this.#isStart = false;
  }

  /** One packet of a direction that is converted. */
  #converted(
    converter: Converter,
    packet: Buffer,
    header: RtpHeader,
    crossing: Crossing | undefined,
    nowMs: number,
  ): void {
    const payload = packet.subarray(header.start, header.end);
    const isEvent = crossing?.isEvent === true;
    if (isEvent && this.#isOpen && payload.length > 0 && !(crossing.isRelayed && this.#to.isBusy))
      this.#event(packet, header, crossing, nowMs);
    if (!this.#isOpen || this.#to.isBusy) converter.stop();
    else if (payload.length === 0) converter.packet("nothing", header, payload);
    else if (crossing === undefined)
      converter.packet(header.payloadType === comfortNoise ? "noise" : "nothing", header, payload);
    else if (isEvent) converter.packet(crossing.isRelayed ? "event" : "nothing", header, payload, crossing);
    else converter.packet("audio", header, payload, crossing);
  }

  #event(packet: Buffer, { timestamp, start, end }: RtpHeader, crossing: Crossing, nowMs: number): void {
    const { fromClockRate, toClockRate, isRelayed } = crossing;
    const payload = packet.subarray(start, end);
    for (const digit of this.#digits.packet(timestamp, payload, fromClockRate))
      if (this.#told.take(nowMs)) this.#report(digit, isRelayed);
    if (fromClockRate === toClockRate || payload.length < 4) return;
    const duration = Math.round((payload.readUInt16BE(2) * toClockRate) / fromClockRate);
    payload.writeUInt16BE(Math.min(0xffff, duration), 2);
  }
}
