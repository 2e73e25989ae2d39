import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseUserId, trunkName, type UserId } from "../../../src/core/ids.ts";
import type { PlannedCall } from "../../../src/core/number/plan/dial-plan.ts";
import type { NumberClass } from "../../../src/core/number/plan/number-class.ts";
import { judge, type CallRequest, type Permission, type Policy } from "../../../src/core/policy/permission.ts";
import { sipUri } from "../address/sip-uri.ts";

function user(text: string): UserId {
  const id = parseUserId(text);
  if (id === undefined) throw new TypeError(text);
  return id;
}

const alice = user("@alice:example.org");
const stranger = user("@eve:example.com");

function permission(settings: Partial<Permission> = {}): Permission {
  return { mayCall: true, allow: new Set(), callsPerUser: undefined, maxDurationMs: undefined, ...settings };
}

function policy(permissions: Record<string, Permission>, settings: Partial<Policy> = {}): Policy {
  return {
    domain: "example.org",
    permissions: new Map(Object.entries(permissions)),
    allow: new Set(),
    callsPerUser: 2,
    callsInAll: 10,
    callsPerMinute: 30,
    maxDurationMs: 3_600_000,
    ...settings,
  };
}

function route(numberClass: NumberClass = "ordinary"): PlannedCall {
  return {
    kind: "route",
    trunk: trunkName("main"),
    uri: sipUri("sip:1@example.net"),
    number: "1",
    e164: undefined,
    class: numberClass,
    alternatives: [],
    withheld: false,
  };
}

function verdict(person: UserId, rules: Policy, request: Partial<CallRequest> = {}): string {
  const judged = judge({ person, plan: route(), isBlocked: false, callsOfPerson: 0, callsInAll: 0, ...request }, rules);
  return judged.kind === "allowed" ? "allowed" : judged.cause;
}

const yes = permission();
const no = permission({ mayCall: false });

describe("who may call", () => {
  test.each<[string, Record<string, Permission>, UserId, string]>([
    ["nobody until the config says so", {}, alice, "not-permitted"],
    ["a user named", { "@alice:example.org": yes }, alice, "allowed"],
    ["a server named", { "example.org": yes }, alice, "allowed"],
    ["everyone of this homeserver", { "*": yes }, alice, "allowed"],
    ["nobody of another homeserver, even with *", { "*": yes }, stranger, "not-permitted"],
    ["a user of another homeserver who is named", { "*": yes, "@eve:example.com": yes }, stranger, "allowed"],
    ["users of another homeserver that is named", { "example.com": yes }, stranger, "allowed"],
    [
      "the user's own entry goes before the server's",
      { "example.org": yes, "@alice:example.org": no },
      alice,
      "not-permitted",
    ],
    ["and the other way round", { "example.org": no, "@alice:example.org": yes }, alice, "allowed"],
    ["the server's entry goes before *", { "*": yes, "example.org": no }, alice, "not-permitted"],
    ["another user's entry means nothing", { "@bob:example.org": yes }, alice, "not-permitted"],
    ["a server is known by its whole name", { "example.org": yes }, user("@eve:evil.example.org"), "not-permitted"],
    ["and by its port", { "example.org": yes }, user("@eve:example.org:8448"), "not-permitted"],
    ["and by its case", { "example.org": yes, "*": yes }, user("@eve:EXAMPLE.org"), "not-permitted"],
    ["and by every dot", { "example.org": yes, "*": yes }, user("@eve:example.org."), "not-permitted"],
    ["and not by its looks", { "example.org": yes, "*": yes }, user("@eve:xn--xample-9of.org"), "not-permitted"],
    ["ids are compared to the letter", { "@alice:example.org": yes }, user("@Alice:example.org"), "not-permitted"],
  ])("%s", (_, permissions, person, expected) => {
    expect(verdict(person, policy(permissions))).toBe(expected);
  });
});

test.each([
  "@eve:*",
  "@eve:@alice:example.org",
  "@eve:example.org\n",
  "@eve:ехample.org",
  "@eve:example.org/x",
  "@eve:",
])("%j, whose server could pass for another entry, is no user at all", (text) =>
  expect(parseUserId(text)).toBeUndefined(),
);

describe("what may be called", () => {
  test.each<[NumberClass, string]>([
    ["ordinary", "allowed"],
    ["toll-free", "allowed"],
    ["private", "allowed"],
    ["service-code", "allowed"],
    ["premium", "premium-barred"],
    ["shared-cost", "shared-cost-barred"],
    ["satellite", "satellite-barred"],
    ["unknown", "unknown-barred"],
  ])("%s: %s unless it is named", (numberClass, expected) => {
    const request = { plan: route(numberClass) };
    expect(verdict(alice, policy({ "*": yes }), request)).toBe(expected);
    const allow = new Set([numberClass]) as Policy["allow"];
    expect(verdict(alice, policy({ "*": yes }, { allow }), request)).toBe("allowed");
    expect(verdict(alice, policy({ "*": permission({ allow }) }), request)).toBe("allowed");
    expect(verdict(stranger, policy({ "*": yes }, { allow }), request)).toBe("not-permitted");
  });

  test("to be allowed one kind is not to be allowed another", () => {
    const allow: Policy["allow"] = new Set(["premium"]);
    expect(verdict(alice, policy({ "*": yes }, { allow }), { plan: route("satellite") })).toBe("satellite-barred");
  });
});

describe("emergency numbers", () => {
  const refused = { plan: { kind: "refused", why: "emergency" } } as const;
  test("are refused as such before anything else is looked at", () => {
    expect(verdict(stranger, policy({}), refused)).toBe("emergency");
  });
  test("with a trunk of their own go past every limit, but not past a missing permission", () => {
    const busy = { plan: route("emergency"), isBlocked: true, callsOfPerson: 5, callsInAll: 50 };
    expect(verdict(alice, policy({ "*": yes }), busy)).toBe("allowed");
    expect(verdict(alice, policy({}), busy)).toBe("not-permitted");
    expect(judge({ person: alice, ...busy }, policy({ "*": yes }, { maxDurationMs: 1 }))).toEqual({
      kind: "allowed",
      maxDurationMs: 86_400_000,
    });
  });
});

test.each(["no-route", "domain-not-allowed"] as const)("a plan that says %s is refused so", (why) => {
  const plan = { kind: "refused", why } as const;
  expect(verdict(alice, policy({ "*": yes }), { plan })).toBe(why);
  expect(verdict(stranger, policy({ "*": yes }), { plan })).toBe("not-permitted");
});

describe("limits", () => {
  test("count the calls that are there already", () => {
    const rules = policy({ "*": yes });
    expect(verdict(alice, rules, { callsOfPerson: 1, callsInAll: 9 })).toBe("allowed");
    expect(verdict(alice, rules, { callsOfPerson: 2, callsInAll: 2 })).toBe("too-many-calls-user");
    expect(verdict(alice, rules, { isBlocked: false, callsOfPerson: 0, callsInAll: 10 })).toBe("too-many-calls");
  });
  test("of a permission go before those of everyone, up and down", () => {
    const own = permission({ callsPerUser: 4, maxDurationMs: 5000 });
    const none = permission({ callsPerUser: 0 });
    expect(verdict(alice, policy({ "*": yes, "@alice:example.org": own }), { callsOfPerson: 3 })).toBe("allowed");
    expect(verdict(alice, policy({ "@alice:example.org": none }))).toBe("too-many-calls-user");
    expect(
      judge(
        { person: alice, plan: route(), isBlocked: false, callsOfPerson: 0, callsInAll: 0 },
        policy({ "example.org": own }),
      ),
    ).toEqual({ kind: "allowed", maxDurationMs: 5000 });
  });
});

test("no order of entries lets anyone call whom no entry names", () => {
  const subject = fc.constantFrom("*", "example.com", "@bob:example.org", "org", "@alice", "alice", ":example.org", "");
  fc.assert(
    fc.property(fc.array(subject), fc.constantFrom(stranger, user("@a:b")), (subjects, person) => {
      fc.pre(!subjects.includes("example.com"));
      const permissions = Object.fromEntries(subjects.map((name) => [name, yes]));
      expect(verdict(person, policy(permissions))).toBe("not-permitted");
    }),
  );
});

test("a ghost of withheld numbers is not called by anybody", () => {
  const rules = policy({ "*": yes });
  expect(verdict(alice, rules, { plan: { kind: "refused", why: "withheld-number" } })).toBe("withheld-number");
});
