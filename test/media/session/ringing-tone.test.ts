// What somebody hears who is in a conference already while the other telephone rings.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen } from "../../../dev/audio/goertzel.ts";
import { concatenate } from "../../../dev/audio/tone.ts";
import { OpusDecoder } from "../../../src/media/embedded/codec/opus-decoder.ts";
import { clockMs } from "../../../src/media/embedded/base/clock.ts";
import { newStream, OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { readRtp, type RtpHeader } from "../../../src/media/embedded/rtp/rtp-packet.ts";
import { opusFormat } from "../../../src/media/embedded/participant/track-formats.ts";
import { RingingTone } from "../../../src/media/embedded/session/ringing-tone.ts";

interface Packet {
  readonly atMs: number;
  readonly header: RtpHeader;
  readonly payload: Uint8Array;
}

let packets: Packet[];
let stream: OutgoingStream;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  packets = [];
  const startMs = clockMs();
  const take = (packet: Buffer): boolean => {
    const header = readRtp(packet);
    if (header === undefined) return false;
    packets.push({
      atMs: clockMs() - startMs,
      header,
      payload: Buffer.from(packet.subarray(header.start, header.end)),
    });
    return true;
  };
  stream = new OutgoingStream(newStream(), take, startMs);
});
afterEach(() => void vi.useRealTimers());

test("rings for one second in five, at 425 Hz, in packets of 20 ms of one stream", () => {
  const tone = new RingingTone(stream, () => opusFormat);
  vi.advanceTimersByTime(7000);
  tone.stop();
  const [first, second] = [packets.filter(({ atMs }) => atMs < 2500), packets.filter(({ atMs }) => atMs >= 2500)];
  expect([first.length, second.length]).toEqual([50, 50]);
  expect(second[0]?.atMs).toBe(5000);
  const decoder = new OpusDecoder(8000);
  const sound = concatenate(first.map(({ payload }) => decoder.decode(payload) ?? new Int16Array()));
  expect(listen(sound, 8000, [425, 1000])).toMatchObject({ hz: 425 });
  expect(new Set(packets.map(({ header }) => `${header.ssrc} ${header.payloadType}`))).toEqual(
    new Set([`${stream.ssrc} 111`]),
  );
  const steps = packets.slice(1).map(({ header }, index) => {
    const before = packets[index]?.header;
    return [
      (header.sequence - (before?.sequence ?? 0)) & 0xffff,
      ((header.timestamp - (before?.timestamp ?? 0)) >>> 0) / 960,
    ];
  });
  expect(steps.filter(([, time]) => time !== 1)).toEqual([[1, 201]]);
  expect(steps.every(([sequence]) => sequence === 1)).toBe(true);
  // Clients make room in their jitter buffer where somebody begins to be heard (RFC 3551 s4.1).
  expect(packets.filter(({ header }) => header.marker).map(({ atMs }) => atMs)).toEqual([first[0]?.atMs, 5000]);
});

test("is over when it is stopped, and the stream goes on with whatever follows", () => {
  const tone = new RingingTone(stream, () => opusFormat);
  vi.advanceTimersByTime(400);
  tone.stop();
  const rung = packets.length;
  vi.advanceTimersByTime(10_000);
  expect(packets).toHaveLength(rung);
  const last = packets.at(-1)?.header;
  const numbers = { ssrc: 7, sequence: 1000, timestamp: 5, marker: false };
  const outlet = { payloadType: 111, isEvent: false, toClockRate: 48_000 };
  stream.utter(numbers, Buffer.from([1]), outlet, true, clockMs());
  const next = packets.at(-1)?.header;
  expect(((next?.sequence ?? 0) - (last?.sequence ?? 0)) & 0xffff).toBe(1);
  expect(((next?.timestamp ?? 0) - (last?.timestamp ?? 0)) >>> 0).toBeGreaterThan(9 * 48_000);
});
