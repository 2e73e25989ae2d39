// Limits of minutes and money, as people meet them.
import { describe, expect, test } from "vitest";
import { matrixCallId, roomId, trunkName, type CallId, type UserId } from "../../../src/core/ids.ts";
import { noLimits, type Allowance, type Bounds } from "../../../src/core/policy/spending/allowance.ts";
import { RateTable } from "../../../src/core/policy/spending/rate-table.ts";
import type { SpendingPolicy } from "../../../src/core/policy/spending/spending-policy.ts";
import type { BridgeEvent, Overrun } from "../../../src/ports/admin/bridge-event.ts";
import { StoreError, type Store } from "../../../src/ports/store.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { examplePlan, examplePolicy, exampleSpending } from "../settings.ts";
import { accepted, ann, bob, room, TestBridge, trunk, type TestBridgeOptions } from "../test-bridge.ts";

const minute = 60_000;
const again = "00:00 on Saturday 16 January (Europe/London)";
const other = "@_sip_02079460999%40sip.example.org:example.org" as UserId;

function limited(day: Partial<Bounds>): Allowance {
  return { ...noLimits, day: { seconds: undefined, money: undefined, ...day } };
}

function withLimits(changes: Partial<SpendingPolicy>): TestBridgeOptions {
  return { spending: { ...exampleSpending, ...changes } };
}

const tenMinutes = withLimits({ everybody: limited({ seconds: 600 }) });
const prices = new RateTable([
  { prefix: "44", name: "UK", perMinute: 600_000, connection: 0, initialS: 60, followingS: 60, trunk: undefined },
]);

async function talking(bridge: TestBridge): Promise<CallId> {
  const call = await bridge.ring();
  await bridge.sip(accepted);
  return call;
}

async function hangUp(bridge: TestBridge, name = "call1", sender = ann): Promise<void> {
  await bridge.take({ ...bridge.callOf(sender, name), kind: "call.hungUp", said: undefined });
  for (const { id } of bridge.switchboard.calls) await bridge.sip({ kind: "sip.ended" }, id);
}

async function callAgain(bridge: TestBridge, name: string, sender = ann): Promise<void> {
  await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(name), sender }));
}

function usedBy(bridge: TestBridge, who = ann) {
  const { account, windows } = bridge.spending;
  return account.usage({ kind: "user", name: who }, windows.day);
}

function events(bridge: TestBridge): (BridgeEvent | Overrun)[] {
  const heard: (BridgeEvent | Overrun)[] = [];
  bridge.door.subscribe((event) => void heard.push(event));
  return heard;
}

/** The next process, with what the last one stored. */
async function restarted(store: Store, options: TestBridgeOptions, laterMs = 0): Promise<TestBridge> {
  const after = new TestBridge({ ...options, store });
  after.clock.advance(laterMs);
  await after.spending.load();
  for (const call of await store.calls.open()) await after.switchboard.recover(call);
  after.spending.settleLeft();
  await after.quiet();
  return after;
}

describe("a call that reaches the limit of minutes", () => {
  test("is ended: the person reads so one minute before, and at the end which limit it was and when it begins anew", async () => {
    const bridge = new TestBridge(tenMinutes);
    await talking(bridge);
    await bridge.passTime(9 * minute - 3_000);
    expect(bridge.words).toEqual([
      "You have used 8 minutes of your 10 minutes of calls for today. A new day begins at " + again + ".",
    ]);
    await bridge.passTime(2_000);
    expect(bridge.words.at(-1)).toBe(
      "This call ends in one minute: then your 10 minutes of calls for today will be used up.",
    );
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    await bridge.passTime(minute);
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.words.at(-1)).toBe(
      `The call ended because your 10 minutes of calls for today are used up. You can call again after ${again}.`,
    );
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "limit-reached" }]);
    expect([bridge.switchboard.calls, bridge.clock.pending, usedBy(bridge).heldSeconds]).toEqual([[], 0, 0]);
  });

  test("and the next one is refused in words, until the day is over", async () => {
    const bridge = new TestBridge(tenMinutes);
    await talking(bridge);
    await bridge.passTime(10 * minute);
    await bridge.sip({ kind: "sip.ended" });
    await callAgain(bridge, "call2");
    expect(bridge.words.at(-1)).toBe(
      `Your 10 minutes of calls for today are used up, so this call was not placed. Try again after ${again}.`,
    );
    expect(bridge.signals.at(-1)).toBe("reject failed");
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    await bridge.passTime(16 * 60 * minute);
    await callAgain(bridge, "call3");
    expect(bridge.trunks.verbs.at(-1)).toBe("invite");
  });

  test("admins are told by events, metrics and log, each once", async () => {
    const bridge = new TestBridge(tenMinutes);
    const heard = events(bridge);
    await talking(bridge);
    await bridge.passTime(10 * minute);
    await bridge.sip({ kind: "sip.ended" });
    await callAgain(bridge, "call2");
    await callAgain(bridge, "call3");
    const scope = { kind: "user", name: ann };
    expect(heard.filter(({ kind }) => kind.startsWith("limit."))).toMatchObject([
      { kind: "limit.warned", scope, span: "day", of: "seconds", limit: 600, currency: "GBP", person: ann },
      { kind: "limit.reached", scope, span: "day", of: "seconds", limit: 600 },
    ]);
    expect(bridge.telemetry.limits).toEqual(["user warned", "user reached"]);
    const lines = bridge.telemetry.lines.filter(({ message }) => message.startsWith("limit "));
    expect(lines.map(({ message }) => message)).toEqual(["limit nearly used up", "limit used up"]);
  });
});

describe("calls that share a limit", () => {
  const policy = { ...examplePolicy, callsPerUser: 5 };

  test("are given five minutes at a time: the second one has what the first leaves, and together they do not pass it", async () => {
    const bridge = new TestBridge({ ...tenMinutes, policy });
    await talking(bridge);
    const second = roomId("!second:example.org");
    await bridge.enterRoom(second, other);
    await bridge.take(bridge.inviteFact({ room: second, matrixCallId: matrixCallId("call2") }));
    const [, two] = bridge.switchboard.calls;
    await bridge.sip(accepted, two?.id);
    const third = roomId("!third:example.org");
    await bridge.enterRoom(third, other);
    await bridge.take(bridge.inviteFact({ room: third, matrixCallId: matrixCallId("call3") }));
    expect(bridge.words.at(-1)).toBe(
      `Your 10 minutes of calls for today are used or kept for calls in progress, so this call was not placed. Try again when a call has ended, or after ${again}.`,
    );
    await bridge.passTime(5 * minute);
    expect(bridge.trunks.verbs.filter((verb) => verb === "bye")).toHaveLength(2);
    for (const { id } of bridge.switchboard.calls) await bridge.sip({ kind: "sip.ended" }, id);
    expect(usedBy(bridge).seconds).toBeLessThanOrEqual(600);
    expect(usedBy(bridge).seconds).toBeGreaterThan(590);
  });

  test("go on with what another gives back", async () => {
    const bridge = new TestBridge({ ...tenMinutes, policy });
    await talking(bridge);
    const second = roomId("!second:example.org");
    await bridge.enterRoom(second, other);
    await bridge.take(bridge.inviteFact({ room: second, matrixCallId: matrixCallId("call2") }));
    await bridge.take({ ...bridge.callOf(ann, "call2"), room: second, kind: "call.hungUp", said: undefined });
    await bridge.sip(
      { kind: "sip.rejected", status: 487, phrase: "", q850: undefined },
      bridge.switchboard.calls[1]?.id,
    );
    await bridge.passTime(8 * minute);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
  });
});

describe("money", () => {
  const paid = { rates: prices, everybody: limited({ money: 1_300_000 }) };

  test("is counted by the price list, and the call lasts as long as there is some", async () => {
    const bridge = new TestBridge(withLimits(paid));
    await talking(bridge);
    await bridge.passTime(minute - 1);
    expect(bridge.words.at(-1)).toBe(
      "This call ends in one minute: then your 1.30 GBP of calls for today will be used up.",
    );
    await bridge.passTime(minute);
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    await bridge.sip({ kind: "sip.ended" });
    expect(usedBy(bridge)).toMatchObject({ money: 1_200_000, heldMoney: 0 });
  });

  test("a number without a price is not called", async () => {
    const foreign = new RateTable([
      { prefix: "371", name: "Latvia", perMinute: 1, connection: 0, initialS: 1, followingS: 1, trunk: undefined },
    ]);
    const bridge = new TestBridge(withLimits({ rates: foreign }));
    await bridge.enterRoom();
    await callAgain(bridge, "call1");
    expect(bridge.trunks.verbs).toEqual([]);
    expect(bridge.words).toEqual(["It is not known what a call to this number costs, so it was not placed."]);
    const line = bridge.telemetry.lines.find(({ message }) => message.includes("no price"));
    expect(line?.fields).toMatchObject({ person: ann, setting: "limits.default_rate" });
  });

  test("a call that nobody answers costs nothing and holds nothing afterwards", async () => {
    const bridge = new TestBridge(withLimits(paid));
    await bridge.ring();
    expect(usedBy(bridge).heldMoney).toBe(1_200_000);
    await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
    expect(usedBy(bridge)).toMatchObject({ seconds: 0, money: 0, heldSeconds: 0, heldMoney: 0 });
  });
});

describe("limits of others", () => {
  test.each([
    [
      "the country",
      { countries: new Map([["GB", limited({ seconds: 0 })]]) },
      "The 0 minutes of calls to the United Kingdom",
    ],
    [
      "every country",
      { countries: new Map([["*", limited({ seconds: 0 })]]) },
      "The 0 minutes of calls to the United Kingdom",
    ],
    [
      "the trunk",
      { trunks: new Map([[trunk, limited({ seconds: 0 })]]) },
      "The 0 minutes of calls over this telephone line",
    ],
    ["the bridge", { bridge: limited({ seconds: 0 }) }, "The 0 minutes of calls of everybody here"],
    [
      "the person, by an entry of the permissions",
      { people: new Map([["*", limited({ seconds: 0 })]]) },
      "Your 0 minutes of calls",
    ],
  ])("%s count too", async (_, changes, words) => {
    const bridge = new TestBridge(withLimits(changes));
    await bridge.enterRoom();
    await callAgain(bridge, "call1");
    expect(bridge.words.at(-1)).toContain(words);
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("a trunk whose limit is used up is left out, and the call goes over the next one", async () => {
    const spare = { ...(examplePlan.trunks[0] ?? ({} as never)), name: trunkName("spare"), host: "spare.example.org" };
    const plan = {
      ...examplePlan,
      trunks: [...examplePlan.trunks, spare],
      routes: [{ prefix: "", trunks: [trunk, spare.name], strip: 0, prepend: "" }],
    };
    const bridge = new TestBridge({ ...withLimits({ trunks: new Map([[trunk, limited({ seconds: 0 })]]) }), plan });
    await talking(bridge);
    expect(bridge.trunks.orders[0]).toMatchObject({ verb: "invite", argument: { trunk: "spare" } });
    await bridge.passTime(minute);
    await hangUp(bridge);
    const { account, windows } = bridge.spending;
    expect(account.usage({ kind: "trunk", name: spare.name }, windows.day).seconds).toBe(60);
    expect(account.usage({ kind: "trunk", name: trunk }, windows.day).seconds).toBe(0);
  });

  test("calls at once and calls a minute to one country are limited, in words", async () => {
    const few = { ...noLimits, callsAtOnce: 1, attemptsPerMinute: 2 };
    const bridge = new TestBridge({
      ...withLimits({ countries: new Map([["GB", few]]) }),
      policy: { ...examplePolicy, callsPerUser: 9 },
    });
    await bridge.ring();
    const second = roomId("!second:example.org");
    await bridge.enterRoom(second, other);
    await bridge.take(bridge.inviteFact({ room: second, sender: bob, matrixCallId: matrixCallId("call2") }));
    expect(bridge.words).toEqual([
      "Only 1 call to the United Kingdom may be made at once. Please try again when one has ended.",
    ]);
    await hangUp(bridge);
    await callAgain(bridge, "call3");
    await hangUp(bridge, "call3");
    await callAgain(bridge, "call4");
    expect(bridge.words.at(-1)).toBe("Only 2 calls a minute to the United Kingdom may be tried. Please wait a minute.");
  });

  test("help is called whatever is used up", async () => {
    const bridge = new TestBridge({
      ...withLimits({ everybody: limited({ seconds: 0 }), rates: new RateTable([]) }),
      plan: { ...examplePlan, emergencyTrunk: trunk },
    });
    const help = "@_sip_112%40sip.example.org:example.org" as UserId;
    await bridge.enterRoom(room, help);
    await bridge.take(bridge.inviteFact());
    await bridge.sip(accepted);
    await bridge.passTime(60 * minute);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
  });
});

describe("what counters know", () => {
  test("is there after a restart, of calls that had ended and of one that the crash cut off", async () => {
    const store = openMemoryStore();
    const before = new TestBridge({ ...tenMinutes, store });
    await talking(before);
    await before.passTime(2 * minute);
    await hangUp(before);
    await callAgain(before, "call2");
    await before.sip(accepted);
    await before.passTime(minute);
    // The process dies here.
    const after = await restarted(store, tenMinutes, 4 * minute);
    expect(after.trunks.verbs).toEqual(["resume", "bye"]);
    await after.sip({ kind: "sip.ended" });
    expect(usedBy(after)).toMatchObject({ seconds: 120 + 120, heldSeconds: 0 });
    const last = await restarted(store, tenMinutes, 5 * minute);
    expect(usedBy(last)).toMatchObject({ seconds: 240, heldSeconds: 0 });
  });

  test("a call whose own row was lost is counted as long as it can have lasted", async () => {
    const store = openMemoryStore();
    const before = new TestBridge({ ...tenMinutes, store });
    const call = await talking(before);
    const [open] = await store.calls.open();
    expect(open?.call.id).toBe(call);
    const lost: Store = { ...store, calls: { ...store.calls, open: async () => [] } };
    const after = await restarted(lost, tenMinutes, 3 * minute);
    expect(usedBy(after)).toMatchObject({ seconds: 180, heldSeconds: 0 });
  });

  test("is forgotten when the month after it is over, in memory and in the store", async () => {
    const bridge = new TestBridge(tenMinutes);
    await talking(bridge);
    await bridge.passTime(minute);
    await hangUp(bridge);
    const { day } = bridge.spending.windows;
    const used = async () => {
      const { usages } = await bridge.store.spending.load();
      const { seconds } = bridge.spending.account.usage({ kind: "user", name: ann }, day);
      return [seconds, usages.length > 0];
    };
    await bridge.passTime(30 * 24 * 60 * minute);
    await bridge.spending.forgetOldMonths();
    expect(await used()).toEqual([60, true]);
    await bridge.passTime(30 * 24 * 60 * minute);
    await bridge.spending.forgetOldMonths();
    expect(await used()).toEqual([0, false]);
  });

  test("nobody calls while the store cannot tell what is left, and what was used meanwhile is not lost", async () => {
    const memory = openMemoryStore();
    let failure: StoreError | undefined;
    const failing = async (): Promise<void> => {
      if (failure !== undefined) throw failure;
    };
    const store: Store = {
      ...memory,
      check: failing,
      spending: {
        ...memory.spending,
        save: async (changes) => {
          await failing();
          await memory.spending.save(changes);
        },
      },
    };
    const bridge = new TestBridge({ ...tenMinutes, store });
    await talking(bridge);
    failure = new StoreError("full", "disk full");
    await bridge.passTime(2 * minute);
    await hangUp(bridge);
    await callAgain(bridge, "call2");
    expect(bridge.words.at(-1)).toBe("The bridge cannot store calls right now. Please try again later.");
    failure = undefined;
    await bridge.passTime(2_000);
    expect((await memory.spending.load()).usages.find(({ scope }) => scope.kind === "user")?.seconds).toBe(120);
    expect((await memory.spending.load()).running).toEqual([]);
  });
});

describe("a trunk that redirects the call", () => {
  const to = callerOf("+37120000000").from;

  test("to a country whose minutes are used up is not followed, and what the call holds stays as it was", async () => {
    const bridge = new TestBridge(withLimits({ countries: new Map([["LV", limited({ seconds: 0 })]]) }));
    const call = await bridge.ring();
    expect(bridge.arrivals.mayReach(call, to)).toBe(false);
    await bridge.sip(accepted);
    await bridge.passTime(minute);
    await hangUp(bridge);
    const { account, windows } = bridge.spending;
    expect(account.usage({ kind: "country", name: "GB" }, windows.day).seconds).toBe(60);
    expect(account.usage({ kind: "country", name: "LV" }, windows.day).seconds).toBe(0);
  });

  test("to one that costs more is counted at the dearer price", async () => {
    const dearer = new RateTable([
      { prefix: "44", name: "", perMinute: 10_000, connection: 0, initialS: 1, followingS: 1, trunk: undefined },
      { prefix: "371", name: "", perMinute: 600_000, connection: 0, initialS: 1, followingS: 1, trunk: undefined },
    ]);
    const bridge = new TestBridge(withLimits({ rates: dearer, everybody: limited({ money: 10_000_000 }) }));
    const call = await bridge.ring();
    expect(bridge.arrivals.mayReach(call, to)).toBe(true);
    await bridge.sip(accepted);
    await bridge.passTime(minute);
    await hangUp(bridge);
    expect(usedBy(bridge)).toMatchObject({ seconds: 60, money: 600_000, heldMoney: 0 });
  });
});
