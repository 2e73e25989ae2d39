// What speech and tones are like after they have been converted, with packets lost on the way.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tone } from "../../../dev/audio/tone.ts";
import { alawPackets, converted, heard, opusPackets } from "../peers/converted-speech.ts";
import { fidelityOf, resampled, speech } from "../peers/fidelity.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

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
