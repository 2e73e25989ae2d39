import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeUser, formatSipUri, isHost, parseSipUri, unescapeUser } from "../../../src/core/number/sip-uri.ts";

test.each([
  ["alice", "alice"],
  ["+44 20", "+44%2020"],
  ["*31#", "*31%23"],
  ["a@b:c", "a%40b%3ac"],
  ["100%", "100%25"],
  ["-_.!~*'()&=+$,;?/", "-_.!~*'()&=+$,;?/"],
  ["jörg", "j%c3%b6rg"],
  ["a\r\nb", "a%0d%0ab"],
])("user %j is written %s", (user, written) => {
  expect(escapeUser(user)).toBe(written);
  expect(unescapeUser(written)).toBe(user);
});

test.each([
  "sip.example.org",
  "a",
  "192.0.2.1",
  "[2001:db8::1]",
  "[::]",
  "[::ffff:192.0.2.1]",
  "xn--bcher-kva.example",
  "my_pbx",
])("%s is a host", (text) => expect(isHost(text)).toBe(true));

test.each([
  "",
  "a b",
  "-a",
  "a-",
  "a..b",
  ".a",
  "a.",
  "1.2.3",
  "256.1.1.1",
  "2001:db8::1",
  "[1:2]",
  "[::1",
  "[g::]",
  "[1::2::3]",
  "[1:2:3:4:5:6:7:8:9]",
  "a:5060",
  "a@b",
  "é",
  "a".repeat(64),
  `${"a.".repeat(130)}b`,
])("%j is no host", (text) => expect(isHost(text)).toBe(false));

test.each([
  ["sip:alice@example.org", { scheme: "sip", user: "alice", host: "example.org", port: undefined, parameters: [] }],
  ["SIPS:Alice@Example.ORG:5061", { scheme: "sips", user: "Alice", host: "example.org", port: 5061, parameters: [] }],
  ["sip:example.org", { scheme: "sip", user: undefined, host: "example.org", port: undefined, parameters: [] }],
  [
    "sip:%2B44@[2001:db8::1]:5060;user=phone;LR",
    {
      scheme: "sip",
      user: "+44",
      host: "[2001:db8::1]",
      port: 5060,
      parameters: [
        ["user", "phone"],
        ["lr", undefined],
      ],
    },
  ],
])("%s is read", (text, uri) => expect(parseSipUri(text)).toEqual(uri));

test.each([
  "",
  "sip:",
  "sip:@example.org",
  "alice@example.org",
  "tel:+44",
  "sip:a:b@example.org",
  "sip:a@b@c",
  "sip:a@b:0",
  "sip:a@b:70000",
  "sip:a@b:",
  "sip:a@b;",
  "sip:a@b;x=",
  "sip:a@b?Subject=x",
  "sip:a b@c",
  "sip:a%zz@b",
  "sip:a@b\r\nVia: x",
  "sip:a@b;x=\r\nVia",
])("%j is refused", (text) => expect(parseSipUri(text)).toBeUndefined());

test("every user comes back from its URI, which is one line of ASCII", () => {
  const user = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/\p{Cs}/u.test(text));
  const parameters = fc.array(
    fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.option(fc.string({ minLength: 1 }), { nil: undefined })),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(user, fc.integer({ min: 1, max: 65_535 }), parameters, (user, port, parameters) => {
      const text = formatSipUri({ user, host: "example.org", port, parameters });
      expect(text).toMatch(/^[\x21-\x7e]+$/);
      expect(parseSipUri(text)).toEqual({ scheme: "sip", user, host: "example.org", port, parameters });
    }),
  );
});

test("nothing makes the reader throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from("sip:@%[];=?0aA. \r\n")) }), (text) => {
      parseSipUri(text);
      parseSipUri(`sip:${text}`);
    }),
  );
});
