// Which kinds of clients ring: people are called in the way in which they last called or answered.
import { expect, test } from "vitest";
import type { LegForm } from "../../../src/core/call/model/matrix-leg.ts";
import { callId } from "../../../src/core/ids.ts";
import { accepted, ann, bob, made1, TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

const all = ["legacy", "rtc"];
const rtc = {
  form: { kind: "rtc", media: "client" } as unknown as LegForm,
  abilities: { canRenegotiate: false, hasKeypad: false },
};

function twoKinds(options: TestBridgeOptions = {}): TestBridge {
  const bridge = new TestBridge(options);
  bridge.homeserver.clientKinds = all;
  return bridge;
}

const hangUp = { kind: "sip.hungUp", q850: 16 } as const;

/** Ann calls a number with a client of that kind, and talks. */
async function annCalls(bridge: TestBridge): Promise<void> {
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact(rtc));
  await bridge.sip(accepted);
  await bridge.sip(hangUp);
}

test("somebody of whom nothing is known is called in all kinds, and then in the one that they answered in", async () => {
  const bridge = twoKinds();
  await bridge.arrive();
  await bridge.take({ ...bridge.answer(made1), ...rtc });
  await bridge.sip(hangUp);
  await bridge.arrive({ call: callId("in2") });
  expect(bridge.homeserver.rung).toEqual([all, ["rtc"]]);
});

test("the kind in which somebody called counts, and the last one does, over a restart too", async () => {
  const before = twoKinds();
  await annCalls(before);
  await before.arrive();
  expect(before.homeserver.rung).toEqual([["rtc"]]);
  const after = twoKinds({ store: before.store });
  await after.clientKinds.load([ann, bob]);
  await after.arrive();
  expect(after.homeserver.rung).toEqual([["rtc"]]);
});

test("of several people the call rings what each of them uses, and all if of one nothing is known", async () => {
  const bridge = twoKinds();
  await annCalls(bridge);
  await bridge.arrive({ called: "+441632960002" });
  await bridge.arrive({ call: callId("in2"), called: "+441632960004" });
  expect(bridge.homeserver.rung).toEqual([all, all]);
});

test.each([
  ["legacy", ["legacy"]],
  ["rtc", ["rtc"]],
  ["both", all],
])("people.calls: %s is the same for everybody", async (ringKinds, kinds) => {
  const bridge = twoKinds({ ringKinds });
  await annCalls(bridge);
  await bridge.arrive();
  expect(bridge.homeserver.rung).toEqual([kinds]);
});

test("a kind that the bridge no longer has is as good as none", async () => {
  const bridge = twoKinds();
  await annCalls(bridge);
  bridge.homeserver.clientKinds = ["legacy"];
  await bridge.arrive();
  expect(bridge.homeserver.rung).toEqual([["legacy"]]);
});

test("a call that is transferred to a person rings what they use", async () => {
  const bridge = twoKinds();
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact());
  await bridge.sip(accepted);
  const replacement = { kind: "create", token: "t", target: bob } as const;
  await bridge.take({ ...bridge.callOf(), kind: "call.replaced", replacement });
  expect(bridge.homeserver.rung).toEqual([all]);
});
