// What a trunk's callers and called numbers are, however the trunk writes them.
import { describe, expect, test } from "vitest";
import { trunkName, type UserId } from "../../../src/core/ids.ts";
import { planCall, type DialPlan } from "../../../src/core/number/plan/dial-plan.ts";
import { findDid } from "../../../src/core/number/plan/did.ts";
import { countries, type Country } from "../../../src/core/number/e164.ts";
import { readingsOf } from "../../../src/core/number/plan/readings.ts";
import type { InboundNumberFormat } from "../../../src/core/number/plan/spelling.ts";
import { identifyCaller } from "../../../src/core/policy/caller.ts";
import { plainNumbers } from "./example-numbers.ts";
import { numberOf } from "./dialled.ts";
import { makeSipUri } from "../../../src/core/address/uri.ts";

/** The number that the caller's ghost stands for. */
function caller(user: string, country: Country, numberFormat?: InboundNumberFormat): string {
  const from = {
    uri: makeSipUri({ user, host: "gw.example.net" }),
    user,
    host: "gw.example.net",
    displayName: undefined,
  };
  const identity = { from, asserted: [], privacy: [], verstat: undefined };
  const found = identifyCaller(identity, { identity: "asserted", displayName: false, numberFormat }, country);
  return found.kind === "number" ? found.dialled : found.kind;
}

function plan(country: Country): DialPlan {
  const trunk = { name: trunkName("main"), host: "main.example.net", port: undefined, userPhone: false };
  return {
    country,
    trunks: [{ ...trunk, format: "e164", numberPrefix: "" }],
    routes: [],
    emergencyTrunk: undefined,
    withholdPrefixes: [],
    sipDomains: new Map(),
  };
}

/** The number that is called back. */
function calledBack(number: string, country: Country): string {
  const planned = planCall(numberOf(number), plan(country));
  return planned.kind === "route" ? planned.number : planned.why;
}

describe("a caller without a plus in Germany, where numbers have no fixed length", () => {
  test.each([
    ["4915112345678", "+4915112345678"],
    ["436641234567", "+436641234567"],
    ["33612345678", "+33612345678"],
    ["447911123456", "+447911123456"],
    ["015112345678", "+4915112345678"],
    ["00447911123456", "+447911123456"],
    ["+447911123456", "+447911123456"],
  ])("%s is %s, and calling back reaches them", (user, number) => {
    expect(caller(user, "DE")).toBe(number);
    expect(calledBack(number, "DE")).toBe(number);
  });
});

describe("a number that is one with its plus and another as dialled in the country", () => {
  test.each<[InboundNumberFormat | undefined, string]>([
    [undefined, "+14782012345"],
    ["auto", "+14782012345"],
    ["national", "+14782012345"],
    ["e164-without-plus", "+4782012345"],
    ["e164", "+14782012345"],
  ])("from a trunk that writes numbers as %s: %s", (format, number) => {
    expect(caller("4782012345", "US", format)).toBe(number);
  });
  test.each<[InboundNumberFormat, string]>([
    ["auto", "+18015551234"],
    ["e164-without-plus", "+18015551234"],
    ["national", "+4918015551234"],
  ])("and in Germany from one that writes them as %s: %s", (format, number) => {
    expect(caller("18015551234", "DE", format)).toBe(number);
  });
});

test.each<[string, InboundNumberFormat, string]>([
  ["02079460440", "e164-without-plus", "+442079460440"],
  ["02079460440", "e164", "+442079460440"],
  ["442079460440", "national", "+442079460440"],
  ["2001", "e164-without-plus", "2001"],
  ["2001", "national", "2001"],
  ["2001", "e164", "2001"],
])("%s from a trunk that writes numbers as %s is %s all the same", (user, format, number) => {
  expect(caller(user, "GB", format)).toBe(number);
});

const mobiles = plainNumbers.filter(({ type }) => type === "MOBILE");
// Fixed and open plans, with a trunk prefix and without, of one digit and of two.
const homes = ["GB", "DE", "AT", "US", "FR", "ES", "IT", "CH", "RU", "HU", "BR", "MX", "JP", "DK", "LU"] as const;

describe.each(homes)("the mobiles of all regions calling in %s as E.164 without plus", (country) => {
  test("are who they are, from a trunk that says so", () => {
    expect(mobiles.length).toBeGreaterThan(200);
    const wrong = mobiles.filter(({ e164 }) => caller(e164.slice(1), country, "e164-without-plus") !== e164);
    expect(wrong).toEqual([]);
  });
  test("are so with `auto` wherever they have one valid reading, or one that lacks the trunk prefix", () => {
    const wrong = mobiles.filter(({ e164 }) => {
      const others = readingsOf(e164.slice(1), country).filter(({ kind, way }) => kind && way === "national");
      return others.every((other) => other.e164 === e164) && caller(e164.slice(1), country) !== e164;
    });
    expect(wrong).toEqual([]);
  });
  test("are called back at the number of their ghost", () => {
    const wrong = mobiles.filter(({ e164 }) => {
      const number = caller(e164.slice(1), country);
      return calledBack(number, country) !== number;
    });
    expect(wrong).toEqual([]);
  });
});

test("mobiles are tried of every region there is", () => {
  const missing = countries.filter((country) => !mobiles.some(({ region }) => region === country));
  expect(missing.length).toBeLessThan(15);
});

describe("a number with a context", () => {
  const table = {
    rules: [
      {
        match: { kind: "exact" as const, number: "+441632960045" },
        trunks: [],
        stages: [{ targets: [{ kind: "person" as const, person: "@alice:example.org" as UserId }], ringMs: 1000 }],
      },
      {
        match: { kind: "exact" as const, number: "2001" },
        trunks: [],
        stages: [{ targets: [{ kind: "person" as const, person: "@bob:example.org" as UserId }], ringMs: 1000 }],
      },
    ],
  };
  test.each([
    ["1632960045", "found"],
    ["01632960045", "found"],
    ["1632960045;phone-context=+44", "found"],
    ["960045;phone-context=+441632", "found"],
    ["1632960045;Phone-Context=+4-4", "found"],
    ["1632960045;phone-context=+49", "none"],
    ["01632960045;phone-context=+49", "none"],
    ["1632960045;phone-context=+1", "none"],
    ["1632960045;phone-context=+x", "none"],
    ["2001;phone-context=+44", "found"],
    ["2001;phone-context=+49", "none"],
  ])("%s in Britain rings a British number or nobody: %s", (called, kind) => {
    expect(findDid(called, trunkName("main"), table, "GB").kind).toBe(kind);
  });
  test("is a caller of there, and not of here", () => {
    expect(caller("1632960045;phone-context=+49", "GB")).toBe("+491632960045");
    expect(caller("960045;phone-context=+1-914", "GB")).toBe("+1914960045");
  });
});
