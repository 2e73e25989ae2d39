// How loud a direction is, from packets of G.711.
import { expect, test } from "vitest";
import { G711Encoder } from "../../../src/media/embedded/codec/g711.ts";
import { Loudness } from "../../../src/media/embedded/rtp/loudness.ts";

/** 20 ms of 400 Hz; `amplitude` of 32767. */
function tone(law: "PCMA" | "PCMU", amplitude: number): Uint8Array {
  const pcm = Int16Array.from({ length: 160 }, (_, at) => amplitude * Math.sin((2 * Math.PI * 400 * at) / 8000));
  return new G711Encoder(law).encode(pcm);
}

/** One second of it, 12 octets of a header before each payload. */
function hear(loudness: Loudness, codec: string, payload: Uint8Array, fromMs: number): void {
  const packet = Buffer.concat([Buffer.alloc(12, 0xff), payload]);
  for (let ms = 0; ms < 1_000; ms += 20) loudness.packet(codec, packet, 12, packet.length, fromMs + ms);
}

test.each(["PCMA", "PCMU"] as const)("is that of a tone, in dBov: %s", (law) => {
  const loudness = new Loudness();
  expect(loudness.levelDbov(0)).toBeUndefined();
  // A sine of full scale has 3 dB less than a square.
  hear(loudness, law, tone(law, 32_000), 0);
  expect(loudness.levelDbov(1_000)).toBe(-3);
  const quiet = new Loudness();
  hear(quiet, law, tone(law, 320), 0);
  expect(quiet.levelDbov(1_000)).toBe(-43);
});

test("is that of the loudest words of the last seconds, and then forgotten", () => {
  const loudness = new Loudness();
  hear(loudness, "PCMA", tone("PCMA", 32_000), 0);
  hear(loudness, "PCMA", tone("PCMA", 32), 1_000);
  expect(loudness.levelDbov(2_000)).toBe(-3);
  for (let ms = 2_000; ms < 8_000; ms += 1_000) hear(loudness, "PCMA", tone("PCMA", 32), ms);
  expect(loudness.levelDbov(8_000)).toBeLessThan(-55);
  expect(loudness.levelDbov(20_000)).toBeUndefined();
});

test("of silence is the lowest, and of other codecs and empty packets not known", () => {
  const silent = new Loudness();
  hear(silent, "PCMU", new Uint8Array(160).fill(0xff), 0);
  expect(silent.levelDbov(1_000)).toBe(-127);
  const other = new Loudness();
  hear(other, "opus", new Uint8Array(160), 0);
  hear(other, "PCMU", new Uint8Array(0), 0);
  expect(other.levelDbov(1_000)).toBeUndefined();
});
