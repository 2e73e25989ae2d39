// The kill switch: an admin stops calls, and everybody learns so in words.
import { describe, expect, test } from "vitest";
import { matrixCallId, trunkName, type UserId } from "../../../src/core/ids.ts";
import type { BridgeEvent, Overrun } from "../../../src/ports/admin/bridge-event.ts";
import type { StopOrder } from "../../../src/ports/admin/spending-door.ts";
import { StoreError, type Store } from "../../../src/ports/store.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { dialog } from "../../core/call/examples/examples.ts";
import { noLimits, wholeBridge } from "../../../src/core/policy/spending/allowance.ts";
import { examplePlan, exampleSpending } from "../settings.ts";
import { accepted, ann, bob, made1, room, TestBridge, trunk } from "../test-bridge.ts";

const everybody: StopOrder = {
  scope: { kind: "bridge", name: wholeBridge.name as "" },
  inbound: false,
  who: "uid 998",
  why: "odd bill",
};
const ofAnn: StopOrder = { ...everybody, scope: { kind: "user", name: ann } };

async function stop(bridge: TestBridge, order: StopOrder): Promise<number> {
  const ended = await bridge.door.spending.stop(order);
  await bridge.quiet();
  return ended;
}

async function callAs(bridge: TestBridge, sender: UserId, name = "call9"): Promise<void> {
  await bridge.take(bridge.inviteFact({ sender, matrixCallId: matrixCallId(name) }));
}

async function talking(bridge: TestBridge): Promise<void> {
  await bridge.ring();
  await bridge.sip(accepted);
}

describe("calls stopped", () => {
  test("end, and none begin; people read why, and admins see who did it and when", async () => {
    const bridge = new TestBridge();
    const heard: (BridgeEvent | Overrun)[] = [];
    bridge.door.subscribe((event) => void heard.push(event));
    await talking(bridge);
    expect(await stop(bridge, everybody)).toBe(1);
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.words).toEqual(["An administrator ended the call."]);
    await callAs(bridge, bob);
    expect(bridge.words.at(-1)).toBe("An administrator has stopped telephone calls here. Please try again later.");
    expect(bridge.signals.at(-1)).toBe("reject failed");
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.door.spending.stops()).toMatchObject([
      { who: "uid 998", why: "odd bill", atMs: bridge.clock.wallMs() },
    ]);
    expect(heard).toContainEqual(expect.objectContaining({ kind: "calls.stopped", who: "uid 998" }));
  });

  test("stay stopped after a restart, until an admin undoes it", async () => {
    const before = new TestBridge();
    await stop(before, everybody);
    const after = new TestBridge({ store: before.store });
    await after.door.start();
    await after.enterRoom();
    await callAs(after, ann);
    expect(after.trunks.verbs).toEqual([]);
    expect(await after.door.spending.start(everybody.scope)).toBe(true);
    expect(await after.door.spending.start(everybody.scope)).toBe(false);
    await callAs(after, ann, "call10");
    expect(after.trunks.verbs).toEqual(["invite"]);
    const last = new TestBridge({ store: before.store });
    await last.door.start();
    expect(last.door.spending.stops()).toEqual([]);
  });

  test("of one person leave the others alone", async () => {
    const bridge = new TestBridge();
    await talking(bridge);
    expect(await stop(bridge, { ...ofAnn, scope: { kind: "user", name: bob } })).toBe(0);
    expect(await stop(bridge, ofAnn)).toBe(1);
    await bridge.sip({ kind: "sip.ended" });
    await callAs(bridge, ann);
    expect(bridge.words.at(-1)).toBe("An administrator has stopped your telephone calls. Please ask them.");
    await bridge.door.spending.start({ kind: "user", name: bob });
    await callAs(bridge, bob, "call10");
    expect(bridge.trunks.verbs).toEqual(["invite", "bye", "invite"]);
  });

  test("over one trunk are tried over another, where there is one", async () => {
    const spare = { ...(examplePlan.trunks[0] ?? ({} as never)), name: trunkName("spare"), host: "spare.example.org" };
    const routes = [{ prefix: "", trunks: [trunk, spare.name], strip: 0, prepend: "" }];
    const bridge = new TestBridge({ plan: { ...examplePlan, trunks: [...examplePlan.trunks, spare], routes } });
    await stop(bridge, { ...everybody, scope: { kind: "trunk", name: trunk } });
    await bridge.ring();
    expect(bridge.trunks.orders[0]).toMatchObject({ verb: "invite", argument: { trunk: "spare" } });
    expect(await stop(bridge, { ...everybody, scope: { kind: "trunk", name: spare.name } })).toBe(1);
    await bridge.sip({ kind: "sip.rejected", status: 487, phrase: "", q850: undefined });
    await callAs(bridge, ann);
    expect(bridge.words.at(-1)).toBe(
      "An administrator has stopped calls over this telephone line. Please try again later.",
    );
  });

  test("do not keep anybody from calling for help, and do not end such a call", async () => {
    const bridge = new TestBridge({ plan: { ...examplePlan, emergencyTrunk: trunk } });
    await stop(bridge, { ...everybody, inbound: true });
    await bridge.enterRoom(room, "@_sip_112%40sip.example.org:example.org" as UserId);
    await callAs(bridge, ann);
    await bridge.sip(accepted);
    expect(await stop(bridge, everybody)).toBe(0);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("let calls come in, and with those that come in stopped too, the trunk gets 503", async () => {
    const bridge = new TestBridge();
    await stop(bridge, everybody);
    await bridge.arrive();
    expect(bridge.signals).toEqual(["invite"]);
    expect(await stop(bridge, { ...everybody, inbound: true })).toBe(1);
    await bridge.arrive({ call: "c-other" as never });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 503 });
  });

  test("cannot be got round by a transfer of the trunk's", async () => {
    const bridge = new TestBridge();
    const call = await bridge.arrive();
    await bridge.take(bridge.answer(made1));
    bridge.switchboard.takeSip(call, { kind: "sip.dialogChanged", dialog });
    await bridge.quiet();
    await stop(bridge, everybody);
    await bridge.sip({ kind: "sip.referred", target: callerOf("02079460999").from, replaces: undefined });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "refuseRefer", argument: 603 });
  });

  test("are stopped even if the store cannot keep it, which the admin learns", async () => {
    const memory = openMemoryStore();
    const setBar = async (): Promise<void> => {
      throw new StoreError("full", "disk full");
    };
    const store: Store = { ...memory, spending: { ...memory.spending, setBar } };
    const bridge = new TestBridge({ store });
    await talking(bridge);
    await expect(bridge.door.spending.stop(everybody)).rejects.toThrow("disk full");
    await bridge.quiet();
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.door.spending.stops()).toHaveLength(1);
  });
});

test("what is used of limits is told to admins, of a call in progress as far as it has come", async () => {
  const day = { seconds: 600, money: undefined };
  const bridge = new TestBridge({ spending: { ...exampleSpending, everybody: { ...noLimits, day } } });
  await talking(bridge);
  await bridge.passTime(90_000);
  const uses = bridge.door.spending.uses().filter(({ scope, span }) => scope.kind === "user" && span === "day");
  expect(uses).toEqual([{ scope: { kind: "user", name: ann }, span: "day", of: "seconds", limit: 600, used: 90 }]);
});
