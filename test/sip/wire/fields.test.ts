// Header fields as telephones, gateways and attackers write them.
import { describe, expect, it } from "vitest";
import { parseList, splitList } from "../../../src/sip/wire/fields/grammar.ts";
import { canonicalHeaderName } from "../../../src/sip/wire/fields/header-names.ts";
import { parseNameAddr } from "../../../src/sip/wire/fields/name-addr.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import { formatVia, parseVia, responseTarget, withSource, type Via } from "../../../src/sip/wire/fields/via.ts";

function via(text: string): Via {
  const parsed = parseVia(text);
  if (parsed === undefined) throw new Error(`${text} is no Via`);
  return parsed;
}

describe("an address", () => {
  it.each([
    ["<sip:a@b>", ""],
    ["sip:a@b", ""],
    ['"Alice" <sip:a@b>', "Alice"],
    ["Alice Smith<sip:a@b>", "Alice Smith"],
    ['"Bob, \\"the\\" <b>" <sip:a@b>', 'Bob, "the" <b>'],
    ["Zoë Müller <sip:a@b>", "Zoë Müller"],
    ["Dr. A (Sales) <sip:a@b>", "Dr. A (Sales)"],
    ['"" <sip:a@b>', ""],
  ])("%s is of %j", (text, displayName) => {
    const address = parseNameAddr(text);
    expect(address?.displayName).toBe(displayName);
    expect(address && formatUri(address.uri)).toBe("sip:a@b");
  });

  it("has the parameters after the bracket, the URI those within", () => {
    const address = parseNameAddr('<sip:a@b;transport=tcp>;tag=1;Expires=60;q="0.5"');
    expect(address?.uri).toMatchObject({ params: new Map([["transport", "tcp"]]) });
    expect([...(address?.params ?? [])]).toEqual([
      ["tag", "1"],
      ["expires", "60"],
      ["q", "0.5"],
    ]);
  });

  it("of tel and of unknown schemes is an address too", () => {
    expect(parseNameAddr("<tel:+15558675309>;tag=1")?.uri).toMatchObject({ kind: "tel", number: "+15558675309" });
    expect(parseNameAddr("Support <urn:service:sos>")?.uri).toMatchObject({ kind: "other", scheme: "urn" });
  });

  it.each([
    "",
    "Alice",
    "<sip:a@b",
    "sip:a@b>",
    '"Alice <sip:a@b>',
    '"Alice" sip:a@b',
    '"A" B <sip:a@b>',
    "Bell, Alexander <sip:a@b>",
    "<sip:a@b>x",
    "<sip:a@b>, <sip:c@d>",
    "<sip:a@b>;tag=1;tag=2",
    "<sip:a@b>;ta g=1",
    "<sip:a@b>;tag=a b",
    "<sip:a@b>;=1",
    "sip:a@b?subject=x",
    "sip:a,b@c",
  ])("is none: %j", (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });

  it("stands in lists, with commas where they may be", () => {
    const list = parseList(['"Bell, A" <sip:a,b@c>;x="1,2" , <sip:d@e>'], parseNameAddr);
    expect(list?.map(({ displayName }) => displayName)).toEqual(["Bell, A", ""]);
    expect(parseList(["<sip:a@b>,"], parseNameAddr)).toBeUndefined();
    expect(parseList(["<sip:a@b>,,<sip:c@d>"], parseNameAddr)).toBeUndefined();
    expect(splitList('"a, b')).toBeUndefined();
    expect(splitList("  ")).toBeUndefined();
  });
});

describe("a Via", () => {
  it("is read with odd spacing, IPv6 and any transport", () => {
    expect(via("SIP / 2.0 / udp [2001:DB8::1]:5062 ; branch = z9hG4bK1;rport")).toMatchObject({
      version: "2.0",
      transport: "UDP",
      host: "[2001:db8::1]",
      port: 5062,
      branch: "z9hG4bK1",
      rport: null,
    });
    expect(via("SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK2").transport).toBe("WSS");
  });

  it("of several in one line, the topmost comes first", () => {
    const list = parseList(["SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/TCP b:5060;branch=z9hG4bK2"], parseVia);
    expect(list?.map(({ host }) => host)).toEqual(["a", "b"]);
  });

  it.each([
    "",
    "SIP/2.0/UDP",
    "SIP/2.0 host",
    "HTTP/2.0/UDP host",
    "SIP/2.0/UDP a b",
    "SIP/2.0/UDP a;branch=1;branch=2",
    "SIP/2.0/UDP a;rport=99999",
    "SIP/2.0/UDP a:x",
    "SIP/2.0/UDP [::zz]",
    "SIP/2.0/UDP <a>",
  ])("is none: %j", (text) => {
    expect(parseVia(text)).toBeUndefined();
  });

  it("is stamped with the source (RFC 3261 s18.2.1, RFC 3581 s4)", () => {
    const asked = withSource(via("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK1"), "198.51.100.7", 40_000);
    expect(formatVia(asked)).toBe("SIP/2.0/UDP 10.0.0.1:5060;rport=40000;branch=z9hG4bK1;received=198.51.100.7");
    expect(responseTarget(asked)).toEqual({ host: "198.51.100.7", port: 40_000 });
    const unasked = withSource(via("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1"), "198.51.100.7", 40_000);
    expect(responseTarget(unasked)).toEqual({ host: "198.51.100.7", port: 5070 });
    const same = via("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    expect(withSource(same, "192.0.2.1", 5060)).toBe(same);
    expect(responseTarget(same)).toEqual({ host: "192.0.2.1", port: undefined });
  });

  it("is not fooled by a peer that writes its own received", () => {
    const forged = withSource(via("SIP/2.0/UDP a;received=203.0.113.9;branch=z9hG4bK1"), "198.51.100.7", 5060);
    expect(responseTarget(forged).host).toBe("198.51.100.7");
    const honest = via("SIP/2.0/UDP 198.51.100.7;received=203.0.113.9;branch=z9hG4bK1");
    expect(responseTarget(withSource(honest, "198.51.100.7", 5060)).host).toBe("198.51.100.7");
  });
});

describe("a header name", () => {
  it.each([
    ["v", "Via"],
    ["f", "From"],
    ["t", "To"],
    ["i", "Call-ID"],
    ["m", "Contact"],
    ["l", "Content-Length"],
    ["c", "Content-Type"],
    ["e", "Content-Encoding"],
    ["s", "Subject"],
    ["k", "Supported"],
    ["r", "Refer-To"],
    ["b", "Referred-By"],
    ["o", "Event"],
    ["u", "Allow-Events"],
    ["x", "Session-Expires"],
    ["a", "Accept-Contact"],
    ["j", "Reject-Contact"],
    ["d", "Request-Disposition"],
    ["y", "Identity"],
    ["n", "Identity-Info"],
  ])("%s is %s", (compact, canonical) => {
    expect(canonicalHeaderName(compact)).toBe(canonical);
    expect(canonicalHeaderName(compact.toUpperCase())).toBe(canonical);
  });

  it("is the same in any case", () => {
    expect(canonicalHeaderName("cSEQ")).toBe("CSeq");
    expect(canonicalHeaderName("p-asserted-IDENTITY")).toBe("P-Asserted-Identity");
    expect(canonicalHeaderName("www-authenticate")).toBe("WWW-Authenticate");
    expect(canonicalHeaderName("constructor")).toBe("Constructor");
  });

  it("is a token", () => {
    for (const name of ["", "a b", "a:b", "é", "a\r\nb"]) expect(canonicalHeaderName(name)).toBeUndefined();
  });
});
