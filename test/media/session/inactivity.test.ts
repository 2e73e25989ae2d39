// When an end counts as silent.
import { expect, test } from "vitest";
import { Inactivity } from "../../../src/media/embedded/session/inactivity.ts";

const timeoutMs = 10_000;

test("time on hold is no silence: after the hold a side has the whole time again", () => {
  const silence = new Inactivity(timeoutMs);
  const isTimedOut = (isExpected: boolean, nowMs: number): boolean => silence.isTimedOut("b", isExpected, 1_000, nowMs);
  expect(isTimedOut(true, 1_000)).toBe(false);
  for (let nowMs = 2_000; nowMs <= 60_000; nowMs += 1_000) expect(isTimedOut(false, nowMs)).toBe(false);
  expect(isTimedOut(true, 61_000)).toBe(false);
  expect(isTimedOut(true, 70_999)).toBe(false);
  expect(isTimedOut(true, 71_000)).toBe(true);
});

test("a side that goes quiet is told once, and again only after it was heard", () => {
  const silence = new Inactivity(timeoutMs);
  const told = (lastHeardAtMs: number, nowMs: number): boolean => silence.isTimedOut("a", true, lastHeardAtMs, nowMs);
  expect([told(0, 0), told(0, 10_000), told(0, 11_000)]).toEqual([false, true, false]);
  expect([told(12_000, 12_000), told(12_000, 22_000), told(12_000, 23_000)]).toEqual([false, true, false]);
});

test("each side is watched by itself", () => {
  const silence = new Inactivity(timeoutMs);
  const sides = ["a", "b"] as const;
  for (const side of sides) silence.isTimedOut(side, true, 0, 0);
  expect(sides.map((side) => silence.isTimedOut(side, true, side === "b" ? 9_000 : 0, 10_000))).toEqual([true, false]);
});
