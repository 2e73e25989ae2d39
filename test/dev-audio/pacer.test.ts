// The beat of a gateway's and a client's audio, by a clock of the test's own.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { everyFrame } from "../../dev/audio/pacer.ts";

let nowMs = 0;

beforeEach(() => {
  nowMs = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Timers that are due fire at the end of it. */
function pass(ms: number): void {
  nowMs += ms;
  vi.advanceTimersByTime(ms);
}

function beating(): { readonly beats: () => number } {
  let beats = 0;
  const stop = everyFrame(() => (beats += 1));
  return {
    beats() {
      stop();
      return beats;
    },
  };
}

test("a stream neither drifts nor runs ahead, however late each timer fires", () => {
  for (const lateMs of [1, 7, 20, 33, 450]) {
    const { beats } = beating();
    for (let passedMs = 0; passedMs < 90_000; passedMs += lateMs) pass(lateMs);
    expect(Math.abs(beats() - 90_000 / 20)).toBeLessThanOrEqual(lateMs / 20 + 1);
  }
});

test("whoever was away for longer than half a second goes on from now", () => {
  const { beats } = beating();
  pass(60_000);
  for (let frame = 0; frame < 50; frame += 1) pass(20);
  expect(beats()).toBe(1 + 50);
});
