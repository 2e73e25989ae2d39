import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import type { RingStage } from "../../../src/core/number/plan/ring-stage.ts";
import { parseUserId, trunkName, type UserId } from "../../../src/core/ids.ts";
import { findDid, type DidMatch, type DidRule, type DidTable } from "../../../src/core/number/plan/did.ts";
import { knownForm, nationalForm, type Country } from "../../../src/core/number/e164.ts";
import { keysOf } from "./dialled.ts";

const main = trunkName("main");
const other = trunkName("other");

function user(name: string): UserId {
  const id = parseUserId(`@${name}:example.org`);
  if (id === undefined) throw new TypeError(name);
  return id;
}

function rings(name: string): readonly RingStage[] {
  return [{ targets: [{ kind: "person", person: user(name) }], ringMs: 60_000 }];
}

function rule(match: DidMatch, to: string, ...trunks: (typeof main)[]): DidRule {
  return { match, trunks, stages: rings(to) };
}
const exact = (number: string): DidMatch => ({ kind: "exact", number });
const pattern = (text: string): DidMatch => ({ kind: "pattern", pattern: text });
const prefix = (text: string): DidMatch => ({ kind: "prefix", prefix: text });

/** Who rings, or nobody. */
function rung(called: string, rules: readonly DidRule[], trunk = main, country: Country | undefined = "GB"): string {
  const found = findDid(called, trunk, { rules }, country);
  if (found.kind === "none") return "nobody";
  const [target] = found.stages[0]?.targets ?? [];
  return target?.kind === "person" ? target.person.slice(1, target.person.indexOf(":")) : "room";
}

describe("a number is the same however the trunk writes it", () => {
  const spellings = [
    "+442079460123",
    "02079460123",
    "00442079460123",
    "442079460123",
    "+44 20 7946 0123",
    "+44(0)2079460123",
  ];
  describe.each(spellings)("configured as %s", (written) => {
    test.each(spellings)("and called as %s", (called) => {
      expect(rung(called, [rule(exact(written), "alice"), rule(prefix(""), "bob")])).toBe("alice");
    });
  });
  test.each(spellings)("%s is in a pattern and a prefix of either form", (called) => {
    expect(rung(called, [rule(pattern("+4420794601XX"), "alice")])).toBe("alice");
    expect(rung(called, [rule(pattern("020794601XX"), "alice")])).toBe("alice");
    expect(rung(called, [rule(prefix("+4420794601"), "alice")])).toBe("alice");
    expect(rung(called, [rule(prefix("020794601"), "alice")])).toBe("alice");
  });
  test("and people read it as E.164", () => {
    const table: DidTable = { rules: [rule(prefix(""), "alice")] };
    expect(findDid("02079460123", main, table, "GB")).toMatchObject({ number: "+442079460123" });
    expect(findDid("2001", main, table, "GB")).toMatchObject({ number: "2001" });
    expect(findDid("alice", main, table, "GB")).toMatchObject({ number: "alice" });
  });
});

test.each<[string, string, Country, string]>([
  ["a Moroccan number without its plus, in Britain", "212522123456", "GB", "+212522123456"],
  ["an American number with its 1 and without plus", "12125550123", "US", "+12125550123"],
  ["an American number with seven digits' area", "2125550123", "US", "+12125550123"],
  ["an Italian number, whose zero is its own", "0612345678", "IT", "+390612345678"],
  ["a German number by way of 00", "004930123456", "DE", "+4930123456"],
])("%s", (_, called, country, number) => {
  expect(rung(called, [rule(exact(number), "alice")], main, country)).toBe("alice");
});

describe("the most specific rule counts, wherever it stands", () => {
  const rules = [
    rule(prefix(""), "catch-all"),
    rule(prefix("+4420"), "london"),
    rule(prefix("+442079"), "office"),
    rule(pattern("+4420794601XX"), "group"),
    rule(pattern("+442079460199"), "second-pattern"),
    rule(exact("+442079460199"), "boss"),
    rule(exact("+442079460199"), "never"),
  ];
  test.each([
    ["+442079460199", "boss"],
    ["+442079460198", "group"],
    ["+442079460200", "office"],
    ["+442012345678", "london"],
    ["+12125550123", "catch-all"],
    ["2001", "catch-all"],
    ["alice", "catch-all"],
    ["", "catch-all"],
  ])("%s rings %s", (called, who) => expect(rung(called, rules)).toBe(who));
  test("and without one nobody rings", () => {
    expect(rung("+12125550123", rules.slice(1))).toBe("nobody");
    expect(rung("+12125550123", [])).toBe("nobody");
  });
});

describe("a rule may be for some trunks only", () => {
  const rules = [
    rule(exact("2001"), "alice", main),
    rule(exact("2001"), "bob"),
    rule(exact("2002"), "carol", other, main),
  ];
  test.each([
    ["2001", main, "alice"],
    ["2001", other, "bob"],
    ["2002", main, "carol"],
    ["2002", other, "carol"],
    ["2002", trunkName("third"), "nobody"],
  ])("%s on %s rings %s", (called, trunk, who) => expect(rung(called, rules, trunk)).toBe(who));
});

describe("names compare as text", () => {
  const rules = [
    rule(exact("alice"), "alice"),
    rule(exact("bob@pbx.example.org"), "bob"),
    rule(exact("Carol Ann"), "carol"),
  ];
  test.each([
    ["alice", "alice"],
    ["Alice", "nobody"],
    ["alice2", "nobody"],
    ["bob@pbx.example.org", "bob"],
    ["bob", "nobody"],
    ["Carol Ann", "carol"],
    ["__proto__", "nobody"],
    ["constructor", "nobody"],
  ])("%s rings %s", (called, who) => expect(rung(called, rules)).toBe(who));
});

describe("an extension is not a part of a number", () => {
  test("2001 is not +442079462001", () => {
    expect(rung("+442079462001", [rule(exact("2001"), "alice")])).toBe("nobody");
    expect(rung("2001", [rule(exact("+442079462001"), "alice")])).toBe("nobody");
  });
  test("*97 is a number as it is", () => expect(rung("*97", [rule(exact("*97"), "alice")])).toBe("alice"));
  test("a prefix of extensions takes no number from abroad that begins alike without its plus", () => {
    expect(rung("+12125550123", [rule(prefix("1"), "alice")])).toBe("nobody");
  });
});

test("a pattern that is none is nobody's", () => {
  expect(rung("1", [rule(pattern("(1+)+"), "alice")])).toBe("nobody");
});

test("without a country E.164 and what is sent are left", () => {
  const rules = [rule(exact("+442079460123"), "alice"), rule(exact("02079460123"), "bob")];
  expect(rung("442079460123", rules, main, undefined)).toBe("alice");
  expect(rung("02079460123", rules, main, undefined)).toBe("bob");
});

const assigned = fc
  .tuple(
    fc.constantFrom<Country>("GB", "DE", "US", "FR", "IT", "ES", "AT", "NL", "JP", "BR", "AU", "IN"),
    fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: 8, maxLength: 11 }),
  )
  .map(([country, digits]) => ({ country, number: knownForm(keysOf(digits), country) }))
  .filter((made): made is { country: Country; number: NonNullable<typeof made.number> } => made.number !== undefined);

test("an assigned number finds its rule in every spelling, and before any that takes all", () => {
  fc.assert(
    fc.property(assigned, ({ country, number }) => {
      const spellings = [number, number.slice(1), `00${number.slice(1)}`, nationalForm(number, country)].filter(
        // In countries with another international prefix 00 is not one; and without the plus it may be a local number too.
        (text) => knownForm(keysOf(text), country) === number || !text.startsWith("0"),
      );
      const catchAll = rule(prefix(""), "bob");
      for (const configured of [number, nationalForm(number, country)]) {
        for (const called of spellings) {
          expect(rung(called, [catchAll, rule(exact(configured), "alice")], main, country)).toBe("alice");
        }
      }
    }),
    { numRuns: 500 },
  );
});

const text = fc.oneof(
  anyText({ maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...Array.from("+0123456789*#@ X.")), maxLength: 40 }),
);
const anyRule = fc
  .record({ kind: fc.constantFrom("exact", "pattern", "prefix"), text, limited: fc.boolean() })
  .map(({ kind, text, limited }) => {
    const match = kind === "exact" ? exact(text) : kind === "pattern" ? pattern(text) : prefix(text);
    return rule(match, "alice", ...(limited ? [other] : []));
  });

test("whatever is called and configured, nothing throws, and a rule for another trunk is not taken", () => {
  fc.assert(
    fc.property(text, fc.array(anyRule, { maxLength: 6 }), (called, rules) => {
      const found = findDid(called, main, { rules }, "GB");
      if (found.kind === "found") {
        const mine = rules.filter(({ trunks }) => trunks.length === 0).map(({ stages }) => stages);
        expect(mine).toContain(found.stages);
      }
      const named = rules.find(
        ({ match, trunks }) => match.kind === "exact" && match.number === called && trunks.length === 0,
      );
      if (named) expect(found.kind).toBe("found");
    }),
    { numRuns: 1000 },
  );
});
