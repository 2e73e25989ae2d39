// Somebody sets the machine's clock in the middle of everything, or it finds the right time by itself.
import { expect, test } from "vitest";
import { accepted, TestBridge } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

const hourMs = 3_600_000;

async function talking(bridge: TestBridge): Promise<void> {
  await bridge.ring();
  await bridge.sip(accepted);
}

async function hangUp(bridge: TestBridge): Promise<void> {
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.sip({ kind: "sip.ended" });
}

test("two hours ahead, then three back: the talk is as long as it was", async () => {
  const bridge = new TestBridge({ notices: { failures: true, history: true } });
  await talking(bridge);
  bridge.clock.setWall(2 * hourMs);
  await bridge.passTime(60_000);
  bridge.clock.setWall(-3 * hourMs);
  await bridge.passTime(15_000);
  await hangUp(bridge);
  const [record] = await bridge.store.calls.history(1);
  expect((record?.endedAtMs ?? 0) - (record?.answeredAtMs ?? 0)).toBe(75_000);
  expect(record?.endedAtMs).toBe(bridge.clock.wallMs());
  // By the time of day at the end, all of it: a record is read beside the telephone's bill.
  expect((record?.endedAtMs ?? 0) - (record?.startedAtMs ?? 0)).toBe(75_000);
});

test("a day ahead: nobody is cut off, the limit of a call's length holds all the same", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, maxDurationMs: 600_000 } });
  await talking(bridge);
  bridge.clock.setWall(24 * hourMs);
  await bridge.passTime(599_000);
  expect(bridge.trunks.verbs).toEqual(["invite"]);
  bridge.clock.setWall(-48 * hourMs);
  await bridge.passTime(2_000);
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
});

test("an hour back after a call: the next call goes out", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerMinute: 1 } });
  await talking(bridge);
  await hangUp(bridge);
  bridge.clock.setWall(-hourMs);
  await bridge.passTime(60_000);
  await bridge.take(bridge.inviteFact({ matrixCallId: "call2" as never }));
  expect(bridge.trunks.verbs).toEqual(["invite", "bye", "invite"]);
});

test("set while the bridge was down: a call of before it says how long the talk was by the time of day", async () => {
  const before = new TestBridge();
  await talking(before);
  await before.passTime(10_000);
  // The next process counts from another beginning.
  const after = new TestBridge({ store: before.store });
  after.clock.setWall(60_000);
  for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
  await after.sip({ kind: "sip.ended" });
  const [record] = await after.store.calls.history(1);
  expect(record?.answeredAtMs).toBe(before.clock.wallMs() - 10_000);
  expect(record?.endedAtMs).toBe(after.clock.wallMs());
});
