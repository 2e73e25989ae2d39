import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cpuMsOf } from "../../measures/cpu-time.ts";
import { compilePattern } from "../../../src/core/number/plan/pattern.ts";

function fits(pattern: string, number: string): boolean {
  return compilePattern(pattern)?.test(number) === true;
}

describe.each([
  [
    "+4416329601XX",
    ["+441632960100", "+441632960199"],
    ["+44163296010", "+4416329601000", "441632960100", "+4416329602"],
  ],
  ["+4416329601xx", ["+441632960142"], ["+44163296014x"]],
  ["N", ["2", "9"], ["0", "1", "22"]],
  ["Z", ["1", "9"], ["0", "*"]],
  ["2[13-5]X", ["210", "239", "245"], ["220", "200", "2[1"]],
  ["[0-9]", ["0", "5", "9"], ["10"]],
  ["20.", ["200", "20123456", "20*1#"], ["20", "21", "20a"]],
  [".", ["1", "*31#"], ["", "+1", "alice"]],
  ["*9X#", ["*91#"], ["991#", "*91"]],
])("%s", (pattern, inside, outside) => {
  test.each(inside)("is %s", (number) => expect(fits(pattern, number)).toBe(true));
  test.each(outside)("is not %s", (number) => expect(fits(pattern, number)).toBe(false));
});

test.each([
  "",
  "+",
  "1+2",
  "12..",
  "a",
  "[",
  "[]",
  "[1",
  "1]",
  "[5-1]",
  "[1-]",
  "[-1]",
  "[1-2-3]",
  "(1|2)",
  "1{9}",
  "^1$",
  "1 2",
  "X".repeat(65),
])("%j is no pattern", (pattern) => expect(compilePattern(pattern)).toBeUndefined());

test("whatever is written and called, nothing throws, and a number fits itself", () => {
  const text = fc.string({ unit: fc.constantFrom(...Array.from("0123456789+*#XZNxzn[]-.()?^$\\")), maxLength: 70 });
  fc.assert(
    fc.property(text, text, (pattern, number) => {
      compilePattern(pattern)?.test(number);
      if (/^\+?[\d*#]{1,60}$/.test(number)) expect(fits(number, number)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("the longest pattern and a long number are compared at once", () => {
  const pattern = compilePattern(`${"[0-9]".repeat(12)}.`);
  const compare = (): void => {
    for (let round = 0; round < 100; round += 1) expect(pattern?.test(`${"1".repeat(100_000)}x`)).toBe(false);
  };
  expect(cpuMsOf(compare)).toBeLessThan(2000);
});
