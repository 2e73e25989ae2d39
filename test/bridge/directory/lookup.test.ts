import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import { createLookup } from "../../../src/bridge/directory/lookup.ts";
import { parseUserId, trunkName } from "../../../src/core/ids.ts";
import { createGhostIds, type DialTarget } from "../../../src/core/number/ghost/ghost-id.ts";
import { keysEntered, restorePlus } from "../../../src/core/number/entered.ts";
import { createVirtualUsers } from "../../../src/core/number/plan/virtual-users.ts";

const ghostIds = createGhostIds({
  domain: "example.org",
  prefix: "_sip_",
  encoding: "percent",
  gateway: "sip.example.org",
  sipDomains: ["pbx.example.org"],
});
const found: [string, DialTarget][] = [];
const counted: string[] = [];
const lookup = createLookup({
  ghostIds,
  virtualUsers: () => undefined,
  onFound: ({ user, target }) => void found.push([user, target]),
  telemetry: { lookedUp: (protocol, outcome) => void counted.push(`${protocol} ${outcome}`) },
});

beforeEach(() => {
  found.length = 0;
  counted.length = 0;
});

describe("the dial pad appears", () => {
  test.each(["m.protocol.pstn", "im.vector.protocol.pstn"])("because %s is offered", (protocol) => {
    expect(lookup.protocol(protocol)).toMatchObject({
      user_fields: ["m.id.phone"],
      location_fields: [],
      field_types: { "m.id.phone": {} },
      instances: [{ network_id: "pstn" }],
    });
  });
  test.each(["", "m.protocol.pstn2", "irc", "__proto__", "constructor"])("and %j is not", (protocol) => {
    expect(lookup.protocol(protocol)).toBeUndefined();
    expect(lookup.usersByField(protocol, { "m.id.phone": "1" })).toBeUndefined();
    expect(counted).toEqual(["other unknown-protocol"]);
  });
  test("its placeholder fits its own expression", () => {
    const type = lookup.protocol("m.protocol.pstn")?.field_types["m.id.phone"];
    expect(type?.placeholder).toMatch(new RegExp(`^(?:${type?.regexp})$`));
  });
});

test("a number is found, to the letter of MSC2845", () => {
  expect(JSON.stringify(lookup.usersByField("m.protocol.pstn", { "m.id.phone": "01818118181" }))).toBe(
    '[{"userid":"@_sip_01818118181%40sip.example.org:example.org","protocol":"m.protocol.pstn","fields":{"m.id.phone":"01818118181"}}]',
  );
  expect(found).toEqual([
    ["@_sip_01818118181%40sip.example.org:example.org", { kind: "number", dialled: "01818118181" }],
  ]);
  expect(counted).toEqual(["m.protocol.pstn found"]);
});

test("the protocol that was asked for comes back", () => {
  expect(lookup.usersByField("im.vector.protocol.pstn", { "m.id.phone": "2001" })).toMatchObject([
    { protocol: "im.vector.protocol.pstn" },
  ]);
});

test("a raw plus in the query is a plus in the number", () => {
  expect(lookup.usersByField("m.protocol.pstn", { "m.id.phone": " 441818118181" })).toEqual([
    {
      userid: "@_sip_+441818118181%40sip.example.org:example.org",
      protocol: "m.protocol.pstn",
      fields: { "m.id.phone": "+441818118181" },
    },
  ]);
});

test("further fields are nobody's business", () => {
  expect(lookup.usersByField("m.protocol.pstn", { "m.id.phone": "2001", extra: ["x"] })).toHaveLength(1);
});

test("a SIP address of an allowed domain is found", () => {
  expect(lookup.usersByField("m.protocol.pstn", { "m.id.phone": "alice@pbx.example.org" })).toMatchObject([
    { userid: "@_sip_alice%40pbx.example.org:example.org", fields: { "m.id.phone": "alice@pbx.example.org" } },
  ]);
});

test.each<[string, Record<string, unknown>]>([
  ["nothing", {}],
  ["an empty field", { "m.id.phone": "" }],
  ["the field twice", { "m.id.phone": ["2001", "2002"] }],
  ["the field as an object", { "m.id.phone": { a: "2001" } }],
  ["another field", { "m.id.email": "a@b" }],
  ["a number", { "m.id.phone": 2001 }],
  ["what no telephone can dial", { "m.id.phone": "*67 #é" }],
  ["a number that makes no user id", { "m.id.phone": "1".repeat(250) }],
  ["a domain that is not allowed", { "m.id.phone": "bob@example.com" }],
  ["a field of the prototype", Object.create({ "m.id.phone": "2001" }) as Record<string, unknown>],
])("%s finds nobody and makes no ghost", (_, fields) => {
  expect(lookup.usersByField("m.protocol.pstn", fields)).toEqual([]);
  expect(found).toEqual([]);
  expect(counted).toEqual(["m.protocol.pstn none"]);
});

describe("the way back", () => {
  test.each([
    ["@_sip_01818118181%40sip.example.org:example.org", "01818118181"],
    ["@_sip_01818118181=40sip.example.org:example.org", "01818118181"],
    ["@_sip_+15558675309:example.org", "+15558675309"],
    ["@_sip_alice%40pbx.example.org:example.org", "alice@pbx.example.org"],
  ])("%s is %s", (userid, phone) => {
    expect(lookup.usersById(userid)).toEqual([
      { userid, protocol: "m.protocol.pstn", fields: { "m.id.phone": phone } },
    ]);
    expect(found).toEqual([]);
  });
  test.each([
    "",
    "@alice:example.org",
    "@_sip_bot:example.org",
    "@_sip_anonymous:example.org",
    "@_sip_%2A67%40sip.example.org:example.org",
  ])("%j is nobody", (userid) => expect(lookup.usersById(userid)).toEqual([]));
});

test("whatever is asked, it is answered with one user or none, and who is found leads back to what was dialled", () => {
  const value = fc.oneof(
    anyText(),
    fc.string({ unit: fc.constantFrom(...Array.from("0123456789*#+ -@")) }),
    fc.anything(),
  );
  fc.assert(
    fc.property(value, (value) => {
      const [user, ...others] = lookup.usersByField("m.protocol.pstn", { "m.id.phone": value }) ?? [];
      expect(others).toEqual([]);
      if (user === undefined || typeof value !== "string" || value.includes("@")) return;
      expect(user.fields["m.id.phone"]).toBe(restorePlus(value));
      expect(lookup.usersById(user.userid)[0]?.fields).toEqual({ "m.id.phone": keysEntered(restorePlus(value)) });
    }),
  );
});

describe("people and their numbers, for older clients", () => {
  const alice = "@alice:example.org";
  const person = parseUserId(alice);
  if (person === undefined) throw new TypeError(alice);
  const numbers = {
    rules: [
      {
        match: { kind: "exact" as const, number: "02079460001" },
        trunks: [],
        stages: [{ targets: [{ kind: "person" as const, person }], ringMs: 60_000 }],
      },
    ],
  };
  const virtualUsers = createVirtualUsers(numbers, [trunkName("main")], "GB");
  const offering = createLookup({
    ghostIds,
    virtualUsers: () => virtualUsers,
    onFound: ({ user, target }) => void found.push([user, target]),
    telemetry: { lookedUp: (protocol, outcome) => void counted.push(`${protocol} ${outcome}`) },
  });
  const ghost = "@_sip_+442079460001%40sip.example.org:example.org";
  const native = "im.vector.protocol.sip_native";
  const virtual = "im.vector.protocol.sip_virtual";

  test.each([native, virtual])("%s is not offered unless it is wanted", (protocol) => {
    expect(lookup.protocol(protocol)).toBeUndefined();
    expect(lookup.usersByField(protocol, { virtual_mxid: ghost, native_mxid: alice })).toBeUndefined();
    expect(offering.protocol(protocol)).toMatchObject({ location_fields: [], instances: [{ network_id: "pstn" }] });
  });
  test("the ghost of somebody's number is that person", () => {
    expect(offering.usersByField(native, { virtual_mxid: ghost })).toEqual([
      { userid: alice, protocol: native, fields: { virtual_mxid: ghost, is_virtual: true, lookup_success: true } },
    ]);
    expect(found).toEqual([]);
    expect(counted).toEqual([`${native} found`]);
  });
  test("a person is the ghost of their number, which is made ready", () => {
    expect(offering.usersByField(virtual, { native_mxid: alice })).toEqual([
      { userid: ghost, protocol: virtual, fields: { native_mxid: alice, is_native: true, lookup_success: true } },
    ]);
    expect(found).toEqual([[ghost, { kind: "number", dialled: "+442079460001" }]]);
  });
  test("what one of them gives leads back by the other", () => {
    const [first] = offering.usersByField(virtual, { native_mxid: alice }) ?? [];
    expect(offering.usersByField(native, { virtual_mxid: first?.userid })?.[0]?.userid).toBe(alice);
  });
  test.each<[string, Record<string, unknown>]>([
    [native, {}],
    [native, { virtual_mxid: alice }],
    [native, { virtual_mxid: "@_sip_anonymous:example.org" }],
    [native, { virtual_mxid: "@_sip_2001%40sip.example.org:example.org" }],
    [native, { native_mxid: alice }],
    [virtual, { native_mxid: "@bob:example.org" }],
    [virtual, { native_mxid: [alice] }],
    [virtual, { native_mxid: "alice" }],
    [virtual, Object.create({ native_mxid: alice }) as Record<string, unknown>],
  ])("%s finds nobody for %j", (protocol, fields) => {
    expect(offering.usersByField(protocol, fields)).toEqual([]);
    expect(found).toEqual([]);
    expect(counted).toEqual([`${protocol} none`]);
  });
  test("the dial pad works as before", () => {
    expect(offering.usersByField("m.protocol.pstn", { "m.id.phone": "2001" })).toHaveLength(1);
    expect(offering.usersByField("m.protocol.pstn", { "m.id.phone": "anonymous" })).toEqual([]);
    expect(offering.usersByField("im.vector.protocol.other", {})).toBeUndefined();
  });
});
