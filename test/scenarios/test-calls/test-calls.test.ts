// An admin's test call: it goes out by the rules of everybody's calls, is measured, and leaves nothing behind.
import { describe, expect, test } from "vitest";
import { callId, trunkName } from "../../../src/core/ids.ts";
import { noLimits, type Allowance } from "../../../src/core/policy/spending/allowance.ts";
import type { TestCall } from "../../../src/ports/admin/test-call.ts";
import { examplePlan, examplePolicy, exampleSpending } from "../settings.ts";
import { accepted, TestBridge, trunk } from "../test-bridge.ts";

const order = { number: "01632 960000", trunk: undefined, talkMs: 6_000 };

async function place(bridge: TestBridge): Promise<TestCall> {
  const placed = await bridge.door.testCalls.place(order);
  if (placed.kind === "refused") throw new Error(placed.words);
  return placed.call;
}

test("rings, is answered, hears tones each second, and is hung up after its time", async () => {
  const bridge = new TestBridge();
  const { id, phase, number } = await place(bridge);
  expect([phase, number]).toEqual(["dialling", bridge.telemetry.shownNumber("+441632960000")]);
  expect(bridge.trunks.orders).toMatchObject([
    { verb: "invite", call: id, argument: { trunk, target: "sip:+441632960000@sip.example.org" } },
  ]);
  await bridge.passTime(300);
  bridge.arrivals.heard(id, { kind: "sip.ringing" });
  expect(await bridge.door.testCalls.find(id)).toMatchObject({ phase: "ringing", rangAfterMs: 300 });
  await bridge.passTime(900);
  bridge.arrivals.heard(id, accepted);
  await bridge.quiet();
  expect(await bridge.door.testCalls.find(id)).toMatchObject({ phase: "talking", answeredAfterMs: 1_200 });
  for (let second = 0; second < 6; second += 1) await bridge.passTime(1_000);
  expect(bridge.media.orders.filter((one) => one === "prompt enter").length).toBeGreaterThanOrEqual(6);
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  bridge.arrivals.heard(id, { kind: "sip.ended" });
  await bridge.quiet();
  expect(await bridge.door.testCalls.find(id)).toMatchObject({ phase: "over", cause: undefined });
  expect(bridge.media.orders.at(-1)).toBe("close");
  expect(bridge.homeserver.told).toEqual([]);
});

describe("leaves nothing behind", () => {
  test("where nobody answers: it is cancelled", async () => {
    const bridge = new TestBridge();
    const { id } = await place(bridge);
    await bridge.passTime(40_000);
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel"]);
    bridge.arrivals.heard(id, { kind: "sip.ended" });
    await bridge.quiet();
    expect(await bridge.door.testCalls.find(id)).toMatchObject({ phase: "over", cause: "no-answer" });
    expect(bridge.media.orders.at(-1)).toBe("close");
  });

  test("where the answer crosses our CANCEL: it is hung up", async () => {
    const bridge = new TestBridge();
    const { id } = await place(bridge);
    expect(bridge.door.testCalls.end(id)).toBe(true);
    bridge.arrivals.heard(id, accepted);
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel", "bye"]);
  });

  test("where the trunk refuses it, with its status", async () => {
    const bridge = new TestBridge();
    const { id } = await place(bridge);
    bridge.arrivals.heard(id, { kind: "sip.rejected", status: 486, phrase: "", q850: undefined });
    await bridge.quiet();
    expect(await bridge.door.testCalls.find(id)).toMatchObject({ phase: "over", cause: "busy", sipStatus: 486 });
    expect(bridge.media.orders.at(-1)).toBe("close");
  });

  test("where the trunk says no more to our BYE", async () => {
    const bridge = new TestBridge();
    const { id } = await place(bridge);
    bridge.arrivals.heard(id, accepted);
    await bridge.passTime(6_000);
    await bridge.passTime(5_000);
    expect(await bridge.door.testCalls.find(id)).toMatchObject({ phase: "over" });
    expect(bridge.media.orders.at(-1)).toBe("close");
  });

  test("where the trunk sends it elsewhere, or wants to transfer it: it does not go there", async () => {
    const bridge = new TestBridge();
    const { id } = await place(bridge);
    expect(bridge.arrivals.mayReach(id, { kind: "number", text: "+441632960001" } as never)).toBe(false);
    bridge.arrivals.heard(id, accepted);
    await bridge.quiet();
    bridge.arrivals.heard(id, { kind: "sip.referred", target: {} as never, replaces: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite", "refuseRefer"]);
  });
});

describe("is not placed", () => {
  const barred = { ...order, number: "0909 879 0000" };

  test.each([
    ["to a premium number", barred, "premium-barred"],
    ["to an emergency number", { ...order, number: "999" }, "emergency"],
    ["to what is no number", { ...order, number: "hello" }, "not-dialable"],
    ["over a trunk that there is not", { ...order, trunk: trunkName("nowhere") }, "no-such-trunk"],
  ])("%s", async (_, wanted, why) => {
    const bridge = new TestBridge();
    expect(await bridge.door.testCalls.place(wanted)).toMatchObject({ kind: "refused", why });
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("to an emergency number, though a trunk takes those of people", async () => {
    const bridge = new TestBridge({ plan: { ...examplePlan, emergencyTrunk: trunk } });
    expect(await bridge.door.testCalls.place({ ...order, number: "999" })).toMatchObject({ why: "emergency" });
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("while another one goes on, over a paused trunk, beyond all calls, too often, and while the bridge drains", async () => {
    const bridge = new TestBridge();
    const { id } = await place(bridge);
    expect(await bridge.door.testCalls.place(order)).toMatchObject({ why: "one-at-a-time" });
    const refuse = async (call: typeof id) => {
      bridge.arrivals.heard(call, { kind: "sip.rejected", status: 486, phrase: "", q850: undefined });
      await bridge.quiet();
    };
    await refuse(id);
    bridge.door.pause(trunk);
    expect(await bridge.door.testCalls.place(order)).toMatchObject({ why: "trunk-paused" });
    bridge.door.resume(trunk);
    for (let more = 0; more < 3; more += 1) await refuse((await place(bridge)).id);
    expect(await bridge.door.testCalls.place(order)).toMatchObject({ why: "too-often" });
    await bridge.passTime(60_000);
    void bridge.door.drain(0);
    expect(await bridge.door.testCalls.place(order)).toMatchObject({ why: "draining" });
    expect(bridge.trunks.verbs).toEqual(["invite", "invite", "invite", "invite"]);
    const full = new TestBridge({ policy: { ...examplePolicy, callsInAll: 0 } });
    expect(await full.door.testCalls.place(order)).toMatchObject({ why: "too-many-calls" });
  });
});

test("is paid for as any call: what it took of the limits stays used, and beyond them none is placed", async () => {
  const everybody: Allowance = { ...noLimits, day: { seconds: 8, money: undefined } };
  const bridge = new TestBridge({ spending: { ...exampleSpending, everybody } });
  const { id } = await place(bridge);
  bridge.arrivals.heard(id, accepted);
  await bridge.passTime(6_000);
  bridge.arrivals.heard(id, { kind: "sip.ended" });
  await bridge.quiet();
  const { account, windows } = bridge.spending;
  expect(account.usage({ kind: "user", name: bridge.homeserver.bot }, windows.day)).toMatchObject({ seconds: 6 });
  expect(await bridge.door.testCalls.place(order)).toMatchObject({ kind: "refused", why: "limit-reached" });
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
});

test("a call of that id that is none has no end", async () => {
  const { door } = new TestBridge();
  expect([door.testCalls.end(callId("t-0")), await door.testCalls.find(callId("t-0"))]).toEqual([false, undefined]);
});
