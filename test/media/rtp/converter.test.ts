// One direction of a call that is converted, packet by packet: the stream that comes out, whatever comes in.
import { Decoder } from "@evan/opus";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../../../dev/audio/g711.ts";
import { listen } from "../../../dev/audio/goertzel.ts";
import { encodeTelephoneEvent, keypresses } from "../../../dev/audio/telephone-event.ts";
import { concatenate, continuousTone, tone } from "../../../dev/audio/tone.ts";
import { alaw, audio, digits, events, Line, opus, speaker, toAlaw, toOpus } from "../peers/converted-line.ts";
import { resampled, speech } from "../peers/fidelity.ts";
import { OpusDecoder } from "../../../src/media/embedded/codec/opus-decoder.ts";
import { G711Decoder, G711Encoder } from "../../../src/media/embedded/codec/g711.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("Opus to A-law", () => {
  test("is one packet for each, of the same tone at the same level, its numbers and times without a gap", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    for (let count = 0; count < 60; count += 1) line.say(opus, frame(), ticks, 20);
    expect(line.out).toHaveLength(60);
    expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(59).fill(160) });
    expect(line.out.map(({ marker }) => marker)).toEqual([true, ...Array(59).fill(false)]);
    expect(new Set(line.out.map(({ payloadType, payload }) => `${payloadType} ${payload.length}`))).toEqual(
      new Set(["8 160"]),
    );
    const heard = listen(line.heard.subarray(2400), 8000, [440, 1000]);
    expect(heard.hz).toBe(440);
    expect(heard.ratio).toBeGreaterThan(100);
    expect(heard.levelDb).toBeCloseTo(listen(tone(440, 8000, 900), 8000, [440]).levelDb, 0);
  });

  test.each([
    [10, undefined, 160, 1 / 2],
    [40, undefined, 160, 2],
    [60, undefined, 160, 3],
    [60, 20, 160, 3],
    [60, 60, 480, 1],
    [20, 60, 480, 1 / 3],
    [20, 30, 240, 2 / 3],
    [10, 20, 160, 1 / 2],
    [20, 200, 480, 1 / 3],
  ])("of packets of %i ms where %s are wished makes packets of %i octets", (frameMs, wished, octets, each) => {
    const line = new Line(toAlaw(wished));
    const { frame, ticks } = speaker(frameMs);
    for (let count = 0; count < 30; count += 1) line.say(opus, frame(), ticks, frameMs);
    expect(line.out).toHaveLength(30 * each);
    expect(new Set(line.out.map(({ payload }) => payload.length))).toEqual(new Set([octets]));
    expect(line.steps.sequences).toEqual(new Set([1]));
    expect(new Set(line.steps.timestamps)).toEqual(new Set([octets]));
  });

  test("of a stereo microphone is neither twice nor half as loud", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20, { channels: 2 });
    for (let count = 0; count < 60; count += 1) line.say(opus, frame(), ticks, 20);
    const heard = listen(line.heard.subarray(2400), 8000, [440, 1000]);
    expect(heard.hz).toBe(440);
    expect(heard.levelDb).toBeCloseTo(listen(tone(440, 8000, 900), 8000, [440]).levelDb, 0);
  });

  test("fills the place of what is lost, and waits for it until two more have come", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    const waits: number[] = [];
    for (let count = 0; count < 60; count += 1) {
      const packet = line.next(opus, frame(), ticks);
      if (count % 20 !== 19) line.put(packet);
      waits.push(count - line.out.length);
      vi.advanceTimersByTime(20);
    }
    // Of three that are lost the last one has nothing after it.
    expect(line.out).toHaveLength(59);
    expect(Math.max(...waits)).toBe(2);
    expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(58).fill(160) });
    expect(listen(line.heard.subarray(2400), 8000, [440, 1000]).hz).toBe(440);
  });

  test("does not wait for ever when nothing follows", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    line.say(opus, frame(), ticks, 20);
    line.next(opus, frame(), ticks);
    line.say(opus, frame(), ticks, 49);
    expect(line.out).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(line.out).toHaveLength(3);
  });

  test.each([[[1, 0]], [[2, 0, 1]], [[1, 2, 0]], [[2, 1, 0]]])(
    "puts packets that come as %j in their order",
    (order) => {
      const [line, ordered] = [new Line(toAlaw()), new Line(toAlaw())];
      const { frame, ticks } = speaker(20);
      for (let group = 0; group < 10; group += 1) {
        const packets = Array.from({ length: 3 }, () => line.next(opus, frame(), ticks));
        for (const packet of packets) ordered.put(packet);
        // The first group begins the stream.
        for (const [at, index] of (group === 0 ? [0, 1, 2] : [...order, ...[2].slice(order.length - 2)]).entries()) {
          const packet = packets[index];
          if (packet !== undefined) line.put(packet);
          // One that has come twice is heard once.
          if (packet !== undefined && at === 1) line.put(packet);
          vi.advanceTimersByTime(20);
        }
      }
      expect(line.heard).toEqual(ordered.heard);
      expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(29).fill(160) });
    },
  );

  test("goes on over a packet that is none, however often", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    for (let count = 0; count < 60; count += 1) {
      const good = frame();
      const bad = [Uint8Array.of(255, 255, 255), new Uint8Array(3000).fill(count), Uint8Array.of(3)][count % 3];
      line.say(opus, count % 4 === 3 ? (bad ?? good) : good, ticks, 20);
    }
    expect(line.out.length).toBeGreaterThanOrEqual(60);
    expect(line.steps.sequences).toEqual(new Set([1]));
    expect(Math.min(...line.steps.timestamps)).toBe(160);
  });

  test("is one stream over another source, a restart of its numbers, a hold, and over packets that pass as they are", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    const talk = (packets: number): void => {
      for (let count = 0; count < packets; count += 1) line.say(opus, frame(), ticks, 20);
    };
    talk(10);
    line.ssrc = 8;
    line.timestamp = 5;
    talk(10);
    line.sequence = (line.sequence + 20_000) & 0xffff;
    talk(10);
    line.stream.agree(toAlaw(), false, undefined);
    talk(10);
    line.stream.agree(toAlaw(), true, undefined);
    talk(10);
    line.stream.agree(new Map([[alaw, audio("PCMA", "PCMA")]]), true, undefined);
    for (let count = 0; count < 10; count += 1) line.say(alaw, encodeAlaw(tone(440, 8000, 20)), 160, 20);
    line.stream.agree(toAlaw(), true, undefined);
    talk(10);
    expect(line.steps.sequences).toEqual(new Set([1]));
    expect(line.out).toHaveLength(60);
    // But for the hold of ten packets.
    expect(line.steps.timestamps.filter((step) => step !== 160)).toEqual([160 * 11]);
    expect(new Set(line.out.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(line.out.flatMap(({ marker }, index) => (marker ? [index] : []))).toEqual([0, 10, 20, 30, 40, 50]);
  });

  test("a digit is as long as it was, at its place between the sound", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    for (let count = 0; count < 10; count += 1) line.say(opus, frame(), ticks, 20);
    const { timestamp } = line;
    for (let step = 1; step <= 10; step += 1) {
      line.timestamp = timestamp;
      const duration = Math.min(step, 8) * 960;
      line.say(events, encodeTelephoneEvent({ digit: "5", end: step >= 8, volume: 10, duration }), 0, 20, step === 1);
    }
    line.timestamp = (timestamp + 160 * 48) >>> 0;
    for (let count = 0; count < 10; count += 1) line.say(opus, frame(), ticks, 20);
    const pressed = line.out.filter(({ payloadType }) => payloadType === 101);
    expect(keypresses(pressed, 8000)).toEqual([{ digit: "5", durationMs: 160 }]);
    expect(line.told).toEqual(["5 160"]);
    expect(line.steps.sequences).toEqual(new Set([1]));
    const first = line.out[0]?.timestamp ?? 0;
    const at = line.out.map((packet) => ((packet.timestamp - first) | 0) / 160);
    expect(at).toEqual([
      ...Array(10).keys(),
      ...Array<number>(10).fill(10),
      ...Array.from({ length: 10 }, (_, n) => n + 18),
    ]);
  });

  test.each([
    [100, [960], 120],
    [160, [960, 1920], 240],
    [250, [960, 1920, 2880], 360],
  ])(
    "a key of %i ms that a Chromium says in the clock of G.711, in steps of its own, is told and passed as it says",
    (_pressedMs, durations, saidMs) => {
      const line = new Line(new Map([...toAlaw(), [126, digits(8000, 8000)]]));
      const { frame, ticks } = speaker(20);
      for (let count = 0; count < 10; count += 1) line.say(opus, frame(), ticks, 20);
      const { timestamp } = line;
      for (const [step, duration] of durations.entries()) {
        const end = step === durations.length - 1;
        // Its end comes three times, at once.
        for (let copy = 0; copy < (end ? 3 : 1); copy += 1) {
          line.timestamp = timestamp;
          line.put(line.next(126, Uint8Array.of(5, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff), 0, step === 0));
        }
        vi.advanceTimersByTime(20);
      }
      // Timestamps are in the clock of Opus, so sound goes on after as many packets as the key took.
      line.timestamp = (timestamp + (durations.length + 1) * 960) >>> 0;
      vi.advanceTimersByTime(20);
      for (let count = 0; count < 10; count += 1) line.say(opus, frame(), ticks, 20);
      expect(line.told).toEqual([`5 ${saidMs}`]);
      const pressed = line.out.filter(({ payloadType }) => payloadType === 101);
      expect(keypresses(pressed, 8000)).toEqual([{ digit: "5", durationMs: saidMs }]);
      expect(pressed).toHaveLength(durations.length + 2);
      const sound = line.out.filter(({ payloadType }) => payloadType === alaw);
      const first = sound[0]?.timestamp ?? 0;
      expect(pressed.map((packet) => ((packet.timestamp - first) | 0) / 160)).toEqual(pressed.map(() => 10));
      expect(((sound[10]?.timestamp ?? 0) - first) | 0).toBe(160 * (11 + durations.length));
      expect(line.steps.sequences).toEqual(new Set([1]));
    },
  );

  test("silence that the client does not send is quiet noise, without a gap, until its next word", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    for (let count = 0; count < 20; count += 1) line.say(opus, frame(), ticks, 20);
    // As an encoder with DTX: one octet, and then nothing but another one after 400 ms.
    const quiet = Uint8Array.of((frame()[0] ?? 0) & 0xfc);
    line.say(opus, quiet, ticks * 20, 400);
    line.say(opus, quiet, ticks * 10, 200);
    for (let count = 0; count < 20; count += 1) line.say(opus, frame(), ticks, 20);
    expect(line.out).toHaveLength(70);
    expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(69).fill(160) });
  });

  test("a client that is gone in its silence is not made up for ever", () => {
    const line = new Line(toAlaw());
    const { frame, ticks } = speaker(20);
    line.say(opus, frame(), ticks, 20);
    line.say(opus, Uint8Array.of((frame()[0] ?? 0) & 0xfc), ticks, 60_000);
    expect(line.out.length).toBeLessThanOrEqual(52);
  });
});

describe("A-law to Opus", () => {
  const speak = (line: Line, packets: number, ms = 20): void => {
    const source = continuousTone(440, 8000);
    for (let count = 0; count < packets; count += 1) line.say(alaw, encodeAlaw(source.next(ms * 8)), ms * 8, ms);
  };
  const decoded = (line: Line, channels: 1 | 2 = 1): Int16Array => {
    const decoder = new Decoder({ channels, sample_rate: 8000 });
    return concatenate(
      line.out.map(({ payload }) => {
        const { buffer, byteOffset, byteLength } = decoder.decode(payload);
        return new Int16Array(buffer, byteOffset, byteLength / 2);
      }),
    );
  };

  test.each([
    [10, undefined, 960, 1 / 2],
    [20, undefined, 960, 1],
    [30, 20, 960, 3 / 2],
    [20, 60, 2880, 1 / 3],
    [60, 20, 960, 3],
    [20, 30, 960, 1],
    [20, 120, 2880, 1 / 3],
  ])("of packets of %i ms where %s are wished steps by %i", (ms, wished, step, each) => {
    const line = new Line(toOpus("", wished));
    speak(line, 60, ms);
    expect(line.out).toHaveLength(60 * each);
    expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(60 * each - 1).fill(step) });
    const heard = listen(decoded(line).subarray(2400), 8000, [440, 1000]);
    expect(heard.hz).toBe(440);
    expect(heard.levelDb).toBeCloseTo(listen(tone(440, 8000, 900), 8000, [440]).levelDb, 0);
  });

  test("keeps to the bit rate that the client wishes", () => {
    const [most, least] = [new Line(toOpus()), new Line(toOpus("maxaveragebitrate=8000;cbr=1"))];
    for (const line of [most, least]) speak(line, 50);
    const octets = (line: Line): number => line.out.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(octets(least)).toBeLessThanOrEqual(1000);
    expect(octets(most)).toBeGreaterThan(octets(least));
  });

  test("tells each frame again while the client misses some and can use it, and only then", () => {
    /** In narrowband of 20 ms the bit after the voice's says so (RFC 6716 s4.2.4). */
    const told = (line: Line): number =>
      line.out.splice(0).filter(({ payload }) => ((payload[1] ?? 0) & 0x40) !== 0).length;
    const voice = resampled(speech(), 16_000, 8000);
    const [able, unable] = [new Line(toOpus("useinbandfec=1")), new Line(toOpus())];
    for (const [percent, reports, least, most] of [
      [0, 1, 0, 0],
      [8, 1, 50, 100],
      [0, 4, 0, 1],
    ] as const) {
      for (const line of [able, unable]) {
        for (let count = 0; count < reports; count += 1) line.to.missed(percent);
        for (let at = 0; at < 16_000; at += 160) line.say(alaw, encodeAlaw(voice.subarray(at, at + 160)), 160, 20);
      }
      const again = told(able);
      expect(again).toBeGreaterThanOrEqual(least);
      expect(again).toBeLessThanOrEqual(most);
      expect(told(unable)).toBe(0);
    }
  });

  test("fills the place of what is lost with what was there", () => {
    const line = new Line(toOpus());
    const source = continuousTone(400, 8000);
    for (let count = 0; count < 60; count += 1) {
      const packet = line.next(alaw, encodeAlaw(source.next(160)), 160);
      if (count % 10 !== 5) line.put(packet);
      vi.advanceTimersByTime(20);
    }
    expect(line.out).toHaveLength(60);
    expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(59).fill(960) });
    const heard = listen(decoded(line).subarray(2400), 8000, [400, 1000]);
    expect(heard.hz).toBe(400);
    expect(heard.ratio).toBeGreaterThan(30);
  });

  test("comfort noise is heard, at its level, until the trunk speaks again", () => {
    const line = new Line(toOpus());
    speak(line, 20);
    line.say(13, Uint8Array.of(40), 160 * 40, 800);
    const noise = decoded(line).subarray(160 * 24);
    expect(line.out.length).toBeGreaterThanOrEqual(56);
    expect(listen(noise, 8000, [440]).levelDb).toBeGreaterThan(-46);
    expect(listen(noise, 8000, [440]).levelDb).toBeLessThan(-34);
    speak(line, 20);
    expect(line.steps.sequences).toEqual(new Set([1]));
    expect(Math.max(...line.steps.timestamps)).toBe(960);
    expect(line.out).toHaveLength(80);
  });

  test("where the trunk says nothing, nothing is sent, and the time goes on", () => {
    const line = new Line(toOpus());
    speak(line, 10);
    line.timestamp = (line.timestamp + 8000) >>> 0;
    vi.advanceTimersByTime(1000);
    speak(line, 10);
    expect(line.out).toHaveLength(20);
    expect(line.steps.sequences).toEqual(new Set([1]));
    expect(line.steps.timestamps.filter((step) => step !== 960)).toEqual([960 + 48_000]);
    expect(line.out[10]?.marker).toBe(true);
  });
});

test("no packet of any octets, nor the loss of one, breaks the Opus decoder", () => {
  const decoder = new OpusDecoder(8000);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (packet, next) => {
      const pcm = decoder.decode(packet);
      expect(pcm === undefined || pcm.length <= 960).toBe(true);
      expect(decoder.conceal(160, next)).toHaveLength(160);
    }),
    { numRuns: 5000 },
  );
  const { frame } = speaker(20);
  expect(decoder.decode(frame())).toHaveLength(160);
  decoder.release();
  expect(decoder.decode(frame())).toBeUndefined();
});

describe("G.711", () => {
  const all = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
  const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet);

  test.each([
    ["PCMA", encodeAlaw, decodeAlaw],
    ["PCMU", encodeUlaw, decodeUlaw],
  ] as const)("%s is what another implementation makes of every sample and every octet", (law, encode, decode) => {
    expect(new G711Encoder(law).encode(all)).toEqual(encode(all));
    expect(new G711Decoder(law).decode(octets)).toEqual(decode(octets));
  });
});
