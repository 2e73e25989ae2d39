// A number with a PIN: what its caller hears, who is rung and when, and how long somebody who guesses is listened to.
import { beforeEach, describe, expect, test } from "vitest";
import { pinName, type CallId, type UserId } from "../../../src/core/ids.ts";
import type { DidTable } from "../../../src/core/number/plan/did.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { exampleDids, examplePolicy, reception } from "../settings.ts";
import { TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

const right = "482915";
const name = pinName("inbound.numbers[3].pin");
/** The number that rings everybody in a room. */
const meeting = { called: "+441632960004" };
const dids: DidTable = {
  rules: exampleDids.rules.map((rule, index) => Object.assign({}, rule, index === 3 && { pin: { name, length: 6 } })),
};
const guarded: TestBridgeOptions = {
  dids,
  pins: new Map([[name, { digits: right, protects: "reception" }]]),
  policy: { ...examplePolicy, callsInAll: 1_000, callsPerMinute: 1_000 },
};
const anybody = "@ann:example.org" as UserId;
const gone = { kind: "sip.hungUp", q850: 16 } as const;

let bridge: TestBridge;
beforeEach(() => (bridge = new TestBridge(guarded)));

async function press(keys: string, call?: CallId): Promise<void> {
  for (const digit of keys) {
    const session = bridge.media.engine.opened.findLast(({ options }) => options.call === (call ?? bridge.call()));
    session?.report({ kind: "media.dtmf", from: "b", digit, durationMs: 100, relayed: true });
    await bridge.quiet();
  }
}

/** Calls, and enters each of them. How the call ended; `rang`: the caller was let in, and hung up. */
async function tries(keys: readonly string[], from?: string): Promise<string | undefined> {
  const before = bridge.telemetry.ended.length;
  const call = await bridge.arrive({ ...meeting, ...(from === undefined ? {} : { identity: callerOf(from) }) });
  for (const one of keys) await press(one, call);
  await bridge.passTime(1_000);
  const rings = bridge.switchboard.calls.some(({ id, phase }) => id === call && phase.kind === "alerting");
  await bridge.sip(rings ? gone : { kind: "sip.ended" }, call);
  return rings ? "rang" : bridge.telemetry.ended.slice(before)[0]?.cause;
}

const prompts = (): readonly string[] =>
  bridge.media.orders.filter((order) => order.startsWith("prompt")).map((order) => order.replace("prompt ", ""));
const rung = (): readonly string[] => bridge.homeserver.told.map(({ leg, signal }) => `${signal.kind} ${leg.room}`);

describe("who calls a number with a PIN", () => {
  test("is answered at once, hears a beep, and rings nobody", async () => {
    await bridge.arrive(meeting);
    expect(bridge.trunks.verbs).toEqual(["accept"]);
    expect([prompts(), rung(), bridge.homeserver.registered]).toEqual([["enter"], [], []]);
  });

  test("hears that the PIN is right, and then the room ring; who answers is put through", async () => {
    await bridge.arrive(meeting);
    await press(right);
    expect([prompts(), rung()]).toEqual([["enter", "right"], []]);
    await bridge.passTime(1_000);
    expect(rung()).toEqual([`invite ${reception}`]);
    expect(bridge.media.engine.opened.map(({ rang }) => rang)).toEqual([[], ["b"]]);
    await bridge.take(bridge.answer(reception));
    expect(bridge.trunks.verbs).toEqual(["accept", "reoffer"]);
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("trunk answers") });
    await bridge.sip(gone);
    expect(bridge.telemetry.ended).toMatchObject([
      { cause: "caller-hung-up", person: anybody, called: meeting.called },
    ]);
    expect([bridge.switchboard.calls, bridge.clock.pending, bridge.media.engine.sessions.size]).toEqual([[], 0, 0]);
  });

  test("is answered where the trunk leaves the offer to us", async () => {
    await bridge.arrive({ ...meeting, sdp: undefined });
    expect([bridge.trunks.verbs, prompts()]).toEqual([["accept"], []]);
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("in the ACK") });
    expect(prompts()).toEqual(["enter"]);
    await press(right);
    await bridge.passTime(1_000);
    expect(rung()).toEqual([`invite ${reception}`]);
  });

  test("ends a PIN with # and takes it back with *, by keys in INFO too", async () => {
    await bridge.arrive(meeting);
    for (const digit of `99*4829#*${right}`) await bridge.sip({ kind: "sip.dtmf", digit, durationMs: 100 });
    expect(prompts()).toEqual(["enter", "wrong", "right"]);
  });

  test("presses each key once, also where the telephone says each in two ways", async () => {
    await bridge.arrive(meeting);
    for (const digit of right) {
      await press(digit);
      await bridge.sip({ kind: "sip.dtmf", digit, durationMs: 100 });
    }
    expect(prompts()).toEqual(["enter", "right"]);
  });

  test("has three tries, hears each time that it was wrong, and is hung up after the third", async () => {
    await bridge.arrive(meeting);
    for (const keys of ["111111", "22#", "333333"]) await press(keys);
    await press(right);
    expect([prompts(), bridge.trunks.verbs]).toEqual([["enter", "wrong", "wrong", "wrong"], ["accept"]]);
    await bridge.passTime(1_000);
    expect([bridge.trunks.verbs, rung()]).toEqual([["accept", "bye"], []]);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "pin-wrong", room: undefined, ringingAtMs: undefined }]);
    expect(bridge.clock.pending).toBe(0);
  });

  test("is hung up after 20 seconds without a key, and after two minutes of them", async () => {
    await bridge.arrive(meeting);
    await bridge.passTime(19_000);
    await press("4");
    await bridge.passTime(19_999);
    expect(bridge.trunks.verbs).toEqual(["accept"]);
    await bridge.passTime(1);
    expect(bridge.trunks.verbs).toEqual(["accept", "bye"]);
    await bridge.sip({ kind: "sip.ended" });
    await bridge.arrive(meeting);
    for (let turn = 0; turn < 11; turn += 1) {
      await bridge.passTime(10_000);
      await press("1*");
    }
    await bridge.passTime(10_000);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended.map(({ cause }) => cause)).toEqual(["pin-missing", "pin-missing"]);
  });

  test.each(["", "482", right])("hangs up in between, and nothing is left of the call: after %j", async (keys) => {
    await bridge.arrive(meeting);
    await press(keys);
    await bridge.sip(gone);
    await bridge.passTime(2_000);
    expect([rung(), bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], [], 0]);
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "missed" }]);
    expect(bridge.media.engine.sessions.size).toBe(0);
  });

  test("hangs up while the room rings: it is a call that the room has missed", async () => {
    bridge = new TestBridge({ ...guarded, notices: { failures: true, history: true } });
    await bridge.arrive(meeting);
    await press(right);
    await bridge.passTime(1_000);
    await bridge.sip(gone);
    expect(bridge.words).toEqual(["Missed call."]);
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "missed" }]);
  });

  test("is hung up by the next process where this one dies meanwhile", async () => {
    const store = openMemoryStore();
    bridge = new TestBridge({ ...guarded, store });
    await bridge.arrive(meeting);
    await press("48");
    const [left] = await store.calls.open();
    expect(JSON.stringify(left)).not.toContain('"48"');
    const after = new TestBridge({ ...guarded, store });
    if (left !== undefined) await after.switchboard.recover(left);
    await after.quiet();
    expect(after.trunks.verbs).toEqual(["resume", "bye"]);
    expect(after.homeserver.told).toEqual([]);
  });
});

test("what was entered stands in no log line, no order to the media engine and no record", async () => {
  const store = openMemoryStore();
  bridge = new TestBridge({ ...guarded, store });
  await tries(["739517", "7395#", "739516"]);
  await bridge.arrive({ ...meeting, identity: callerOf("+441632960777") });
  await press(right);
  expect(JSON.stringify(bridge.switchboard.calls)).not.toContain(right);
  await bridge.passTime(1_000);
  await bridge.sip(gone);
  const kept = JSON.stringify([
    bridge.telemetry.lines,
    bridge.media.orders,
    bridge.telemetry.ended,
    await store.calls.history(10),
    bridge.homeserver.notices,
  ]);
  expect(kept).not.toMatch(/7395|482915/);
});

describe("somebody who guesses", () => {
  const wrong = ["111111", "222222", "333333"];

  test("is not picked up any more after two calls, tries again in vain, and may try once every ten minutes", async () => {
    expect([await tries(wrong), await tries(wrong), await tries([right])]).toEqual([
      "pin-wrong",
      "pin-wrong",
      "pin-barred",
    ]);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 403 });
    expect(bridge.telemetry.lines.filter(({ level }) => level === "warn")).toMatchObject([
      { message: expect.stringContaining("too many wrong PINs from this caller"), fields: { setting: name } },
    ]);
    await bridge.passTime(10 * 60_000);
    expect(await tries(["444444", right])).toBe("pin-barred");
    expect(prompts().slice(-3)).toEqual(["enter", "wrong", "wrong"]);
    await bridge.passTime(10 * 60_000);
    expect(await tries([right])).toBe("rang");
  });

  test("gains nothing by other numbers: in ten hours of calls fewer than 150 PINs are compared", async () => {
    let compared = 0;
    for (let caller = 0; caller < 200; caller += 1) {
      const before = prompts().length;
      const cause = await tries(["111111"], `+4477009${String(10_000 + caller)}`);
      await bridge.passTime(180_000);
      if (cause !== "pin-barred") compared += prompts().length - before - 1;
    }
    expect(compared).toBeLessThan(150);
    expect(compared).toBeGreaterThan(12);
  });

  test("gains nothing by many calls at once", async () => {
    const calls: CallId[] = [];
    for (let caller = 0; caller < 30; caller += 1)
      calls.push(await bridge.arrive({ ...meeting, identity: callerOf(`+4477009${String(20_000 + caller)}`) }));
    for (const call of calls) await press("111111", call);
    await bridge.passTime(1_000);
    const ended = bridge.switchboard.calls.filter(({ phase }) => phase.kind === "ending");
    expect(ended).toHaveLength(30 - 12);
  });

  test("does not shut out who has come in before", async () => {
    expect(await tries([right], "+442079460999")).toBe("rang");
    for (let caller = 0; caller < 10; caller += 1) await tries(wrong, `+4477009${String(30_000 + caller)}`);
    expect(await tries([right], "+442079460888")).toBe("pin-barred");
    expect(await tries([right], "+442079460999")).toBe("rang");
  });

  test("is known by no number where it is withheld: another such caller has it no easier", async () => {
    const withheld = { ...meeting, identity: callerOf("+442079460777", undefined, ["id"]) };
    await bridge.arrive(withheld);
    await press(right);
    await bridge.passTime(1_000);
    await bridge.sip(gone);
    for (let caller = 0; caller < 10; caller += 1) await tries(wrong, `+4477009${String(50_000 + caller)}`);
    await bridge.arrive(withheld);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 403 });
  });

  test("and has it in the end is taken for somebody who mistyped", async () => {
    for (let turn = 0; turn < 10; turn += 1) expect(await tries(["111111", "222222", right])).toBe("rang");
    for (let other = 0; other < 10; other += 1)
      expect(await tries(["111111", "222222", right], `+4477009${String(40_000 + other)}`)).toBe("rang");
  });
});
