// What a person means who writes some digits and nothing else.
import { describe, expect, test } from "vitest";
import type { DialPlan } from "../../../src/core/number/plan/dial-plan.ts";
import type { Country } from "../../../src/core/number/e164.ts";
import { keysEntered } from "../../../src/core/number/entered.ts";
import { loneNumber } from "../../../src/core/number/plan/lone-number.ts";
import { examplePlan } from "../../scenarios/settings.ts";

function inCountry(country: Country | undefined, prefixes: readonly string[] = []): (text: string) => string {
  const { trunks, ...rest } = examplePlan;
  const routes = prefixes.map((prefix) => ({ prefix, trunks: trunks.map(({ name }) => name), strip: 0, prepend: "" }));
  const plan: DialPlan = { ...rest, trunks, country, routes, withholdPrefixes: ["*31#"] };
  return (text) => {
    const keys = keysEntered(text);
    return keys === undefined ? "not dialable" : loneNumber(text, keys, plan);
  };
}

describe("a text that stands alone is a number", () => {
  test.each<[Country | undefined, readonly string[]]>([
    [
      "GB",
      ["020 7946 0440", "0181 811 8181", "02079460440", "(020) 7946-0440", "020.7946.0440", "+44 (0)20 7946 0440"],
    ],
    [
      "GB",
      ["+44 20 7946 0440", "0044 20 7946 0440", "tel:+442079460440", "７９４６０４４０", "+49.30.901820", "999", "112"],
    ],
    ["GB", ["101", "1234", "4711", "18000", "116123", "116 123", "*31#020 7946 0440", "*31#2026"]],
    ["DE", ["030 901820", "030/901820", "0171-1234567", "030.901.820", "90 18 20", "110", "116 117", "0171 12 34 567"]],
    ["US", ["(212) 555-0123", "212.555.0123", "555-0123", "1-800-555-0199", "011 44 20 7946 0440", "411"]],
    ["FR", ["01 02 03 04 05", "01.02.03.04.05", "15", "3631"]],
    ["NO", ["22 11 20 24", "22112024", "02800"]],
    ["DK", ["32.12.34.56", "32 12 34 56"]],
    ["FO", ["30 12 34"]],
    ["PL", ["500 600 700", "500.600.700"]],
    [undefined, ["+44 20 7946 0440", "201", "4711"]],
  ])("in %s: %j", (country, texts) => {
    const read = inCountry(country);
    expect(texts.filter((text) => read(text) !== "number")).toEqual([]);
  });

  test("also where it looks like a year, if the dial plan has a way for such numbers", () => {
    expect(inCountry("DE", ["20"])("2026")).toBe("number");
    expect(inCountry("DE", ["0"])("2026")).toBe("doubtful");
    expect(inCountry("DE", ["2"])("2026-11-30")).toBe("doubtful");
  });
});

describe("a text that may as well be something else is doubtful", () => {
  test.each([
    [
      "a date",
      ["2026-11-30", "30.11.2026", "30/11/2026", "11/30/2026", "30-11-26", "30.11.26", "1.12.2026", "30. 11. 2026"],
    ],
    [
      "a date",
      ["30 11 2026", "2026/11/30", "20261130", "30112026", "30–11–2026", "24.12.", "24.12.-26.12.", "01.02.2026"],
    ],
    ["a month or years", ["11/2026", "2026-11", "2025/26", "2025-2027", "1999", "2026", "2000"]],
    ["a date with a time", ["30.11.2026 19.30", "2026-11-30 9.00", "24.12. 18.00", "30.11.2026 8.00-9.30"]],
    ["a time", ["19.30", "08.15", "9.00-17.30", "9.00 - 17.30"]],
    ["a price", ["12.99", "199.90", "100.-", "1.000", "10.000", "1 250 000", "100 000", "1.250.000"]],
    ["a span or a share", ["10-12", "100 - 200", "12/24"]],
    ["an address of a machine, or a release", ["192.168.1.1", "10.0.0.138", "1.12.3"]],
    ["a card, or a gain", ["+100", "+1.000", "4111 1111 1111 1111", "4111111111111111"]],
    ["a service", ["*210#", "#100#", "#123"]],
  ])("%s: %j", (_, texts) => {
    for (const country of ["GB", "DE", "US", "FR", undefined] as const) {
      const read = inCountry(country);
      expect(
        texts.filter((text) => read(text) !== "doubtful"),
        country,
      ).toEqual([]);
    }
  });

  test("a text of one or two digits is none, and what has letters or a colon cannot be dialled", () => {
    const read = inCountry("GB");
    const texts = ["5", "42", "3/4", "1.5", "*21#", "19:30", "12,99", "€100", "30 November 2026", "2x"];
    expect(texts.map(read)).toEqual(texts.map((_, index) => (index < 5 ? "none" : "not dialable")));
  });
});
