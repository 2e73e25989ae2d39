// No way of writing a barred number, in any country and for any trunk, makes it a number that may be called.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trunkName, type UserId } from "../../../src/core/ids.ts";
import { planCall, type DialPlan, type PlannedCall, type PlanRoute } from "../../../src/core/number/plan/dial-plan.ts";
import { callingCodeOf, countries, nationalForm, type Country } from "../../../src/core/number/e164.ts";
import { isBarred, isDear, type BarredClass } from "../../../src/core/number/plan/number-class.ts";
import { judge, type Policy } from "../../../src/core/policy/permission.ts";
import { dearNumbers, exampleNumbers, plainNumbers, type ExampleNumber } from "./example-numbers.ts";
import { classify, numberOf } from "./dialled.ts";

const formats = ["e164", "e164-without-plus", "national", "as-dialled"] as const;
type Format = (typeof formats)[number];

interface PlanSettings {
  readonly routes?: readonly PlanRoute[];
  readonly numberPrefix?: string;
  /** Where the trunk is at home, if it is elsewhere. */
  readonly home?: Country;
}

function plan(country: Country, format: Format, { routes = [], numberPrefix = "", home }: PlanSettings = {}): DialPlan {
  const trunk = { host: "main.example.net", port: undefined, userPhone: false };
  return {
    country,
    trunks: [{ ...trunk, name: trunkName("main"), format, numberPrefix, country: home }],
    routes,
    emergencyTrunk: undefined,
    withholdPrefixes: [],
    sipDomains: new Map([["pbx.example.org", trunkName("main")]]),
  };
}

function route(prefix: string, strip = 0, prepend = ""): PlanRoute {
  return { prefix, trunks: [trunkName("main")], strip, prepend };
}

const alice = "@alice:example.org" as UserId;

/** What the person is told, or `sent` and the user part of the Request-URI. */
function called(dialled: string, dialPlan: DialPlan, ...allow: readonly BarredClass[]): string {
  return outcome(planCall(numberOf(dialled), dialPlan), ...allow);
}

function outcome(planned: PlannedCall, ...allow: readonly BarredClass[]): string {
  const policy: Policy = {
    domain: "example.org",
    permissions: new Map([
      ["*", { mayCall: true, allow: new Set(), callsPerUser: undefined, maxDurationMs: undefined }],
    ]),
    allow: new Set(allow),
    callsPerUser: 2,
    callsInAll: 10,
    callsPerMinute: 30,
    maxDurationMs: 1000,
  };
  const verdict = judge({ person: alice, plan: planned, isBlocked: false, callsOfPerson: 0, callsInAll: 0 }, policy);
  if (verdict.kind === "refused") return verdict.cause;
  return planned.kind === "route" ? `sent ${planned.uri.user}` : planned.why;
}

describe.each(formats)("on a trunk that takes numbers as %s", (format) => {
  test.each<[string, Country, string]>([
    ["41900123456", "GB", "premium-barred"],
    ["+41900123456", "GB", "premium-barred"],
    ["0041900123456", "GB", "premium-barred"],
    ["449012345678", "DE", "premium-barred"],
    ["19005551234", "DE", "premium-barred"],
    ["+011449098790000", "US", "premium-barred"],
    ["011449098790000", "US", "premium-barred"],
    ["+1011449098790000", "US", "premium-barred"],
    ["+00449098790000", "DE", "premium-barred"],
    ["+09001234567", "DE", "premium-barred"],
    ["00449098790000", "US", "premium-barred"],
    ["011011449098790000", "US", "premium-barred"],
    ["8816312345678", "DE", "satellite-barred"],
    ["*31#41900123456", "GB", "premium-barred"],
    ["9001234567", "DE", "premium-barred"],
    ["900123456", "CH", "premium-barred"],
    // Behind the digit for an outside line, where numbers differ in length.
    ["9900123456", "CZ", "premium-barred"],
    ["8102345678", "RU", "sent"],
    // A number of Macon in Georgia, or a premium-rate number of Norway.
    ["4782901234", "US", "doubtful-number"],
    // A number of Utah without its plus, or a shared-cost number of Germany without its zero.
    ["18015551234", "DE", "doubtful-number"],
  ])("%s dialled in %s: %s", (dialled, country, expected) => {
    expect(called(dialled, plan(country, format)).replace(/ .*/, "")).toBe(expected);
  });

  test.each<[string, Country]>([
    ["020 7946 0440", "GB"],
    ["+442079460440", "DE"],
    ["478 555 1234", "US"],
    ["1 478 290 1234", "US"],
    ["+1 478 290 1234", "US"],
    ["+18015551234", "DE"],
    ["0018015551234", "DE"],
    ["0113 989 2123", "GB"],
    ["0151 10088123", "DE"],
    ["2001", "GB"],
    ["87012345", "DE"],
    ["5551234", "US"],
    ["*31#", "DE"],
    // Newer than any list.
    ["01818118181", "GB"],
    ["+44 20 5946 0440", "US"],
  ])("%s dialled in %s is called", (dialled, country) => {
    expect(called(dialled, plan(country, format))).toMatch(/^sent /);
  });
});

test("a number that the trunk's own way of writing would make doubtful keeps its plus", () => {
  expect(called("+14782901234", plan("US", "national"))).toBe("sent +14782901234");
  expect(called("+14785551234", plan("US", "national"))).toBe("sent 4785551234");
  expect(called("+18015551234", plan("DE", "e164-without-plus"))).toBe("sent 18015551234");
});

test("a range newer than any list is called by its country code in its own country too", () => {
  expect(called("00973 5323 4567", plan("BH", "e164"))).toBe("sent +97353234567");
  expect(called("00973 5323 4567", plan("BH", "as-dialled"))).toBe("sent 0097353234567");
});

describe("what a route or a prefix makes of a number is barred too", () => {
  test.each<[string, Country, Format, PlanSettings, string]>([
    ["90041900123456", "GB", "as-dialled", { routes: [route("900", 3)] }, "premium-barred"],
    ["9900123456", "GB", "as-dialled", { routes: [route("9", 1, "41")] }, "premium-barred"],
    ["+15550100", "GB", "e164", { routes: [route("+1", 8, "41900123456")] }, "premium-barred"],
    // The trunk is at home elsewhere: where 011 is dialled before numbers abroad, or in Britain.
    ["00449098790000", "DE", "as-dialled", { routes: [route("00", 2, "011")] }, "premium-barred"],
    ["449098790000", "DE", "as-dialled", { routes: [route("44", 0, "011")] }, "premium-barred"],
    ["9449098790000", "DE", "as-dialled", { routes: [route("9", 1, "9011")] }, "premium-barred"],
    ["00449098790000", "DE", "as-dialled", { routes: [route("0044", 4)] }, "premium-barred"],
    ["00449098790000", "FR", "as-dialled", { routes: [route("0044", 4, "1")] }, "premium-barred"],
    ["00442079460440", "DE", "as-dialled", { routes: [route("00", 2, "011")] }, "sent 011442079460440"],
    ["0033142681234", "GB", "e164", { routes: [route("00", 2, "011")] }, "sent 01133142681234"],
    ["004915112345678", "GB", "national", { routes: [route("00", 2, "011")] }, "sent 0114915112345678"],
    ["+4915112345678", "GB", "national", { routes: [route("+", 1, "011")] }, "sent 0114915112345678"],
    ["+449098790000", "DE", "national", { routes: [route("+", 1, "011")] }, "premium-barred"],
    ["+18055550539", "DE", "e164", { routes: [route("+", 1)] }, "sent 18055550539"],
    ["+905121738050", "GB", "e164", { routes: [route("+", 1)] }, "sent 905121738050"],
    ["+17348347351", "GB", "e164", { routes: [route("+", 1, "9")] }, "sent 917348347351"],
    ["+41900123456", "GB", "e164", { routes: [route("+", 1, "9")] }, "premium-barred"],
    ["00442079460440", "DE", "e164", { routes: [route("00", 2, "+")] }, "sent +442079460440"],
    ["0044909879000012345", "DE", "e164", { routes: [route("0044", 4, "0")] }, "premium-barred"],
    ["00442079460440", "DE", "as-dialled", { routes: [route("0044", 4, "0")] }, "sent 02079460440"],
    ["00301234567", "DE", "as-dialled", { routes: [route("0", 1)] }, "sent 0301234567"],
    ["900123456", "FR", "as-dialled", { numberPrefix: "41" }, "premium-barred"],
    ["1900123456", "GB", "as-dialled", { numberPrefix: "004" }, "premium-barred"],
    ["02079460440", "GB", "national", { numberPrefix: "1234#" }, "sent 1234%2302079460440"],
    ["02079460440", "GB", "e164", { numberPrefix: "88" }, "sent 88+442079460440"],
    ["02079460440", "GB", "national", { numberPrefix: "88" }, "sent 8802079460440"],
  ])("%s in %s as %s", (dialled, country, format, settings, expected) => {
    expect(called(dialled, plan(country, format, settings))).toBe(expected);
  });
});

describe("a trunk that is at home in another country", () => {
  const toGermany = { routes: [route("+49", 3, "0"), route("")], home: "DE" } as const;
  test.each<[string, Country, Format, PlanSettings, string]>([
    // Its national form would be a premium-rate number of France, or of Britain.
    ["+49892345678", "FR", "e164", { routes: toGermany.routes }, "premium-barred"],
    ["+49892345678", "FR", "e164", toGermany, "sent 0892345678"],
    ["00498912345678", "FR", "national", { home: "DE" }, "sent 08912345678"],
    ["+498718712345", "GB", "e164", toGermany, "sent 08718712345"],
    ["+33142681234", "FR", "national", { home: "DE" }, "sent 0033142681234"],
    // Dear there, whatever the same digits are here.
    ["+499001234567", "FR", "e164", toGermany, "premium-barred"],
    ["+499001234567", "FR", "national", { home: "DE" }, "premium-barred"],
    ["0180 1234567", "GB", "as-dialled", { home: "DE" }, "shared-cost-barred"],
    // With its plus it is clear: a number of Great Dunmow, and not a premium-rate number of Germany.
    ["0137 1234567", "GB", "as-dialled", { home: "DE" }, "sent +441371234567"],
    ["00881612345678", "GB", "as-dialled", { home: "DE" }, "satellite-barred"],
    // Dear here, as it was dialled.
    ["0892345678", "FR", "e164", { home: "DE" }, "premium-barred"],
    // Help there is not help here.
    ["110", "FR", "as-dialled", { home: "DE" }, "emergency"],
    ["110", "FR", "as-dialled", {}, "sent 110"],
    ["2001", "FR", "as-dialled", { home: "DE" }, "sent 2001"],
  ])("%s in %s as %s, %j: %s", (dialled, country, format, settings, expected) => {
    expect(called(dialled, plan(country, format, settings))).toBe(expected);
  });
});

test("who may call one dear kind may not call a number that could be another as well", () => {
  // +49 180 and, with its plus, +1 80x: with another plan the second is dear too.
  const planned: PlannedCall = {
    ...(planCall(numberOf("+8816312345678"), plan("GB", "e164")) as Extract<PlannedCall, { kind: "route" }>),
    otherClasses: ["premium"],
  };
  expect(outcome(planned, "satellite")).toBe("premium-barred");
  expect(outcome(planned, "satellite", "premium")).toBe("sent +8816312345678");
});

describe("a text that is no number in any reading", () => {
  test.each<[string, Country]>([
    ["123456789012", "GB"],
    ["0000000000", "GB"],
    ["+1234", "GB"],
    ["+99912345678", "GB"],
    ["+442079460440123", "DE"],
    ["1".repeat(40), "US"],
  ])("%s in %s is refused, unless such are allowed by name", (dialled, country) => {
    for (const format of formats) {
      expect(called(dialled, plan(country, format))).toBe("unknown-barred");
      expect(called(dialled, plan(country, format), "unknown")).toMatch(/^sent /);
    }
  });
  test("goes out where a route names its beginning", () => {
    expect(called("123456789012", plan("GB", "e164", { routes: [route(""), route("1234")] }))).toBe(
      "sent 123456789012",
    );
    expect(called("123456789012", plan("GB", "e164", { routes: [route("")] }))).toBe("unknown-barred");
  });
  test("and no such route lets a dear number through", () => {
    expect(called("41900123456", plan("GB", "e164", { routes: [route("41")] }))).toBe("premium-barred");
  });
  test("is not looked for in names before an @", () => {
    const planned = planCall({ kind: "address", user: "123456789012", host: "pbx.example.org" }, plan("GB", "e164"));
    expect(planned).toMatchObject({ kind: "route", class: "private" });
  });
});

/** As people, telephones and trunks write a number, and as those do who want past the bar. */
function spellings({ e164 }: ExampleNumber, country: Country): readonly string[] {
  const digits = e164.slice(1);
  const own = callingCodeOf(country);
  const dialled = nationalForm(e164, country);
  const inside = digits.startsWith(own) ? [digits.slice(own.length)] : [];
  // No country code begins with 0; another digit behind a plus makes a number of another country.
  const withPlus = dialled.startsWith("0") ? [`+${dialled}`] : [];
  return [e164, digits, dialled, `00${digits}`, `+00${digits}`, `000${digits}`, ...withPlus, ...inside];
}

const somewhere = fc.constantFrom(...countries);

test("no spelling of a barred number of any region is sent from any country in any format", () => {
  expect(dearNumbers.length).toBeGreaterThan(150);
  const written = fc
    .record({ example: fc.constantFrom(...dearNumbers), country: somewhere, format: fc.constantFrom(...formats) })
    .chain(({ example, ...where }) =>
      fc.record({ dialled: fc.constantFrom(...spellings(example, where.country)), where: fc.constant(where) }),
    );
  fc.assert(
    fc.property(written, ({ dialled, where: { country, format } }) => {
      expect(called(dialled, plan(country, format))).not.toMatch(/^sent /);
    }),
    { numRuns: 1500 },
  );
});

test("nor is it to a trunk that is at home elsewhere, as it is or rewritten into a national number of its country", () => {
  const call = fc.record({
    example: fc.constantFrom(...dearNumbers),
    country: somewhere,
    home: somewhere,
    format: fc.constantFrom(...formats),
    prepend: fc.constantFrom("", "0", "00", "1", "8"),
    rewrites: fc.boolean(),
    spelling: fc.nat(),
  });
  fc.assert(
    fc.property(call, ({ example, country, home, format, prepend, rewrites, spelling }) => {
      const code = callingCodeOf(home);
      const routes = rewrites ? [route(`+${code}`, code.length + 1, prepend), route("")] : [];
      const dialled = spellings(example, country);
      const text = dialled[spelling % dialled.length] ?? example.e164;
      expect(called(text, plan(country, format, { home, routes }))).not.toMatch(/^sent /);
    }),
    { numRuns: 1500 },
  );
});

test("what is sent to a trunk is never dear where the trunk is at home", () => {
  const digits = fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: 3, maxLength: 12 });
  const dear = fc
    .record({ example: fc.constantFrom(...dearNumbers), home: somewhere })
    .map(({ example, home }) => ({ text: nationalForm(example.e164, home), home }));
  const any = fc.record({ text: digits, home: somewhere });
  fc.assert(
    fc.property(fc.oneof(dear, any), somewhere, ({ text, home }, country) => {
      const [, sent] = /^sent (.*)/.exec(called(text, plan(country, "as-dialled", { home }))) ?? [];
      if (sent !== undefined) expect(isDear(classify(sent, home)), `${sent} in ${home}`).toBe(false);
    }),
    { numRuns: 1500 },
  );
});

test("ordinary numbers of a trunk's own country are sent to it as dialled there", () => {
  const call = fc.record({ example: fc.constantFrom(...plainNumbers), country: somewhere });
  fc.assert(
    fc.property(call, ({ example: { e164, region }, country }) => {
      fc.pre(countries.includes(region as Country));
      expect(called(e164, plan(country, "national", { home: region as Country }))).toMatch(/^sent /);
    }),
    { numRuns: 1000 },
  );
});

test("ordinary numbers of every region are called from everywhere by their E.164 form", () => {
  expect(plainNumbers.length).toBeGreaterThan(700);
  const call = fc.record({
    example: fc.constantFrom(...plainNumbers),
    country: somewhere,
    format: fc.constantFrom(...formats),
  });
  fc.assert(
    fc.property(call, ({ example: { e164 }, country, format }) => {
      expect(called(e164, plan(country, format))).toMatch(/^sent /);
    }),
    { numRuns: 1000 },
  );
});

test("and at home as people there dial them", () => {
  const refused = exampleNumbers
    .filter(({ class: kind, region }) => !isBarred(kind) && countries.includes(region as Country))
    .filter(({ e164, region }) => {
      const country = region as Country;
      return !called(nationalForm(e164, country), plan(country, "national")).startsWith("sent ");
    })
    .map(({ e164, region }) => `${region} ${e164}`);
  expect(refused).toEqual([]);
});
