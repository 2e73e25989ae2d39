// People call over trunks whose gateways die, fail, move, answer twice or forget the call: SIPp and baresip are the
// gateways, the bridge runs as for an operator.
import { createSocket } from "node:dgram";
import { beforeAll, describe, expect, it } from "vitest";
import { patienceMs } from "../../../dev/loopback/patience.ts";
import { bind } from "../../../dev/loopback/listen.ts";
import type { HeadlessCall, HeadlessCaller } from "../../../dev/headless/caller.ts";
import { startBaresip } from "../parts/telephones/baresip.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { startKamailio } from "../parts/proxies/kamailio.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startSipp } from "../parts/telephones/sipp.ts";
import { startTrunkStage } from "../parts/stages/trunk-stage.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;

/** The trunks, by what their gateways do, and the number that leads to each. */
const NUMBERS = {
  dyingUdp: "7101",
  dyingTcp: "7102",
  absent: "7103",
  full: "7104",
  spare: "7105",
  moved: "7106",
  movedAway: "7107",
  forking: "7108",
  keys: "7109",
  refreshed: "7110",
  forgotten: "7111",
  silent: "7112",
  refreshes: "7113",
  reliable: "7114",
  proxies: "7115",
} as const;
type Name = keyof typeof NUMBERS;
const NAMES = Object.keys(NUMBERS) as Name[];

const ACCOUNT = { user: "bridge", password: "correct-horse" };

const rig = suiteRig("trunk-calls-out");
/** The first gateway of each trunk, and the second. */
const first = new Map<Name, number>();
const second = new Map<Name, number>();
let alice: HeadlessCaller;

const portOf = (ports: ReadonlyMap<Name, number>, name: Name): number => {
  const port = ports.get(name);
  if (port === undefined) throw new Error(`no port for ${name}`);
  return port;
};

beforeAll(async () => {
  for (const name of NAMES) {
    first.set(name, await freePort());
    second.set(name, await freePort());
  }
  const far = { [NUMBERS.proxies]: portOf(second, "proxies") };
  const inner = await startKamailio(rig, { numbers: far, account: ACCOUNT, realm: "inner.example.org" });
  const outer = { [NUMBERS.proxies]: inner.port };
  first.set("proxies", (await startKamailio(rig, { numbers: outer, account: ACCOUNT })).port);
  const rest: Partial<Record<Name, object>> = {
    dyingTcp: { transport: "tcp" },
    keys: { dtmf: "info" },
    // Those who may be led away have one gateway only.
    movedAway: { more_servers: [] },
    proxies: {
      more_servers: [],
      credentials: {
        username: ACCOUNT.user,
        password: ACCOUNT.password,
        realms: ["sip.example.org", "inner.example.org"],
      },
    },
  };
  const stage = await startTrunkStage(rig, {
    trunks: NAMES.map((name) => {
      const section = {
        name,
        server: `127.0.0.1:${portOf(first, name)}`,
        more_servers: [`127.0.0.1:${portOf(second, name)}`],
      };
      return Object.assign(section, name === "full" ? {} : { prefix: NUMBERS[name] }, rest[name]);
    }),
    routes: [{ prefix: NUMBERS.full, trunk: "full", more_trunks: ["spare"] }],
    numbers: {},
  });
  alice = await stage.caller("alice", NEAR_HZ);
});

const hears = (call: HeadlessCall) => (frequencies: readonly number[], durationMs: number) =>
  call.heardMs < durationMs ? undefined : call.heard(durationMs, frequencies);
const inState = (call: HeadlessCall, state: HeadlessCall["state"], timeoutMs = patienceMs): Promise<true> =>
  call.until((one) => one.state === state, timeoutMs);

describe.concurrent("A session with a time", () => {
  it.for([
    ["is refreshed by us, again and again", "refreshed"],
    ["that the far end has forgotten is ended", "forgotten"],
    ["that the far end does not refresh is ended before its time is over", "silent"],
    ["that the far end refreshes stands", "refreshes"],
  ] as const)("%s", async ([, name]) => {
    const far = await startSipp(rig, { scenario: `uas-session-${name}`, port: portOf(first, name) });
    const call = await alice.call(NUMBERS[name]);
    await inState(call, "connected");
    await far.done();
    await inState(call, "ended");
  });
});

describe.concurrent("A gateway", () => {
  it.for([
    ["UDP", "dyingUdp"],
    ["TCP", "dyingTcp"],
  ] as const)("that dies while it rings, over %s: the call goes on over the next, and is heard", async ([, name]) => {
    const options = { number: NUMBERS[name], toneHz: FAR_HZ };
    const dying = await startBaresip(rig, { ...options, port: portOf(first, name), answers: "when told" });
    const next = await startBaresip(rig, { ...options, port: portOf(second, name) });
    const call = await alice.call(NUMBERS[name]);
    await dying.event("CALL_INCOMING");
    await dying.kill();
    await next.event("CALL_ESTABLISHED", { timeoutMs: 40_000 });
    await inState(call, "connected");
    await Promise.all([toneAt(hears(call), FAR_HZ, [NEAR_HZ]), toneAt(next.hears, NEAR_HZ, [FAR_HZ])]);
    await call.hangup();
    await next.event("CALL_CLOSED");
  });

  it("that is not there: the next is called (RFC 3665 s3.4)", async () => {
    const next = await startSipp(rig, { scenario: "uas-wait-bye", port: portOf(second, "absent") });
    const call = await alice.call(NUMBERS.absent);
    await inState(call, "connected");
    await call.hangup();
    await next.done();
  });

  it("behind two proxies that both want to know who calls: both are told (RFC 3665 s3.3)", async () => {
    const far = await startSipp(rig, { scenario: "uas-wait-bye", port: portOf(second, "proxies") });
    const call = await alice.call(NUMBERS.proxies);
    await inState(call, "connected");
    await call.hangup();
    await far.done();
    const [invite = ""] = (await far.messages()).split("180 Ringing");
    expect(invite.match(/^Record-Route: /gm)?.length).toBeGreaterThanOrEqual(2);
    // What was meant for the proxies stays with them (RFC 3261 s22.3).
    expect(invite).not.toContain("Proxy-Authorization");
  });

  it("without lines, and the other of its trunk too: the route's second trunk is called", async () => {
    const full = await Promise.all(
      [first, second].map((ports) => startSipp(rig, { scenario: "uas-unavailable", port: portOf(ports, "full") })),
    );
    const spare = await startSipp(rig, { scenario: "uas-wait-bye", port: portOf(first, "spare") });
    const call = await alice.call(NUMBERS.full);
    await inState(call, "connected");
    await call.hangup();
    await Promise.all([...full, spare].map((each) => each.done()));
  });

  it("that says where else the number is, at another one of its trunk: it is called there (RFC 3665 s3.6)", async () => {
    const words = { moved_to: `127.0.0.1:${portOf(second, "moved")}` };
    const old = await startSipp(rig, {
      scenario: "uas-moved",
      port: portOf(first, "moved"),
      words,
      number: NUMBERS.moved,
    });
    const there = await startSipp(rig, { scenario: "uas-wait-bye", port: portOf(second, "moved") });
    const call = await alice.call(NUMBERS.moved);
    await inState(call, "connected");
    await call.hangup();
    await Promise.all([old, there].map((each) => each.done()));
  });

  it("that says it is somewhere that nobody has allowed: nobody goes there", async () => {
    const trap = createSocket("udp4");
    await bind(trap);
    rig.defer("trap", async () => void trap.close());
    let caught = 0;
    trap.on("message", () => (caught += 1));
    const words = { moved_to: `127.0.0.1:${trap.address().port}` };
    const old = await startSipp(rig, {
      scenario: "uas-moved",
      port: portOf(first, "movedAway"),
      words,
      number: NUMBERS.movedAway,
    });
    const call = await alice.call(NUMBERS.movedAway);
    await inState(call, "ended");
    await old.done();
    expect(caught).toBe(0);
  });

  it("behind which two telephones answer: one has the call, the other is let go", async () => {
    const forking = await startSipp(rig, { scenario: "uas-two-answers", port: portOf(first, "forking") });
    const call = await alice.call(NUMBERS.forking);
    await inState(call, "connected");
    await call.hangup();
    await forking.done();
  });

  it("whose progress is reliable, and that misses our first PRACK, gets it again", async () => {
    const far = await startSipp(rig, { scenario: "uas-drop-one-prack", port: portOf(first, "reliable") });
    const call = await alice.call(NUMBERS.reliable);
    await inState(call, "connected");
    await call.hangup();
    await far.done();
  });

  it("that takes keys by INFO alone gets them so, in their order", async () => {
    const far = await startSipp(rig, { scenario: "uas-keys-by-info", port: portOf(first, "keys") });
    const call = await alice.call(NUMBERS.keys);
    await inState(call, "connected");
    await call.dtmf("1#");
    await far.done();
    await inState(call, "ended");
  });
});
