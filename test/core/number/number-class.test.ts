import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dialString } from "../../../src/core/number/dialled.ts";
import { countries, toE164, type Country } from "../../../src/core/number/e164.ts";
import type { NumberClass } from "../../../src/core/number/plan/number-class.ts";
import { classify, keysOf } from "./dialled.ts";

describe("a barred number is seen", () => {
  test.each<[how: string, dialled: string, country: Country, kind: NumberClass]>([
    ["before a hash, which sends it at once", "09001234567#", "DE", "premium"],
    ["before a star", "09001234567*1", "DE", "premium"],
    ["between marks", "*31#09001234567#", "DE", "premium"],
    ["written in halves", "0900*1234567", "DE", "premium"],
    ["behind a code of four digits", "*123419005551234", "US", "premium"],
    ["before more digits than any number has", `0900123456${"7".repeat(12)}`, "DE", "premium"],
    ["before hundreds of them", `19005551234${"1".repeat(200)}`, "US", "premium"],
    ["abroad, before more digits than any number has", `00881${"1".repeat(30)}`, "DE", "satellite"],
    ["behind a carrier's code", "0103309001234567", "DE", "premium"],
    ["behind a carrier's code and the international prefix", "01033008816123456", "DE", "satellite"],
    ["behind a carrier's code in America", "101028819005551234", "US", "premium"],
    ["behind one, the international prefix and all", "1010288011881612345678", "US", "satellite"],
    ["behind one in Japan", "00330108816123456", "JP", "satellite"],
    ["behind one where numbers have no prefix", "1033803123456", "ES", "premium"],
    ["behind one with too many digits after it", "010330900123456789", "DE", "premium"],
    ["behind one, in a country whose code has three digits", "0103300376912345", "DE", "premium"],
    ["in such a country, before more digits than its numbers have", "+37691234512345", "DE", "premium"],
    ["in such a country, the same without plus", "376912345123", "GB", "premium"],
    ["behind a code that hides the caller", "14109098790000", "GB", "premium"],
    ["behind a code that shows the caller", "147009098790000", "GB", "premium"],
    ["behind a digit for the outside line", "9 09001234567", "DE", "premium"],
    ["behind two of them", "99 09001234567", "DE", "premium"],
    ["behind a digit for the outside line, directory enquiries", "9 118218", "FR", "premium"],
    ["directory enquiries, before digits too many", "1188012345", "DE", "premium"],
    ["behind a zero for the outside line", "0 0900 1234567", "DE", "premium"],
    ["behind a zero too many", "000881612345678", "DE", "satellite"],
    ["behind zeros after the country code", "+49000 900 1234567", "DE", "premium"],
    ["behind zeros after the country code of another country", "+44000 909 8790000", "DE", "premium"],
  ])("%s", (_, dialled, country, kind) => {
    expect(classify(dialled, country)).toBe(kind);
  });
});

test("where no country is set, a barred number is seen behind both international prefixes", () => {
  expect(classify("011449098790000", undefined)).toBe("premium");
  expect(classify("00449098790000", undefined)).toBe("premium");
});

describe("a cry for help is heard", () => {
  test.each<[how: string, dialled: string, country: Country]>([
    ["before a hash", "112#", "DE"],
    ["behind a code that hides the caller, without marks", "141999", "GB"],
    ["behind one in Ireland", "141112", "IE"],
    ["behind one in Australia", "1831000", "AU"],
  ])("%s", (_, dialled, country) => {
    expect(classify(dialled, country)).toBe("emergency");
  });
  test.each<[why: string, dialled: string, country: Country]>([
    ["a time in a forwarding code", "**61*+33140000000*11*15#", "FR"],
    ["a forwarding code", "*21*112#", "DE"],
    ["an extension that ends like one", "5112", "DE"],
    ["another country's code for hiding", "141999", "DE"],
  ])("and not in %s", (_, dialled, country) => {
    expect(classify(dialled, country)).not.toBe("emergency");
  });
});

describe("what only looks like a barred number is not taken for one", () => {
  test.each<[dialled: string, country: Country, kind: NumberClass]>([
    ["01818118181", "GB", "ordinary"],
    ["+441818118181", "US", "ordinary"],
    ["015100881234", "DE", "ordinary"],
    ["0209001234567", "DE", "ordinary"],
    ["2015551234", "US", "ordinary"],
    ["9075551234", "US", "ordinary"],
    ["+15558675309", "DE", "ordinary"],
    ["0819001234", "DE", "ordinary"],
    ["20900", "DE", "private"],
  ])("%s in %s: %s", (dialled, country, kind) => {
    expect(classify(dialled, country)).toBe(kind);
  });
});

const noise = {
  GB: { numbers: ["09098790000", "+449098790000", "00881612345678"], before: ["9", "0", "141", "1470", "1280"] },
  DE: { numbers: ["09001234567", "+499001234567", "0019005551234"], before: ["9", "0", "01033", "010333", "99"] },
  US: { numbers: ["19005551234", "9005551234", "0118816123456789"], before: ["9", "1010288", "1167", "91"] },
  FR: { numbers: ["0899123456", "0033899123456", "00881612345678"], before: ["9", "0", "3651", "1634", "8"] },
  ES: { numbers: ["803123456", "+34803123456", "00881612345678"], before: ["0", "9", "067", "1033"] },
} as const;

test("no noise before or behind a barred number, and no way of writing it, hides it", () => {
  const barred: readonly NumberClass[] = ["premium", "shared-cost", "satellite", "emergency"];
  const spelling = fc.constantFrom(...(Object.keys(noise) as (keyof typeof noise)[])).chain((country) =>
    fc.record({
      country: fc.constant(country),
      code: fc.constantFrom("", "*31#", "#31#", "*67", "**"),
      before: fc.constantFrom("", ...noise[country].before),
      number: fc.constantFrom(...noise[country].numbers),
      behind: fc.oneof(fc.constantFrom("", "#", "*1", "##"), fc.stringMatching(/^\d{0,40}$/)),
      gaps: fc.array(fc.nat(80), { maxLength: 5 }),
    }),
  );
  fc.assert(
    fc.property(spelling, ({ country, code, before, number, behind, gaps }) => {
      let text = code + before + number + behind;
      for (const gap of gaps) text = `${text.slice(0, gap + 1)}-${text.slice(gap + 1)}`;
      // A plus in the middle is none that a telephone could dial.
      fc.pre(dialString(text) !== undefined);
      expect(barred, `${text} in ${country}`).toContain(classify(text, country));
    }),
    { numRuns: 1000 },
  );
});

test("premium numbers are barred in every country that has them, whatever stands behind them", () => {
  // Guards the patterns that are read out of the metadata: with none at all, this would find none.
  const found = countries.filter(
    (country) =>
      classify(`0900123456${"0".repeat(20)}`, country) === "premium" ||
      classify("19002345678000000", country) === "premium",
  );
  expect(found.length).toBeGreaterThan(20);
});

test("a number that would be another one, or none, when it is read again has no E.164 form", () => {
  expect(toE164(keysOf("+490009001234567"))).toBeUndefined();
  expect(toE164(keysOf("0111904669437"), "CN")).toBeUndefined();
  // Local, without its area code.
  expect(toE164(keysOf("5551234"), "CA")).toBeUndefined();
  expect(toE164(keysOf("+390669812345"))).toBe("+390669812345");
});
