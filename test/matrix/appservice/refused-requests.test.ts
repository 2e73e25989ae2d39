// How many lines a flood of refused requests leaves in the log.
import { expect, it } from "vitest";
import { RefusedRequests } from "../../../src/matrix/appservice/refused-requests.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { collectingLog, type LogLine } from "../edge-rig.ts";

function rig() {
  const lines: LogLine[] = [];
  const clock = new VirtualClock();
  return { lines, clock, refused: new RefusedRequests(clock, collectingLog(lines)) };
}

it("4,000 from one address in a day are a line at once, and then counts at growing intervals", () => {
  const { lines, clock, refused } = rig();
  for (let request = 0; request < 4_000; request += 1) {
    refused.note("wrong token", "192.0.2.1");
    clock.advance(21_600);
  }
  clock.advance(4 * 3_600_000);
  const counted = lines.reduce((sum, { fields }) => sum + Number(fields?.["more"] ?? 1), 0);
  expect(counted).toBe(4_000);
  expect(lines[0]).toEqual({ level: "warn", message: "wrong token", fields: { peer: "192.0.2.1" } });
  expect(lines.length).toBeLessThan(40);
  expect(clock.pending).toBe(0);
});

it("from thousands of addresses are a hundred lines, and one count for the rest", () => {
  const { lines, clock, refused } = rig();
  for (let address = 0; address < 4_000; address += 1) refused.note("wrong token", `2001:db8::${address.toString(16)}`);
  expect(lines).toHaveLength(101);
  clock.advance(60_000);
  expect(lines.slice(101)).toEqual([
    { level: "warn", message: "wrong token", fields: { peer: "others", more: 3_899 } },
  ]);
});

it("of one address do not hide those of another, nor those of another kind", () => {
  const { lines, refused } = rig();
  for (const message of ["wrong token", "no token"])
    for (const peer of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) refused.note(message, peer);
  expect(lines).toHaveLength(4);
});

it("are not counted any more once the door is closed", () => {
  const { clock, refused } = rig();
  refused.note("wrong token", "192.0.2.1");
  refused.stop();
  expect(clock.pending).toBe(0);
});
