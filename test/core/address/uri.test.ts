// URIs as telephones, gateways and attackers write them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  escapeUser,
  formatUri,
  makeSipUri,
  parseUri,
  unescaped,
  unescapeUser,
  uriHeader,
  userText,
} from "../../../src/core/address/uri.ts";

function uri(text: string) {
  const parsed = parseUri(text);
  if (parsed === undefined) throw new Error(`${text} is no URI`);
  return parsed;
}

describe("a URI", () => {
  it.each([
    "sip:alice@example.org",
    "sips:alice:secret@example.org:5061;transport=tcp?subject=project%20x&priority=urgent",
    "sip:+15558675309;phone-context=example.org@gw.example.org;user=phone",
    "sip:my_gateway.local:5060",
    "sip:%2331%23@[2001:db8::1]:5060;lr;maddr=192.0.2.1",
    "sip:user%3Bx@example.org;x=%6Cr",
    "tel:+1-555-867-5309",
    "tel:7042;phone-context=example.org",
    "urn:service:sos",
    "http://www.example.org/a?b=c",
  ])("goes out as it came in: %s", (text) => {
    expect(formatUri(uri(text))).toBe(text);
  });

  it("with a # in its user part is read as dialled and sent escaped", () => {
    const dialled = uri("sip:*31#441632960123@gw.example.org");
    expect(userText(dialled)).toBe("*31#441632960123");
    expect(formatUri(dialled)).toBe("sip:*31%23441632960123@gw.example.org");
  });

  it("keeps the scheme and host without case, the user with it", () => {
    expect(uri("SIP:Alice@EXAMPLE.org")).toMatchObject({ scheme: "sip", user: "Alice", host: "example.org" });
  });

  it("knows a parameter by its name, however that is escaped", () => {
    expect(uri("sip:a@b;%6C%72;N%61me%2C=v%61lue")).toMatchObject({
      params: new Map([
        ["lr", null],
        ["name%2C", "v%61lue"],
      ]),
    });
  });

  it("tells a port from none", () => {
    expect(uri("sip:a@b:5080")).toMatchObject({ port: 5080 });
    expect(uri("sip:a@b")).toMatchObject({ port: undefined });
  });

  it("of a telephone that forgets to escape the @ in Replaces is understood", () => {
    expect(uriHeader(uri("sip:bob@example.org?Replaces=1@192.0.2.1%3Bto-tag%3Da"), "replaces")).toBe(
      "1@192.0.2.1;to-tag=a",
    );
  });

  it.each([
    "",
    "alice",
    ":x",
    "sip:",
    "sip:@example.org",
    "sip:alice@",
    "sip:alice@exa mple.org",
    "sip:alice@example.org:65536",
    "sip:alice@example.org:",
    "sip:alice@example.org:5x",
    "sip:a%zz@example.org",
    "sip:a@b@c",
    "sip:alice@[2001:db8::zz]",
    "sip:alice@2001:db8::1",
    "sip:alice@[192.0.2.1]",
    "sip:al<ice@example.org",
    'sip:al"ice@example.org',
    "sip:alice@example.org;=x",
    "sip:alice@example.org\r\nX: 1",
    "sip:ali\u0000ce@example.org",
    "tel:",
    "1tel:5",
  ])("is none: %j", (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  it("undoes escapes as UTF-8 and never throws", () => {
    expect(unescaped("%E2%82%AC")).toBe("€");
    expect(unescaped("100%")).toBe("100%");
    expect(unescaped("%ff%C3")).toBe("\uFFFD\uFFFD");
  });

  it("read and written any number of times stays the same", () => {
    const text = fc.string({ unit: fc.constantFrom(...'sip:@;=?&%2341[]<>"\\ abc.,_#*+é'.split("")), maxLength: 30 });
    fc.assert(
      fc.property(fc.constantFrom("sip:", "sips:", "tel:", "x:"), text, (scheme, rest) => {
        const first = parseUri(scheme + rest);
        fc.pre(first !== undefined);
        const written = formatUri(first);
        expect(written).toMatch(/^[!-~]+$/);
        const second = parseUri(written);
        if (second === undefined) throw new Error(`${written} cannot be read back`);
        expect(formatUri(second)).toBe(written);
        expect(userText(second)).toBe(userText(first));
      }),
      { numRuns: 2_000 },
    );
  });

  it("made of a user, a port and parameters is one line of ASCII, and holds them again when it is read", () => {
    const user = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/\p{Cs}/u.test(text));
    const parameters = fc.array(
      fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.option(fc.string({ minLength: 1 }), { nil: null })),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(user, fc.integer({ min: 0, max: 65_535 }), parameters, (user, port, parameters) => {
        const made = makeSipUri({ user, host: "example.org", port, params: new Map(parameters) });
        const text = formatUri(made);
        expect(text).toMatch(/^[\x21-\x7e]+$/);
        const read = uri(text);
        expect(userText(read)).toBe(user);
        expect(formatUri(read)).toBe(text);
        expect(read).toMatchObject({ host: "example.org", port, password: undefined, headers: [] });
      }),
    );
  });

  it.each([
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
});
