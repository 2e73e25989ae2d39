import { describe, expect, test } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import type { DialPlan } from "../../../src/core/number/plan/dial-plan.ts";
import type { DialTarget } from "../../../src/core/number/ghost/ghost-id.ts";
import { numberKey } from "../../../src/core/number/plan/number-key.ts";
import { numberOf } from "./dialled.ts";

const main = trunkName("main");
const plan: DialPlan = {
  country: "GB",
  trunks: [
    { name: main, host: "sip.example.net", port: undefined, format: "e164", numberPrefix: "", userPhone: false },
  ],
  routes: [],
  emergencyTrunk: undefined,
  withholdPrefixes: ["#31#"],
  sipDomains: new Map([["pbx.example.org", main]]),
};

function key(dialled: string, settings: Partial<DialPlan> = {}): string {
  return numberKey(numberOf(dialled), { ...plan, ...settings });
}

describe("one telephone number has one key", () => {
  test.each(["01632960106", "01632 960 106", "+441632960106", "00441632960106", "#31#01632960106"])(
    "dialled as %s",
    (dialled) => {
      expect(key(dialled)).toBe(key("+441632960106"));
    },
  );

  test("also behind an outside-line digit", () => {
    const routes = [
      { prefix: "9", trunks: [main], strip: 1, prepend: "" },
      { prefix: "", trunks: [main], strip: 0, prepend: "" },
    ];
    expect(key("901632960106", { routes })).toBe(key("01632960106", { routes }));
  });

  test("also where a route writes it for a trunk at home elsewhere", () => {
    const routes = [
      { prefix: "00", trunks: [main], strip: 2, prepend: "011" },
      { prefix: "+", trunks: [main], strip: 1, prepend: "011" },
    ];
    expect(key("0033142681234", { routes })).toBe(key("+33142681234", { routes }));
  });

  test.each(["441632960106", "+44 01632 960106", "0044 1632 960106"])("and as %s", (dialled) => {
    expect(key(dialled)).toBe(key("+441632960106"));
  });

  test("also where the barring of dear numbers, or the lack of a route, refuses it", () => {
    expect(key("09098790000")).toBe(key("+449098790000"));
    expect(key("09098790000", { trunks: [] })).toBe(key("449098790000", { trunks: [] }));
  });

  test("but what may be two numbers is neither of them", () => {
    const american = { country: "US" } as const;
    expect(key("4782901234", american)).not.toBe(key("+14782901234", american));
    expect(key("4782901234", american)).not.toBe(key("+4782901234", american));
    expect(key("478 290 1234", american)).toBe(key("4782901234", american));
  });

  test("also where no trunk takes it", () => {
    expect(key("01632960106", { trunks: [] })).toBe(key("+441632960106", { trunks: [] }));
  });
});

describe("two telephones have two keys", () => {
  test.each([
    ["01632960106", "01632960107"],
    ["2001", "2002"],
    ["2001", "02001"],
    ["112", "999"],
  ])("%s and %s", (one, other) => {
    expect(key(one)).not.toBe(key(other));
  });

  test("callers who withhold their number, a SIP address and a number", () => {
    const targets: readonly DialTarget[] = [
      { kind: "withheld" },
      { kind: "address", user: "anna", host: "pbx.example.org" },
      { kind: "address", user: "anna", host: "elsewhere.example.org" },
      numberOf("2001"),
    ];
    expect(new Set(targets.map((target) => numberKey(target, plan))).size).toBe(targets.length);
  });
});
