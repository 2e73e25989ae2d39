import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import { dialString } from "../../../src/core/number/dialled.ts";
import {
  countries,
  internationalForm,
  knownForm,
  nationalForm,
  toE164,
  type Country,
} from "../../../src/core/number/e164.ts";
import type { NumberClass } from "../../../src/core/number/plan/number-class.ts";
import type { E164 } from "../../../src/core/ids.ts";
import { classify, e164Of, keysOf } from "./dialled.ts";

describe("what was dialled means in E.164", () => {
  test.each<[string, Country | undefined, string | undefined]>([
    ["020 7946 0000", "GB", "+442079460000"],
    ["(020) 7946-0000", "GB", "+442079460000"],
    ["+44 20 7946 0000", "US", "+442079460000"],
    ["00442079460000", "DE", "+442079460000"],
    ["011442079460000", "US", "+442079460000"],
    ["2125550123", "US", "+12125550123"],
    ["1 212 555 0123", "US", "+12125550123"],
    // Italian zeros are part of the number.
    ["06 698 12345", "IT", "+390669812345"],
    // Ranges that the metadata does not list (yet) are numbers all the same.
    ["01818118181", "GB", "+441818118181"],
    ["+15558675309", undefined, "+15558675309"],
    ["+883510012345678", undefined, "+883510012345678"],
    ["+8835100123456789", undefined, undefined],
    ["+8835100123456", undefined, "+8835100123456"],
    // Extensions, short codes and service codes have no E.164 form.
    ["2001", "GB", undefined],
    ["2001", "DE", undefined],
    ["116117", "DE", undefined],
    ["112", "DE", undefined],
    ["+49112", "DE", undefined],
    ["*31#", "DE", undefined],
    ["*31#+442079460000", "DE", undefined],
    // Without a country only the international form says enough.
    ["02079460000", undefined, undefined],
    ["00442079460000", undefined, undefined],
    ["+0181811", undefined, undefined],
    ["+1", undefined, undefined],
    ["", "GB", undefined],
    ["x", "GB", undefined],
    ["+442079460000000000", undefined, undefined],
  ])("%j in %s is %s", (dialled, country, e164) => {
    expect(e164Of(dialled, country)).toBe(e164);
  });
});

test.each<[string, Country, string]>([
  ["+442079460000", "GB", "02079460000"],
  ["+442079460000", "DE", "00442079460000"],
  ["+442079460000", "US", "011442079460000"],
  ["+12125550123", "US", "2125550123"],
  ["+12125550123", "CA", "2125550123"],
  ["+390669812345", "IT", "0669812345"],
  ["+4530123456", "DK", "30123456"],
  // Brazil's international prefix names a carrier, so there is no one way to dial it.
  ["+442079460000", "BR", "+442079460000"],
])("%s is dialled in %s as %s", (number, country, national) => {
  expect(nationalForm(number as E164, country)).toBe(national);
});

test("the international form groups the digits", () => {
  expect(internationalForm("+442079460000" as E164)).toBe("+44 20 7946 0000");
  expect(knownForm(keysOf("+15558675309"))).toBeUndefined();
  expect(knownForm(keysOf("0044 20 7946 0000"), "FR")).toBe("+442079460000");
});

describe("the kind of number", () => {
  test.each<[string, Country | undefined, NumberClass]>([
    ["020 7946 0000", "GB", "ordinary"],
    ["+442079460000", "US", "ordinary"],
    ["01818118181", "GB", "ordinary"],
    ["+15558675309", "GB", "ordinary"],
    ["07400123456", "GB", "ordinary"],
    ["2001", "GB", "private"],
    ["2001", "DE", "private"],
    ["bob", "DE", "private"],
    ["08081570000", "GB", "toll-free"],
    ["+80012345678", "GB", "toll-free"],

    ["09098790000", "GB", "premium"],
    ["+449098790000", "US", "premium"],
    ["00449098790000", "DE", "premium"],
    ["09001234567", "DE", "premium"],
    ["19005551234", "US", "premium"],
    ["+19005551234", "DE", "premium"],
    ["+979123456789", "GB", "premium"],
    // The network takes the first digits and lets the others fall.
    ["0900123456789", "DE", "premium"],
    ["190055512349", "US", "premium"],
    ["+4490987900009", "GB", "premium"],
    ["11880", "DE", "premium"],
    ["118118", "GB", "premium"],
    ["118218", "FR", "premium"],
    ["+4911880", "US", "premium"],
    ["*31#09001234567", "DE", "premium"],
    ["*6719005551234", "US", "premium"],
    ["*21*09001234567#", "DE", "premium"],
    ["#31#+19005551234", "DE", "premium"],

    ["01801123456", "DE", "shared-cost"],
    ["+80812345678", "GB", "shared-cost"],

    ["+8816123456789", "GB", "satellite"],
    ["008816123456789", "DE", "satellite"],
    ["+8821612345678", "GB", "satellite"],
    ["+870773123456", "GB", "satellite"],
    ["+870", "GB", "satellite"],
    ["+8839123456789", "GB", "satellite"],
    ["+8821", undefined, "satellite"],
    // iNum numbers are plain VoIP.
    ["+8835100123456", "GB", "ordinary"],

    ["*67", "US", "service-code"],
    ["*100#", "IN", "service-code"],
    ["*31#020 7946 0000", "GB", "service-code"],
    ["#", "GB", "service-code"],
  ])("%s in %s: %s", (dialled, country, kind) => {
    expect(classify(dialled, country)).toBe(kind);
  });

  test.each<[string, Country | undefined]>([
    ["112", "GB"],
    ["112", "US"],
    ["112", undefined],
    ["911", "US"],
    ["911", "DE"],
    ["911", undefined],
    ["999", "GB"],
    ["999", undefined],
    ["110", "DE"],
    ["110", "JP"],
    ["119", "JP"],
    ["000", "AU"],
    ["106", "AU"],
    ["111", "NZ"],
    ["15", "FR"],
    ["17", "FR"],
    ["18", "FR"],
    ["114", "FR"],
    ["061", "ES"],
    ["113", "IT"],
    ["144", "AT"],
    ["144", "CH"],
    ["10111", "ZA"],
    ["102", "IN"],
    ["190", "BR"],
    ["066", "MX"],
    ["1 1 2", "GB"],
    ["1-1-2", "GB"],
    // With what a dial plan, a telephone or a person may put in front.
    ["0112", "DE"],
    ["0999", "GB"],
    ["1911", "US"],
    ["+49112", "DE"],
    ["+49110", "GB"],
    ["+44999", "DE"],
    ["0049110", "FR"],
    ["+1911", "GB"],
    ["*31#112", "DE"],
    ["#31#110", "DE"],
    ["*67911", "US"],
    ["*31#+49112", "DE"],
  ])("%s in %s is a cry for help", (dialled, country) => {
    expect(classify(dialled, country)).toBe("emergency");
  });

  test.each<[string, Country]>([
    ["110", "GB"],
    ["999", "DE"],
    ["000", "GB"],
    ["211", "US"],
    ["15", "DE"],
    ["100", "DE"],
    // An extension that begins like one, and a number that holds one.
    ["1120", "DE"],
    ["9110", "US"],
    ["91100", "GB"],
    ["01121121121", "GB"],
    ["*112", "DE"],
  ])("%s in %s is none", (dialled, country) => {
    expect(classify(dialled, country)).not.toBe("emergency");
  });
});

test("112 and 911 are a cry for help in every country there is", () => {
  for (const country of countries) {
    expect([classify("112", country), classify("911", country)], country).toEqual(["emergency", "emergency"]);
  }
});

test.each([
  ["0181 811-8181", "01818118181"],
  ["+44 (0)20", "+44020"],
  ["(020)/7946.0000", "02079460000"],
  ["*31#", "*31#"],
  ["**21*+44123#", "**21*+44123#"],
  ["+", undefined],
  ["++44", undefined],
  ["44+44", undefined],
  ["*+", undefined],
  ["- 1", undefined],
  [" 1", undefined],
  ["1\n", undefined],
  ["1a", undefined],
  ["", undefined],
])("on a keypad %j is %j", (typed, keys) => {
  expect(dialString(typed)).toBe(keys);
});

const anything = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from("0123456789*#+ ()-./")), maxLength: 60 }),
  anyText(),
);
const somewhere = fc.constantFrom<(Country | undefined)[]>(undefined, ...countries);

test("whatever is dialled wherever, nothing throws, and what comes out is E.164 and means itself", () => {
  fc.assert(
    fc.property(anything, somewhere, (dialled, country) => {
      const number = e164Of(dialled, country);
      classify(dialled, country);
      if (number === undefined) return;
      expect(number).toMatch(/^\+[1-9]\d{1,14}$/);
      expect(toE164(number)).toBe(number);
      internationalForm(number);
      if (country !== undefined) nationalForm(number, country);
    }),
  );
});

test("separators change nothing about what a number is", () => {
  const digits = fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(digits, somewhere, (keys, country) => {
      const spaced = keys.replaceAll(/(\d{3})(?=\d)/g, "$1-");
      expect(classify(spaced, country)).toBe(classify(keys, country));
      expect(e164Of(spaced, country)).toBe(e164Of(keys, country));
    }),
  );
});
