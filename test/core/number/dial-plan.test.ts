import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import { planCall, type DialPlan, type PlanRoute, type PlanTrunk } from "../../../src/core/number/plan/dial-plan.ts";
import { dialString } from "../../../src/core/number/dialled.ts";
import { formatUri, userText } from "../../../src/core/address/uri.ts";
import { numberOf } from "./dialled.ts";
import { sipUri } from "../address/sip-uri.ts";

function trunk(name: string, settings: Partial<PlanTrunk> = {}): PlanTrunk {
  return {
    name: trunkName(name),
    host: `${name}.example.net`,
    port: undefined,
    format: "e164",
    numberPrefix: "",
    userPhone: false,
    ...settings,
  };
}

function route(prefix: string, to: string, strip = 0, prepend = ""): PlanRoute {
  return { prefix, trunks: to.split(" ").map(trunkName), strip, prepend };
}

function plan(settings: Partial<DialPlan> = {}): DialPlan {
  return {
    country: "GB",
    trunks: [trunk("main"), trunk("other")],
    routes: [],
    emergencyTrunk: undefined,
    withholdPrefixes: [],
    sipDomains: new Map([["pbx.example.org", trunkName("other")]]),
    ...settings,
  };
}

/** The Request-URI, or why there is none. */
function planned(dialled: string, settings: Partial<DialPlan> = {}): string {
  const call = planCall(numberOf(dialled), plan(settings));
  return call.kind === "route" ? formatUri(call.uri) : call.why;
}

describe("a trunk gets numbers as it wants them", () => {
  test.each([
    ["e164", "020 7946 0000", "sip:+442079460000@main.example.net"],
    ["e164-without-plus", "020 7946 0000", "sip:442079460000@main.example.net"],
    ["national", "+442079460000", "sip:02079460000@main.example.net"],
    ["national", "+12125550123", "sip:0012125550123@main.example.net"],
    ["as-dialled", "020 7946-0000", "sip:02079460000@main.example.net"],
    ["as-dialled", "+442079460000", "sip:+442079460000@main.example.net"],
    // What has no E.164 form goes as it was dialled, whatever the format.
    ["e164", "2001", "sip:2001@main.example.net"],
    ["e164-without-plus", "2001", "sip:2001@main.example.net"],
    ["national", "*31#02079460000", "sip:*31%2302079460000@main.example.net"],
    ["e164", "#31#", "sip:%2331%23@main.example.net"],
  ] as const)("%s: %s is called as %s", (format, dialled, uri) => {
    expect(planned(dialled, { trunks: [trunk("main", { format })] })).toBe(uri);
  });

  test("with its port, its prefix and user=phone where it asks for them", () => {
    const trunks = [trunk("main", { port: 5080, numberPrefix: "1234#", userPhone: true })];
    expect(planned("02079460000", { trunks })).toBe("sip:1234%23+442079460000@main.example.net:5080;user=phone");
  });

  test("the log knows the number, not the way it was sent", () => {
    const trunks = [trunk("main", { format: "national", numberPrefix: "99" })];
    expect(planCall(numberOf("020 7946 0000"), plan({ trunks }))).toEqual({
      kind: "route",
      trunk: "main",
      uri: sipUri("sip:9902079460000@main.example.net"),
      number: "+442079460000",
      e164: "+442079460000",
      class: "ordinary",
      alternatives: [],
      withheld: false,
    });
  });
});

describe("routes", () => {
  const routes = [
    route("+44", "main"),
    route("+447", "other"),
    route("9", "other", 1),
    route("*", "other"),
    route("2", "main", 0, "77"),
    route("+1", "other", 2, "0"),
  ];
  test.each([
    ["02079460000", "sip:+442079460000@main.example.net"],
    ["07400123456", "sip:+447400123456@other.example.net"],
    ["00447400123456", "sip:+447400123456@other.example.net"],
    // An outside-line digit is gone before the number is understood.
    ["9 020 7946 0000", "sip:+442079460000@other.example.net"],
    ["*31#", "sip:*31%23@other.example.net"],
    ["2001", "sip:772001@main.example.net"],
    // A rewritten E.164 number is sent to the letter.
    ["+12125550123", "sip:02125550123@other.example.net"],
    ["+4930123456", "no-route"],
    ["9", "no-route"],
  ])("%s goes to %s", (dialled, uri) => {
    expect(planned(dialled, { routes })).toBe(uri);
  });

  test("what they name by its first digits is no number abroad without its plus", () => {
    const named = [route("+", "main"), route("9", "other", 1)];
    // Country code 92 is Pakistan, 90 Turkey, where the second is assigned.
    expect(planned("9 212 555 0100", { country: "US", routes: named })).toBe("sip:+12125550100@other.example.net");
    expect(planned("905321234567", { routes: named })).toBe("sip:+445321234567@other.example.net");
    expect(planned("905321234567", { routes: [route("+", "main"), route("90", "other")] })).toBe(
      "sip:905321234567@other.example.net",
    );
    expect(planned("905321234567", { routes: [route("+", "main")] })).toBe("sip:+905321234567@main.example.net");
  });
  test("without any, everything goes to the first trunk", () => {
    expect(planned("+4930123456")).toBe("sip:+4930123456@main.example.net");
  });
  test("an empty prefix takes what is left", () => {
    expect(planned("+4930123456", { routes: [...routes, route("", "main")] })).toBe("sip:+4930123456@main.example.net");
  });
  test("of two equally long ones the first counts", () => {
    expect(planned("2001", { routes: [route("2", "other"), route("2", "main")] })).toContain("@other.");
  });
  test("one to a trunk that is not there leads nowhere", () => {
    expect(planned("2001", { routes: [route("2", "gone")] })).toBe("no-route");
    expect(planned("2001", { trunks: [] })).toBe("no-route");
  });
});

describe("emergency numbers", () => {
  const outside = [route("9", "main", 1), route("", "main")];
  test.each(["112", "999", "911", "+44999", "0999", "*31#112", "9112", "9999", "1-1-2"])(
    "%s is refused in plain words where no trunk is named for it",
    (dialled) => {
      expect(planned(dialled, { routes: outside })).toBe("emergency");
      expect(planned(dialled, { routes: [...outside, route("1", "other", 1)] })).toBe("emergency");
    },
  );
  test.each([
    ["112", "112"],
    ["999", "999"],
    ["9112", "112"],
    ["9999", "999"],
    ["+44999", "999"],
    ["*31#112", "112"],
  ])("%s goes to the trunk named for it as %s, and nothing else", (dialled, code) => {
    const trunks = [trunk("main"), trunk("other", { numberPrefix: "77", format: "e164" })];
    const call = planCall(numberOf(dialled), plan({ trunks, routes: outside, emergencyTrunk: trunkName("other") }));
    expect(call).toMatchObject({
      kind: "route",
      trunk: "other",
      uri: sipUri(`sip:${code}@other.example.net`),
      class: "emergency",
    });
  });
  test("are so although no route fits them", () => {
    expect(planned("112", { routes: [route("+1", "main")] })).toBe("emergency");
    expect(planned("112", { trunks: [] })).toBe("emergency");
  });
});

describe("the price of a call is that of the number it reaches", () => {
  test.each([
    ["9 0909 879 0000", [route("9", "main", 1)], "premium"],
    ["5", [route("5", "main", 1, "09098790000")], "premium"],
    ["+18005550123", [route("+1", "main", 12, "09098790000")], "premium"],
    ["+19005551234", [route("+1", "main", 2)], "premium"],
    // Sent nationally, an Italian number that begins like a call abroad is one.
    ["+39008816123456", [], "satellite"],
    // The digit in front made a local number look like another one.
    ["0 909 879", [route("0", "main", 1)], "private"],
    ["02079460000", [], "ordinary"],
  ] as const)("%s", (dialled, routes, kind) => {
    const country = dialled.startsWith("+39") ? "IT" : "GB";
    const trunks = [trunk("main", { format: "national" })];
    expect(planCall(numberOf(dialled), plan({ routes, country, trunks }))).toMatchObject({ class: kind });
  });
});

describe("a route with several trunks", () => {
  const trunks = [
    trunk("main", { format: "national", numberPrefix: "88" }),
    trunk("other", { format: "e164", port: 5080 }),
    trunk("third", { format: "as-dialled" }),
  ];
  test("writes the number as each of them wants it, in the order of the route", () => {
    expect(
      planCall(numberOf("020 7946 0000"), plan({ trunks, routes: [route("+44", "other third main")] })),
    ).toMatchObject({
      trunk: "other",
      uri: sipUri("sip:+442079460000@other.example.net:5080"),
      number: "+442079460000",
      alternatives: [
        { trunk: "third", uri: sipUri("sip:02079460000@third.example.net"), number: "+442079460000" },
        { trunk: "main", uri: sipUri("sip:8802079460000@main.example.net"), number: "+442079460000" },
      ],
    });
  });
  test("leaves out one that is not there, and names none twice", () => {
    const call = (names: string) => planCall(numberOf("2001"), plan({ trunks, routes: [route("", names)] }));
    expect(call("gone other other")).toMatchObject({ trunk: "other", alternatives: [] });
    expect(call("gone")).toEqual({ kind: "refused", why: "no-route" });
  });
  test("is barred by the dearest of what the number is on any of them", () => {
    const italian = [trunk("main"), trunk("other", { format: "national" })];
    const settings = { country: "IT", trunks: italian, routes: [route("", "main other")] } as const;
    expect(planCall(numberOf("+39008816123456"), plan(settings))).toMatchObject({
      trunk: "main",
      class: "satellite",
    });
  });
  test("without routes there is one trunk", () => {
    expect(planCall(numberOf("2001"), plan({ trunks }))).toMatchObject({
      trunk: "main",
      alternatives: [],
    });
  });
  test("emergency calls go to the trunk that is named for them, and to no other", () => {
    const settings = { trunks, routes: [route("", "main third")], emergencyTrunk: trunkName("other") };
    expect(planCall(numberOf("112"), plan(settings))).toMatchObject({
      trunk: "other",
      alternatives: [],
    });
  });
});

describe("a code in front withholds the caller's number", () => {
  const settings = { withholdPrefixes: ["#31#", "*67", "141", "1"], emergencyTrunk: trunkName("other") };
  const call = (dialled: string, more: Partial<DialPlan> = {}) =>
    planCall(numberOf(dialled), plan({ ...settings, ...more }));
  test.each([
    ["#31#02079460000", "sip:+442079460000@main.example.net", "ordinary"],
    ["#31# 020 7946 0000", "sip:+442079460000@main.example.net", "ordinary"],
    ["#31#+442079460000", "sip:+442079460000@main.example.net", "ordinary"],
    ["*67 020 7946 0000", "sip:+442079460000@main.example.net", "ordinary"],
    ["14102079460000", "sip:+442079460000@main.example.net", "ordinary"],
    ["*672001", "sip:2001@main.example.net", "private"],
    ["#31#09098790000", "sip:+449098790000@main.example.net", "premium"],
    ["#31#+881612345678", "sip:+881612345678@main.example.net", "satellite"],
  ])("%s calls %s", (dialled, uri, kind) => {
    expect(call(dialled)).toMatchObject({ uri: sipUri(uri), class: kind, withheld: true });
  });
  test("and the number behind it takes its own route", () => {
    const routes = [route("", "other"), route("+44", "main", 3, "0")];
    expect(call("#31#02079460000", { routes })).toMatchObject({
      uri: sipUri("sip:02079460000@main.example.net"),
      number: "+442079460000",
    });
  });
  test.each(["02079460000", "#31#", "*67", "*31#02079460000"])("%s withholds nothing", (dialled) => {
    expect(call(dialled)).toMatchObject({ kind: "route", withheld: false });
  });
  test.each([
    ["#31#112", "112"],
    ["*67 999", "999"],
    ["141112", "112"],
    ["*31#112", "112"],
    ["112", "112"],
  ])("but never that of who calls for help: %s", (dialled, code) => {
    expect(call(dialled)).toMatchObject({
      trunk: "other",
      uri: sipUri(`sip:${code}@other.example.net`),
      class: "emergency",
      withheld: false,
    });
  });
  test("and is no way around a refusal of emergency numbers", () => {
    expect(call("#31#112", { emergencyTrunk: undefined })).toEqual({ kind: "refused", why: "emergency" });
  });
  test("and nothing without being configured", () => {
    expect(call("#31#02079460000", { withholdPrefixes: [] })).toMatchObject({
      uri: sipUri("sip:%2331%2302079460000@main.example.net"),
      withheld: false,
    });
  });
});

test("whoever withheld their number cannot be called", () => {
  expect(planCall({ kind: "withheld" }, plan())).toEqual({ kind: "refused", why: "withheld-number" });
});

describe("SIP addresses", () => {
  const call = (user: string, host: string, settings: Partial<DialPlan> = {}) =>
    planCall({ kind: "address", user, host }, plan(settings));

  test("go to the trunk of their domain, escaped", () => {
    expect(call("alice b", "pbx.example.org")).toEqual({
      kind: "route",
      trunk: "other",
      uri: sipUri("sip:alice%20b@pbx.example.org"),
      number: "alice b@pbx.example.org",
      e164: undefined,
      class: "private",
      alternatives: [],
      withheld: false,
    });
  });
  test("of another domain are refused", () => {
    expect(call("alice", "example.com")).toEqual({ kind: "refused", why: "domain-not-allowed" });
  });
  test("cost what the number in them costs", () => {
    expect(call("+449098790000", "pbx.example.org")).toMatchObject({ class: "premium" });
    expect(call("09098790000;phone-context=x", "pbx.example.org")).toMatchObject({ class: "premium" });
    expect(call("2001&PJSIP/09098790000", "pbx.example.org")).toMatchObject({ class: "premium" });
    expect(call("alice,449098790000", "pbx.example.org")).toMatchObject({ class: "premium" });
    expect(call("2001&PJSIP/02079460440", "pbx.example.org")).toMatchObject({ class: "private" });
  });
  test.each([
    ["09098790000,5", "a pause"],
    ["09098790000p5", "a pause by letter"],
    ["09098790000&x", "other noise"],
    [" 09098790000", "a space in front"],
    ["0909_879~0000", "signs of no meaning"],
    ["０９０９８７９０000", "wide digits"],
    ["tel:09098790000", "a scheme"],
    ["9098790000;phone-context=+44", "its context"],
    ["899123456;phone-context=+33", "another country's context"],
    ["899123456;isub=1;Phone-Context=+33", "a context further on"],
    ["*31#09098790000", "a service code"],
  ])("%j: the number is seen behind %s", (user) => {
    expect(call(user, "pbx.example.org")).toMatchObject({ class: "premium" });
  });
  test.each(["alice", "alice09098790000", "2001", "x;phone-context=+44", ";phone-context=+44"])(
    "%s is nobody's number",
    (user) => expect(call(user, "pbx.example.org")).toMatchObject({ class: "private" }),
  );
  test.each([" 112", "112,1", "911;phone-context=+1", "*31#112"])("%j is a cry for help", (user) => {
    expect(call(user, "pbx.example.org")).toEqual({ kind: "refused", why: "emergency" });
  });
  test("are no way around the rule for emergency numbers", () => {
    expect(call("112", "pbx.example.org")).toEqual({ kind: "refused", why: "emergency" });
    expect(call("112", "pbx.example.org", { emergencyTrunk: trunkName("main") })).toMatchObject({
      trunk: "main",
      uri: sipUri("sip:112@main.example.net"),
    });
  });
});

test("whatever is dialled, the plan gives a URI that can be sent, or says why not", () => {
  const prefix = fc.constantFrom("", "0", "00", "+", "+4", "+44", "9", "*", "1");
  const someRoute = fc
    .record({
      prefix,
      strip: fc.nat(4),
      prepend: fc.constantFrom("", "0", "00", "+44", "*31#", "1"),
      to: fc.constantFrom("main", "other", "gone"),
    })
    .map(({ prefix, strip, prepend, to }) => route(prefix, to, strip, prepend));
  const format = fc.constantFrom("e164", "e164-without-plus", "national", "as-dialled" as const);
  const dialled = fc
    .string({ unit: fc.constantFrom(...Array.from("0123456789*#+ -9")), maxLength: 20 })
    .map(dialString);
  fc.assert(
    fc.property(dialled, fc.array(someRoute, { maxLength: 4 }), format, (dialled, routes, format) => {
      fc.pre(dialled !== undefined);
      const call = planCall(
        { kind: "number", dialled },
        plan({ routes, trunks: [trunk("main", { format }), trunk("other")] }),
      );
      if (call.kind === "route") expect(userText(call.uri)).toMatch(/^\+?[\d*#]+[\d*#+]*$/);
    }),
  );
});
