// What a stop, planned or not, leaves behind: everybody is told once, and nothing is forgotten that is still owed.
import { describe, expect, test } from "vitest";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { matrixCallId, roomId, type UserId } from "../../../src/core/ids.ts";
import { dialog, invite } from "../../core/call/examples/examples.ts";
import { accepted, TestBridge } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

/** Longer than any of these stories. */
const patienceMs = 3_600_000;
const busy = { kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined } as const;

describe("many calls", () => {
  const many = async (bridge: TestBridge): Promise<void> => {
    for (let n = 0; n < 120; n++) {
      const room = roomId(`!room${n}:example.org`);
      await bridge.enterRoom(room);
      await bridge.take(bridge.inviteFact({ room, matrixCallId: matrixCallId(`call${n}`) }));
    }
  };
  const policy = { ...examplePolicy, callsPerUser: 1_000, callsInAll: 1_000, callsPerMinute: 10_000 };

  test("are not all hung up in the same moment when the bridge stops", async () => {
    const bridge = new TestBridge({ policy });
    await many(bridge);
    void bridge.stop(patienceMs);
    await bridge.quiet();
    const cancels = (): number => bridge.trunks.verbs.filter((verb) => verb === "cancel").length;
    expect(cancels()).toBe(50);
    await bridge.passTime(100);
    expect(cancels()).toBe(100);
    await bridge.passTime(100);
    expect(cancels()).toBe(120);
  });

  test("nor after a restart", async () => {
    const before = new TestBridge({ policy });
    await many(before);
    const after = new TestBridge({ store: before.store });
    void (async () => {
      for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    })();
    await after.quiet();
    await after.quiet();
    expect(after.signals).toHaveLength(50);
    await after.passTime(100);
    await after.quiet();
    expect(after.signals).toHaveLength(100);
  });
});

describe("a restart", () => {
  const restart = async (before: TestBridge): Promise<TestBridge> => {
    const after = new TestBridge({ store: before.store });
    for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    await after.quiet();
    return after;
  };

  test("ends a connected call on both sides and acts on none of its events again", async () => {
    const before = new TestBridge({ store: openMemoryStore() });
    const fact = before.inviteFact();
    await before.enterRoom();
    await before.take(fact);
    await before.sip(accepted);
    const after = await restart(before);
    expect(after.trunks.orders.map(({ verb, argument }) => [verb, argument])).toEqual([
      ["resume", dialog],
      ["bye", 41],
    ]);
    expect(after.signals).toEqual(["hangup unknown_error"]);
    await after.sip({ kind: "sip.ended" });
    expect(await after.store.calls.open()).toEqual([]);
    await after.take(fact);
    expect(after.trunks.verbs).toEqual(["resume", "bye"]);
  });

  test("stops a telephone that rings", async () => {
    const before = new TestBridge({ store: openMemoryStore() });
    await before.ring();
    await before.sip({ kind: "sip.sent", invite });
    const after = await restart(before);
    expect(after.trunks.verbs).toEqual(["abandon"]);
    expect(after.signals).toEqual(["reject failed"]);
  });

  test("tells whoever was not told yet, and only those", async () => {
    const before = new TestBridge({ store: openMemoryStore() });
    await before.ring();
    before.homeserver.hold();
    await before.sip(busy);
    const after = await restart(before);
    expect(after.signals).toEqual(["reject busy"]);
    expect(await after.store.calls.open()).toEqual([]);
  });

  test("tells whoever was being refused", async () => {
    const before = new TestBridge({ store: openMemoryStore() });
    await before.enterRoom();
    before.homeserver.hold();
    await before.take(before.inviteFact({ sender: "@bob:elsewhere.org" as UserId }));
    const after = await restart(before);
    expect(after.signals).toEqual(["reject failed"]);
    expect(await after.store.calls.open()).toEqual([]);
  });

  test("says nothing to a person who had hung up, or had been told", async () => {
    const hungUp = new TestBridge({ store: openMemoryStore() });
    await hungUp.ring();
    await hungUp.sip({ kind: "sip.sent", invite });
    await hungUp.take({ ...hungUp.callOf(), kind: "call.hungUp", said: undefined });
    const after = await restart(hungUp);
    expect([after.trunks.verbs, after.signals, after.words]).toEqual([["abandon"], [], []]);

    const told = new TestBridge({ store: openMemoryStore() });
    await told.ring();
    await told.sip({ kind: "sip.sent", invite });
    await told.passTime(60_000);
    expect([told.signals, told.words]).toEqual([["reject failed"], ["Nobody answered."]]);
    const again = await restart(told);
    expect([again.trunks.verbs, again.signals, again.words]).toEqual([["abandon"], [], []]);
  });

  test("of a call whose answer may not have arrived: the client is told in both ways it may understand", async () => {
    const before = new TestBridge({ store: openMemoryStore() });
    await before.ring();
    before.homeserver.hold();
    await before.sip(accepted);
    const after = await restart(before);
    expect(after.signals).toEqual(["reject failed", "hangup unknown_error"]);
  });

  test("waits for the person to be told, too, when it is planned", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    bridge.homeserver.hold();
    await bridge.sip(busy);
    let drained = false;
    const stopped = bridge.stop(patienceMs).then(() => (drained = true));
    await bridge.quiet();
    expect(drained).toBe(false);
    bridge.homeserver.release();
    await stopped;
    expect(bridge.signals).toEqual(["reject busy"]);
  });

  test("a call that comes while the bridge stops is not begun: its caller is told", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    const stopped = bridge.stop(patienceMs);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel"]);
    expect(bridge.words).toEqual([
      "The call ended because the bridge restarted.",
      "The bridge is restarting. Please call again in a minute.",
    ]);
    await bridge.sip({ kind: "sip.ended" });
    await stopped;
  });

  test("a planned stop ends the calls and waits until everybody knows", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    const drained = bridge.stop(patienceMs);
    await bridge.sip({ kind: "sip.ended" });
    await drained;
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  });
});
