// G.722, against ffmpeg's, and what it is like to hear in a call.
//
// speech-16khz.g722 is the first two seconds of speech-16khz.ulaw, as 16-bit samples, by ffmpeg 5.1.9 of Debian 12:
//   ffmpeg -f s16le -ar 16000 -ac 1 -i speech.s16 -c:a g722 -f g722 speech-16khz.g722
// The digests are of what the same ffmpeg makes of it, and of octets at random:
//   ffmpeg -f g722 -i speech-16khz.g722 -f s16le - | sha256sum
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Decoder } from "@evan/opus";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeAlaw, encodeAlaw } from "../../../dev/audio/g711.ts";
import { listen } from "../../../dev/audio/goertzel.ts";
import { concatenate, continuousTone, tone } from "../../../dev/audio/tone.ts";
import { G722Decoder, G722Encoder } from "../../../src/media/embedded/codec/g722.ts";
import { alaw, audio, g722, Line, opus, speaker } from "../peers/converted-line.ts";
import { fidelityOf, resampled, speech } from "../peers/fidelity.ts";

const byFfmpeg = readFileSync(new URL("speech-16khz.g722", import.meta.url));
const wide = speech();
const narrow = resampled(wide, 16_000, 8000);

function packetsOf<Packet>(count: number, packet: (at: number) => Packet): Packet[] {
  return Array.from({ length: count }, (_, at) => packet(at));
}

function decoded(payloads: readonly Uint8Array[], rate: 8000 | 16_000 = 16_000): Int16Array {
  const decoder = new G722Decoder(rate);
  return concatenate(payloads.map((payload) => decoder.decode(payload) ?? new Int16Array()));
}

const digest = (pcm: Int16Array): string =>
  createHash("sha256")
    .update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    .digest("hex");

describe("as ffmpeg has it, bit by bit", () => {
  test("speech is decoded", () => {
    const pcm = decoded(packetsOf(100, (at) => byFfmpeg.subarray(160 * at, 160 * at + 160)));
    expect(digest(pcm)).toBe("978086607e5cf0831d463e0aac4870c09c973ce105dbdbf0b0686ab866e5284e");
  });

  test("octets that no encoder makes are decoded", () => {
    let chance = 12_345;
    const octets = Uint8Array.from({ length: 16_000 }, () => {
      chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return chance >> 16;
    });
    const pcm = decoded(packetsOf(100, (at) => octets.subarray(160 * at, 160 * at + 160)));
    expect(digest(pcm)).toBe("34643f226ad1b8b01b8c4a0f979d371f746d6193ff276ff572330f4caaa154e5");
  });

  test("speech is encoded", () => {
    const encoder = new G722Encoder(16_000);
    const octets = packetsOf(100, (at) => encoder.encode(wide.subarray(320 * at, 320 * at + 320)));
    expect(Buffer.concat(octets).equals(byFfmpeg)).toBe(true);
  });
});

test("no octets, nor the loss of some, break the decoder; what is too long is none", () => {
  for (const rate of [8000, 16_000] as const) {
    const decoder = new G722Decoder(rate);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(1600), (packet, lost) => {
        expect(decoder.decode(packet)).toHaveLength((packet.length * rate) / 8000);
        expect(decoder.conceal(lost)).toHaveLength(lost);
      }),
      { numRuns: 500 },
    );
    expect(decoder.decode(new Uint8Array(1601))).toBeUndefined();
  }
});

test("sound as loud as can be is neither turned over nor made to ring, and silence becomes silence again", () => {
  for (const rate of [8000, 16_000] as const) {
    const [encoder, decoder] = [new G722Encoder(rate), new G722Decoder(rate)];
    const through = (pcm: Int16Array): Int16Array => decoder.decode(encoder.encode(pcm)) ?? new Int16Array();
    const loud = through(tone(440, rate, 200, 1));
    expect(listen(loud, rate, [440, 1000])).toMatchObject({ hz: 440 });
    expect(listen(loud.subarray(rate / 20), rate, [440]).ratio).toBeGreaterThan(1000);
    for (const extreme of [32_767, -32_768]) through(new Int16Array(rate / 10).fill(extreme));
    through(new Int16Array(rate / 5));
    expect(Math.max(...through(new Int16Array(rate / 50)).map(Math.abs))).toBeLessThan(40);
  }
});

describe("in a call", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** 20 ms packets of one codec through a direction that makes them into another. */
  function through(
    from: string,
    to: string,
    packets: readonly Uint8Array[],
    isLost: (at: number) => boolean = () => false,
  ): Uint8Array[] {
    const number = { opus, G722: g722, PCMA: alaw }[from] ?? 0;
    const line = new Line(new Map([[number, audio(to, from)]]));
    const ticks = from === "opus" ? 960 : 160;
    for (const [at, payload] of packets.entries()) {
      const packet = line.next(number, payload, ticks);
      if (!isLost(at)) line.put(packet);
      vi.advanceTimersByTime(20);
    }
    expect(line.steps.sequences).toEqual(new Set([1]));
    expect(new Set(line.steps.timestamps)).toEqual(new Set([to === "opus" ? 960 : 160]));
    line.stream.close();
    return line.out.map(({ payload }) => payload);
  }
  const g722Of = (pcm: Int16Array): Uint8Array[] => {
    const encoder = new G722Encoder(16_000);
    return packetsOf(Math.floor(pcm.length / 320), (at) => encoder.encode(pcm.subarray(320 * at, 320 * at + 320)));
  };
  const alawOf = (pcm: Int16Array): Uint8Array[] =>
    packetsOf(Math.floor(pcm.length / 160), (at) => encodeAlaw(pcm.subarray(160 * at, 160 * at + 160)));
  const opusHeard = (payloads: readonly Uint8Array[]): Int16Array => {
    const decoder = new Decoder({ channels: 1, sample_rate: 16_000 });
    return concatenate(
      payloads.map((payload) => {
        const { buffer, byteOffset, byteLength } = decoder.decode(payload);
        return new Int16Array(buffer, byteOffset, byteLength / 2);
      }),
    );
  };

  test.each([440, 1000, 3000, 6000])(
    "a tone of %i Hz passes between Opus and G.722, both ways, as loud as it was",
    (hz) => {
      const { frame } = speaker(20, { hz });
      const there = decoded(
        through(
          "opus",
          "G722",
          packetsOf(100, () => frame()),
        ),
      ).subarray(8000);
      const back = opusHeard(through("G722", "opus", g722Of(tone(hz, 16_000, 2000)))).subarray(8000);
      const original = listen(tone(hz, 16_000, 2000), 16_000, [hz]);
      for (const heard of [there, back].map((pcm) => listen(pcm, 16_000, [440, 1000, 3000, 6000]))) {
        expect(heard.hz).toBe(hz);
        expect(heard.ratio).toBeGreaterThan(30);
        expect(Math.abs(heard.levelDb - original.levelDb)).toBeLessThan(1);
      }
    },
  );

  test.each([440, 1000, 3000])("a tone of %i Hz passes between A-law and G.722, both ways, as loud as it was", (hz) => {
    const there = decoded(through("PCMA", "G722", alawOf(tone(hz, 8000, 2000)))).subarray(8000);
    const back = through("G722", "PCMA", g722Of(tone(hz, 16_000, 2000))).map((payload) => decodeAlaw(payload));
    const original = listen(tone(hz, 8000, 2000), 8000, [hz]);
    for (const heard of [
      listen(there, 16_000, [440, 1000, 3000]),
      listen(concatenate(back).subarray(4000), 8000, [440, 1000, 3000]),
    ]) {
      expect(heard.hz).toBe(hz);
      expect(heard.ratio).toBeGreaterThan(100);
      expect(Math.abs(heard.levelDb - original.levelDb)).toBeLessThan(0.5);
    }
  });

  test("speech keeps its wave and its level, and a twentieth of lost packets is filled", () => {
    const some = (at: number): boolean => at % 20 === 7;
    const heard = (from: string, to: string, isLost?: (at: number) => boolean): Int16Array => {
      const out = through(from, to, from === "G722" ? g722Of(wide) : alawOf(narrow), isLost);
      if (to === "PCMA") return concatenate(out.map((payload) => decodeAlaw(payload)));
      return resampled(to === "opus" ? opusHeard(out) : decoded(out), 16_000, 8000);
    };
    for (const [result, least] of [
      [fidelityOf(narrow, heard("G722", "PCMA")), 14],
      [fidelityOf(narrow, heard("PCMA", "G722")), 15],
      [fidelityOf(narrow, heard("G722", "opus")), 7.5],
      [fidelityOf(narrow, heard("G722", "PCMA", some)), 12],
    ] as const) {
      expect(result.segmentalSnrDb).toBeGreaterThan(least);
      expect(Math.abs(result.gainDb)).toBeLessThan(0.8);
      expect(result.delayMs).toBeLessThan(10);
    }
  });

  test("a source of both bands is not heard as another in the lower one", () => {
    const source = continuousTone(6000, 16_000);
    const packets = g722Of(source.next(32_000));
    const heard = concatenate(through("G722", "PCMA", packets).map((payload) => decodeAlaw(payload)));
    expect(listen(heard.subarray(800), 8000, [2000]).levelDb).toBeLessThan(-45);
  });
});
