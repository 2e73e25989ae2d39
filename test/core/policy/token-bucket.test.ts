// How often something may happen: so many at once, and then as many as time has brought.
import { expect, test } from "vitest";
import { TokenBucket } from "../../../src/core/policy/token-bucket.ts";

/** How many of a hundred are allowed at that moment. */
function burst(bucket: TokenBucket, nowMs: number): number {
  return Array.from({ length: 100 }, () => bucket.take(nowMs)).filter(Boolean).length;
}

test("so many at once, and then one for each interval", () => {
  const bucket = new TokenBucket(1 / 6, 10);
  expect(burst(bucket, 0)).toBe(10);
  expect(burst(bucket, 5_999)).toBe(0);
  expect(burst(bucket, 12_001)).toBe(2);
});

test("a quiet day saves nothing up", () => {
  const bucket = new TokenBucket(1, 30);
  bucket.take(0);
  expect(burst(bucket, 86_400_000)).toBe(30);
});

test("a time that steps back neither gives nor takes", () => {
  const bucket = new TokenBucket(1, 2);
  expect(bucket.take(10_000)).toBe(true);
  expect(burst(bucket, 0)).toBe(1);
  expect(burst(bucket, 1_000)).toBe(1);
});
