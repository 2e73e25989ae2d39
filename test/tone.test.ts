// The audio that proves calls: tones, G.711, WAV files, RTP packets and RFC 4733 key presses.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../dev/audio/g711.ts";
import { listen } from "../dev/audio/goertzel.ts";
import { decodeRtp, encodeRtp } from "../dev/audio/rtp.ts";
import { decodeTelephoneEvent, encodeTelephoneEvent, keypad, keypresses } from "../dev/audio/telephone-event.ts";
import { concatenate, continuousTone, keyFrequencies, tone } from "../dev/audio/tone.ts";
import { decodeWav, encodeWav, WavError } from "../dev/audio/wav.ts";

const PROOF = [440, 1000];

describe("a tone", () => {
  it("is found far above the rest, and the other one is not", () => {
    const heard = listen(tone(440, 8000, 1000), 8000, PROOF);
    expect(heard.hz).toBe(440);
    expect(heard.ratio).toBeGreaterThan(1000);
    expect(listen(tone(700, 8000, 1000), 8000, PROOF).ratio).toBeLessThan(0.001);
  });

  it("survives either G.711 law", () => {
    const samples = tone(1000, 8000, 1000);
    for (const through of [decodeUlaw(encodeUlaw(samples)), decodeAlaw(encodeAlaw(samples))]) {
      const heard = listen(through, 8000, PROOF);
      expect(heard.hz).toBe(1000);
      expect(heard.ratio).toBeGreaterThan(100);
    }
  });

  it("is still heard when packets are missing", () => {
    const packets = Array.from({ length: 50 }, (_, index) =>
      tone(440, 8000, 20 * 50).subarray(index * 160, index * 160 + 160),
    );
    const lossy = concatenate(packets.filter((_, index) => index % 7 !== 3));
    expect(listen(lossy, 8000, PROOF)).toMatchObject({ hz: 440 });
    expect(listen(lossy, 8000, PROOF).ratio).toBeGreaterThan(3);
  });

  it("is not heard in silence, in nothing and in noise", () => {
    expect(listen(new Int16Array(8000), 8000, PROOF)).toEqual({
      hz: undefined,
      ratio: 0,
      levelDb: -Infinity,
    });
    expect(listen(new Int16Array(10), 8000, PROOF).hz).toBeUndefined();
    expect(listen(decodeAlaw(new Uint8Array(8000).fill(0xd5)), 8000, PROOF).hz).toBeUndefined();
    let seed = 1;
    const noise = Int16Array.from({ length: 8000 }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >> 16) / 4;
    });
    expect(listen(noise, 8000, PROOF).ratio).toBeLessThan(0.2);
  });

  it("goes on without a click over block ends", () => {
    const blocks = continuousTone(440, 8000);
    expect(concatenate([blocks.next(33), blocks.next(127)])).toEqual(continuousTone(440, 8000).next(160));
  });

  it("of a key is its two frequencies", () => {
    expect(keyFrequencies("5")).toEqual([770, 1336]);
    expect(keyFrequencies("#")).toEqual([941, 1477]);
    expect(keyFrequencies("x")).toBeUndefined();
    expect(keyFrequencies("")).toBeUndefined();
  });
});

describe("G.711", () => {
  it("has the octets of ITU-T G.711 at its corners", () => {
    expect([...encodeUlaw(Int16Array.of(0, -1, 32_767, -32_768))]).toEqual([0xff, 0x7f, 0x80, 0x00]);
    expect([...encodeAlaw(Int16Array.of(0, -1, 32_767, -32_768))]).toEqual([0xd5, 0x55, 0xaa, 0x2a]);
    expect([...decodeUlaw(Uint8Array.of(0x80, 0x00))]).toEqual([32_124, -32_124]);
    expect([...decodeAlaw(Uint8Array.of(0xaa, 0x2a))]).toEqual([32_256, -32_256]);
  });

  it("gives every octet back", () => {
    const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet);
    expect(encodeAlaw(decodeAlaw(octets))).toEqual(octets);
    // u-law has two zeros (0x7f and 0xff); the negative one comes back as the positive.
    expect(encodeUlaw(decodeUlaw(octets))).toEqual(octets.map((octet) => (octet === 0x7f ? 0xff : octet)));
  });

  it("stays within a step of every sample", () => {
    fc.assert(
      fc.property(fc.integer({ min: -32_768, max: 32_767 }), (sample) => {
        const step = Math.max(16, Math.abs(sample) / 16);
        for (const back of [
          decodeUlaw(encodeUlaw(Int16Array.of(sample))),
          decodeAlaw(encodeAlaw(Int16Array.of(sample))),
        ]) {
          expect(Math.abs((back[0] ?? 0) - sample)).toBeLessThanOrEqual(step);
        }
      }),
    );
  });
});

describe("a WAV file", () => {
  it("gives back what was written", () => {
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 100 }), fc.constantFrom(8000, 48_000), (samples, rate) => {
        expect(decodeWav(encodeWav(samples, rate))).toEqual({ rate, channels: [samples] });
      }),
    );
  });

  it("of a recorder that was ended in mid-call is read to its last whole sample", () => {
    const bytes = encodeWav(Int16Array.of(1, 2, 3), 8000);
    for (const size of [0, 0xffff_ffff]) {
      new DataView(bytes.buffer).setUint32(40, size, true);
      expect(decodeWav(bytes).channels).toEqual([Int16Array.of(1, 2, 3)]);
      expect(decodeWav(bytes.subarray(0, bytes.length - 1)).channels).toEqual([Int16Array.of(1, 2)]);
    }
  });

  it("that is none says so", () => {
    expect(() => decodeWav(new TextEncoder().encode("not a sound at all"))).toThrow(WavError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(43), fc.nat(255), (tail, at, octet) => {
        const bytes = Uint8Array.from([...encodeWav(new Int16Array(0), 8000), ...tail]);
        bytes[at] = octet;
        try {
          decodeWav(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WavError);
        }
      }),
    );
  });
});

describe("an RTP packet", () => {
  const packet = fc.record({
    payloadType: fc.nat(63),
    marker: fc.boolean(),
    sequence: fc.nat(0xffff),
    timestamp: fc.nat(0xffff_ffff),
    ssrc: fc.nat(0xffff_ffff),
    payload: fc.uint8Array({ maxLength: 200 }),
  });

  it("gives back what was written", () => {
    fc.assert(
      fc.property(packet, (written) => {
        expect(decodeRtp(encodeRtp(written))).toEqual(written);
      }),
    );
  });

  it("never throws on what came from the network", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeRtp(bytes)));
  });

  it("is read without its CSRCs, extension and padding", () => {
    const bytes = Uint8Array.of(
      0xb1,
      8,
      0,
      1,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      3,
      9,
      9,
      9,
      9,
      0xbe,
      0xde,
      0,
      1,
      7,
      7,
      7,
      7,
      42,
      0,
      2,
    );
    expect(decodeRtp(bytes)).toMatchObject({
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      payload: Uint8Array.of(42),
    });
    expect(decodeRtp(bytes.subarray(0, 18))).toBeUndefined();
  });
});

describe("a key press", () => {
  const press = (digit: string, timestamp: number, durations: readonly number[], ends = 3) => [
    ...durations.map((duration) => ({
      timestamp,
      payload: encodeTelephoneEvent({ digit, end: false, volume: 10, duration }),
    })),
    ...Array.from({ length: ends }, () => ({
      timestamp,
      payload: encodeTelephoneEvent({
        digit,
        end: true,
        volume: 10,
        duration: (durations.at(-1) ?? 0) + 160,
      }),
    })),
  ];

  it("of 160 ms is one digit of 160 ms, though its end is sent three times", () => {
    expect(keypresses(press("5", 1000, [160, 320, 480, 640, 800, 960, 1120]), 8000)).toEqual([
      { digit: "5", durationMs: 160 },
    ]);
  });

  it("twice on the same key is two digits", () => {
    const packets = [...press("1", 0, [160, 320]), ...press("1", 4000, [160]), ...press("#", 8000, [])];
    expect(keypresses(packets, 8000).map((each) => each.digit)).toEqual(["1", "1", "#"]);
  });

  it("whose end was lost ends with the next one, or with the stream", () => {
    const packets = [...press("A", 0, [160, 320], 0), ...press("0", 4000, [160], 0)];
    expect(keypresses(packets, 8000)).toEqual([
      { digit: "A", durationMs: 40 },
      { digit: "0", durationMs: 20 },
    ]);
  });

  it("is neither repeated nor shortened by reordered packets", () => {
    const [first, second, third, end, ...rest] = press("9", 0, [160, 320, 480]);
    const packets = [first, third, second, end, ...rest, second].filter((each) => each !== undefined);
    expect(keypresses(packets, 8000)).toEqual([{ digit: "9", durationMs: 80 }]);
  });

  it("is not seen in other events and broken packets", () => {
    expect(decodeTelephoneEvent(Uint8Array.of(16, 0, 0, 0))).toBeUndefined();
    expect(keypad(8000).receive(1, Uint8Array.of(1, 0))).toEqual([]);
    expect(() => encodeTelephoneEvent({ digit: "12", end: true, volume: 0, duration: 0 })).toThrow(RangeError);
  });
});
