// Packets that are longer than those that the other end gets leave when they are due, not in a burst.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeAlaw } from "../../../dev/audio/g711.ts";
import { tone } from "../../../dev/audio/tone.ts";
import { alaw, Line, opus, speaker, toAlaw, toOpus } from "../peers/converted-line.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ["Opus", 60, undefined, [0, 20, 40]],
  ["Opus", 20, 10, [0, 10]],
  ["Opus", 60, 60, [0]],
  ["A-law", 60, undefined, [0, 20, 40]],
  ["A-law", 120, 20, [0, 20, 40, 60, 80, 100]],
  ["A-law", 60, 60, [0]],
] as const)("%s in packets of %i ms where %s are wished goes out at %j", (codec, frameMs, wished, due) => {
  const line = new Line(codec === "Opus" ? toAlaw(wished) : toOpus("", wished));
  const { frame, ticks } = speaker(codec === "Opus" ? frameMs : 20);
  const at: number[] = [];
  for (let count = 0; count < 50; count += 1) {
    if (codec === "Opus") line.put(line.next(opus, frame(), ticks));
    else line.put(line.next(alaw, encodeAlaw(tone(440, 8000, frameMs)), 8 * frameMs));
    for (let ms = 0; ms < frameMs; ms += 1) {
      at.push(...line.out.slice(at.length).map(() => count * frameMs + ms));
      vi.advanceTimersByTime(1);
    }
  }
  expect(at).toEqual(Array.from({ length: 50 }, (_, count) => due.map((each) => count * frameMs + each)).flat());
});

test("of long packets that come early or late wait for the next one at most", () => {
  const line = new Line(toAlaw());
  const { frame, ticks } = speaker(60);
  const spent = [60, 15, 90, 75, 5, 115, 60, 60];
  for (const [at, ms] of spent.entries()) {
    line.put(line.next(opus, frame(), ticks));
    // All of the packets before, and the first of this one's.
    expect(line.out).toHaveLength(3 * at + 1);
    vi.advanceTimersByTime(ms);
  }
  expect(line.steps).toEqual({ sequences: new Set([1]), timestamps: Array(23).fill(160) });
});

test("of long packets let a digit of ours, a hold and another source pass, and no number is missing", () => {
  const line = new Line(toAlaw());
  const digit = { payloadType: 101, clockRate: 8000 };
  line.stream.agree(toAlaw(), true, digit);
  const { frame, ticks } = speaker(60);
  const talk = (packets: number): void => {
    for (let count = 0; count < packets; count += 1) line.say(opus, frame(), ticks, 60);
  };
  talk(5);
  line.put(line.next(opus, frame(), ticks));
  line.to.press({ digit: "5", durationMs: 160, ...digit }, line.nowMs);
  vi.advanceTimersByTime(300);
  expect(
    line.out
      .splice(0)
      .slice(16)
      .every(({ payloadType }) => payloadType === 101),
  ).toBe(true);
  line.timestamp = (line.timestamp + 240 * 48) >>> 0;
  talk(5);
  line.put(line.next(opus, frame(), ticks));
  line.stream.agree(toAlaw(), false, digit);
  vi.advanceTimersByTime(300);
  line.stream.agree(toAlaw(), true, digit);
  expect(line.out).toHaveLength(16);
  talk(5);
  line.put(line.next(opus, frame(), ticks));
  line.ssrc = 9;
  talk(5);
  expect(line.out).toHaveLength(16 + 15 + 3 + 15);
  expect(line.steps.sequences).toEqual(new Set([1]));
  expect(Math.min(...line.steps.timestamps)).toBeGreaterThan(0);
});
