// How good each direction of a call is, from what was counted and what the ends say.
import { expect, test } from "vitest";
import { noMediaStats, type EndStats } from "../../../src/core/call/model/media-stats.ts";
import { qualityBetween } from "../../../src/core/quality/direction-quality.ts";

const heard = (changes: Partial<EndStats>): EndStats => ({ ...noMediaStats.a, ...changes });

test("a direction that loses nothing is as good as a telephone line can be, and one on which nothing comes is not rated", () => {
  const now = { codec: "PCMU", a: heard({ packets: 250 }), b: heard({}) };
  const { a, b } = qualityBetween(noMediaStats, now);
  expect(a).toMatchObject({ packets: 250, lostPercent: 0, onwardLostPercent: undefined, delayMs: 40 });
  expect(a.opinion).toBeCloseTo(4.41, 2);
  expect(b).toMatchObject({ packets: 0, lostPercent: 0, opinion: undefined });
});

test("counts what was lost since the moment before, not in the whole call", () => {
  const before = { codec: "PCMU", a: heard({ packets: 10_000, lost: 1_000 }), b: noMediaStats.b };
  const now = { ...before, a: heard({ packets: 10_225, lost: 1_025, jitterMs: 12 }) };
  expect(qualityBetween(before, now).a).toMatchObject({ packets: 225, lostPercent: 10, jitterMs: 12 });
});

test("a source that begins anew is no negative number", () => {
  const before = { codec: "PCMU", a: heard({ packets: 500, lost: 9 }), b: noMediaStats.b };
  const now = { ...before, a: heard({ packets: 3, lost: 0 }) };
  expect(qualityBetween(before, now).a).toMatchObject({ packets: 0, lostPercent: 0 });
});

test("what the listener misses spoils the direction towards it, and both ways there are its delay", () => {
  const listener = { lostPercent: 20, jitterMs: 30, roundTripMs: 180 };
  const speaker = { lostPercent: 0, jitterMs: 0, roundTripMs: 40 };
  const now = {
    codec: "PCMU",
    a: heard({ packets: 250, jitterMs: 5, hears: speaker, levelDbov: -23 }),
    b: heard({ packets: 250, hears: listener }),
  };
  const { a, b } = qualityBetween(noMediaStats, now);
  expect(a).toMatchObject({ onwardLostPercent: 20, onwardJitterMs: 30, roundTripMs: 40, levelDbov: -23, delayMs: 220 });
  expect(a.opinion).toBeLessThan(2.7);
  expect(b).toMatchObject({ onwardLostPercent: 0, roundTripMs: 180 });
  expect(b.opinion).toBeGreaterThan(4);
});
