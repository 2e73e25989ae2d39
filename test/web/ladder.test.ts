// How the console lays out a ladder.
import { expect, test } from "vitest";
import { layoutOf, letterOf } from "../../web/ladder/layout.ts";
import type { LadderMessage } from "../../web/api/types.ts";

const at = (ms: number): string => new Date(1_800_000_000_000 + ms).toISOString();
const client = { lane: "client", name: "@ann:example.org" } as const;
const bridge = { lane: "bridge", name: "" } as const;
const trunk = (address: string) => ({ lane: "trunk", name: "main", address }) as const;

function message(from: LadderMessage["from"], to: LadderMessage["to"], thread: string, afterMs: number): LadderMessage {
  return { order: afterMs, at: at(afterMs), from, to, thread, label: "x", repeat: false, text: "", left_out_before: 0 };
}

test("Matrix stands left of the bridge and trunks right of it, a lane for each dialog, whoever speaks first", () => {
  const { lanes, rungs, threads } = layoutOf({
    messages: [
      message(trunk("192.0.2.1:5060"), bridge, "d1", 0),
      message(bridge, client, "!room", 250),
      message(bridge, trunk("192.0.2.2:5060"), "d2", 1_500),
      message({ lane: "homeserver", name: "" }, bridge, "!room", 1_600),
    ],
  });
  expect(lanes.map(({ kind, address }) => [kind, address])).toEqual([
    ["client", undefined],
    ["homeserver", undefined],
    ["bridge", undefined],
    ["trunk", "192.0.2.1:5060"],
    ["trunk", "192.0.2.2:5060"],
  ]);
  expect(rungs.map(({ from, to, thread, afterMs }) => [from, to, letterOf(thread), afterMs])).toEqual([
    [3, 2, "A", 0],
    [2, 0, "B", 250],
    [2, 4, "C", 1_500],
    [1, 2, "B", 1_600],
  ]);
  expect(threads).toBe(3);
});

test("nothing that was said has no lanes", () => {
  expect(layoutOf({ messages: [] })).toEqual({ lanes: [], rungs: [], threads: 0 });
});
