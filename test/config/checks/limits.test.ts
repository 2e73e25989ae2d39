// Limits of minutes and money: what is wrong with them is said with the setting's name.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { toSpendingPolicy } from "../../../src/config/mapping/spending-mapping.ts";
import { trunkName, type UserId } from "../../../src/core/ids.ts";
import { toPolicy } from "../../../src/config/mapping/mapping.ts";
import { allowanceOf } from "../../../src/core/policy/spending/spending-policy.ts";
import { faults } from "../minimal.ts";

const folder = mkdtempSync(join(tmpdir(), "rates-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function withLimits(lines: string): string {
  return `${minimalConfig}\nlimits:\n${lines}`;
}

function policyOf(text: string) {
  const config = parseConfig(text, { configPath: join(folder, "config.yaml"), env: {} });
  return { spending: toSpendingPolicy(config), policy: toPolicy(config) };
}

describe("what can never count is an error", () => {
  test.each([
    [
      "  time_zone: Europe/Berlni\n",
      "limits.time_zone should be a time zone of the tz database, such as Europe/Berlin",
    ],
    [
      "  per_user:\n    money_per_day: 5\n",
      "limits.per_user.money_per_day needs limits.rates_file or limits.default_rate, or calls have no price",
    ],
    [
      "  patterns:\n    expensive_from: 0.2\n",
      "limits.patterns.expensive_from needs limits.rates_file or limits.default_rate, or calls have no price",
    ],
    ["  default_rate: -1\n", "limits.default_rate should be an amount such as 5 or 0.025, with six decimals at most"],
    [
      "  default_rate: 0.0000001\n",
      "limits.default_rate should be an amount such as 5 or 0.025, with six decimals at most",
    ],
    [
      "  trunks:\n    mian:\n      calls_at_once: 1\n",
      "limits.trunks.mian should have the name of a trunk as its key: main",
    ],
    [
      "  countries:\n    UK:\n      calls_at_once: 1\n",
      "limits.countries.UK should have a country as its key, such as GB, a calling code such as +881, or * (in quotes)",
    ],
  ])("%j", (lines, words) => expect(faults(withLimits(lines)).join("\n")).toContain(words));
});

test("an entry of the permissions goes before the limit of everybody, key by key", () => {
  const text = `${minimalConfig.replace(/^permissions:[\s\S]*?(?=^\S|(?![\s\S]))/m, "")}
permissions:
  "*": call
  "@ann:example.org":
    minutes_per_day: 90
limits:
  default_rate: "0.10"
  per_user:
    minutes_per_day: 10
    money_per_month: 12.5
`;
  const { spending, policy } = policyOf(text);
  const of = (name: string) => allowanceOf({ kind: "user", name: name as UserId }, spending, policy);
  expect(of("@ann:example.org")).toMatchObject({ day: { seconds: 5400 }, month: { money: 12_500_000 } });
  expect(of("@bob:example.org")).toMatchObject({ day: { seconds: 600 }, month: { money: 12_500_000 } });
  expect(spending.defaultRate).toMatchObject({ perMinute: 100_000, initialS: 60 });
});

test("the price list stands beside the configuration, and what is wrong with it is said with file, setting and line", () => {
  const path = join(folder, "rates.csv");
  const text = withLimits("  rates_file: rates.csv\n");
  expect(() => policyOf(text)).toThrow(`${path}: limits.rates_file cannot be read: there is no such file`);
  writeFileSync(path, "prefix,price\n44,dear\n");
  expect(() => policyOf(text)).toThrow(`${path}: limits.rates_file line 2: price should be what a minute costs`);
  writeFileSync(path, "prefix,price\n44,0.02\n");
  expect(policyOf(text).spending.rates?.find("44207", trunkName("main"))?.perMinute).toBe(20_000);
});
