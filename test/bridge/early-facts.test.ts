// What is kept of calls whose invite has not come yet, and that strangers cannot fill the memory with it.
import { expect, test } from "vitest";
import { EarlyFacts, type EarlyFact } from "../../src/bridge/calls/held-facts.ts";
import { partyId, type UserId } from "../../src/core/ids.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";

const candidate = { candidate: "candidate:1 1 udp 2 192.0.2.1 9 typ host", mid: "0", mLineIndex: 0 };
const candidates = (count: number): EarlyFact => ({
  sender: "@ann:example.org" as UserId,
  party: partyId("PHONE"),
  fact: { kind: "matrix.candidates", candidates: Array.from({ length: count }, () => candidate) },
});
const kept = (facts: readonly EarlyFact[]): number =>
  facts.reduce((sum, { fact }) => sum + (fact.kind === "matrix.candidates" ? fact.candidates.length : 0), 0);

test("facts are given back once, in their order, as long as an invite may come", () => {
  const clock = new VirtualClock();
  const early = new EarlyFacts(clock);
  early.keep("call", candidates(1));
  early.keep("call", candidates(2));
  clock.advance(59_000);
  expect(early.take("call")).toEqual([candidates(1), candidates(2)]);
  expect(early.take("call")).toEqual([]);
  early.keep("call", candidates(1));
  clock.advance(60_000);
  expect(early.take("call")).toEqual([]);
});

test("of one call, more candidates than any client has are not kept", () => {
  const early = new EarlyFacts(new VirtualClock());
  for (let n = 0; n < 1_000; n++) early.keep("call", candidates(200));
  expect(kept(early.take("call"))).toBeLessThanOrEqual(400);
});

test("calls that never come push each other out", () => {
  const early = new EarlyFacts(new VirtualClock());
  for (let n = 0; n < 2_000; n++) early.keep(`call ${n}`, candidates(200));
  let sum = 0;
  for (let n = 0; n < 2_000; n++) sum += kept(early.take(`call ${n}`));
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThanOrEqual(10_000);
});
