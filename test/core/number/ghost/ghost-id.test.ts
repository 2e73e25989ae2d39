import { describe, expect, test } from "vitest";
import { trunkName, type DialString } from "../../../../src/core/ids.ts";
import type { DialPlan } from "../../../../src/core/number/plan/dial-plan.ts";
import { createGhostIds, type GhostEncoding } from "../../../../src/core/number/ghost/ghost-id.ts";
import { soleNumber } from "../../../../src/core/number/plan/number-key.ts";
import { numberOf } from "../dialled.ts";
import { encodings, sipDomains, ghostIds } from "./ghost-ids.ts";

/** The localpart's rest and the target, or why there is none. */
function looked(text: string, encoding: GhostEncoding): string {
  const found = ghostIds(encoding).forDialled(text);
  if (found.kind === "none") return found.why;
  return found.user.replace(/^@_sip_/, "").replace(/:example\.org$/, "");
}

test("the example of MSC2845 comes out to the letter", () => {
  expect(ghostIds().forDialled("01818118181")).toEqual({
    kind: "ghost",
    user: "@_sip_01818118181%40sip.example.org:example.org",
    target: { kind: "number", dialled: "01818118181" },
    entered: "01818118181",
  });
});

test("the example of the user-id grammar comes out to the letter", () => {
  expect(looked("01818118181", "grammar")).toBe("01818118181=40sip.example.org");
});

test("the example of MSC4009 comes out to the letter, the gateway implied", () => {
  expect(looked("+15558675309", "e164")).toBe("+15558675309");
  expect(ghostIds().parse("@_sip_+15558675309:example.org")).toEqual({ kind: "number", dialled: "+15558675309" });
});

describe.each([
  // as typed, percent, grammar, e164
  ["+15558675309", "+15558675309%40sip.example.org", "+15558675309=40sip.example.org", "+15558675309"],
  [" 15558675309", "+15558675309%40sip.example.org", "+15558675309=40sip.example.org", "+15558675309"],
  ["0181 811-8181", "01818118181%40sip.example.org", "01818118181=40sip.example.org", undefined],
  ["+44 20 7946 0000", "+442079460000%40sip.example.org", "+442079460000=40sip.example.org", "+442079460000"],
  ["*67", "%2a67%40sip.example.org", "=2a67=40sip.example.org", undefined],
  ["#31#0181", "%252331%25230181%40sip.example.org", "=252331=25230181=40sip.example.org", undefined],
  [
    "*31#+442079460000",
    "%2a31%2523+442079460000%40sip.example.org",
    "=2a31=2523+442079460000=40sip.example.org",
    undefined,
  ],
  ["112", "112%40sip.example.org", "112=40sip.example.org", undefined],
  // No country code begins with 0, so this is a number, but not an E.164 one.
  ["+0181", "+0181%40sip.example.org", "+0181=40sip.example.org", undefined],
  ["+1234567890123456", "+1234567890123456%40sip.example.org", "+1234567890123456=40sip.example.org", undefined],
  ["alice@pbx.example.org", "alice%40pbx.example.org", "alice=40pbx.example.org", undefined],
  ["sip:alice@PBX.Example.ORG", "alice%40pbx.example.org", "alice=40pbx.example.org", undefined],
  ["Alice@pbx.example.org", "%41lice%40pbx.example.org", "=41lice=40pbx.example.org", undefined],
  ["a=b%20c@pbx.example.org", "a%3db%2520c%40pbx.example.org", "a=3db=2520c=40pbx.example.org", undefined],
  ["jörg@pbx.example.org", "j%25c3%25b6rg%40pbx.example.org", "j=25c3=25b6rg=40pbx.example.org", undefined],
  ["01818118181@sip.example.org", "01818118181%40sip.example.org", "01818118181=40sip.example.org", undefined],
  ["+15558675309@sip.example.org", "+15558675309%40sip.example.org", "+15558675309=40sip.example.org", "+15558675309"],
])("%s", (typed, percent, grammar, e164) => {
  test("has one id in each encoding", () => {
    expect(looked(typed, "percent")).toBe(percent);
    expect(looked(typed, "grammar")).toBe(grammar);
    expect(looked(typed, "e164")).toBe(e164 ?? grammar);
  });
  test("is what each of them means, whatever is configured", () => {
    const found = ghostIds().forDialled(typed);
    if (found.kind === "none") expect.fail(found.why);
    for (const encoding of encodings) {
      for (const rest of [percent, grammar, e164 ?? grammar]) {
        expect(ghostIds(encoding).parse(`@_sip_${rest}:example.org`)).toEqual(found.target);
      }
    }
  });
});

describe("whatever stands between the digits, it is the same ghost, and the person reads what they entered", () => {
  const national = "02079460440";
  const international = "+442079460440";
  test.each([
    ["020 7946 0440", national],
    ["0207 946 0440", national],
    ["020-7946-0440", national],
    ["(020) 7946 0440", national],
    ["(0)20 7946 0440", national],
    ["020.7946.0440", national],
    ["020/7946/0440", national],
    ["020\u00a07946\u202f0440", national],
    ["020\u30007946\u20090440", national],
    ["020\t7946\t0440", national],
    [" 020 7946 0440 ", national],
    ["020\u200b7946\u200d0440", national],
    ["\u202a020 7946 0440\u202c", national],
    ["\u2066020 7946 0440\u2069", national],
    ["\u2068020 7946 0440\u2069", national],
    ["\ufeff020\u20607946\u00ad0440", national],
    ["020\u20117946\u20130440", national],
    ["020\u20107946\u20140440", national],
    ["020\u20157946\u22120440", national],
    ["０２０－７９４６－０４４０", national],
    ["（０２０）７９４６・０４４０", national],
    ["٠٢٠ ٧٩٤٦ ٠٤٤٠", national],
    ["۰۲۰۷۹۴۶۰۴۴۰", national],
    ["०२०७९४६०४४०", national],
    ["𝟎𝟐𝟎𝟕𝟗𝟒𝟔𝟎𝟒𝟒𝟎", national],
    ["[020] 7946 0440", national],
    ["sip:02079460440", national],
    ["sip:02079460440@sip.example.org", national],
    ["sip:020%207946%200440@sip.example.org;user=phone", national],
    ["tel:020-7946-0440", national],
    ["+44 (0)20 7946 0440", international],
    ["+44 ( 0 ) 20 7946 0440", international],
    ["+44(0)2079460440", international],
    ["＋44 20 7946 0440", international],
    ["\u202a+44 20 7946 0440\u202c", international],
    // A query string lost the plus.
    [" 44 20 7946 0440", international],
    ["\u202a 442079460440", international],
    ["tel:+44-20-7946-0440", international],
    ["TEL:+442079460440", international],
    ["tel://+442079460440", international],
    ["tel:%2B442079460440", international],
    ["callto:+442079460440", international],
    ["tel:2079460440;phone-context=+44", international],
    ["sip:+442079460440@sip.example.org;user=phone", international],
    ["0044 (0)20 7946 0440", "00442079460440"],
    // The zero of Italian numbers is dialled from abroad too.
    ["+39 (0)6 698 12345", "+390669812345"],
    ["*31# 020 7946 0440", "*31#02079460440"],
    ["＊３１＃", "*31#"],
  ])("%j", (typed, keys) => {
    const found = ghostIds().forDialled(typed);
    expect(found).toMatchObject({ kind: "ghost", target: { kind: "number", dialled: keys } });
    expect(found).toMatchObject({ user: ghostIds().format(numberOf(keys)) });
    const entered = found.kind === "ghost" ? found.entered : "";
    expect(entered.replace(/^(\u202a?)\+/, "$1 ")).toBe(typed.replace(/^(\u202a?)\+/, "$1 "));
  });
});

describe("an id of an earlier version, with the separators as they were typed", () => {
  test.each([
    ["0181%2520811-8181%40sip.example.org", "0181 811-8181"],
    ["0181=2520811-8181=40sip.example.org", "0181 811-8181"],
    ["%280181%29%25208118181%40sip.example.org", "(0181) 8118181"],
    ["0181%2f8118181%40sip.example.org", "0181/8118181"],
    ["+44%252020%25207946%25200000%40sip.example.org", "+44 20 7946 0000"],
  ])("%s still stands for its number, which has them no more", (rest, dialled) => {
    const old = numberOf(dialled);
    expect(ghostIds().parse(`@_sip_${rest}:example.org`)).toEqual(old);
    expect(ghostIds().format(old)).toBe(ghostIds().format(numberOf(dialled.replaceAll(/[^\d+]/g, ""))));
  });
});

test.each([
  ["", "empty"],
  [" ", "empty"],
  ["+", "not-dialable"],
  ["-", "not-dialable"],
  ["()", "not-dialable"],
  ["++44", "not-dialable"],
  ["44+", "not-dialable"],
  ["+44#", "not-dialable"],
  ["01818118181\n01818118182", "not-dialable"],
  ["01818118181\u202801818118182", "not-dialable"],
  ["0181〜0182", "not-dialable"],
  // A footnote is no digit.
  ["01818118181²", "not-dialable"],
  ["0181;ext=5", "not-dialable"],
  ["tel:+441818118181;ext=5", "not-dialable"],
  ["tel:+441818118181;postd=5", "not-dialable"],
  ["020 7946 0440 x12", "not-dialable"],
  ["020 7946 0440 ext. 12", "not-dialable"],
  ["020 7946 0440,12", "not-dialable"],
  ["020 7946 0440;12", "not-dialable"],
  ["tel:%zz", "not-dialable"],
  ["1-800-FLOWERS", "not-dialable"],
  ["bob", "not-dialable"],
  ["@pbx.example.org", "not-dialable"],
  ["a@b@pbx.example.org", "not-dialable"],
  ["alice:secret@pbx.example.org", "not-dialable"],
  ["alice@pbx.example.org:5060", "not-dialable"],
  ["alice@pbx.example.org;transport=tcp", "not-dialable"],
  ["alice@pbx.example.org?Subject=x", "not-dialable"],
  ["al%00ice@pbx.example.org", "not-dialable"],
  ["al%0d%0aice@pbx.example.org", "not-dialable"],
  ["al%ffice@pbx.example.org", "not-dialable"],
  ["al%2ice@pbx.example.org", "not-dialable"],
  ["ali\u202ece@pbx.example.org", "not-dialable"],
  ["ali\ud800ce@pbx.example.org", "not-dialable"],
  ["bob@example.com", "domain-not-allowed"],
  ["01818118181@elsewhere.example.org", "domain-not-allowed"],
  ["alice@sip.example.org", "domain-not-allowed"],
  ["#".repeat(60), "too-long"],
])("%j finds nobody: %s", (typed, why) => {
  for (const encoding of encodings) expect(looked(typed, encoding)).toBe(why);
});

test("an id is at most 255 bytes, and that is found by the byte", () => {
  const room = 255 - "@_sip_%40sip.example.org:example.org".length;
  expect(looked("1".repeat(room), "percent")).toHaveLength(room + "%40sip.example.org".length);
  expect(looked("1".repeat(room + 1), "percent")).toBe("too-long");
  expect(looked("1".repeat(100_000), "percent")).toBe("too-long");
});

test.each([
  // Another server's, another namespace's, no user id at all.
  "@_sip_01818118181%40sip.example.org:example.com",
  "@_sip_01818118181%40sip.example.org:example.org:8448",
  "@sip_01818118181%40sip.example.org:example.org",
  "_sip_01818118181%40sip.example.org:example.org",
  "",
  // The bot, and names that say nothing.
  "@_sip_bot:example.org",
  "@_sip_:example.org",
  "@_sip_01818118181:example.org",
  "@_sip_+:example.org",
  "@_sip_+0181:example.org",
  "@_sip_+1234567890123456:example.org",
  // The other hex case, escapes that were not needed, escapes left out.
  "@_sip_%2A67%40sip.example.org:example.org",
  "@_sip_%30181%40sip.example.org:example.org",
  "@_sip_01818118181@sip.example.org:example.org",
  "@_sip_*67%40sip.example.org:example.org",
  "@_sip_Alice%40pbx.example.org:example.org",
  "@_sip_%2541lice%40pbx.example.org:example.org",
  "@_sip_0181%20811%40sip.example.org:example.org",
  "@_sip_0181/811=40sip.example.org:example.org",
  // Two encodings in one, a broken one, an escape too many or too few.
  "@_sip_=2a67%40sip.example.org:example.org",
  "@_sip_01818118181=40sip%2eexample.org:example.org",
  "@_sip_01818118181%4:example.org",
  "@_sip_01818118181%:example.org",
  "@_sip_01818118181=zzsip.example.org:example.org",
  "@_sip_01818118181%2540sip.example.org:example.org",
  "@_sip_01818118181%40:example.org",
  "@_sip_%40sip.example.org:example.org",
  "@_sip_01818118181%40SIP.example.org:example.org",
  "@_sip_01818118181%40sip.example.org.:example.org",
  "@_sip_01818118181%40sip.example.org%3a5060:example.org",
  "@_sip_a%40b%40pbx.example.org:example.org",
  // At the gateway live numbers only; a leading space would have been a plus.
  "@_sip_alice%40sip.example.org:example.org",
  "@_sip_%25200181%40sip.example.org:example.org",
  // Bytes that are not text, and text that is not to be shown.
  "@_sip_%25ff%40pbx.example.org:example.org",
  "@_sip_a%2500b%40pbx.example.org:example.org",
  "@_sip_a%25e2%2580%25aeb%40pbx.example.org:example.org",
])("%s does not exist", (user) => {
  for (const encoding of encodings) expect(ghostIds(encoding).parse(user)).toBeUndefined();
});

test("an address of a domain that is not allowed still has its ghost, so that the person can be told", () => {
  expect(ghostIds().parse("@_sip_bob%40example.com:example.org")).toEqual({
    kind: "address",
    user: "bob",
    host: "example.com",
  });
});

test("the gateway can be a SIP domain too", () => {
  const ids = createGhostIds({
    domain: "example.org",
    prefix: "_sip_",
    encoding: "percent",
    gateway: "sip.example.org",
    sipDomains: ["sip.example.org"],
  });
  const alice = ids.forDialled("alice@sip.example.org");
  expect(alice).toMatchObject({ target: { kind: "address", user: "alice" } });
  expect(ids.forDialled("2001@sip.example.org")).toMatchObject({ target: { kind: "number", dialled: "2001" } });
});

describe("callers who withhold their number", () => {
  const withheld = { kind: "withheld" } as const;
  test.each(encodings)("share one ghost, written in %s as everywhere", (encoding) => {
    const ids = ghostIds(encoding);
    expect(ids.withheld).toBe("@_sip_anonymous:example.org");
    for (const written of encodings) expect(ids.format(withheld, written)).toBe(ids.withheld);
    expect(ids.parse(ids.withheld)).toEqual(withheld);
    expect(ids.displayName(withheld)).toBe("Anonymous");
  });
  test.each(["anonymous", "sip:anonymous", "anonymous@sip.example.org", "@_sip_anonymous:example.org"])(
    "are not found as %s",
    (text) => expect(ghostIds().forDialled(text).kind).toBe("none"),
  );
  test("are not the anonymous of a domain", () => {
    const found = ghostIds().forDialled("anonymous@pbx.example.org");
    expect(found).toMatchObject({ target: { kind: "address", user: "anonymous" } });
    expect(found).not.toMatchObject({ user: ghostIds().withheld });
  });
  test.each(["@_sip_Anonymous:example.org", "@_sip_anonymous2:example.org", "@_sip_=61nonymous:example.org"])(
    "are not %s",
    (user) => expect(ghostIds().parse(user)).toBeUndefined(),
  );
});

test.each([
  ["+442079460000", "+44 20 7946 0000"],
  ["02079460000", "+44 20 7946 0000"],
  ["020 7946 0000", "+44 20 7946 0000"],
  ["01818118181", "01818118181"],
  ["+15558675309", "+15558675309"],
  ["2001", "2001"],
  ["*67", "*67"],
])("%s is shown as %s", (dialled, shown) => {
  expect(ghostIds().displayName(numberOf(dialled))).toBe(shown);
});

test("an address is shown as it is", () => {
  expect(ghostIds().displayName({ kind: "address", user: "alice", host: "pbx.example.org" })).toBe(
    "alice@pbx.example.org",
  );
});

describe("one ghost for each number, where that is wished", () => {
  const main = trunkName("main");
  const other = trunkName("other");
  const trunk = {
    host: "gw.example.net",
    port: undefined,
    format: "e164" as const,
    numberPrefix: "",
    userPhone: false,
  };
  const basic: DialPlan = {
    country: "GB",
    trunks: [
      { ...trunk, name: main },
      { ...trunk, name: other },
    ],
    routes: [],
    emergencyTrunk: undefined,
    withholdPrefixes: ["#31#"],
    sipDomains: new Map(),
  };
  function userOf(text: string, plan: Partial<DialPlan> = {}): string {
    const numberFor = (keys: DialString) => soleNumber(keys, { ...basic, ...plan });
    const ids = createGhostIds({
      domain: "example.org",
      prefix: "_sip_",
      encoding: "percent",
      gateway: "sip.example.org",
      sipDomains,
      country: "GB",
      numberFor,
    });
    const found = ids.forDialled(text);
    if (found.kind === "none") return found.why;
    expect(ids.parse(found.user)).toEqual(found.target);
    expect(ids.format(found.target)).toBe(found.user);
    return found.user.replace(/^@_sip_(.*)%40.*$/, "$1");
  }
  test.each([
    "02079460440",
    "0207 946 0440",
    "020-7946-0440",
    "+442079460440",
    "00442079460440",
    "442079460440",
    "+44 (0)20 7946 0440",
    "+44 020 7946 0440",
  ])("%s", (text) => expect(userOf(text)).toBe("+442079460440"));

  test.each([
    ["2001", "2001"],
    ["112", "112"],
    ["*31#02079460440", "%2a31%252302079460440"],
    // It calls with the number withheld, which is another wish.
    ["#31#02079460440", "%252331%252302079460440"],
  ])("but %s is none", (text, user) => expect(userOf(text)).toBe(user));

  test("a text that may be two numbers keeps its own", () => {
    expect(userOf("4782901234", { country: "US" })).toBe("4782901234");
    expect(userOf("+14782901234", { country: "US" })).toBe("+14782901234");
  });
  test("so does one that the dial plan sends another way than its number", () => {
    const route = (prefix: string, to: typeof main, strip = 0) => ({ prefix, trunks: [to], strip, prepend: "" });
    const routes = [route("9", other, 1), route("", main)];
    expect(userOf("9 020 7946 0440", { routes })).toBe("902079460440");
    expect(userOf("020 7946 0440", { routes })).toBe("+442079460440");
    const same = [route("9", main, 1), route("", main)];
    expect(userOf("9 020 7946 0440", { routes: same })).toBe("+442079460440");
  });
});
