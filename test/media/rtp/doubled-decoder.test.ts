// A narrowband codec that gives twice as many samples: the voice is the same, and has no mirror above 4 kHz.
import { expect, test } from "vitest";
import { listen } from "../../../dev/audio/goertzel.ts";
import { concatenate, continuousTone } from "../../../dev/audio/tone.ts";
import { encodeUlaw } from "../../../dev/audio/g711.ts";
import { DoubledDecoder } from "../../../src/media/embedded/codec/doubled-decoder.ts";
import { G711Decoder } from "../../../src/media/embedded/codec/g711.ts";

function doubled(hz: number): Int16Array {
  const decoder = new DoubledDecoder(new G711Decoder("PCMU"));
  const tone = continuousTone(hz, 8000);
  const frames = Array.from({ length: 50 }, () => decoder.decode(encodeUlaw(tone.next(160))) ?? new Int16Array());
  return concatenate(frames);
}

test.for([300, 1000, 2000, 3000, 3400])("%i Hz stay, and are not heard again above 4 kHz", (hz) => {
  const samples = doubled(hz);
  expect(samples).toHaveLength(16_000);
  expect(listen(samples, 16_000, [hz, 8000 - hz]).hz).toBe(hz);
  expect(listen(samples, 16_000, [hz]).ratio).toBeGreaterThan(100);
  expect(listen(samples, 16_000, [8000 - hz]).ratio).toBeLessThan(hz > 3000 ? 0.01 : 0.0005);
});

test("a hole is filled with as many samples as it has", () => {
  const decoder = new DoubledDecoder(new G711Decoder("PCMU"));
  decoder.decode(encodeUlaw(continuousTone(1000, 8000).next(160)));
  expect(decoder.conceal(320)).toHaveLength(320);
});
