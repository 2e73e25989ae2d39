import { expect, test } from "vitest";
import {
  toCallerTrust,
  toDidTable,
  toMailboxes,
  toNotices,
  toTrunkFeatures,
  toVirtualUsers,
} from "../../src/config/mapping/inbound-mapping.ts";
import { parseConfig } from "../../src/config/load.ts";
import { toDialPlan, toRegistrationFacts, toTrunkMedia, toTrunkSettings } from "../../src/config/mapping/mapping.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import { parseUserId, trunkName } from "../../src/core/ids.ts";
import { planCall } from "../../src/core/number/plan/dial-plan.ts";
import { findDid } from "../../src/core/number/plan/did.ts";
import { numberOf } from "../core/number/dialled.ts";
import { sipUri } from "../core/address/sip-uri.ts";

const full = parseConfig(
  `homeserver: {url: "https://matrix.example.org", domain: example.org}
ghosts: {gateway: sip.example.org}
dial_plan:
  country: GB
  routes: [{prefix: "", trunk: one, more_trunks: [two]}]
  withhold_prefixes: ["141"]
trunks:
  - name: one
    server: "[2001:db8::1]"
    more_servers: ["[2001:db8::2]:5062", Backup.example.org]
    domain: Provider.example:5080
    credentials: {username: account, password: secret}
    registration: {expires_seconds: 300}
    challenge: {username: provider, password: theirs, algorithms: [MD5]}
    inbound: {called_number: P-Called-Party-ID, caller: from, caller_name: true, verstat: true, spam: { header: X-Spam, pattern: "yes*", calls: reject }, number_format: national, progress: early, reliable_provisionals: required}
    session_timer: {expires_seconds: 600}
    dtmf: info
    early_media: answer
    transfer: join
    messages: {enabled: false}
  - name: two
    server: two.example.org
    registration: {user: "2000", domain: two.example}
    inbound: {called_number: To}
    messages: {max_characters: 70}
inbound:
  numbers:
    - {number: "020 7946 0001", user: "@alice:example.org"}
    - {number: "2002", trunks: [two], users: ["@alice:example.org", "@bob:example.org", "@alice:example.org"], ring_seconds: 30}
    - {pattern: "+4420794601XX", in_turn: [{users: ["@alice:example.org"]}, {users: ["@bob:example.org"], ring_seconds: 40}]}
    - {prefix: "", room: "!office:example.org"}
voicemail: {accounts: {"2002": ["@bob:example.org"]}}
lookups: {virtual_users: true}
notices: {history: false}
`,
  { configPath: "config.yaml", env: {} },
);
const minimal = parseConfig(minimalConfig, { configPath: "config.yaml", env: {} });
const one = trunkName("one");
const two = trunkName("two");

test("a called number rings whom the configuration names", () => {
  const table = toDidTable(full);
  const stages = (called: string, trunk = one) => {
    const found = findDid(called, trunk, table, "GB");
    return found.kind === "found" ? found.stages : [];
  };
  const alice = { kind: "person", person: "@alice:example.org" };
  const bob = { kind: "person", person: "@bob:example.org" };
  const office = { kind: "room", room: "!office:example.org" };
  expect(stages("+442079460001")).toEqual([{ targets: [alice], ringMs: 120_000 }]);
  // Nobody rings twice at once.
  expect(stages("2002", two)).toEqual([{ targets: [alice, bob], ringMs: 30_000 }]);
  expect(stages("2002", one)).toEqual([{ targets: [office], ringMs: 120_000 }]);
  expect(stages("02079460142")).toEqual([
    { targets: [alice], ringMs: 20_000 },
    { targets: [bob], ringMs: 40_000 },
  ]);
});

test("without a list no number rings anybody", () => {
  expect(toDidTable(minimal)).toEqual({ rules: [] });
});

test("the SIP edge learns how the trunk registers, whom it must prove to be and where its calls say whom they are for", () => {
  const [first, second] = toTrunkSettings(full, "bridge/1");
  expect(first).toMatchObject({
    server: { host: "2001:db8::1", port: undefined },
    moreServers: [
      { host: "2001:db8::2", port: 5062 },
      { host: "backup.example.org", port: undefined },
    ],
    registration: { user: undefined, domain: "provider.example", expiresMs: 300_000 },
    challenge: { algorithms: ["MD5"], realm: "example.org", username: "provider", password: "theirs" },
    inbound: { calledFrom: "P-Called-Party-ID", reliableProvisionals: "required" },
    sessionTimer: { expiresMs: 600_000, minMs: 90_000 },
    takesRefer: false,
    followsRefer: true,
  });
  expect(second).toMatchObject({
    registration: { user: "2000", domain: "two.example", expiresMs: 600_000 },
    challenge: undefined,
    inbound: { calledFrom: "to", reliableProvisionals: "supported" },
    sessionTimer: undefined,
    takesRefer: true,
    followsRefer: true,
  });
});

test("a trunk is believed as far as it is said, and used as it is able", () => {
  expect(toCallerTrust(full).get(one)).toEqual({
    identity: "from",
    displayName: true,
    numberFormat: "national",
    verstat: true,
    spam: { pattern: "yes*", calls: "reject" },
  });
  expect(toCallerTrust(full).get(two)).toEqual({
    identity: "asserted",
    displayName: false,
    numberFormat: "auto",
    verstat: false,
    spam: undefined,
  });
  expect(toTrunkFeatures(full).get(one)).toEqual({
    dtmf: "info",
    earlyMedia: "answer",
    transfer: "join",
    progress: 183,
    messages: undefined,
  });
  expect(toTrunkMedia(full).get(one)).toMatchObject({ rtpEvents: false });
  expect(toTrunkFeatures(full).get(two)).toEqual({
    dtmf: "auto",
    earlyMedia: "ring",
    transfer: "refer",
    progress: 180,
    messages: { maxLength: 70 },
  });
});

test("the room is told of failures and of every call, unless it is not to be", () => {
  expect(toNotices(minimal)).toEqual({ failures: true, history: true });
  expect(toNotices(full)).toEqual({ failures: true, history: false });
});

test("mailboxes belong to people", () => {
  expect([...toMailboxes(full)]).toEqual([["2002", ["@bob:example.org"]]]);
  expect(toMailboxes(minimal).size).toBe(0);
});

test("whose number it is is known where it is offered", () => {
  const alice = parseUserId("@alice:example.org");
  expect(alice && toVirtualUsers(full)?.virtualOf(alice)).toEqual({ kind: "number", dialled: "+442079460001" });
  expect(toVirtualUsers(full)?.nativeOf(numberOf("+442079460001"))).toBe(alice);
  expect(toVirtualUsers(minimal)).toBeUndefined();
  expect(toRegistrationFacts(full).virtualUsers).toBe(true);
});

test("a call has its second trunk, and its code to hide the number", () => {
  expect(planCall(numberOf("14102079460001"), toDialPlan(full))).toMatchObject({
    trunk: "one",
    uri: sipUri("sip:+442079460001@provider.example:5080"),
    alternatives: [{ trunk: "two", uri: sipUri("sip:+442079460001@two.example.org") }],
    withheld: true,
  });
});
