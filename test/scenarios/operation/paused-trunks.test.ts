// An admin pauses a trunk: no call begins over it, people and the trunk are told, and calls that are up go on.
import { expect, test } from "vitest";
import { trunkName, type UserId } from "../../../src/core/ids.ts";
import type { DialPlan } from "../../../src/core/number/plan/dial-plan.ts";
import { examplePlan } from "../settings.ts";
import { accepted, room, TestBridge, trunk } from "../test-bridge.ts";

const spare = trunkName("spare");
const [main] = examplePlan.trunks;
const twoTrunks: DialPlan = {
  ...examplePlan,
  trunks: main === undefined ? [] : [main, { ...main, name: spare, host: "spare.example.org" }],
  routes: [{ prefix: "+", trunks: [trunk, spare], strip: 0, prepend: "" }],
};

test("a person who dials reads that the line is paused, and nothing is dialled", async () => {
  const bridge = new TestBridge();
  expect(bridge.door.pause(trunk)).toBe(true);
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact());
  expect(bridge.trunks.verbs).toEqual([]);
  expect(bridge.signals).toEqual(["reject failed"]);
  expect(bridge.words).toEqual(["This telephone line is paused. Please try again later."]);
});

test("a call from the trunk gets 503 and when to try again, and rings nobody", async () => {
  const bridge = new TestBridge();
  bridge.door.pause(trunk);
  const call = await bridge.arrive();
  expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 503 }]);
  expect(bridge.trunks.retryAfterS.get(call)).toBe(30);
  expect(bridge.homeserver.told).toEqual([]);
});

test("a call that is up goes on, and a new one may begin once the trunk is resumed", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  bridge.door.pause(trunk);
  await bridge.passTime(60_000);
  expect(await bridge.door.calls()).toMatchObject([{ phase: "connected" }]);
  bridge.door.resume(trunk);
  await bridge.arrive({ called: "+441632960002" });
  expect(bridge.trunks.verbs).toEqual(["invite", "ring"]);
});

test("a call takes the next trunk of its route, where that one is not paused", async () => {
  const bridge = new TestBridge({ plan: twoTrunks });
  bridge.door.pause(trunk);
  await bridge.ring();
  expect(bridge.trunks.orders).toMatchObject([{ verb: "invite", argument: { trunk: "spare" } }]);
});

test("a call whose trunk is out of order is not tried over one that was paused after it began", async () => {
  const bridge = new TestBridge({ plan: twoTrunks });
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact());
  bridge.door.pause(spare);
  await bridge.sip({ kind: "sip.rejected", status: 503, phrase: "", q850: undefined });
  await bridge.quiet();
  expect(bridge.trunks.orders).toMatchObject([{ verb: "invite", argument: { trunk } }]);
  expect(bridge.signals).toEqual(["reject failed"]);
});

test("a call is not handed over to a number that only the paused trunk reaches", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  bridge.door.pause(trunk);
  const target = "@_sip_02079460999%40sip.example.org:example.org" as UserId;
  await bridge.take({ ...bridge.callOf(), kind: "call.replaced", replacement: { kind: "create", token: "t", target } });
  expect(bridge.trunks.verbs).not.toContain("refer");
  expect(bridge.words.at(-1)).toContain("This telephone line is paused.");
});

test("whoever dials an emergency number is put through all the same, over a trunk that is not paused first", async () => {
  const emergency = "@_sip_999%40sip.example.org:example.org" as UserId;
  const bridge = new TestBridge({ plan: { ...examplePlan, emergencyTrunk: trunk } });
  bridge.door.pause(trunk);
  await bridge.enterRoom(room, emergency);
  await bridge.take(bridge.inviteFact());
  expect(bridge.trunks.verbs).toEqual(["invite"]);
});

test("trunks are shown with their health, whether they are paused, and how many calls they have", async () => {
  const bridge = new TestBridge();
  const health = { name: trunk, state: "up", detail: "OPTIONS answered 200", sinceMs: 1 } as const;
  bridge.trunks.states = [health];
  await bridge.ring();
  expect(bridge.door.trunks()).toEqual([{ health, paused: false, calls: 1 }]);
  bridge.door.pause(trunk);
  expect(bridge.door.trunks()).toMatchObject([{ paused: true }]);
  expect(await bridge.door.readiness["trunks"]?.()).toEqual({
    ready: false,
    detail: "main paused, up: OPTIONS answered 200",
  });
  expect([bridge.door.pause(trunkName("none")), bridge.door.resume(trunkName("none"))]).toEqual([false, false]);
});
