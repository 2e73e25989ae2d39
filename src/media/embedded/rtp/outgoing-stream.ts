// One RTP stream of ours towards a peer. It belongs to the peer's dialog and not to whoever is heard in it: one SSRC, and
// numbers that never step back, while the sources behind it change (RFC 3550 s5.1).
import { randomBytes, randomInt } from "node:crypto";
import type { DigitFormat } from "../../../core/sdp/exchange/flows.ts";
import { DtmfSender, type OutgoingDigit } from "./dtmf-sender.ts";
import type { Numbers } from "./converter.ts";
import { rewriteRtp, writeRtp, type RtpFields, type RtpHeader } from "./rtp-packet.ts";
import { RtpRewriter } from "./rtp-rewriter.ts";

/** How far a stream has come: enough to go on with it in another session or process. */
export interface StreamMark {
  readonly ssrc: number;
  readonly cname: string;
  /** Of the last packet. */
  readonly sequence: number;
  readonly timestamp: number;
  readonly clockRate: number;
  /** Since `timestamp` was reached; undefined if nothing was sent yet. */
  readonly quietMs: number | undefined;
  readonly packets: number;
  readonly octets: number;
}

/** What our stream has carried, for sender reports (RFC 3550 s6.4.1). */
interface Sent {
  readonly packets: number;
  readonly octets: number;
}

/** How packets of one format go out. */
interface Outlet {
  readonly payloadType: number;
  readonly isEvent: boolean;
  readonly toClockRate: number;
}

export class OutgoingStream {
  readonly ssrc: number;
  readonly cname: string;
  readonly #send: (packet: Buffer) => boolean;
  readonly #rewriter: RtpRewriter;
  readonly #digits: DtmfSender;
  #clockRate: number;
  #lossPercent = 0;
  #packets: number;
  #octets: number;

  /** `send`: false if there is nowhere to send to yet. */
  constructor(start: StreamMark, send: (packet: Buffer) => boolean, nowMs: number) {
    this.ssrc = start.ssrc;
    this.cname = start.cname;
    this.#send = send;
    this.#clockRate = start.clockRate;
    this.#packets = start.packets;
    this.#octets = start.octets;
    const { sequence, timestamp, quietMs } = start;
    this.#rewriter = new RtpRewriter({
      sequence,
      timestamp,
      atMs: quietMs === undefined ? undefined : nowMs - quietMs,
    });
    this.#digits = new DtmfSender({
      begin: (beginMs) => this.timestampAt(beginMs),
      send: (payloadType, marker, digitTimestamp, payload) => {
        const fields = {
          payloadType,
          marker,
          sequence: this.#rewriter.insert(),
          timestamp: digitTimestamp,
          ssrc: this.ssrc,
        };
        this.#carry(writeRtp(fields, payload), payload.length);
      },
      end: (digitTimestamp, durationMs, endMs) =>
        this.#rewriter.reached(digitTimestamp + Math.round((durationMs * this.#clockRate) / 1000), endMs),
    });
  }

  get sent(): Sent {
    return { packets: this.#packets, octets: this.#octets };
  }

  /** Of what it carries now, in Hz. */
  get clockRate(): number {
    return this.#clockRate;
  }

  /** What the peer misses of it, percent. */
  get lossPercent(): number {
    return this.#lossPercent;
  }

  /** The peer reports so much loss, percent: believed until it has reported less for some time. */
  missed(percent: number): void {
    this.#lossPercent = Math.max(Math.ceil(percent), Math.floor(this.#lossPercent / 2));
  }

  /** A digit of ours has the stream for itself. */
  get isBusy(): boolean {
    return this.#digits.isBusy;
  }

  mark(nowMs: number): StreamMark {
    const { ssrc, cname } = this;
    const { sequence, timestamp, atMs } = this.#rewriter.last;
    const quietMs = atMs === undefined ? undefined : Math.max(0, nowMs - atMs);
    const [clockRate, packets, octets] = [this.#clockRate, this.#packets, this.#octets];
    return { ssrc, cname, sequence, timestamp, clockRate, quietMs, packets, octets };
  }

  timestampAt(nowMs: number): number {
    return this.#rewriter.timestampAt(nowMs, this.#clockRate);
  }

  /** What is spoken from now on, and how digits of ours are told, if they are. */
  agree(clockRate: number | undefined, digits: DigitFormat | undefined): void {
    this.#digits.retune(digits);
    this.#clockRate = clockRate ?? this.#clockRate;
  }

  /** A digit of ours takes the place of what else is in the stream while it lasts, also on hold. */
  press(digit: OutgoingDigit, nowMs: number): boolean {
    return this.#digits.press(digit, nowMs);
  }

  /** A packet of a source, in its own buffer. `isStart`: the first one after the source was not let through. */
  forward(packet: Buffer, header: RtpHeader, outlet: Outlet, isStart: boolean, nowMs: number): boolean {
    const fields = this.#place(header, outlet, isStart, nowMs);
    if (fields === undefined) return false;
    this.#carry(rewriteRtp(packet, header, fields), header.end - header.start);
    return true;
  }

  /** The same for a payload that was made here. */
  utter(numbers: Numbers, payload: Uint8Array, outlet: Outlet, isStart: boolean, nowMs: number): boolean {
    const fields = this.#place(numbers, outlet, isStart, nowMs);
    if (fields === undefined) return false;
    this.#carry(writeRtp(fields, payload), payload.length);
    return true;
  }

  /** A packet of the source that is not passed on. */
  skip({ ssrc, sequence }: Pick<RtpHeader, "ssrc" | "sequence">): void {
    this.#rewriter.skip(ssrc, sequence);
  }

  /** The source's packets are numbered by somebody else from now on. */
  part(): void {
    this.#rewriter.part();
  }

  /** Nothing more is sent by itself. A digit that is under way ends here, so that the peer does not hear it for ever. */
  close(nowMs: number): void {
    this.#digits.finish(nowMs);
  }

  #place(
    { ssrc, sequence, timestamp, marker }: Numbers,
    outlet: Outlet,
    isStart: boolean,
    nowMs: number,
  ): RtpFields | undefined {
    const { payloadType, isEvent, toClockRate } = outlet;
    if (!isEvent) this.#clockRate = toClockRate;
    const place = this.#rewriter.place(ssrc, sequence, timestamp, this.#clockRate, nowMs, isEvent);
    if (place === undefined) return undefined;
    return {
      payloadType,
      marker: marker || place.isFirst || isStart,
      sequence: place.sequence,
      timestamp: place.timestamp,
      ssrc: this.ssrc,
    };
  }

  #carry(packet: Buffer, octets: number): void {
    if (!this.#send(packet)) return;
    this.#packets += 1;
    this.#octets += octets;
  }
}

/** A stream that nobody has heard yet. */
export function newStream(): StreamMark {
  return {
    // Never zero: some stacks take it for "none".
    ssrc: randomInt(1, 0xffff_ffff),
    cname: randomBytes(12).toString("base64url"),
    // The first half, so that SRTP peers do not meet a roll-over at once (RFC 3711 s3.3.1 advises so).
    sequence: randomInt(0, 0x8000),
    timestamp: randomInt(0, 0xffff_ffff),
    clockRate: 8000,
    quietMs: undefined,
    packets: 0,
    octets: 0,
  };
}

/** Packets a second that a process may have sent after its last mark: more than any codec of ours, and far from a round. */
const mostPerSecond = 200;
const mostSteps = 0x4000;

/**
 * Where to go on after a process that died `ageMs` after it marked the stream: beyond everything that it may have sent.
 * A gap is loss to the peer; a step back would be silence.
 */
export function beyond(mark: StreamMark, ageMs: number): StreamMark {
  const steps = Math.min(mostSteps, mostPerSecond + Math.ceil((Math.max(0, ageMs) * mostPerSecond) / 1000));
  return {
    ...mark,
    sequence: (mark.sequence + steps) & 0xffff,
    // Timestamps follow the time that passes; a second more covers packets that were early.
    timestamp: (mark.timestamp + mark.clockRate) >>> 0,
    quietMs: mark.quietMs === undefined ? undefined : mark.quietMs + Math.max(0, ageMs),
    packets: mark.packets + steps,
  };
}
