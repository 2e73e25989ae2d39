// Which entries of the block list are about which numbers.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGhostIds } from "../../../src/core/number/ghost/ghost-id.ts";
import { blockKeys, readBlocked } from "../../../src/core/policy/block-list.ts";

const ids = createGhostIds({
  domain: "example.org",
  prefix: "_sip_",
  encoding: "percent",
  gateway: "sip.example.org",
  sipDomains: [],
  country: "GB",
});

const read = (text: string): string => {
  const found = readBlocked(text, ids, "GB");
  return found.kind === "blocked" ? found.what : found.why;
};

describe("what people write", () => {
  test.each([
    ["+44 20 7946 0123", "+442079460123"],
    ["020 7946 0123", "+442079460123"],
    ["(020) 7946-0123", "+442079460123"],
    ["0044 20 7946 0123", "+442079460123"],
    ["tel:+44-20-7946-0123", "+442079460123"],
    ["\u202a+44\u00a020\u20117946\u20110123\u202c", "+442079460123"],
    ["٠٢٠٧٩٤٦٠١٢٣", "+442079460123"],
    ["2001", "2001"],
    ["+44 90*", "+4490*"],
    ["0044 90 *", "+4490*"],
    ["090*", "090*"],
    ["Anonymous", "anonymous"],
    ["withheld", "anonymous"],
    ["sip:Eve@PBX.example.net", "Eve@pbx.example.net"],
  ])("%j is %s", (text, what) => {
    expect(read(text)).toBe(what);
  });

  test.each([
    ["", "not-a-number"],
    ["everybody", "not-a-number"],
    ["@eve:example.org", "not-a-number"],
    ["eve@", "not-a-number"],
    ["+44 20 7946 0123 ext 9", "not-a-number"],
    ["*31#", "not-a-number"],
    ["*", "not-a-number"],
    ["**", "not-a-number"],
    ["+4*", "prefix-too-short"],
    ["0*", "prefix-too-short"],
    ["+44*90*", "not-a-number"],
    [`+${"4".repeat(30)}*`, "not-a-number"],
  ])("%j is refused: %s", (text, why) => {
    expect(read(text)).toBe(why);
  });

  test("never throws, and what it writes is read the same again", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.stringMatching(/^[+0-9*#() -]{0,20}$/)),
        (text) => {
          const found = readBlocked(text, ids, "GB");
          if (found.kind === "blocked") expect(read(found.what)).toBe(found.what);
        },
      ),
    );
  });
});

describe("an entry is about a caller", () => {
  test.each([
    ["+442079460123", "+442079460123"],
    ["020 7946 0123", "+442079460123"],
    ["+44 20*", "+442079460123"],
    ["020*", "+442079460123"],
    ["2001", "2001"],
    ["20*", "2001"],
    ["eve@pbx.example.net", "eve@pbx.example.net"],
    ["anonymous", undefined],
  ])("%j blocks %s", (text, caller) => {
    expect(blockKeys(caller, "GB")).toContain(read(text));
  });

  test.each([
    ["+442079460124", "+442079460123"],
    ["+4420*", "+4920123456"],
    ["2079460123", "+442079460123x"],
    ["+44*", undefined],
    ["anonymous", "+442079460123"],
    ["anonymous", "anonymous@pbx.example.net"],
  ])("%j does not block %s", (text, caller) => {
    expect(blockKeys(caller, "GB")).not.toContain(read(text));
  });

  test("an exact one goes before a beginning, a long one before a short one", () => {
    const keys = blockKeys("+442079460123", "GB");
    const places = ["+442079460123", "+44207946*", "+4420*"].map((what) => keys.indexOf(what));
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
  });
});
