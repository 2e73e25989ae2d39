// What speech and tones are like after they have been converted, with packets lost on the way.
import { Decoder, Encoder } from "@evan/opus";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { decodeAlaw, encodeAlaw } from "../../../dev/audio/g711.ts";
import { decodeRtp, encodeRtp } from "../../../dev/audio/rtp.ts";
import { concatenate, tone } from "../../../dev/audio/tone.ts";
import type { Crossing } from "../../../src/core/sdp/exchange/agreement.ts";
import { newStream, OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { RtpStream } from "../../../src/media/embedded/rtp/rtp-stream.ts";
import { fidelityOf, resampled, speech } from "../peers/fidelity.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Way = "Opus to A-law" | "A-law to Opus";
const clockRate = { opus: 48_000, PCMA: 8000 } as const;

function crossingOf(from: "opus" | "PCMA", name: "opus" | "PCMA"): Crossing {
  const converts = { from, wishes: "", ptimeMs: 20 };
  const clocks = { fromClockRate: clockRate[from], toClockRate: clockRate[name] };
  return { payloadType: 96, name, isEvent: false, isRelayed: true, ...clocks, converts };
}

/** As a client that was told what is worth sending: narrowband, with FEC. */
function opusPackets(samples: Int16Array): Uint8Array[] {
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = 24_000;
  encoder.max_bandwidth = "narrowband";
  encoder.inband_fec = true;
  encoder.packet_loss = 10;
  const wide = resampled(samples, 16_000, 48_000);
  return Array.from({ length: Math.floor(wide.length / 960) }, (_, at) =>
    encoder.encode(wide.subarray(at * 960, at * 960 + 960)),
  );
}

function alawPackets(samples: Int16Array): Uint8Array[] {
  return Array.from({ length: Math.floor(samples.length / 160) }, (_, at) =>
    encodeAlaw(samples.subarray(at * 160, at * 160 + 160)),
  );
}

/** Packets of 20 ms, one in so many lost at random, but always the same ones. */
function converted(packets: readonly Uint8Array[], way: Way, loss: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  const to = new OutgoingStream(newStream(), (packet) => out.push(decodeRtp(packet)?.payload ?? packet) > 0, 0);
  const stream = new RtpStream(to, () => undefined);
  const isOpus = way === "Opus to A-law";
  stream.agree(new Map([[96, isOpus ? crossingOf("opus", "PCMA") : crossingOf("PCMA", "opus")]]), true, undefined);
  let chance = 12_345;
  for (const [sequence, payload] of packets.entries()) {
    chance = (chance * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    const isLost = chance / 0x7fff_ffff < loss && sequence > 2 && sequence < packets.length - 1;
    const timestamp = sequence * (isOpus ? 960 : 160);
    const packet = encodeRtp({ payloadType: 96, marker: false, sequence, timestamp, ssrc: 1, payload });
    if (!isLost) stream.packet(Buffer.from(packet), Math.floor(performance.timeOrigin + performance.now()));
    vi.advanceTimersByTime(20);
  }
  stream.close();
  return out;
}

function heard(packets: readonly Uint8Array[], way: Way): Int16Array {
  if (way === "Opus to A-law") return concatenate(packets.map((payload) => decodeAlaw(payload)));
  const decoder = new Decoder({ channels: 1, sample_rate: 8000 });
  return concatenate(
    packets.map((payload) => {
      const { buffer, byteOffset, byteLength } = decoder.decode(payload);
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    }),
  );
}

const wideSpeech = speech();
const original = resampled(wideSpeech, 16_000, 8000);
const spoken = { "Opus to A-law": opusPackets(wideSpeech), "A-law to Opus": alawPackets(original) } as const;

test.each([
  ["Opus to A-law", 0, 7.2],
  ["Opus to A-law", 0.01, 7.2],
  ["Opus to A-law", 0.05, 7],
  ["A-law to Opus", 0, 8],
  ["A-law to Opus", 0.01, 8],
  ["A-law to Opus", 0.05, 7.5],
] as const)("speech, %s, with %d of the packets lost, keeps %d dB and its level", (way, loss, least) => {
  const result = fidelityOf(original, heard(converted(spoken[way], way, loss), way));
  expect(result.segmentalSnrDb).toBeGreaterThan(least);
  expect(Math.abs(result.gainDb)).toBeLessThan(0.8);
  // Of the codecs; the bridge adds none.
  expect(result.delayMs).toBeLessThan(10);
});

test("speech from Opus to A-law and back, as between two clients over a trunk, keeps 3 dB and its level", () => {
  const there = converted(spoken["Opus to A-law"], "Opus to A-law", 0);
  const { segmentalSnrDb, gainDb } = fidelityOf(original, heard(converted(there, "A-law to Opus", 0), "A-law to Opus"));
  expect(segmentalSnrDb).toBeGreaterThan(3);
  expect(Math.abs(gainDb)).toBeLessThan(1.2);
});

test("what is lost is read from the packet after it: a tenth lost is hardly heard", () => {
  const way = "Opus to A-law";
  const [whole, holed] = [0, 0.1].map((loss) => heard(converted(spoken[way], way, loss), way));
  if (whole === undefined || holed === undefined) throw new Error("nothing was heard");
  expect(holed).toHaveLength(whole.length);
  expect(fidelityOf(whole, holed).segmentalSnrDb).toBeGreaterThan(28.5);
});

test.each([
  ["Opus to A-law", 0.95],
  ["Opus to A-law", 1],
  ["A-law to Opus", 0.95],
  ["A-law to Opus", 1],
] as const)("a tone, %s, as loud as %d of all there is, is neither clipped nor quieter", (way, level) => {
  const loud = tone(440, 16_000, 1000, level);
  const packets = way === "Opus to A-law" ? opusPackets(loud) : alawPackets(resampled(loud, 16_000, 8000));
  const { gainDb, segmentalSnrDb } = fidelityOf(resampled(loud, 16_000, 8000), heard(converted(packets, way, 0), way));
  expect(Math.abs(gainDb)).toBeLessThan(0.1);
  expect(segmentalSnrDb).toBeGreaterThan(30);
});
