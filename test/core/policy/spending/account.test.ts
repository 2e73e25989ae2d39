// Calls that share limits, in any order, with restarts between: together they never pass one.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trunkName, type UserId } from "../../../../src/core/ids.ts";
import { Account, type Charge } from "../../../../src/core/policy/spending/account.ts";
import {
  noLimits,
  scopeKey,
  spans,
  wholeBridge,
  type Allowance,
  type Bounds,
  type Scope,
} from "../../../../src/core/policy/spending/allowance.ts";
import type { Windows } from "../../../../src/core/policy/spending/calendar.ts";
import { cost, type Rate } from "../../../../src/core/policy/spending/rate.ts";

const ann: Scope = { kind: "user", name: "@ann:example.org" as UserId };
const bob: Scope = { kind: "user", name: "@bob:example.org" as UserId };
const main: Scope = { kind: "trunk", name: trunkName("main") };
const latvia: Scope = { kind: "country", name: "LV" };
const allScopes = [ann, bob, main, latvia, wholeBridge];
const days: readonly Windows[] = ["2026-12-30", "2026-12-31", "2027-01-01"].map((day) => ({
  day,
  month: day.slice(0, 7),
}));
const [monday, tuesday] = days as [Windows, Windows];

const rate: Rate = { name: "", perMinute: 600_000, connection: 50_000, initialS: 60, followingS: 60 };

function limited(day: Partial<Bounds>): Allowance {
  return { ...noLimits, day: { seconds: undefined, money: undefined, ...day } };
}

function accountWith(allowances: Readonly<Record<string, Allowance>>): Account {
  return new Account((scope) => allowances[scopeKey(scope)] ?? noLimits);
}

const bounds = fc.record({
  seconds: fc.option(fc.nat({ max: 2_000 }), { nil: undefined }),
  money: fc.option(fc.nat({ max: 10_000_000 }), { nil: undefined }),
});
const allowances = fc
  .tuple(...allScopes.map(() => fc.record({ day: bounds, month: bounds })))
  .map((all) => Object.fromEntries(all.map((one, at) => [scopeKey(allScopes[at] ?? ann), { ...noLimits, ...one }])));
const anyRate: fc.Arbitrary<Rate> = fc.record({
  name: fc.constant(""),
  perMinute: fc.nat({ max: 3_000_000 }),
  connection: fc.nat({ max: 500_000 }),
  initialS: fc.integer({ min: 1, max: 90 }),
  followingS: fc.integer({ min: 1, max: 90 }),
});

type Act =
  | { readonly kind: "open"; readonly who: Scope; readonly rates: readonly Rate[]; readonly wanted: number }
  | {
      readonly kind: "grow" | "settle" | "rework";
      readonly which: number;
      readonly seconds: number;
      readonly rate: Rate;
    }
  | { readonly kind: "restart" | "midnight" };

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("open" as const),
        who: fc.constantFrom(ann, bob),
        rates: fc.array(anyRate, { maxLength: 2 }),
        wanted: fc.integer({ min: 1, max: 700 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom("grow" as const, "settle" as const, "rework" as const),
        which: fc.nat({ max: 9 }),
        seconds: fc.nat({ max: 700 }),
        rate: anyRate,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("restart" as const, "midnight" as const) }) },
  ),
  { maxLength: 60 },
);

/** What a store holds, as an earlier process left it. */
class Kept {
  readonly usages = new Map<string, ReturnType<Account["takeChanges"]>["usages"][number]>();
  readonly charges = new Map<string, Charge>();

  take(account: Account): void {
    const changes = account.takeChanges();
    for (const usage of changes.usages) this.usages.set(`${scopeKey(usage.scope)} ${usage.window}`, usage);
    for (const charge of changes.charges) this.charges.set(charge.id, charge);
    for (const id of changes.settled) this.charges.delete(id);
  }

  revive(limits: Readonly<Record<string, Allowance>>): Account {
    const account = accountWith(limits);
    account.restore([...this.usages.values()], [...this.charges.values()]);
    return account;
  }
}

function expectWithin(account: Account, limits: Readonly<Record<string, Allowance>>): void {
  for (const scope of allScopes) {
    for (const windows of days) {
      for (const span of spans) {
        const { seconds, money } = limits[scopeKey(scope)]?.[span] ?? { seconds: undefined, money: undefined };
        const used = account.usage(scope, windows[span]);
        expect(used.heldSeconds).toBeGreaterThanOrEqual(0);
        expect(used.heldMoney).toBeGreaterThanOrEqual(0);
        if (seconds !== undefined) expect(used.seconds + used.heldSeconds).toBeLessThanOrEqual(seconds);
        if (money !== undefined) expect(used.money + used.heldMoney).toBeLessThanOrEqual(money);
      }
    }
  }
}

describe("whatever calls do, in whatever order, restarts and midnights included", () => {
  test("they never pass a limit together, and when all have ended, nothing is held", () => {
    fc.assert(
      fc.property(allowances, acts, (limits, what) => {
        const kept = new Kept();
        let account = accountWith(limits);
        let [day, ids] = [0, 0];
        for (const act of what) {
          const windows = days[day] ?? monday;
          const chosen =
            "which" in act ? account.charges.at(act.which % Math.max(1, account.charges.length)) : undefined;
          if (act.kind === "open") {
            ids += 1;
            const { rates, wanted } = act;
            account.open({ id: `c-${ids}`, scopes: [act.who, main, latvia, wholeBridge], rates }, windows, wanted, 1);
          } else if (act.kind === "midnight") day = Math.min(day + 1, days.length - 1);
          else if (act.kind === "restart") account = kept.revive(limits);
          else if (chosen !== undefined && act.kind === "grow") account.grow(chosen.id, windows, act.seconds);
          else if (chosen !== undefined && act.kind === "rework")
            account.rework(chosen.id, [...chosen.scopes, bob], [...chosen.rates, act.rate], {
              windows,
              wanted: act.seconds,
              least: 1,
            });
          else if (chosen !== undefined && act.kind === "settle") {
            const granted = chosen.shares.reduce((sum, share) => sum + share.seconds, 0);
            account.settle(chosen.id, chosen.shares.length === 0 ? 0 : Math.min(act.seconds, granted), windows);
          }
          kept.take(account);
          expectWithin(account, limits);
        }
        const revived = kept.revive(limits);
        for (const scope of allScopes)
          for (const windows of days)
            for (const span of spans)
              expect(revived.usage(scope, windows[span])).toEqual(account.usage(scope, windows[span]));
        for (const { id } of account.charges) account.settle(id, 0, monday);
        for (const scope of allScopes)
          for (const windows of days)
            for (const span of spans)
              expect(account.usage(scope, windows[span])).toMatchObject({ heldSeconds: 0, heldMoney: 0 });
      }),
      { numRuns: 100 },
    );
  });

  test("a call costs the same whether it took its time at once or in shares", () => {
    fc.assert(
      fc.property(
        anyRate,
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (price, shares, part) => {
          const account = accountWith({ [scopeKey(ann)]: limited({ seconds: 1_000_000 }) });
          const [first = 1, ...rest] = shares;
          account.open({ id: "c", scopes: [ann], rates: [price] }, monday, first, 1);
          for (const seconds of rest) account.grow("c", monday, seconds);
          const all = shares.reduce((sum, one) => sum + one, 0);
          expect(account.usage(ann, monday.day)).toMatchObject({ heldSeconds: all, heldMoney: cost(price, all) });
          const talked = part % (all + 1);
          account.settle("c", talked, monday);
          expect(account.usage(ann, monday.day)).toMatchObject({ seconds: talked, money: cost(price, talked) });
        },
      ),
    );
  });
});

describe("a limit", () => {
  test("counts a call once for whoever takes it over from themselves", () => {
    const account = accountWith({ [scopeKey(ann)]: limited({ seconds: 100 }) });
    account.open({ id: "c", scopes: [ann], rates: [] }, monday, 60, 1);
    expect(account.rework("c", [ann, ann], [])).toBeUndefined();
    expect(account.usage(ann, monday.day)).toMatchObject({ heldSeconds: 60 });
  });

  test("cuts a call to what every scope leaves, and names the one that does", () => {
    const account = accountWith({
      [scopeKey(ann)]: limited({ seconds: 600 }),
      [scopeKey(latvia)]: limited({ money: 1_000_000 }),
    });
    // 0.05 for the connection and 0.60 a minute: one minute, not two.
    const grant = account.open({ id: "c", scopes: [ann, latvia], rates: [rate] }, monday, 300, 30);
    expect(grant).toMatchObject({
      seconds: 60,
      shortage: { scope: latvia, of: "money", span: "day", limit: 1_000_000 },
    });
  });

  test("that leaves less than the least a call needs lets none begin, and holds nothing", () => {
    const account = accountWith({ [scopeKey(ann)]: limited({ seconds: 29 }) });
    const grant = account.open({ id: "c", scopes: [ann], rates: [] }, monday, 300, 30);
    expect(grant).toMatchObject({ seconds: 29, shortage: { scope: ann } });
    expect(account.charges).toEqual([]);
  });

  test("is shared by calls at once: the second gets what the first left, and more when that ends early", () => {
    const account = accountWith({ [scopeKey(ann)]: limited({ seconds: 400 }) });
    expect(account.open({ id: "one", scopes: [ann], rates: [] }, monday, 300, 30).seconds).toBe(300);
    expect(account.open({ id: "two", scopes: [ann], rates: [] }, monday, 300, 30).seconds).toBe(100);
    expect(account.grow("two", monday, 300).seconds).toBe(0);
    account.settle("one", 10, monday);
    expect(account.grow("two", monday, 300).seconds).toBe(290);
  });

  test("of a day counts what was granted on that day, also of a call that goes on after midnight", () => {
    const account = accountWith({ [scopeKey(ann)]: limited({ seconds: 1_000 }) });
    account.open({ id: "c", scopes: [ann], rates: [rate] }, monday, 300, 30);
    account.grow("c", tuesday, 300);
    account.settle("c", 400, tuesday);
    expect(account.usage(ann, monday.day).seconds).toBe(300);
    expect(account.usage(ann, tuesday.day).seconds).toBe(100);
    expect(account.usage(ann, monday.day).money + account.usage(ann, tuesday.day).money).toBe(cost(rate, 400));
  });

  test("that a call has passed all the same (a bridge that was down, say) counts all of it", () => {
    const account = accountWith({ [scopeKey(ann)]: limited({ seconds: 300 }) });
    account.open({ id: "c", scopes: [ann], rates: [] }, monday, 300, 30);
    account.settle("c", 5_000, tuesday);
    expect(account.usage(ann, monday.day).seconds).toBe(5_000);
    expect(account.open({ id: "d", scopes: [ann], rates: [] }, monday, 300, 30).seconds).toBe(0);
  });

  test("is told of once in a window, and not as near once it is reached", () => {
    const account = accountWith({});
    expect([account.tell(ann, "2026-12-01", "warned"), account.tell(ann, "2026-12-01", "warned")]).toEqual([
      true,
      false,
    ]);
    expect([account.tell(ann, "2026-12-01", "reached"), account.tell(ann, "2026-12-01", "warned")]).toEqual([
      true,
      false,
    ]);
    expect(account.tell(ann, "2026-12-02", "warned")).toBe(true);
  });

  test("that is made narrower is obeyed from then on", () => {
    let limit = limited({ seconds: 1_000 });
    const account = new Account(() => limit);
    account.open({ id: "c", scopes: [ann], rates: [] }, monday, 300, 30);
    limit = limited({ seconds: 100 });
    expect(account.grow("c", monday, 300).seconds).toBe(0);
  });
});
