// What leaves us: whatever goes into the builder, one legal header field comes out, and is read back as meant.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import {
  addressHeader,
  assertedIdentityHeader,
  formatAddress,
  HeaderBuildError,
  mediaTypesHeader,
  numberHeader,
  parseReasons,
  preferredIdentityHeader,
  privacyHeader,
  reasonHeader,
  sipUri,
  textHeader,
  tokensHeader,
  viaHeader,
  type HeaderLine,
} from "../../../src/sip/wire/header-builder.ts";
import { parseNameAddr } from "../../../src/sip/wire/fields/name-addr.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import { formatUri, userText } from "../../../src/core/address/uri.ts";
import { parseVia } from "../../../src/sip/wire/fields/via.ts";
import { telUri } from "../../core/address/sip-uri.ts";

const anything = anyText({ maxLength: 30 });
const nasty = fc.oneof(
  anything,
  fc.string({ unit: fc.constantFrom(...'\r\n\t "\\<>;,@:%#?=é€a1'.split("")), maxLength: 30 }),
  fc.constantFrom('Eve"\r\nX-Inject: 1', "\r\n\r\nINVITE", "a\u2028b", "\ud800", "\\", '"', "%0d%0aX: 1"),
);
const params = fc.array(fc.tuple(nasty, fc.option(nasty)), { maxLength: 4 }).map((pairs) => new Map(pairs));

/** Half of a surrogate pair is no text, and goes out as U+FFFD. */
function wellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

/** The lines of a message in which this header field is the only one that is not ours. */
function parsedWith(line: HeaderLine): readonly { name: string; value: string }[] {
  const frame = [
    textHeader("Call-ID", "1"),
    textHeader("CSeq", "1 OPTIONS"),
    addressHeader("From", { uri: sipUri({ host: "a.example" }), params: new Map([["tag", "1"]]) }),
    addressHeader("To", { uri: sipUri({ host: "b.example" }) }),
  ];
  const via = parseVia("SIP/2.0/UDP a.example;branch=z9hG4bK1");
  if (via === undefined) throw new Error("no Via");
  const lines = ["OPTIONS sip:b.example SIP/2.0", viaHeader(via), ...frame, line, "Content-Length: 0"];
  const result = parseSip(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
  if (result.outcome !== "message") throw new Error(`${result.outcome}: ${JSON.stringify(result)}`);
  return result.message.headers.slice(1 + frame.length, -1);
}

function expectOneHeader(line: HeaderLine, name: string): void {
  expect(line).not.toMatch(/\p{Cc}/u);
  expect(Buffer.from(line, "utf8").toString("utf8")).toBe(line);
  expect(parsedWith(line).map((field) => field.name)).toEqual([name]);
}

describe("no input makes a second header", () => {
  it("of free text", () => {
    fc.assert(fc.property(nasty, (text) => expectOneHeader(textHeader("Subject", text), "Subject")));
  });

  it("of addresses, names, users and parameters", () => {
    fc.assert(
      fc.property(nasty, nasty, params, (displayName, user, extra) => {
        const uri = sipUri({ user, host: "sip.example.org", params: extra });
        const line = addressHeader("Refer-To", { displayName, uri, params: extra }, { uri });
        expectOneHeader(line, "Refer-To");
      }),
    );
  });

  it("of URI parts that were never parsed", () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, params, (user, password, host, value, extra) => {
        const uri = {
          kind: "sip",
          scheme: "sip",
          user,
          password,
          host,
          port: 5060,
          params: extra,
          headers: [[value, value]],
        } as const;
        expectOneHeader(addressHeader("Refer-To", { uri }), "Refer-To");
        expectOneHeader(addressHeader("Refer-To", { uri: { kind: "other", scheme: "x", opaque: value } }), "Refer-To");
      }),
    );
  });

  it("of tokens, media types, reasons and numbers", () => {
    fc.assert(
      fc.property(nasty, nasty, params, (one, two, extra) => {
        expectOneHeader(tokensHeader("Supported", [one, two]), "Supported");
        expectOneHeader(reasonHeader({ protocol: `Q.850${one}`, cause: 16, text: two }), "Reason");
        expectOneHeader(mediaTypesHeader("Accept", [`a${one}/b${two}`.replace("/", "x/")]), "Accept");
        expectOneHeader(numberHeader("Session-Expires", 1_800, extra), "Session-Expires");
      }),
    );
  });
});

describe("what is built is read back as meant", () => {
  it("any display name, but for control characters and the space around it", () => {
    fc.assert(
      fc.property(nasty, (name) => {
        const uri = sipUri({ user: "alice", host: "example.org" });
        const meant = name
          .trim()
          .replace(/\p{Cc}/gu, "")
          .replace(/\p{Cs}/gu, "\uFFFD");
        expect(parseNameAddr(formatAddress({ displayName: name, uri }))?.displayName.trim()).toBe(meant.trim());
      }),
    );
  });

  it("any user part, to the last character", () => {
    fc.assert(
      fc.property(nasty, (user) => {
        fc.pre(user !== "" && wellFormed(user));
        const address = parseNameAddr(formatAddress({ uri: sipUri({ user, host: "example.org" }) }));
        expect(address && userText(address.uri)).toBe(user);
      }),
    );
  });

  it("any parameter value, but for control characters", () => {
    fc.assert(
      fc.property(nasty, (value) => {
        fc.pre(wellFormed(value));
        const uri = sipUri({ host: "example.org" });
        const address = parseNameAddr(formatAddress({ uri, params: new Map([["x", value]]) }));
        expect(address?.params.get("x")).toBe(value.replace(/\p{Cc}/gu, ""));
      }),
    );
  });

  it("any reason", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("SIP", "Q.850"),
        fc.option(fc.nat(699), { nil: undefined }),
        nasty,
        (protocol, cause, text) => {
          fc.pre(wellFormed(text));
          const line = reasonHeader({ protocol, cause, text }, { protocol: "SIP", cause: 200, text: undefined });
          expect(parseReasons(line.slice("Reason: ".length))).toEqual([
            { protocol, cause, text: text.replace(/\p{Cc}/gu, "") },
            { protocol: "SIP", cause: 200, text: undefined },
          ]);
        },
      ),
    );
  });
});

describe("header fields of the RFCs", () => {
  const alice = { displayName: 'Alice "A" \\ Smith', uri: sipUri({ user: "+441632960123", host: "example.org" }) };

  it("P-Asserted-Identity and P-Preferred-Identity (RFC 3325)", () => {
    expect(assertedIdentityHeader(alice, { uri: telUri("tel:+441632960123") })).toBe(
      'P-Asserted-Identity: "Alice \\"A\\" \\\\ Smith" <sip:+441632960123@example.org>, <tel:+441632960123>',
    );
    expect(preferredIdentityHeader({ ...alice, params: new Map([["tag", "1"]]) })).toBe(
      'P-Preferred-Identity: "Alice \\"A\\" \\\\ Smith" <sip:+441632960123@example.org>',
    );
  });

  it("Privacy (RFC 3323)", () => {
    expect(privacyHeader("id", "user", "critical")).toBe("Privacy: id;user;critical");
  });

  it("Reason (RFC 3326)", () => {
    expect(reasonHeader({ protocol: "Q.850", cause: 16, text: "Normal call clearing" })).toBe(
      'Reason: Q.850;cause=16;text="Normal call clearing"',
    );
    expect(parseReasons('SIP ;cause=200 ;text="Call completed, elsewhere", Q.850;cause=26')).toEqual([
      { protocol: "SIP", cause: 200, text: "Call completed, elsewhere" },
      { protocol: "Q.850", cause: 26, text: undefined },
    ]);
    expect(parseReasons('"open')).toEqual([]);
    // Texts without their quotes, and empty places in the list, are seen in the wild.
    expect(parseReasons("Q.850;cause=1;text=Unallocated number").map(({ cause }) => cause)).toEqual([1]);
    expect(parseReasons("SIP;cause=603, , Q.850 ; Cause = 41,").map(({ cause }) => cause)).toEqual([603, 41]);
  });

  it("Accept and Session-Expires", () => {
    expect(mediaTypesHeader("accept", ["application/sdp", "message/sipfrag"])).toBe(
      "Accept: application/sdp, message/sipfrag",
    );
    expect(numberHeader("session-expires", 1_800, new Map([["refresher", "uac"]]))).toBe(
      "Session-Expires: 1800;refresher=uac",
    );
  });

  it("service codes, in both kinds of URI (RFC 3261 s25.1, RFC 3966)", () => {
    expect(formatUri(sipUri({ user: "*31#5551234", host: "gw.example.org" }))).toBe("sip:*31%235551234@gw.example.org");
    expect(userText(telUri("tel:*31%235551234"))).toBe("*31#5551234");
  });

  it("hosts: IPv6 gets its brackets, what is no host is refused", () => {
    expect(formatUri(sipUri({ host: "2001:db8::1", port: 5060 }))).toBe("sip:[2001:db8::1]:5060");
    for (const host of ["", "a b", "a@b", "a:5060", "<a>", "a\r\nb", "[::1]:5"]) {
      expect(() => sipUri({ host })).toThrow(HeaderBuildError);
    }
  });

  it("what cannot be built says which part", () => {
    expect(() => textHeader("Bad Name", "x")).toThrow(expect.objectContaining({ code: "malformed-name" }));
    expect(() => numberHeader("Expires", -1)).toThrow(expect.objectContaining({ code: "malformed-number" }));
    expect(() => sipUri({ host: "a", port: 70_000 })).toThrow(expect.objectContaining({ code: "malformed-port" }));
    expect(() => addressHeader("Contact")).toThrow(expect.objectContaining({ code: "empty-list" }));
    expect(() => mediaTypesHeader("Accept", ["sdp"])).toThrow(HeaderBuildError);
    expect(() => privacyHeader()).toThrow(HeaderBuildError);
    expect(() => reasonHeader()).toThrow(HeaderBuildError);
  });
});
