// Opus objects go from one call to the next: nothing of the last one is left in them.
import { expect, test } from "vitest";
import { OpusDecoder } from "../../../src/media/embedded/codec/opus-decoder.ts";
import { OpusEncoder } from "../../../src/media/embedded/codec/opus-encoder.ts";
import { resampled, speech } from "../peers/fidelity.ts";

const voice = resampled(speech(), 16_000, 8000);

/** Half a second of speech, as an encoder with these wishes packs it for a receiver that misses so much. */
function packed(wishes: string, lossPercent: number, from = 0): { packets: Uint8Array[]; release: () => void } {
  const encoder = new OpusEncoder(8000, wishes);
  const packets = Array.from({ length: 25 }, (_, at) =>
    Uint8Array.from(encoder.encode(voice.subarray(from + at * 160, from + at * 160 + 160), lossPercent)),
  );
  return { packets, release: () => encoder.release() };
}

test("an encoder that has served a call of other wishes and a bad line packs speech as a new one does", () => {
  const fresh = packed("", 0);
  const used = packed("useinbandfec=1;cbr=1;maxaveragebitrate=12000", 20, 16_000);
  used.release();
  expect(used.packets).not.toEqual(fresh.packets);
  // It is taken again.
  const again = packed("", 0);
  expect(again.packets).toEqual(fresh.packets);
  for (const { release } of [fresh, again]) release();
});

test("thousands of calls take no more memory than one, and the next one hears as the first did", () => {
  const { packets, release } = packed("", 0);
  release();
  const heard = (decoder: OpusDecoder): (Int16Array | undefined)[] => packets.map((packet) => decoder.decode(packet));
  const first = new OpusDecoder(8000);
  const expected = heard(first);
  first.release();
  const before = process.memoryUsage().external;
  for (let call = 0; call < 3000; call += 1) {
    const decoder = new OpusDecoder(8000);
    decoder.decode(packets[0] ?? new Uint8Array());
    decoder.decode(Uint8Array.of(255, 255, 255));
    decoder.release();
  }
  // 20 KB each, if none were given back.
  expect(process.memoryUsage().external - before).toBeLessThan(10_000_000);
  const last = new OpusDecoder(8000);
  expect(heard(last)).toEqual(expected);
  last.release();
});
