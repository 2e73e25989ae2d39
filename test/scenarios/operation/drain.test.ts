// The bridge is drained before it is stopped: no call begins, calls that are up may end by themselves.
import { expect, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import { examplePlan } from "../settings.ts";
import { accepted, room, TestBridge, trunk } from "../test-bridge.ts";

const words = "The bridge takes no new calls because it is about to be restarted. Please try again later.";
const hourMs = 3_600_000;

async function talking(): Promise<TestBridge> {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  return bridge;
}

test("without calls it is drained at once", async () => {
  const bridge = new TestBridge();
  expect(await bridge.door.drain(hourMs)).toBe(0);
  expect(bridge.clock.pending).toBe(0);
});

test("is over when the last call has ended by itself", async () => {
  const bridge = await talking();
  let left: number | undefined;
  void bridge.door.drain(hourMs).then((ended) => (left = ended));
  await bridge.passTime(600_000);
  expect([left, await bridge.door.calls()]).toMatchObject([undefined, [{ phase: "connected" }]]);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(left).toBe(0);
});

test("ends with words what is left at its deadline", async () => {
  const bridge = await talking();
  let left: number | undefined;
  void bridge.door.drain(60_000).then((ended) => (left = ended));
  await bridge.passTime(59_999);
  expect(bridge.trunks.verbs).toEqual(["invite"]);
  await bridge.passTime(1);
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  expect(bridge.words).toEqual(["The call ended because the bridge restarted."]);
  await bridge.sip({ kind: "sip.ended" });
  expect(left).toBe(1);
});

test("meanwhile a person who dials reads why not, and trunks get 503 and when to try again", async () => {
  const bridge = await talking();
  void bridge.door.drain(hourMs);
  await bridge.take(bridge.inviteFact({ ...bridge.callOf(undefined, "call2") }));
  const call = await bridge.arrive({ called: "+441632960002" });
  expect(bridge.trunks.verbs).toEqual(["invite", "reject"]);
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ argument: 503 });
  expect(bridge.trunks.retryAfterS.get(call)).toBe(30);
  expect(bridge.words).toEqual([words]);
});

test("meanwhile the bridge is not ready, and says why", async () => {
  const bridge = await talking();
  bridge.trunks.states = [{ name: trunk, state: "up", detail: "OPTIONS answered 200", sinceMs: 1 }];
  expect(await bridge.door.readiness["trunks"]?.()).toMatchObject({ ready: true });
  void bridge.door.drain(hourMs);
  expect(await bridge.door.readiness["trunks"]?.()).toEqual({
    ready: false,
    detail: "no new calls begin: the bridge is about to stop; main up: OPTIONS answered 200",
  });
});

test("whoever dials an emergency number is put through all the same", async () => {
  const emergency = "@_sip_999%40sip.example.org:example.org" as UserId;
  const bridge = new TestBridge({ plan: { ...examplePlan, emergencyTrunk: trunk } });
  void bridge.door.drain(hourMs);
  await bridge.enterRoom(room, emergency);
  await bridge.take(bridge.inviteFact());
  expect(bridge.trunks.verbs).toEqual(["invite"]);
});

test("a stop does not wait for it: calls are ended at once", async () => {
  const bridge = await talking();
  let left: number | undefined;
  void bridge.door.drain(hourMs).then((ended) => (left = ended));
  void bridge.stop(5_000);
  await bridge.sip({ kind: "sip.ended" });
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  expect(left).toBe(0);
});
