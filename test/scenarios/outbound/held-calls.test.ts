// Calls that look like fraud are held, in words, until an admin allows them.
import { describe, expect, test } from "vitest";
import { matrixCallId, roomId, type CallId, type UserId } from "../../../src/core/ids.ts";
import type { BridgeEvent, Overrun } from "../../../src/ports/admin/bridge-event.ts";
import { StoreError, type Store } from "../../../src/ports/store.ts";
import { dialog } from "../../core/call/examples/examples.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { examplePlan, exampleSpending } from "../settings.ts";
import { accepted, ann, bob, made1, room, TestBridge, trunk, type TestBridgeOptions } from "../test-bridge.ts";

const riga = "@_sip_37129000001%40sip.example.org:example.org" as UserId;
const why = "6 short calls to +37129… within an hour";
const words = `Your calls to numbers that begin with +37129 are held because they look like fraud: ${why}. The administrators have been asked whether to allow them.`;

let names = 0;

async function dial(bridge: TestBridge, sender = ann, where = room): Promise<CallId | undefined> {
  names += 1;
  const before = bridge.switchboard.calls.length;
  await bridge.take(bridge.inviteFact({ sender, room: where, matrixCallId: matrixCallId(`held${names}`) }));
  return bridge.switchboard.calls.length > before ? bridge.switchboard.calls.at(-1)?.id : undefined;
}

/** A call of ten seconds. */
async function shortCall(bridge: TestBridge): Promise<void> {
  const call = await dial(bridge);
  if (call === undefined) return;
  await bridge.sip(accepted, call);
  await bridge.passTime(10_000);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 }, call);
}

function invites(bridge: TestBridge): number {
  return bridge.trunks.verbs.filter((verb) => verb === "invite").length;
}

async function bridgeIn(ghost: UserId, options: TestBridgeOptions = {}): Promise<TestBridge> {
  const bridge = new TestBridge(options);
  await bridge.enterRoom(room, ghost);
  return bridge;
}

async function heldBridge(options: TestBridgeOptions = {}): Promise<TestBridge> {
  const bridge = await bridgeIn(riga, options);
  for (let call = 0; call < 7; call += 1) await shortCall(bridge);
  return bridge;
}

async function restarted(store: Store): Promise<TestBridge> {
  const after = new TestBridge({ store });
  await after.door.start();
  await after.enterRoom(room, riga);
  return after;
}

describe("the seventh short call to one range abroad in an hour", () => {
  test("is held: the person reads why, admins hear of it by event, metric and log", async () => {
    const bridge = await bridgeIn(riga);
    const heard: (BridgeEvent | Overrun)[] = [];
    bridge.door.subscribe((event) => void heard.push(event));
    for (let call = 0; call < 6; call += 1) await shortCall(bridge);
    expect([invites(bridge), bridge.door.spending.held()]).toEqual([6, []]);
    await shortCall(bridge);
    await shortCall(bridge);
    expect(invites(bridge)).toBe(6);
    expect(bridge.words.slice(-2)).toEqual([words, words]);
    expect(bridge.signals.at(-1)).toBe("reject failed");
    expect(heard.filter(({ kind }) => kind === "pattern.held")).toEqual([
      {
        kind: "pattern.held",
        atMs: expect.any(Number) as number,
        person: ann,
        prefix: "37129",
        shape: "short-calls",
        why,
      },
    ]);
    expect(bridge.telemetry.held).toEqual(["short-calls"]);
    expect(bridge.telemetry.ended.at(-1)).toMatchObject({ cause: "calls-held" });
    expect(bridge.telemetry.lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        fields: { person: ann, prefix: "37129", shape: "short-calls", calls: 6 },
      }),
    );
  });

  test("does not hold other people's calls, calls to other ranges, and calls that come in", async () => {
    const bridge = await heldBridge();
    expect(await dial(bridge, bob)).toBeDefined();
    const elsewhere = roomId("!elsewhere:example.org");
    await bridge.enterRoom(elsewhere, "@_sip_37167000001%40sip.example.org:example.org" as UserId);
    expect(await dial(bridge, ann, elsewhere)).toBeDefined();
    const before = bridge.switchboard.calls.length;
    await bridge.arrive();
    expect(bridge.switchboard.calls.length).toBe(before + 1);
  });

  test("does not keep anybody from calling for help, however often", async () => {
    const bridge = await bridgeIn("@_sip_112%40sip.example.org:example.org" as UserId, {
      plan: { ...examplePlan, emergencyTrunk: trunk },
    });
    for (let call = 0; call < 8; call += 1) await shortCall(bridge);
    expect([invites(bridge), bridge.door.spending.held()]).toEqual([8, []]);
  });

  test("is not held where an hour has passed since", async () => {
    const bridge = await bridgeIn(riga);
    for (let call = 0; call < 6; call += 1) await shortCall(bridge);
    await bridge.passTime(3_600_000);
    await shortCall(bridge);
    expect(invites(bridge)).toBe(7);
  });

  test("is not held where the settings have switched that off meanwhile", async () => {
    const patterns = { ...exampleSpending.patterns, shortCalls: undefined, shortCallsAtNight: undefined };
    const bridge = await heldBridge({ spending: { ...exampleSpending, patterns } });
    expect(invites(bridge)).toBe(7);
  });
});

describe("what is held", () => {
  test("stays so after a restart, until an admin allows it; then it is not held again for seven days", async () => {
    const before = await heldBridge();
    const bridge = await restarted(before.store);
    expect(await dial(bridge)).toBeUndefined();
    expect(bridge.words.at(-1)).toBe(words);
    expect(bridge.door.spending.held()).toMatchObject([{ person: ann, prefix: "37129", why }]);
    expect(await bridge.door.spending.allow({ person: bob, prefix: undefined, who: "uid 1" })).toEqual([]);
    expect(await bridge.door.spending.allow({ person: ann, prefix: "44", who: "uid 1" })).toEqual([]);
    expect(await bridge.door.spending.allow({ person: ann, prefix: "37129", who: "uid 1" })).toEqual(["37129"]);
    for (let call = 0; call < 10; call += 1) await shortCall(bridge);
    expect(invites(bridge)).toBe(10);
    const last = await restarted(before.store);
    expect(last.door.spending.held()).toEqual([]);
    for (let call = 0; call < 10; call += 1) await shortCall(last);
    expect(invites(last)).toBe(10);
    await last.passTime(7 * 24 * 3_600_000);
    for (let call = 0; call < 10; call += 1) await shortCall(last);
    expect(invites(last)).toBe(16);
  });

  test("cannot be got round by a transfer of the trunk's", async () => {
    const bridge = await heldBridge();
    const call = await bridge.arrive();
    await bridge.take(bridge.answer(made1));
    bridge.switchboard.takeSip(call, { kind: "sip.dialogChanged", dialog });
    await bridge.quiet();
    await bridge.sip({ kind: "sip.referred", target: callerOf("+37129000002").from, replaces: undefined }, call);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "refuseRefer", argument: 603 });
    expect(invites(bridge)).toBe(6);
  });

  test("cannot be reached where a trunk redirects a call to it", async () => {
    const bridge = await heldBridge();
    const elsewhere = roomId("!elsewhere:example.org");
    await bridge.enterRoom(elsewhere, "@_sip_37167000001%40sip.example.org:example.org" as UserId);
    const call = (await dial(bridge, ann, elsewhere)) ?? expect.fail("no call");
    expect(bridge.arrivals.mayReach(call, callerOf("+37120000000").from)).toBe(true);
    expect(bridge.arrivals.mayReach(call, callerOf("+37129000002").from)).toBe(false);
  });

  test("is held even if the store cannot keep it; the log says that a restart would release it", async () => {
    const memory = openMemoryStore();
    const setBar = async (): Promise<void> => {
      throw new StoreError("full", "disk full");
    };
    const bridge = await heldBridge({ store: { ...memory, spending: { ...memory.spending, setBar } } });
    expect(invites(bridge)).toBe(6);
    expect(bridge.telemetry.lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: expect.stringContaining("a restart would release them") as string,
      }),
    );
    await expect(bridge.door.spending.allow({ person: ann, prefix: undefined, who: "uid 1" })).rejects.toThrow("disk");
    expect(bridge.door.spending.held()).toHaveLength(1);
  });
});
