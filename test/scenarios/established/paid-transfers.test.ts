// Transfers count for the limits of whoever is charged for the call.
import { describe, expect, test } from "vitest";
import type { CallId, UserId } from "../../../src/core/ids.ts";
import { noLimits } from "../../../src/core/policy/spending/allowance.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { dialog } from "../../core/call/examples/examples.ts";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { exampleSpending } from "../settings.ts";
import { accepted, ann, made1, TestBridge, type TestBridgeOptions } from "../test-bridge.ts";

const minute = 60_000;
const other = "@_sip_02079460999%40sip.example.org:example.org" as UserId;

function withMinutes(minutes: number): TestBridgeOptions {
  const day = { seconds: minutes * 60, money: undefined };
  return { spending: { ...exampleSpending, everybody: { ...noLimits, day } } };
}

async function talking(bridge: TestBridge): Promise<CallId> {
  const call = await bridge.ring();
  await bridge.sip(accepted);
  return call;
}

function usedBy(bridge: TestBridge) {
  const { account, windows } = bridge.spending;
  return account.usage({ kind: "user", name: ann }, windows.day);
}

describe("a transfer is a call", () => {
  const limitedJoin = withMinutes(15);

  async function handOver(bridge: TestBridge): Promise<void> {
    await bridge.take({
      ...bridge.callOf(),
      kind: "call.replaced",
      replacement: { kind: "create", token: "t1", target: other },
    });
  }

  test("of whoever hands it over: it stays in the bridge, both legs count, and it ends with the limit", async () => {
    const bridge = new TestBridge(limitedJoin);
    const left = await talking(bridge);
    await bridge.passTime(minute);
    await handOver(bridge);
    expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
    const joint = bridge.switchboard.calls.find(({ direction }) => direction === "joined")?.id;
    await bridge.sip(accepted, joint);
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("left answers") }, left);
    await bridge.passTime(4 * minute);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["joined"]);
    for (let step = 0; step < 36; step += 1) await bridge.passTime(10_000);
    expect(bridge.words.at(-1)).toContain("The call ended because your 15 minutes of calls for today are used up.");
    expect(bridge.trunks.verbs.filter((verb) => verb === "bye")).toHaveLength(2);
    for (const { id } of bridge.switchboard.calls) {
      bridge.switchboard.takeSip(left, { kind: "sip.ended" });
      await bridge.sip({ kind: "sip.ended" }, id);
    }
    expect(usedBy(bridge).heldSeconds).toBe(0);
    expect(usedBy(bridge).seconds).toBeGreaterThan(600);
    expect(usedBy(bridge).seconds).toBeLessThanOrEqual(900);
  });

  const refer = {
    kind: "sip.referred",
    target: callerOf("02079460999").from,
    replaces: undefined,
  } as const;

  async function answered(bridge: TestBridge): Promise<CallId> {
    const call = await bridge.arrive();
    await bridge.take(bridge.answer(made1));
    bridge.switchboard.takeSip(call, { kind: "sip.dialogChanged", dialog });
    await bridge.quiet();
    return call;
  }

  test("that a trunk orders by REFER in a call that came in counts for the person in it, from its answer", async () => {
    const bridge = new TestBridge(limitedJoin);
    const call = await answered(bridge);
    await bridge.passTime(minute);
    expect(usedBy(bridge)).toMatchObject({ seconds: 0, heldSeconds: 0 });
    await bridge.sip(refer);
    expect(usedBy(bridge).heldSeconds).toBe(300);
    await bridge.sip({ kind: "sip.replaced", description: telephoneSays("other"), dialog });
    await bridge.passTime(2 * minute);
    await bridge.take({ ...bridge.ringing(made1), kind: "call.hungUp", said: undefined });
    await bridge.sip({ kind: "sip.ended" }, call);
    expect(usedBy(bridge)).toMatchObject({ seconds: 120, heldSeconds: 0 });
  });

  test("that a trunk orders is refused with 603 where nothing is left, and they talk on", async () => {
    const bridge = new TestBridge(withMinutes(0));
    await answered(bridge);
    await bridge.sip(refer);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "refuseRefer", argument: 603 });
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
  });

  test("that comes to nothing holds nothing", async () => {
    const bridge = new TestBridge(limitedJoin);
    await answered(bridge);
    await bridge.sip(refer);
    await bridge.sip({ kind: "sip.replaceFailed", status: 486 });
    expect(usedBy(bridge)).toMatchObject({ seconds: 0, heldSeconds: 0 });
  });
});
