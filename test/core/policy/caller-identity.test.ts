import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import { parseUserId, type UserId } from "../../../src/core/ids.ts";
import { formatUri, parseUri, userText } from "../../../src/core/address/uri.ts";
import { callerIdentity as identityOf, type IdentityTemplates } from "../../../src/core/policy/caller-identity.ts";

/** With its URIs as they are written. */
function callerIdentity(...given: Parameters<typeof identityOf>) {
  const { asserted, preferred, ...others } = identityOf(...given);
  return { ...others, asserted: asserted.map(formatUri), preferred: preferred && formatUri(preferred) };
}

function user(text: string): UserId {
  const id = parseUserId(text);
  if (id === undefined) throw new TypeError(text);
  return id;
}

const alice = user("@alice:example.org");

function templates(settings: Partial<IdentityTemplates> = {}): IdentityTemplates {
  return {
    fromUser: "{number}",
    fallbackUser: "{localpart}",
    fromHost: "sip.example.org",
    fromDisplayName: undefined,
    asserted: [],
    preferred: undefined,
    privacy: [],
    numbers: new Map([["@alice:example.org", "+441632960123"]]),
    defaultNumber: undefined,
    ...settings,
  };
}

describe("From", () => {
  test("is the caller's number", () => {
    expect(callerIdentity(alice, undefined, templates())).toEqual({
      from: { user: "+441632960123", host: "sip.example.org", displayName: undefined },
      asserted: [],
      preferred: undefined,
      privacy: [],
    });
  });
  test.each<[string, Partial<IdentityTemplates>, string]>([
    ["the number of everybody else", { numbers: new Map(), defaultNumber: "+441632960100" }, "+441632960100"],
    ["the fallback where there is no number", { numbers: new Map() }, "alice"],
    ["anonymous where there is nothing at all", { numbers: new Map(), fallbackUser: undefined }, "anonymous"],
    ["the account", { fromUser: "account7" }, "account7"],
    ["made of several parts", { fromUser: "{localpart}.{domain}" }, "alice.example.org"],
    ["the whole user id", { fromUser: "{user_id}" }, "@alice:example.org"],
  ])("is %s", (_, settings, expected) => {
    expect(callerIdentity(alice, undefined, templates(settings)).from.user).toBe(expected);
  });
});

describe("the display name", () => {
  const named = (name: string | undefined) =>
    callerIdentity(alice, name, templates({ fromDisplayName: "{displayname}" })).from.displayName;
  test.each([
    ["Alice", "Alice"],
    ["Zoë 🙂", "Zoë 🙂"],
    // Quotes are for the SIP edge to escape; lines and directions end here.
    ['Eve"', 'Eve"'],
    ['Eve"\r\nX-Inject: 1', 'Eve" X-Inject: 1'],
    ["a\u202eb\u0000c", "ab c"],
    ["  spaced  ", "spaced"],
    ["x".repeat(200), "x".repeat(64)],
    [undefined, "alice"],
    ["", undefined],
    ["\u200b", undefined],
  ])("%j is sent as %j", (name, sent) => expect(named(name)).toBe(sent));
});

describe("P-Asserted-Identity and P-Preferred-Identity", () => {
  test("hold the caller's number", () => {
    const identity = callerIdentity(
      alice,
      undefined,
      templates({
        asserted: ["sip:{number}@sip.example.org", "tel:{number}"],
        preferred: "sip:{number}@sip.example.org",
        privacy: ["id"],
      }),
    );
    expect(identity.asserted).toEqual(["sip:+441632960123@sip.example.org", "tel:+441632960123"]);
    expect(identity.preferred).toBe("sip:+441632960123@sip.example.org");
    expect(identity.privacy).toEqual(["id"]);
  });
  test("are left out for a caller who has none", () => {
    const bare = templates({
      numbers: new Map(),
      asserted: ["tel:{number}", "sip:trunk@example.org"],
      preferred: "tel:{number}",
    });
    expect(callerIdentity(alice, undefined, bare)).toMatchObject({
      asserted: ["sip:trunk@example.org"],
      preferred: undefined,
    });
  });
  test("are left out where the caller's values make no URI", () => {
    const odd = templates({ asserted: ["tel:{localpart}", "sip:x@{localpart}"] });
    expect(callerIdentity(user("@a b:example.org"), undefined, odd).asserted).toEqual([]);
  });
  test("escape what the caller chose", () => {
    const escaped = callerIdentity(
      user("@a@b;c>d:example.org"),
      undefined,
      templates({ asserted: ["sip:{localpart}@x.example"] }),
    );
    expect(escaped.asserted).toEqual(["sip:a%40b;c%3ed@x.example"]);
    const uri = parseUri(escaped.asserted[0] ?? "");
    expect(uri && userText(uri)).toBe("a@b;c>d");
  });
});

test("no name and no user id brings a control character, a second line or half a URI into the identity", () => {
  const hostile = anyText({ maxLength: 80 });
  const localpart = hostile
    .map((text) => text.replaceAll(/[:\0]/g, ""))
    .filter((text) => parseUserId(`@${text}:example.org`) !== undefined);
  fc.assert(
    fc.property(localpart, hostile, (local, name) => {
      const identity = callerIdentity(
        user(`@${local}:example.org`),
        name,
        templates({
          fromUser: "{localpart}",
          fromDisplayName: "{displayname} ({user_id})",
          asserted: ["sip:{localpart}@sip.example.org", "tel:{displayname}"],
          preferred: "sip:{displayname}@sip.example.org",
        }),
      );
      const { from, asserted, preferred } = identity;
      for (const text of [from.user, from.displayName ?? ""])
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      for (const uri of [...asserted, preferred ?? "sip:x"])
        expect(uri).toMatch(/^(?:sip|tel):[\x21\x23-\x3b\x3d\x3f-\x7e]+$/);
      expect(from.user).not.toBe("");
    }),
  );
});

describe("a call that withholds the caller's number", () => {
  const withheld = (settings: Partial<IdentityTemplates> = {}) =>
    callerIdentity(alice, "Alice", templates(settings), { withheld: true });
  const anonymous = { user: "anonymous", host: "anonymous.invalid", displayName: "Anonymous" };
  test("says nothing of the caller in From, whatever stands there otherwise", () => {
    const named = withheld({ fromDisplayName: "{displayname}", fromUser: "account7" });
    expect(named.from).toEqual(anonymous);
    expect(JSON.stringify(named.from)).not.toContain("Alice");
  });
  test("still tells the trunk who calls, and asks it not to tell others", () => {
    expect(withheld({ asserted: ["sip:{number}@sip.example.org"] })).toEqual({
      from: anonymous,
      asserted: ["sip:+441632960123@sip.example.org"],
      preferred: undefined,
      privacy: ["id"],
    });
    expect(withheld({ preferred: "tel:{number}", privacy: ["none"] })).toMatchObject({
      preferred: "tel:+441632960123",
      privacy: ["id"],
    });
  });
  test("tells it so although it is told otherwise by From alone", () => {
    expect(withheld()).toMatchObject({ asserted: [], preferred: "sip:+441632960123@sip.example.org" });
    expect(withheld({ numbers: new Map() })).toMatchObject({ preferred: "sip:alice@sip.example.org" });
  });
  test("keeps what else is asked for, and asks for nothing twice", () => {
    expect(withheld({ privacy: ["user", "id", "critical"] }).privacy).toEqual(["user", "id", "critical"]);
  });
  test("is another one by nothing else", () => {
    expect(callerIdentity(alice, "Alice", templates(), { withheld: false })).toEqual(
      callerIdentity(alice, "Alice", templates()),
    );
  });
});
