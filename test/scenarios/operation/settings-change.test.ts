// The bridge is given other settings while it runs: what is new holds from then on, and calls that are up go on as they began.
import { expect, test } from "vitest";
import { pinName, trunkName, type UserId } from "../../../src/core/ids.ts";
import type { DialPlan } from "../../../src/core/number/plan/dial-plan.ts";
import type { DidTable } from "../../../src/core/number/plan/did.ts";
import type { Policy } from "../../../src/core/policy/permission.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { exampleDids, examplePlan, examplePolicy } from "../settings.ts";
import { accepted, ann, bob, made1, room, TestBridge } from "../test-bridge.ts";

const nobody: Policy = { ...examplePolicy, permissions: new Map() };
const rings = (person: UserId): DidTable => ({
  rules: [
    {
      match: { kind: "exact", number: "+441632960001" },
      trunks: [],
      stages: [{ targets: [{ kind: "person", person }], ringMs: 30_000 }],
    },
  ],
});
const ringsBob = rings(bob);

test("a number rings whom the new settings name, and one that they leave out rings nobody", async () => {
  const bridge = new TestBridge();
  await bridge.reload({ dids: ringsBob });
  await bridge.arrive();
  await bridge.arrive({ called: "+441632960002" });
  expect(bridge.homeserver.rooms).toMatchObject([{ invite: bob }]);
  expect(bridge.trunks.orders).toMatchObject([{ verb: "ring" }, { verb: "reject", argument: 404 }]);
  expect(bridge.door.numbers()).toEqual(ringsBob.rules);
});

test("who may call no more is refused, and the call that they have goes on for as long as it could", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  await bridge.reload({ policy: { ...nobody, maxDurationMs: 60_000 } });
  await bridge.passTime(3_600_000);
  expect(await bridge.door.calls()).toMatchObject([{ phase: "connected" }]);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  await bridge.take({ ...bridge.inviteFact(), ...bridge.callOf(ann, "call2") });
  expect(bridge.signals.at(-1)).toBe("reject failed");
  expect(bridge.trunks.verbs).toEqual(["invite"]);
});

test("calls of the last minute count for the new limit", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  for (const call of ["one", "two", "three"]) {
    await bridge.take({ ...bridge.inviteFact(), ...bridge.callOf(ann, call) });
    await bridge.take({ ...bridge.callOf(ann, call), kind: "call.hungUp", said: undefined });
    await bridge.sip({ kind: "sip.ended" }, bridge.switchboard.calls.at(-1)?.id);
  }
  await bridge.reload({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  await bridge.take({ ...bridge.inviteFact(), ...bridge.callOf(ann, "four") });
  expect(bridge.words.at(-1)).toBe("You are calling too often. Please wait a minute.");
});

test("a caller who is entering a PIN is measured by the new one, and let in by none if the number is gone", async () => {
  const name = pinName("inbound.numbers[+441632960001].pin");
  const dids: DidTable = {
    rules: exampleDids.rules.map((rule, at) => Object.assign({}, rule, at === 0 && { pin: { name, length: 4 } })),
  };
  const pins = (digits: string) => new Map([[name, { digits, protects: "ann" }]]);
  const bridge = new TestBridge({ dids, pins: pins("1111") });
  const press = async (keys: string): Promise<void> => {
    for (const digit of keys) {
      const session = bridge.media.engine.opened.at(-1);
      session?.report({ kind: "media.dtmf", from: "b", digit, durationMs: 100, relayed: true });
      await bridge.quiet();
    }
  };
  await bridge.arrive();
  await bridge.reload({ dids, pins: pins("2222") });
  await press("1111");
  expect(bridge.homeserver.told).toEqual([]);
  await press("2222");
  await bridge.passTime(1_000);
  expect(bridge.in(made1)).toEqual(["invite"]);

  const other = new TestBridge({ dids, pins: pins("1111") });
  await other.arrive();
  await other.reload({ dids: ringsBob, pins: new Map() });
  for (const digit of "1111") {
    other.media.engine.opened.at(-1)?.report({ kind: "media.dtmf", from: "b", digit, durationMs: 100, relayed: true });
    await other.quiet();
  }
  expect(other.homeserver.told).toEqual([]);
  await other.passTime(10_000);
  await other.sip({ kind: "sip.ended" });
  expect(other.telemetry.ended).toMatchObject([{ cause: "pin-barred" }]);
});

test("a trunk that is taken away is dialled no more, not even by a call that would have gone on over it", async () => {
  const spare = trunkName("spare");
  const [main] = examplePlan.trunks;
  const twoTrunks: DialPlan = {
    ...examplePlan,
    trunks: main === undefined ? [] : [main, { ...main, name: spare, host: "spare.example.org" }],
    routes: [{ prefix: "+", trunks: [main?.name ?? spare, spare], strip: 0, prepend: "" }],
  };
  const bridge = new TestBridge({ plan: twoTrunks });
  await bridge.ring();
  await bridge.reload({ plan: examplePlan, trunks: [main?.name ?? spare] });
  await bridge.sip({ kind: "sip.rejected", status: 503, phrase: "", q850: undefined });
  expect(bridge.trunks.orders).toMatchObject([{ verb: "invite", argument: { trunk: main?.name } }]);
  expect(bridge.signals).toEqual(["reject failed"]);
  expect(bridge.door.pause(spare)).toBe(false);
});

test("the trunk of a call that is up may be taken away: whoever comes to the telephone is still shown", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  await bridge.reload({ trunks: [] });
  await bridge.sip({ kind: "sip.identified", identity: callerOf("+442079460999") });
  await bridge.passTime(60_000);
  expect(bridge.in(room)).toContain("identity");
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(bridge.in(room)).toContain("hangup user_hangup");
  expect(bridge.telemetry.ended).toMatchObject([{ cause: "callee-hung-up" }]);
});

test("somebody whom a number did not ring before is invited by the bot", async () => {
  const bridge = new TestBridge();
  await bridge.door.start();
  await bridge.passTime(10_000);
  const carol = "@carol:example.org" as UserId;
  const before = bridge.homeserver.rooms.map(({ invite }) => invite);
  await bridge.reload({ dids: rings(carol) });
  await bridge.passTime(10_000);
  expect(before).not.toContain(carol);
  expect(bridge.homeserver.rooms.map(({ invite }) => invite)).toContain(carol);
  await bridge.door.stop();
});
