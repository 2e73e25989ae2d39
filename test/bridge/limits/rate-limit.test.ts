// So many at once, then evenly over the minute, each person alone.
import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "../../../src/bridge/limits/rate-limit.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const tries = (limit: RateLimit, who: string, times: number): number =>
  Array.from({ length: times }, () => limit.allows(who)).filter(Boolean).length;

test("a minute's number at once, then one each time its share of the minute has passed", () => {
  const clock = new VirtualClock();
  const limit = new RateLimit(30, clock);
  expect(tries(limit, "ann", 100)).toBe(30);
  clock.advance(1_990);
  expect(tries(limit, "ann", 1)).toBe(0);
  clock.advance(10);
  expect(tries(limit, "ann", 2)).toBe(1);
  clock.advance(60_000);
  expect(tries(limit, "ann", 100)).toBe(30);
});

test("somebody else is not slowed down", () => {
  const limit = new RateLimit(3, new VirtualClock());
  expect([tries(limit, "ann", 10), tries(limit, "bob", 10)]).toEqual([3, 3]);
});

test("one a minute is one a minute", () => {
  const clock = new VirtualClock();
  const limit = new RateLimit(1, clock);
  expect(tries(limit, "ann", 5)).toBe(1);
  clock.advance(59_990);
  expect(tries(limit, "ann", 5)).toBe(0);
  clock.advance(10);
  expect(tries(limit, "ann", 5)).toBe(1);
});

test("nobody is made to wait because the machine's clock is set back by an hour, or gets more because it is set ahead", () => {
  const clock = new VirtualClock();
  const limit = new RateLimit(1, clock);
  expect(tries(limit, "ann", 1)).toBe(1);
  clock.setWall(-3_600_000);
  clock.advance(60_000);
  expect(tries(limit, "ann", 1)).toBe(1);
  clock.setWall(2 * 3_600_000);
  expect(tries(limit, "ann", 1)).toBe(0);
});

test("in no minute is twice the number exceeded, whenever the tries come", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 500 }),
      (perMinute, gapsMs) => {
        const clock = new VirtualClock();
        const limit = new RateLimit(perMinute, clock);
        const allowedAtMs: number[] = [];
        for (const gapMs of gapsMs) {
          clock.advance(gapMs);
          if (limit.allows("ann")) allowedAtMs.push(clock.nowMs());
        }
        for (const fromMs of allowedAtMs) {
          const inMinute = allowedAtMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + 60_000).length;
          expect(inMinute).toBeLessThanOrEqual(2 * perMinute);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test("over an hour it is the same, and what is forgiven may be done again", () => {
  const clock = new VirtualClock();
  const limit = new RateLimit(6, clock, 3_600_000);
  expect(tries(limit, "ann", 10)).toBe(6);
  expect([limit.isSpent("ann"), limit.isSpent("bob")]).toEqual([true, false]);
  clock.advance(599_990);
  expect(limit.isSpent("ann")).toBe(true);
  clock.advance(10);
  expect([limit.isSpent("ann"), tries(limit, "ann", 10)]).toEqual([false, 1]);
  limit.forgive("ann", 2);
  limit.forgive("bob", 5);
  expect([tries(limit, "ann", 10), tries(limit, "bob", 10)]).toEqual([2, 6]);
});

test("a limit that changes counts what was done before", () => {
  let perMinute = 10;
  const limit = new RateLimit(() => perMinute, new VirtualClock());
  expect(tries(limit, "ann", 6)).toBe(6);
  perMinute = 8;
  expect(tries(limit, "ann", 10)).toBe(2);
  perMinute = 4;
  expect([tries(limit, "ann", 10), tries(limit, "bob", 10)]).toEqual([0, 4]);
  perMinute = 9;
  expect(tries(limit, "ann", 10)).toBe(1);
});
