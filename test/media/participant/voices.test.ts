// What a telephone hears of one participant, and of several: real Opus, on a clock that is held.
import { Decoder } from "@evan/opus";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen } from "../../../dev/audio/goertzel.ts";
import { concatenate } from "../../../dev/audio/tone.ts";
import { Voices } from "../../../src/media/embedded/participant/voices.ts";
import { readRtp, type RtpHeader } from "../../../src/media/embedded/rtp/rtp-packet.ts";
import { opusVoice, ulawVoice } from "../peers/voice.ts";

const hz = [440, 1000, 1640] as const;
const header = { payloadType: 111, marker: false, start: 12, end: 12 };

class Speaker {
  readonly #frame: () => Uint8Array;
  readonly #ssrc: number;
  readonly #payloadType: number;
  #sequence: number;

  /** In Opus, as clients, or in G.711 as telephones of other bridges. */
  constructor(tone: number, codec: "opus" | "PCMU" = "opus") {
    this.#frame = (codec === "opus" ? opusVoice(tone) : ulawVoice(tone)).frame;
    this.#payloadType = codec === "opus" ? header.payloadType : 0;
    this.#ssrc = tone;
    this.#sequence = tone;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  packet(lost = false): readonly [RtpHeader, Uint8Array] | undefined {
    this.#sequence += 1;
    const [sequence, frame, payloadType] = [this.#sequence, this.#frame(), this.#payloadType];
    return lost
      ? undefined
      : [{ ...header, payloadType, ssrc: this.#ssrc, sequence, timestamp: sequence * 960 }, frame];
  }
}

let packets: Buffer[] = [];
let voices: Voices;

beforeEach(() => {
  vi.useFakeTimers();
  packets = [];
  voices = new Voices((packet) => packets.push(packet));
});
afterEach(() => {
  voices.close();
  vi.useRealTimers();
});

/** All of them speak for so long. Gives what was heard. */
function speak(speakers: readonly Speaker[], forMs: number, isLost: (step: number) => boolean = () => false): Buffer[] {
  packets = [];
  for (let step = 0; step < forMs / 20; step += 1) {
    for (const speaker of speakers) {
      const packet = speaker.packet(isLost(step));
      if (packet !== undefined) voices.hear(...packet);
    }
    vi.advanceTimersByTime(20);
  }
  return packets;
}

function samplesOf(heard: readonly Buffer[]): Int16Array {
  const decoder = new Decoder({ channels: 1, sample_rate: 8000 });
  return concatenate(
    heard.map((packet) => {
      const { buffer, byteOffset, byteLength } = decoder.decode(packet.subarray(12));
      return new Int16Array(buffer, byteOffset, byteLength / 2).slice();
    }),
  );
}

const loudness = (samples: Int16Array): number => listen(samples, 8000, [hz[0]]).levelDb;
const share = (heard: readonly Buffer[], tone: number): number => listen(samplesOf(heard), 8000, [tone]).ratio;
const sources = (heard: readonly Buffer[]): readonly (number | undefined)[] => [
  ...new Set(heard.map((packet) => readRtp(packet)?.ssrc)),
];

test("one passes as it is, packet by packet", () => {
  const alone = new Speaker(hz[0]);
  const heard = speak([alone], 1000);
  expect(heard).toHaveLength(50);
  expect(sources(heard)).toEqual([alone.ssrc]);
});

test("three are heard at once, in one stream without holes", () => {
  const speakers = hz.map((tone) => new Speaker(tone));
  speak(speakers, 200);
  const heard = speak(speakers, 1000);
  expect(heard).toHaveLength(50);
  const headers = heard.map((packet) => readRtp(packet));
  expect(sources(heard)).toHaveLength(1);
  for (const [index, one] of headers.entries()) {
    const before = headers[index - 1];
    if (before === undefined || one === undefined) continue;
    expect((one.sequence - before.sequence) & 0xffff).toBe(1);
    expect((one.timestamp - before.timestamp) >>> 0).toBe(960);
  }
  // A third of the power each.
  for (const tone of hz) expect(share(heard, tone), `${tone} Hz`).toBeGreaterThan(0.3);
});

test("a telephone in G.711 passes as it is alone, and is heard as loud as others together with them", () => {
  const [telephone, client] = [new Speaker(hz[1], "PCMU"), new Speaker(hz[0])];
  const alone = speak([telephone], 1000);
  expect(alone.map((packet) => readRtp(packet)?.payloadType)).toEqual(Array.from({ length: 50 }, () => 0));
  speak([telephone, client], 200);
  const together = speak([telephone, client], 1000);
  expect(new Set(together.map((packet) => readRtp(packet)?.payloadType))).toEqual(new Set([111]));
  for (const tone of [hz[0], hz[1]]) expect(share(together, tone), `${tone} Hz`).toBeGreaterThan(0.7);
});

test("a source that goes on in another codec is heard in it", () => {
  const [one, other] = [new Speaker(hz[0]), new Speaker(hz[1])];
  speak([one, other], 400);
  const changed = new Speaker(hz[1], "PCMU");
  const heard = speak([one, changed], 1000);
  expect(sources(heard)).toHaveLength(1);
  expect(share(heard.slice(10), hz[1])).toBeGreaterThan(0.7);
});

test("whoever pauses is not heard, and the others go on; after three seconds alone one passes as it is again", () => {
  const [one, other] = [new Speaker(hz[0]), new Speaker(hz[1])];
  speak([one, other], 1000);
  speak([one], 500);
  const heard = speak([one], 1000);
  expect(share(heard, hz[0])).toBeGreaterThan(20);
  expect(sources(heard)).not.toEqual([one.ssrc]);
  speak([one], 2000);
  expect(sources(speak([one], 200))).toEqual([one.ssrc]);
  const again = speak([one, other], 1000);
  expect(share(again.slice(10), hz[1])).toBeGreaterThan(0.6);
});

test("lost packets are made up for", () => {
  const [one, other] = [new Speaker(hz[0]), new Speaker(hz[1])];
  speak([one, other], 200);
  const whole = samplesOf(speak([one, other], 2000));
  const heard = samplesOf(speak([one, other], 2000, (step) => step % 5 === 4));
  expect(loudness(heard) - loudness(whole)).toBeGreaterThan(-0.5);
});

test("packets that come in pairs, the wrong way round, are put right", () => {
  const [one, other] = [new Speaker(hz[0]), new Speaker(hz[1])];
  speak([one, other], 200);
  packets = [];
  for (let pair = 0; pair < 50; pair += 1) {
    for (const speaker of [one, other]) {
      const [first, second] = [speaker.packet(), speaker.packet()];
      for (const packet of [second, first]) if (packet !== undefined) voices.hear(...packet);
    }
    vi.advanceTimersByTime(40);
  }
  for (const tone of [hz[0], hz[1]]) expect(share(packets, tone), `${tone} Hz`).toBeGreaterThan(0.9);
});

test("what is too loud together is cut, and does not turn over", () => {
  const loud = Array.from({ length: 6 }, (_, index) => new Speaker(400 + index));
  speak(loud, 200);
  const heard = samplesOf(speak(loud, 1000));
  const steps = heard.map((sample, index) => Math.min(32_767, Math.abs(sample - (heard[index - 1] ?? sample))));
  expect(Math.max(...steps)).toBeLessThan(32_000);
});

test("of a crowd of sources, as a server could make them up, those are heard who speak first", () => {
  const silence = Uint8Array.of(0xf8, 0xff, 0xfe);
  const late = new Speaker(hz[0]);
  const sequences = Array.from({ length: 50 }, (_, index) => index);
  for (const sequence of sequences) {
    for (let ssrc = 1; ssrc <= 24; ssrc++)
      voices.hear({ ...header, ssrc, sequence, timestamp: sequence * 960 }, silence);
    const packet = late.packet();
    if (packet !== undefined) voices.hear(...packet);
    vi.advanceTimersByTime(20);
  }
  expect(share(packets, hz[0])).toBeLessThan(0.1);
  packets = [];
  vi.advanceTimersByTime(400);
  expect(share(speak([late, new Speaker(hz[1])], 1000), hz[0])).toBeGreaterThan(0.3);
});

test("many packets at once are not heard for ever after", () => {
  const [one, other] = [new Speaker(hz[0]), new Speaker(hz[1])];
  speak([one, other], 200);
  for (let count = 0; count < 50; count += 1) {
    const packet = other.packet();
    if (packet !== undefined) voices.hear(...packet);
  }
  speak([one], 220);
  expect(share(speak([one], 500), hz[0])).toBeGreaterThan(20);
});
