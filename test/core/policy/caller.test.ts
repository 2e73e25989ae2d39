import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import type { Diversion, RemoteIdentity, SipAddressee } from "../../../src/core/policy/remote-identity.ts";
import { knownForm } from "../../../src/core/number/e164.ts";
import { createGhostIds } from "../../../src/core/number/ghost/ghost-id.ts";
import { badgeOf } from "../../../src/core/policy/caller-badge.ts";
import { callerWords, identifyCaller, targetOf, type CallerTrust } from "../../../src/core/policy/caller.ts";
import { keysOf } from "../number/dialled.ts";
import { anyUri } from "../address/sip-uri.ts";
import { makeSipUri } from "../../../src/core/address/uri.ts";

function addressee(user: string | undefined, host = "carrier.example.net", displayName?: string): SipAddressee {
  return { displayName, uri: makeSipUri({ user, host }), user, host };
}

function tel(number: string, displayName?: string): SipAddressee {
  const [user = ""] = number.split(";");
  return { displayName, uri: anyUri(`tel:${number}`), user, host: undefined };
}

function identity(settings: Partial<RemoteIdentity> = {}): RemoteIdentity {
  return { from: addressee("+442079460123"), asserted: [], privacy: [], verstat: undefined, ...settings };
}

const asserting: CallerTrust = { identity: "asserted", displayName: true, verstat: true };
const plain: CallerTrust = { identity: "from", displayName: true, verstat: true };

/** The number or address, or `withheld`. */
function who(settings: Partial<RemoteIdentity>, trust = asserting): string {
  const caller = identifyCaller(identity(settings), trust, "GB");
  if (caller.kind === "number") return caller.dialled;
  return caller.kind === "address" ? `${caller.user}@${caller.host}` : "withheld";
}

describe("the number is written as it would be dialled from anywhere", () => {
  test.each([
    ["+442079460123", "+442079460123"],
    ["02079460123", "+442079460123"],
    ["00442079460123", "+442079460123"],
    ["442079460123", "+442079460123"],
    ["0012125550123", "+12125550123"],
    ["12125550123", "+12125550123"],
    ["+44-20-7946-0123", "+442079460123"],
    ["02079460123;phone-context=+44", "+442079460123"],
    ["+442079460123;npdi", "+442079460123"],
    ["2001", "2001"],
    ["112", "112"],
    ["+999", "+999"],
  ])("%s is %s", (user, expected) => expect(who({ from: addressee(user) })).toBe(expected));
  test("also in a tel: URI, where its context says", () => {
    expect(who({ asserted: [tel("+442079460123")] })).toBe("+442079460123");
    expect(who({ asserted: [tel("7946-0123;phone-context=+4420")] })).toBe("+442079460123");
    expect(who({ asserted: [tel("2001;phone-context=pbx.example.org")] })).toBe("2001");
  });
});

describe("whom the trunk vouches for", () => {
  const asserted = [addressee("+442079460999")];
  test("goes before what the caller says", () => expect(who({ asserted })).toBe("+442079460999"));
  test("does not where the trunk is not to be believed in that", () => {
    expect(who({ asserted }, plain)).toBe("+442079460123");
  });
  test("is what the caller says, where nothing is asserted", () => expect(who({})).toBe("+442079460123"));
  test("is the number, if an address stands beside it", () => {
    expect(who({ asserted: [addressee("alice"), tel("+442079460999")] })).toBe("+442079460999");
  });
  test("can be an address", () => {
    expect(who({ asserted: [addressee("alice", "PBX.example.org")] })).toBe("alice@pbx.example.org");
  });
  test("is known although From says that it is not", () => {
    for (const user of ["unknown", "unavailable"])
      expect(who({ asserted, from: addressee(user) })).toBe("+442079460999");
  });
});

describe("withheld", () => {
  const asserted = [addressee("+442079460999")];
  test.each<[string, Partial<RemoteIdentity>]>([
    ["Privacy: id", { asserted, privacy: ["id"] }],
    ["Privacy: id; critical", { asserted, privacy: ["id", "critical"] }],
    ["Privacy: user, header", { privacy: ["header", "user"] }],
    ["Privacy in capitals", { asserted, privacy: [" ID "] }],
    ["Remote-Party-ID with privacy=full", { asserted, privacy: ["full"] }],
    ["the anonymous From of RFC 3323", { from: addressee("anonymous", "anonymous.invalid", "Anonymous") }],
    ["its host alone", { from: addressee("+442079460123", "Anonymous.Invalid.") }],
    ["the same beside an asserted number", { asserted, from: addressee("anonymous", "anonymous.invalid") }],
    ["anonymous at the carrier", { from: addressee("Anonymous") }],
    ["restricted", { from: addressee("Restricted") }],
    ["a display name that says so", { from: addressee("+442079460123", "carrier.example.net", "Anonymous") }],
    ["unknown", { from: addressee("unknown") }],
    ["unavailable", { from: addressee("Unavailable") }],
    ["unknown at unknown.invalid", { from: addressee("x", "unknown.invalid") }],
    ["no user at all", { from: addressee(undefined) }],
    ["an empty user", { from: addressee(" ") }],
    ["a user that cannot be shown", { from: addressee("al\u0000ice") }],
    ["a number that no telephone could have", { from: addressee("1".repeat(100)) }],
    ["no host", { from: { ...addressee("alice"), host: undefined } }],
  ])("is whoever has %s", (_, settings) => {
    expect(identifyCaller(identity({ verstat: "TN-Validation-Passed", ...settings }), asserting, "GB")).toEqual({
      kind: "withheld",
      verified: undefined,
    });
  });
  test("is not whoever wants to be seen", () => {
    expect(who({ asserted, privacy: ["none"], from: addressee("anonymous", "anonymous.invalid") })).toBe(
      "+442079460999",
    );
    for (const privacy of [["session"], ["critical"], ["name"], ["off"], ["history"]]) {
      expect(who({ asserted, privacy })).toBe("+442079460999");
    }
  });
});

describe("the display name", () => {
  const name = (displayName: string | undefined, settings: Partial<RemoteIdentity> = {}, trust = asserting) => {
    const caller = identifyCaller(
      identity({ from: addressee("+442079460123", "carrier.example.net", displayName), ...settings }),
      trust,
      "GB",
    );
    return caller.kind === "withheld" ? "withheld" : caller.displayName;
  };
  test.each<[string | undefined, string | undefined]>([
    ["Alice Example", "Alice Example"],
    ["Zoë 🙂", "Zoë 🙂"],
    ["  Alice\r\nExample ", "Alice Example"],
    ["A\u202elice\u0007", "Alice"],
    [undefined, undefined],
    ["", undefined],
    ["+44 20 7946 0999", undefined],
    ["@boss:example.org", undefined],
    ["sip:boss@example.org", undefined],
    ["Unknown", undefined],
    ["x".repeat(500), "x".repeat(64)],
  ])("%j is shown as %j", (given, shown) => expect(name(given)).toBe(shown));
  test("is not shown where the trunk is not believed, or it is to be hidden", () => {
    expect(name("Alice", {}, { identity: "asserted", displayName: false })).toBeUndefined();
    expect(name("Alice", { privacy: ["name"] })).toBeUndefined();
  });
  test("is that of whoever is taken for the caller", () => {
    expect(name("Mallory", { asserted: [addressee("+442079460999", "x.example", "Alice")] })).toBe("Alice");
    expect(name("Mallory", { asserted: [addressee("+442079460999")] })).toBeUndefined();
  });
});

test.each([
  ["TN-Validation-Passed", "passed"],
  ["TN-Validation-Passed-A", "passed"],
  ["tn-validation-passed", "passed"],
  ["TN-Validation-Passed-B", undefined],
  ["TN-Validation-Passed-C", undefined],
  ["TN-Validation-Failed", "failed"],
  ["TN-Validation-Failed-A", "failed"],
  ["No-TN-Validation", undefined],
  ["", undefined],
  [undefined, undefined],
])("verstat %s means %s", (verstat, verified) => {
  expect(identifyCaller(identity({ verstat }), asserting, "GB")).toMatchObject({ verified });
});

test("a number is not verified where the verdict may be about another one", () => {
  const asserted = [addressee("02079460999")];
  const verified = (settings: Partial<RemoteIdentity>, trust = asserting) =>
    identifyCaller(identity({ verstat: "TN-Validation-Passed", ...settings }), trust, "GB");
  expect(verified({ asserted })).toMatchObject({ dialled: "+442079460999", verified: undefined });
  expect(verified({ asserted }, plain)).toMatchObject({ dialled: "+442079460123", verified: undefined });
  expect(verified({ asserted, from: addressee("442079460999") })).toMatchObject({ verified: "passed" });
  expect(verified({ asserted, from: addressee("alice") })).toMatchObject({ verified: "passed" });
  expect(verified({ asserted, verstat: "TN-Validation-Failed" })).toMatchObject({ verified: "failed" });
});

describe("what people are told", () => {
  const badge = (verstat?: string, trust: CallerTrust = asserting) =>
    badgeOf(identifyCaller(identity({ verstat }), trust, "GB").verified, {}, trust);
  const by = (user: string, reason?: string, host?: string): Diversion => ({ by: addressee(user, host), reason });
  test("is nothing for most calls", () => expect(callerWords(undefined, [], "GB")).toEqual([]));
  test("is what the network found out about the number", () => {
    expect(badge("TN-Validation-Passed")).toBe("verified");
    expect(badge("TN-Validation-Failed")).toBe("forged");
    expect(badge("No-TN-Validation")).toBeUndefined();
  });
  test("is nothing of the kind by a trunk that is not believed", () => {
    for (const verstat of ["TN-Validation-Passed", "TN-Validation-Failed"])
      expect(badge(verstat, { ...asserting, verstat: false })).toBeUndefined();
  });
  test.each([
    ["yes*", "YES, score=9.1", true],
    ["yes*", "no, was yes", false],
    ["*score=9*", "yes; score=9.1", true],
    ["*spam", "probably SPAM ", true],
    ["spam", "spam?", false],
    ["a*a", "a", false],
    ["*a*a*", "ba", false],
    ["*", "", true],
  ])("of spam: the pattern %j and the header %j", (pattern, mark, isSpam) => {
    const trust = { ...asserting, spam: { pattern, calls: undefined } };
    expect(badgeOf("passed", { spamMarks: [mark] }, trust)).toBe(isSpam ? "spam" : "verified");
    expect(badgeOf(undefined, { spamMarks: [mark] }, asserting)).toBeUndefined();
  });
  test.each<[Diversion, string]>([
    [by("02079460999"), "Forwarded from +44 20 7946 0999."],
    [by("+442079460999", "unconditional"), "Forwarded from +44 20 7946 0999."],
    [by("+442079460999", "user-busy"), "Forwarded from +44 20 7946 0999, which was busy."],
    [by("+442079460999", "No-Answer"), "Forwarded from +44 20 7946 0999, which did not answer."],
    [by("2001", "constructor"), "Forwarded from 2001."],
    [by("alice\u202e\r\n"), "Forwarded from alice."],
    [by("anonymous", "user-busy", "anonymous.invalid"), "Forwarded from a withheld number, which was busy."],
  ])("of a forwarded call: %j", (diversion, words) => {
    expect(callerWords(undefined, [diversion], "GB")).toEqual([words]);
  });
  test("names three stations and no more, none twice", () => {
    const trail = ["2001", "2001", "2002", "2003", "2004"].map((user) => by(user));
    expect(callerWords(undefined, trail, "GB")).toEqual([
      "Forwarded from 2001.",
      "Forwarded from 2002.",
      "Forwarded from 2003.",
    ]);
  });
});

test("an assigned number is the same ghost, whoever sends it in whichever form", () => {
  const ids = createGhostIds({
    domain: "example.org",
    prefix: "_sip_",
    encoding: "percent",
    gateway: "sip.example.org",
    sipDomains: [],
    country: "GB",
  });
  const digits = fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: 9, maxLength: 10 });
  fc.assert(
    fc.property(digits, (digits) => {
      const number = knownForm(keysOf(`+44${digits}`));
      fc.pre(number !== undefined);
      const ghosts = [number, number.slice(1), `00${number.slice(1)}`, `0${number.slice(3)}`].map((user) =>
        ids.format(targetOf(identifyCaller(identity({ from: addressee(user) }), asserting, "GB"))),
      );
      const dialled = ids.forDialled(number);
      expect(new Set(ghosts)).toEqual(new Set([dialled.kind === "ghost" ? dialled.user : undefined]));
    }),
    { numRuns: 500 },
  );
});

const hostileText = fc.oneof(
  anyText({ maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...Array.from("+0123456789*#;=@anonymusip-cotext")), maxLength: 40 }),
);
const anyAddressee = fc.record({
  displayName: fc.option(hostileText, { nil: undefined }),
  uri: hostileText.map((text) => makeSipUri({ user: text, host: "x", params: new Map([["phone-context", text]]) })),
  user: fc.option(hostileText, { nil: undefined }),
  host: fc.option(hostileText, { nil: undefined }),
});

test("whatever a trunk says, there is a caller, and nothing that is shown breaks a line or turns the text", () => {
  fc.assert(
    fc.property(
      fc.record({
        from: anyAddressee,
        asserted: fc.array(anyAddressee, { maxLength: 3 }),
        privacy: fc.array(hostileText, { maxLength: 2 }),
        verstat: fc.option(hostileText, { nil: undefined }),
      }),
      fc.array(fc.record({ by: anyAddressee, reason: fc.option(hostileText, { nil: undefined }) }), { maxLength: 4 }),
      fc.constantFrom(asserting, plain),
      (identity, diversions, trust) => {
        const caller = identifyCaller(identity, trust, "GB");
        const shown = [
          ...(caller.kind === "withheld" ? [] : [caller.displayName ?? ""]),
          ...(caller.kind === "address" ? [caller.user] : []),
          ...callerWords(undefined, diversions, "GB"),
        ];
        for (const line of shown) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        if (caller.kind === "number") expect(caller.dialled).toMatch(/^[+\d*#]+$/);
      },
    ),
    { numRuns: 1000 },
  );
});
