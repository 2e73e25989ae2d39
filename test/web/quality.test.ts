// What the console draws of a call's audio.
import { describe, expect, test } from "vitest";
import { pathOf, scaleOf } from "../../web/parts/chart-shape.ts";
import { createHistory } from "../../web/state/quality.ts";
import type { Call } from "../../web/api/types.ts";

function call(packets: number, lost: number, id = "c-1"): Call {
  const heard = { packets, lost, jitter_ms: 4 };
  return { id, media: { from_matrix: heard, from_trunk: { ...heard, lost: 0 } } } as Call;
}

describe("samples", () => {
  test("are what came between two looks, not since the call began", () => {
    const history = createHistory();
    history.add([call(1_000, 500)], 0);
    history.add([call(1_090, 510)], 2_000);
    history.add([call(1_190, 510)], 4_000);
    expect(history.of("c-1", "from_matrix")).toEqual([
      { atMs: 2_000, loss: 0.1, jitterMs: 4 },
      { atMs: 4_000, loss: 0, jitterMs: 4 },
    ]);
  });

  test("are missing while nothing comes, and forgotten with their call", () => {
    const history = createHistory();
    history.add([call(100, 0)], 0);
    history.add([call(100, 0)], 2_000);
    expect(history.of("c-1", "from_matrix")).toEqual([]);
    history.add([call(200, 0)], 4_000);
    expect(history.of("c-1", "from_trunk")).toHaveLength(1);
    history.add([], 6_000);
    expect(history.of("c-1", "from_trunk")).toEqual([]);
  });
});

describe("graphs", () => {
  const points = [
    { atMs: 0, value: 0 },
    { atMs: 2_000, value: 8 },
    { atMs: 60_000, value: 4 },
  ];

  test("reach to a round number above all values, and over a minute at least", () => {
    expect(scaleOf([points], { from: 0, to: 5 })).toEqual({ startMs: 0, endMs: 60_000, bottom: 0, top: 10 });
    expect(scaleOf([[]], { from: 0, to: 0.05 })).toMatchObject({ bottom: 0, top: 0.05 });
    expect(scaleOf([[{ atMs: 5, value: 0.031 }]], { from: 0, to: 0.01 })).toMatchObject({ endMs: 60_005, top: 0.05 });
  });

  test("show a pause in the measurements as a gap", () => {
    const scale = scaleOf([points], { from: 0, to: 10 });
    expect(pathOf(points, scale, { width: 600, height: 100 })).toBe("M0.0 100.0L20.0 20.0M600.0 60.0");
  });
});
