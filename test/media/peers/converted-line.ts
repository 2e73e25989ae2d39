// One direction of a call that is converted: a source, what its packets pass through, and what comes out.
import { Encoder } from "@evan/opus";
import { vi } from "vitest";
import { decodeAlaw } from "../../../dev/audio/g711.ts";
import { decodeRtp, encodeRtp, type RtpPacket } from "../../../dev/audio/rtp.ts";
import { concatenate, continuousTone } from "../../../dev/audio/tone.ts";
import type { Crossing } from "../../../src/core/sdp/exchange/agreement.ts";
import { newStream, OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { RtpStream } from "../../../src/media/embedded/rtp/rtp-stream.ts";

export const opus = 111;
export const events = 110;
export const alaw = 8;
export const g722 = 9;

const payloadTypes: Readonly<Record<string, number>> = { opus, G722: g722, PCMA: alaw };

export const audio = (name: string, from: string, wishes = "", ptimeMs?: number): Crossing => ({
  payloadType: payloadTypes[name] ?? alaw,
  name,
  isEvent: false,
  isRelayed: true,
  fromClockRate: from === "opus" ? 48_000 : 8000,
  toClockRate: name === "opus" ? 48_000 : 8000,
  converts: name === from ? undefined : { from, wishes, ptimeMs },
});
export const digits = (fromClockRate: number, toClockRate: number): Crossing => ({
  payloadType: 101,
  name: "telephone-event",
  isEvent: true,
  isRelayed: true,
  fromClockRate,
  toClockRate,
});
export const toAlaw = (ptimeMs?: number): ReadonlyMap<number, Crossing> =>
  new Map([
    [opus, audio("PCMA", "opus", "", ptimeMs)],
    [events, digits(48_000, 8000)],
  ]);
export const toOpus = (wishes = "", ptimeMs?: number): ReadonlyMap<number, Crossing> =>
  new Map([[alaw, audio("opus", "PCMA", wishes, ptimeMs)]]);

export class Line {
  readonly out: RtpPacket[] = [];
  readonly told: string[] = [];
  readonly stream: RtpStream;
  readonly to: OutgoingStream;
  ssrc = 7;
  sequence = 65_530;
  timestamp = 0xffff_f000;

  constructor(crossings: ReadonlyMap<number, Crossing>) {
    this.to = new OutgoingStream(
      newStream(),
      (packet) => this.out.push(decodeRtp(packet) as RtpPacket) > 0,
      this.nowMs,
    );
    this.stream = new RtpStream(this.to, ({ digit, durationMs }) => this.told.push(`${digit} ${durationMs}`));
    this.stream.agree(crossings, true, undefined);
  }

  get nowMs(): number {
    return Math.floor(performance.timeOrigin + performance.now());
  }

  /** One packet, and the time that it lasts. */
  say(payloadType: number, payload: Uint8Array, ticks: number, ms: number, marker = false): void {
    this.put(this.next(payloadType, payload, ticks, marker));
    vi.advanceTimersByTime(ms);
  }

  next(payloadType: number, payload: Uint8Array, ticks: number, marker = false): Buffer {
    const { sequence, timestamp, ssrc } = this;
    this.sequence = (sequence + 1) & 0xffff;
    this.timestamp = (timestamp + ticks) >>> 0;
    return Buffer.from(encodeRtp({ payloadType, marker, sequence, timestamp, ssrc, payload }));
  }

  put(packet: Buffer): void {
    this.stream.packet(Buffer.from(packet), this.nowMs);
  }

  /** Steps of sequence numbers, and of timestamps. */
  get steps(): { sequences: Set<number>; timestamps: number[] } {
    const pairs = this.out.slice(1).map((packet, index) => [this.out[index] ?? packet, packet] as const);
    return {
      sequences: new Set(pairs.map(([one, other]) => (other.sequence - one.sequence) & 0xffff)),
      timestamps: pairs.map(([one, other]) => (other.timestamp - one.timestamp) | 0),
    };
  }

  get heard(): Int16Array {
    return concatenate(
      this.out.filter(({ payloadType }) => payloadType === alaw).map((each) => decodeAlaw(each.payload)),
    );
  }
}

export function speaker(frameMs: number, options: { fec?: boolean; channels?: 1 | 2; hz?: number } = {}) {
  const { channels = 1 } = options;
  const encoder = new Encoder({ channels, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = 32_000;
  encoder.inband_fec = options.fec ?? true;
  encoder.packet_loss = 10;
  const source = continuousTone(options.hz ?? 440, 48_000);
  const [samples, ticks] = [frameMs * 48, frameMs * 48];
  const frame = (): Uint8Array => {
    const mono = source.next(samples);
    return encoder.encode(
      channels === 1 ? mono : Int16Array.from({ length: samples * 2 }, (_, at) => mono[at >> 1] ?? 0),
    );
  };
  return { frame, ticks };
}
