import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import {
  toDialPlan,
  toGhostIdsOptions,
  toIdentities,
  toMediaOptions,
  toPolicy,
  toRegistrationFacts,
  toTrunkMedia,
  toTrunkSettings,
} from "../../src/config/mapping/mapping.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import { parseUserId, trunkName, type UserId } from "../../src/core/ids.ts";
import { planCall } from "../../src/core/number/plan/dial-plan.ts";
import { createGhostIds } from "../../src/core/number/ghost/ghost-id.ts";
import { callerIdentity } from "../../src/core/policy/caller-identity.ts";
import { judge } from "../../src/core/policy/permission.ts";
import { numberOf } from "../core/number/dialled.ts";
import { formatUri } from "../../src/core/address/uri.ts";
import { sipUri } from "../core/address/sip-uri.ts";

const full = parseConfig(
  `homeserver:
  url: https://matrix.example.org/
  domain: example.org
ghosts:
  gateway: SIP.example.org
  encoding: e164
dial_plan:
  country: DE
  routes:
    - {prefix: "0", trunk: out, strip: 1}
    - {prefix: "", trunk: pbx}
  sip_domains: {PBX.example.org: pbx}
  emergency_trunk: out
trunks:
  - name: out
    server: "[2001:db8::1]:5061"
    transport: tls
    domain: Provider.example
    listen: {host: "::", port: 5061}
    advertised: {host: 203.0.113.5}
    tls: {server_name: provider.example}
    credentials: {username: "acc{1}", password: secret}
    options_interval_seconds: 30
    number_format: national
    number_prefix: "88"
    user_phone: true
    identity:
      numbers: {"@alice:example.org": "+4930123456"}
      preferred: "sip:{number}@provider.example"
      privacy: [id]
    media: {srtp: required, codecs: [PCMA], rtp_networks: [192.0.2.0/24]}
  - name: pbx
    server: pbx.example.net:5080
    number_format: as-dialled
permissions:
  "*": call
  "@mallory:example.org": none
  "@boss:example.org": {allow: [premium], calls_per_user: 5, max_duration_seconds: 60}
limits: {max_duration_seconds: 600}
media: {rtp: {ports: {min: 30000, max: 30099}}, ice: {ports: {min: 1024, max: 2048}}}
`,
  { configPath: "config.yaml", env: {} },
);
const minimal = parseConfig(minimalConfig, { configPath: "config.yaml", env: {} });

function user(text: string): UserId {
  const id = parseUserId(text);
  if (id === undefined) throw new TypeError(text);
  return id;
}

test("the SIP edge gets its trunks in its own words", () => {
  const [out, pbx] = toTrunkSettings(full, "bridge/1");
  expect(out).toEqual({
    name: "out",
    transport: "tls",
    server: { host: "2001:db8::1", port: 5061, path: "/" },
    local: { host: "::", port: 5061, advertised: { host: "203.0.113.5", port: undefined } },
    tls: { ca: undefined, certificate: undefined, key: undefined, serverName: "provider.example" },
    credentials: { username: "acc{1}", password: "secret", realms: [] },
    peers: [],
    optionsIntervalMs: 30_000,
    userAgent: "bridge/1",
    moreServers: [],
    registration: undefined,
    challenge: undefined,
    inbound: { calledFrom: "request-uri", reliableProvisionals: "supported" },
    sessionTimer: undefined,
    takesRefer: true,
    inDialog: "contact",
    media: { srtp: "required", codecs: ["PCMA"] },
    followsRefer: true,
  });
  expect(pbx).toMatchObject({ server: { host: "pbx.example.net", port: 5080 }, credentials: undefined });
});

test("the media engine gets what a trunk's RTP looks like, and its ports", () => {
  expect(toTrunkMedia(full).get(trunkName("out"))).toEqual({
    srtp: "required",
    codecs: ["PCMA"],
    rtpNetworks: ["192.0.2.0/24"],
    rtpEvents: true,
    rtpPeer: "lock",
    relearnMs: 1000,
    trunk: "out",
  });
  expect(toMediaOptions(full)).toEqual({
    workers: 2,
    sessionsPerWorker: 200,
    rtp: { host: "0.0.0.0", portMin: 30_000, portMax: 30_099 },
    ice: { advertisedHosts: [], portMin: 1024, portMax: 2048 },
    silenceTimeoutMs: 60_000,
    reconnectTimeoutMs: 30_000,
  });
});

test("a number dialled goes the way the configuration says", () => {
  const plan = toDialPlan(full);
  const uri = (dialled: string) => {
    const call = planCall(numberOf(dialled), plan);
    return call.kind === "route" ? `${call.trunk} ${formatUri(call.uri)}` : call.why;
  };
  expect(uri("0030123456")).toBe("out sip:88030123456@provider.example;user=phone");
  expect(uri("2001")).toBe("pbx sip:2001@pbx.example.net:5080");
  expect(uri("0112")).toBe("out sip:112@provider.example;user=phone");
});

test("a trunk at home in another country gets national numbers as dialled there", () => {
  const abroad = minimalConfig.replace(/^( +)server:/m, "$1country: DE\n$1number_format: national\n$1server:");
  expect(
    planCall(numberOf("+498912345678"), toDialPlan(parseConfig(abroad, { configPath: "config.yaml", env: {} }))),
  ).toMatchObject({
    uri: { user: "08912345678" },
  });
});

test("ids are made with the gateway and the domains in lower case", () => {
  const ids = createGhostIds(toGhostIdsOptions(full));
  expect(ids.forDialled("+4930123456")).toMatchObject({ user: "@_sip_+4930123456:example.org" });
  expect(ids.forDialled("2001")).toMatchObject({ user: "@_sip_2001=40sip.example.org:example.org" });
  expect(ids.forDialled("alice@pbx.example.org")).toMatchObject({ target: { host: "pbx.example.org" } });
  expect(planCall({ kind: "address", user: "alice", host: "pbx.example.org" }, toDialPlan(full))).toMatchObject({
    trunk: "pbx",
  });
});

test("a trunk with an account calls under it, one without under the caller's number", () => {
  const identities = toIdentities(full);
  const out = identities.get(trunkName("out"));
  const pbx = identities.get(trunkName("pbx"));
  if (!out || !pbx) expect.fail("a trunk has no identity");
  expect(callerIdentity(user("@alice:example.org"), undefined, out)).toEqual({
    // Braces in an account's name are no template.
    from: { user: "acc1", host: "provider.example", displayName: undefined },
    asserted: [],
    preferred: sipUri("sip:+4930123456@provider.example"),
    privacy: ["id"],
  });
  expect(callerIdentity(user("@alice:example.org"), undefined, pbx).from).toMatchObject({
    user: "alice",
    host: "pbx.example.net",
  });
});

test("permissions and limits decide in milliseconds", () => {
  const policy = toPolicy(full);
  const premium = planCall(numberOf("009001234567"), toDialPlan(full));
  const ask = (person: string) =>
    judge({ person: user(person), plan: premium, isBlocked: false, callsOfPerson: 3, callsInAll: 3 }, policy);
  expect(ask("@boss:example.org")).toEqual({ kind: "allowed", maxDurationMs: 60_000 });
  expect(ask("@alice:example.org")).toEqual({ kind: "refused", cause: "premium-barred" });
  expect(ask("@mallory:example.org")).toEqual({ kind: "refused", cause: "not-permitted" });
  expect(ask("@eve:example.com")).toEqual({ kind: "refused", cause: "not-permitted" });
  expect(policy.maxDurationMs).toBe(600_000);
});

test("the registration follows the configuration", () => {
  expect(toRegistrationFacts(minimal)).toEqual({
    id: "matrix-appservice-sip",
    bot: "_sip_bot",
    prefix: "_sip_",
    domain: "example.org",
    virtualUsers: false,
    pushedKeys: false,
  });
  expect(full.homeserver.url).toBe("https://matrix.example.org");
});
