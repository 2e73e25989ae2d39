// What the console keeps and draws of a call's audio.
import { describe, expect, test } from "vitest";
import { pathOf, scaleOf } from "../../web/parts/chart-shape.ts";
import { createQualityBook, gradeOf, mosOf, type Sample } from "../../web/state/quality.ts";

function sample(seconds: number, mos: number | undefined, other = 4.4): Sample {
  const direction = { packets: 250, lost_percent: 0, jitter_ms: 4, delay_ms: 60, mos };
  return {
    at: new Date(1_800_000_000_000 + seconds * 1_000).toISOString(),
    from_matrix: direction,
    from_trunk: { ...direction, mos: other },
  };
}

describe("samples", () => {
  test("stand in order and once, whether they were told or asked for", () => {
    const book = createQualityBook();
    book.add("c-1", [sample(10, 4.1)]);
    book.add("c-1", [sample(0, 4.2), sample(5, 4.2), sample(10, 4.1)]);
    expect(book.of("c-1").map(({ at }) => at.slice(17, 19))).toEqual(["00", "05", "10"]);
  });

  test("are those of ten minutes, and forgotten with their call", () => {
    const book = createQualityBook();
    for (let index = 0; index < 200; index++) book.add("c-1", [sample(index * 5, 4)]);
    expect(book.of("c-1")).toHaveLength(120);
    book.keep(["c-2"]);
    expect(book.of("c-1")).toEqual([]);
  });

  test("are graded by the worse direction", () => {
    expect(mosOf(sample(0, 3.2))).toBe(3.2);
    expect(mosOf(sample(0, undefined))).toBe(4.4);
    expect(mosOf(undefined)).toBeUndefined();
    expect([4.4, 4.02, 3.5, 2.9].map(gradeOf)).toEqual(["good", "fair", "poor", "bad"]);
  });
});

describe("graphs", () => {
  const points = [
    { atMs: 0, value: 0 },
    { atMs: 5_000, value: 8 },
    { atMs: 60_000, value: 4 },
  ];

  test("reach to a round number above all values, and over a minute at least", () => {
    expect(scaleOf([points], { from: 0, to: 5 })).toEqual({ startMs: 0, endMs: 60_000, bottom: 0, top: 10 });
    expect(scaleOf([[]], { from: 0, to: 5 })).toMatchObject({ bottom: 0, top: 5 });
    expect(scaleOf([[{ atMs: 5, value: 31 }]], { from: 0, to: 10 })).toMatchObject({ endMs: 60_005, top: 50 });
    // Below zero there is nothing to round.
    expect(scaleOf([[{ atMs: 5, value: -31 }]], { from: -90, to: 0 })).toMatchObject({ bottom: -90, top: 0 });
  });

  test("show a pause in the measurements as a gap", () => {
    const scale = scaleOf([points], { from: 0, to: 10 });
    expect(pathOf(points, scale, { width: 600, height: 100 })).toBe("M0.0 100.0L50.0 20.0M600.0 60.0");
  });
});
