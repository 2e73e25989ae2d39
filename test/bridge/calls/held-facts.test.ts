// What is kept of calls whose invite has not come yet, and that strangers cannot fill the memory with it.
import { expect, test } from "vitest";
import { HeldFacts, type HeldFact } from "../../../src/bridge/calls/held-facts.ts";
import { deviceId, type UserId } from "../../../src/core/ids.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const candidate = { candidate: "candidate:1 1 udp 2 192.0.2.1 9 typ host", mid: "0", mLineIndex: 0 };
const candidates = (count: number): HeldFact => ({
  sender: "@ann:example.org" as UserId,
  device: deviceId("PHONE"),
  fact: { kind: "matrix.candidates", candidates: Array.from({ length: count }, () => candidate) },
});
const kept = (facts: readonly HeldFact[]): number =>
  facts.reduce((sum, { fact }) => sum + (fact.kind === "matrix.candidates" ? fact.candidates.length : 0), 0);

test("facts are given back once, in their order, as long as an invite may come", () => {
  const clock = new VirtualClock();
  const held = new HeldFacts(clock);
  held.keep("call", candidates(1));
  held.keep("call", candidates(2));
  clock.advance(59_000);
  expect(held.take("call")).toEqual([candidates(1), candidates(2)]);
  expect(held.take("call")).toEqual([]);
  held.keep("call", candidates(1));
  clock.advance(60_000);
  expect(held.take("call")).toEqual([]);
});

test("of one call, more candidates than any client has are not kept", () => {
  const held = new HeldFacts(new VirtualClock());
  for (let n = 0; n < 1_000; n++) held.keep("call", candidates(200));
  expect(kept(held.take("call"))).toBeLessThanOrEqual(400);
});

test("calls that never come push each other out", () => {
  const held = new HeldFacts(new VirtualClock());
  for (let n = 0; n < 2_000; n++) held.keep(`call ${n}`, candidates(200));
  let sum = 0;
  for (let n = 0; n < 2_000; n++) sum += kept(held.take(`call ${n}`));
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThanOrEqual(10_000);
});
