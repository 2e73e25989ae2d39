// What every store keeps of limits and bars.
import { expect, it } from "vitest";
import { callId, trunkName, type UserId } from "../../src/core/ids.ts";
import type { Usage } from "../../src/core/policy/spending/account.ts";
import { wholeBridge, type Scope } from "../../src/core/policy/spending/allowance.ts";
import type { Bar } from "../../src/core/policy/spending/bar.ts";
import type { RunningCharge } from "../../src/ports/spending.ts";
import type { Store } from "../../src/ports/store.ts";

const ann: Scope = { kind: "user", name: "@ann:example.org" as UserId };
const main: Scope = { kind: "trunk", name: trunkName("main") };

function usage(scope: Scope, window: string, seconds: number): Usage {
  return { scope, window, seconds, money: 9_000_000_000_000_000, told: "warned" };
}

const running: RunningCharge = {
  charge: {
    id: "c-1",
    scopes: [ann, main, wholeBridge],
    rates: [{ name: 'Latvia, "mobile"', perMinute: 123_456, connection: 0, initialS: 30, followingS: 6 }],
    shares: [{ windows: { day: "2026-12-01", month: "2026-12" }, seconds: 300 }],
  },
  leg: callId("c-1"),
  person: "@ann:example.org" as UserId,
  answeredAtMs: undefined,
  longestMs: 14_400_000,
};

const stop: Bar = {
  kind: "stopped",
  scope: wholeBridge,
  prefix: "",
  inbound: false,
  who: "uid 998",
  why: "odd bill",
  atMs: 1_000,
  untilMs: undefined,
};

export function describeSpending(store: () => Store): void {
  it("keeps what limits have used, and the charges of calls in progress, together", async () => {
    const { spending } = store();
    expect(await spending.load()).toEqual({ usages: [], running: [] });
    await spending.save({ usages: [usage(ann, "2026-12-01", 60)], running: [running], settled: [] });
    const later = { ...running, answeredAtMs: 5_000 };
    await spending.save({ usages: [usage(ann, "2026-12-01", 90)], running: [later], settled: ["c-0"] });
    expect(await spending.load()).toEqual({ usages: [usage(ann, "2026-12-01", 90)], running: [later] });
    await spending.save({ usages: [usage(main, "2026-12", 90)], running: [], settled: ["c-1"] });
    const { usages, running: left } = await spending.load();
    expect([usages.length, left]).toEqual([2, []]);
  });

  it("forgets what was used in earlier months and their days", async () => {
    const { spending } = store();
    const windows = ["2026-10-31", "2026-10", "2026-11-01", "2026-11", "2026-12-01"];
    await spending.save({ usages: windows.map((window) => usage(ann, window, 1)), running: [], settled: [] });
    await spending.prune("2026-11");
    expect((await spending.load()).usages.map(({ window }) => window).toSorted()).toEqual(windows.slice(2).toSorted());
  });

  it("keeps bars, one for each kind, scope and prefix", async () => {
    const { spending } = store();
    const held: Bar = { ...stop, kind: "held", scope: ann, prefix: "371", untilMs: 9_000 };
    await spending.setBar(stop);
    await spending.setBar(held);
    await spending.setBar({ ...stop, inbound: true });
    expect(await spending.bars()).toEqual([held, { ...stop, inbound: true }]);
    await spending.removeBar(stop);
    expect(await spending.bars()).toEqual([held]);
  });
}
