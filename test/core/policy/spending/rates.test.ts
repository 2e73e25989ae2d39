import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trunkName } from "../../../../src/core/ids.ts";
import { moneyDecimal, moneyText, parseMoney } from "../../../../src/core/policy/spending/money.ts";
import { affordable, cost, dearestCost, type Rate } from "../../../../src/core/policy/spending/rate.ts";
import { RateTable, type RateRow } from "../../../../src/core/policy/spending/rate-table.ts";

const main = trunkName("main");
const other = trunkName("other");

function rate(perMinute: number, initialS: number, followingS: number, connection = 0): Rate {
  return { name: "", perMinute, connection, initialS, followingS };
}

const anyRate = fc.record({
  name: fc.constant(""),
  perMinute: fc.nat({ max: 10_000_000_000 }),
  connection: fc.nat({ max: 10_000_000_000 }),
  initialS: fc.integer({ min: 1, max: 3600 }),
  followingS: fc.integer({ min: 1, max: 3600 }),
});
const week = 604_800;

describe("money", () => {
  test.each([
    ["5", 5_000_000],
    ["0.0125", 12_500],
    ["007.10", 7_100_000],
    ["0.0000010", 1],
    ["999999999", 999_999_999_000_000],
  ])("%s is read exactly", (text, money) => expect(parseMoney(text)).toBe(money));

  test.each(["", ".", "5.", ".5", "-1", "1e3", "0.0000001", "1,5", "1.2.3", "9999999999", " 1", "NaN", "Infinity"])(
    "%j is no amount",
    (text) => expect(parseMoney(text)).toBeUndefined(),
  );

  test("is written as it was read", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 15 - 1 }), (money) => {
        expect(parseMoney(moneyDecimal(money))).toBe(money);
      }),
    );
    expect(parseMoney("0,05", ",")).toBe(50_000);
  });

  test("is shown with two decimals, and more only where there is nothing else", () => {
    expect([5_000_000, 1_999_999, 2_500, 0].map((money) => moneyText(money, "EUR"))).toEqual([
      "5.00 EUR",
      "1.99 EUR",
      "0.0025 EUR",
      "0.00 EUR",
    ]);
  });
});

describe("a call costs", () => {
  test.each([
    ["60/60", rate(600_000, 60, 60), 1, 600_000],
    ["60/60", rate(600_000, 60, 60), 61, 1_200_000],
    ["1/1", rate(600_000, 1, 1), 61, 610_000],
    ["30/6", rate(600_000, 30, 6), 1, 300_000],
    ["30/6", rate(600_000, 30, 6), 31, 360_000],
    ["1/1 with a fee", rate(100_000, 1, 1, 50_000), 1, 51_667],
    ["no time", rate(600_000, 60, 60, 50_000), 0, 0],
  ])("by %s", (_, of, seconds, money) => expect(cost(of, seconds)).toBe(money));

  test("never less when it is longer, always a whole number, and never less than its price for the time", () => {
    fc.assert(
      fc.property(anyRate, fc.nat({ max: week }), (of, seconds) => {
        const money = cost(of, seconds);
        expect(Number.isSafeInteger(money)).toBe(true);
        expect(cost(of, seconds + 1)).toBeGreaterThanOrEqual(money);
        expect(BigInt(money) * 60n).toBeGreaterThanOrEqual(BigInt(of.perMinute) * BigInt(seconds));
      }),
    );
  });

  test("what it may last for some money is the longest that costs no more", () => {
    const rates = fc.array(anyRate, { maxLength: 3 });
    fc.assert(
      fc.property(rates, fc.nat({ max: week }), fc.nat(), fc.nat({ max: week }), (of, from, money, most) => {
        const seconds = affordable(of, from, money, most);
        const more = (by: number): number => dearestCost(of, from + by) - dearestCost(of, from);
        expect(seconds).toBeLessThanOrEqual(most);
        if (seconds > 0) expect(more(seconds)).toBeLessThanOrEqual(money);
        if (seconds < most) expect(more(seconds + 1)).toBeGreaterThan(money);
      }),
    );
  });
});

describe("a price list", () => {
  const row = (prefix: string, perMinute: number, trunk?: typeof main): RateRow => ({
    ...rate(perMinute, 60, 60),
    prefix,
    trunk,
  });

  test("finds the longest prefix, and of two as long as each other the trunk's own", () => {
    const table = new RateTable([row("4", 1), row("44", 2), row("4420", 3), row("44", 4, main), row("447", 5, other)]);
    const priceOf = (digits: string, trunk: typeof main) => table.find(digits, trunk)?.perMinute;
    expect(["442079460123", "441632960123", "491234", "4"].map((digits) => priceOf(digits, main))).toEqual([
      3, 4, 1, 1,
    ]);
    expect(priceOf("447700900123", other)).toBe(5);
    expect(priceOf("447700900123", main)).toBe(4);
    expect(priceOf("33123456789", main)).toBeUndefined();
    expect(priceOf("", main)).toBeUndefined();
  });

  test("finds what looking through all of it would find", () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,14}$/);
    fc.assert(
      fc.property(fc.uniqueArray(digits, { maxLength: 60 }), digits, (prefixes, number) => {
        const table = new RateTable(prefixes.map((prefix, at) => row(prefix, at)));
        const longest = prefixes
          .filter((prefix) => number.startsWith(prefix))
          .toSorted((one, other2) => other2.length - one.length)[0];
        expect(table.find(number, main)?.perMinute).toBe(longest && prefixes.indexOf(longest));
      }),
    );
  });
});
