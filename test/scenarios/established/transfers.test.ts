// Calls handed over to somebody else, through the whole bridge: by the trunk, or joined here where it will not.
import { describe, expect, test } from "vitest";
import { codecsOf, legOf } from "../../fakes/media.ts";
import { matrixCallId, deviceId, trunkName, type CallId, type UserId } from "../../../src/core/ids.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { dialog } from "../../core/call/examples/examples.ts";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, ann, bob, caller, TestBridge, made1, made2, room } from "../test-bridge.ts";
import { examplePlan } from "../settings.ts";
import { anyUri, sipUri } from "../../core/address/sip-uri.ts";

const other = "@_sip_02079460999%40sip.example.org:example.org" as UserId;

async function talking(options: ConstructorParameters<typeof TestBridge>[0] = {}): Promise<TestBridge> {
  const bridge = new TestBridge(options);
  await bridge.ring();
  await bridge.sip(accepted);
  return bridge;
}

async function handOver(bridge: TestBridge, target: UserId | undefined, token = "t1"): Promise<void> {
  await bridge.take({ ...bridge.callOf(), kind: "call.replaced", replacement: { kind: "create", token, target } });
}

function idOf(bridge: TestBridge, phase: string): CallId {
  const found = bridge.switchboard.calls.find((call) => call.phase.kind === phase);
  if (found === undefined) throw new Error(`no call is ${phase}`);
  return found.id;
}

describe("a person hands a call over to another number", () => {
  test("by the trunk: it is told where to call, and when that is answered the call is over here", async () => {
    const bridge = await talking();
    await handOver(bridge, other);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({
      verb: "refer",
      argument: "sip:+442079460999@sip.example.org",
    });
    await bridge.sip({ kind: "sip.referProgressed", status: 180 });
    await bridge.sip({ kind: "sip.referProgressed", status: 200 });
    expect(bridge.trunks.verbs).toEqual(["invite", "refer", "bye"]);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "transferred" }]);
    expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
  });

  test("which may not be called by them: they read why, and the far end rings them again", async () => {
    const bridge = await talking();
    const first = bridge.call();
    await handOver(bridge, "@_sip_112%40sip.example.org:example.org" as UserId);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.words.at(-1)).toMatch(/Emergency numbers cannot be called from here/);
    expect(bridge.signals).toEqual(["answer", "hangup user_hangup", "invite"]);
    await bridge.take(bridge.answer(room));
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: first, verb: "reoffer" });
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("far end answers") }, first);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
    await bridge.take({ ...bridge.ringing(room), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: first, verb: "bye" });
    await bridge.sip({ kind: "sip.ended" }, first);
    expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
  });

  test("that is busy, after the trunk took the REFER and could not do it: the far end comes back", async () => {
    const bridge = await talking();
    const first = bridge.call();
    await handOver(bridge, other);
    await bridge.sip({ kind: "sip.referProgressed", status: 400 });
    const joint = idOf(bridge, "joining");
    await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined }, joint);
    expect(bridge.words).toEqual(["The transfer failed: The number was busy."]);
    expect(bridge.signals.at(-1)).toBe("invite");
    await bridge.sip({ kind: "sip.hungUp", q850: 16 }, first);
    expect(bridge.signals.at(-1)).toBe("hangup user_hangup");
    expect(bridge.trunks.verbs).toEqual(["invite", "refer", "invite"]);
    expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
  });

  test("and the bridge is restarted while the far end comes back: it is hung up once", async () => {
    const before = await talking();
    await handOver(before, "@_sip_112%40sip.example.org:example.org" as UserId);
    const after = new TestBridge({ store: before.store });
    for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    await after.quiet();
    expect(after.trunks.verbs).toEqual(["resume", "bye"]);
  });

  test("over a trunk that takes no REFER: the number is called from here, and both talk through the bridge", async () => {
    const bridge = await talking();
    const left = bridge.call();
    await handOver(bridge, other);
    await bridge.sip({ kind: "sip.referRefused", status: 405 });
    const joint = idOf(bridge, "joining");
    expect(bridge.trunks.orders.at(-1)).toMatchObject({
      call: joint,
      verb: "invite",
      argument: { target: "sip:+442079460999@sip.example.org" },
    });
    await bridge.sip(accepted, joint);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: left, verb: "reoffer" });
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("left answers") }, left);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["joined"]);
    expect(bridge.words).toEqual(["Transferred to +44 20 7946 0999."]);
    expect(
      bridge.media.engine.opened.map(({ options: { a, b } }) => [
        a.kind,
        b.kind,
        codecsOf(a).at(-1),
        codecsOf(b).at(-1),
      ]),
    ).toEqual([
      ["client", "trunk", "codec of main", "codec of main"],
      ["trunk", "trunk", "codec of main", "codec of main"],
    ]);
    // The far end's stream and description go on in the session of the two: nothing of them begins anew.
    expect(bridge.media.engine.opened.map(({ options: { a, b } }) => [legOf(a), legOf(b)])).toEqual([
      [undefined, left],
      [left, joint],
    ]);
    const { orders } = bridge.media;
    expect(orders.indexOf("hand over b")).toBeLessThan(orders.indexOf("close"));
    expect(bridge.media.engine.forgotten).toEqual([]);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 }, left);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: joint, verb: "bye" });
    await bridge.sip({ kind: "sip.ended" }, joint);
    expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
    expect(new Set(bridge.media.engine.forgotten)).toEqual(new Set([left, joint]));
    expect(bridge.telemetry.ended.map(({ direction }) => direction)).toEqual(["outbound", "joined"]);
  });

  test("joined, and the bridge is restarted: both far ends hear that it is over", async () => {
    const before = await talking({ features: { transfer: "join" } });
    const left = before.call();
    await handOver(before, other);
    const joint = idOf(before, "joining");
    await before.sip(accepted, joint);
    await before.sip({ kind: "sip.reanswered", description: telephoneSays("left answers") }, left);
    const after = new TestBridge({ store: before.store });
    for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    await after.quiet();
    expect(after.trunks.verbs.toSorted()).toEqual(["bye", "bye", "resume", "resume"]);
    for (const call of [left, joint]) await after.sip({ kind: "sip.ended" }, call);
    expect(await after.store.calls.open()).toEqual([]);
  });

  test("joined, and the bridge stops: both far ends hear it", async () => {
    const bridge = await talking({ features: { transfer: "join" } });
    const left = bridge.call();
    await handOver(bridge, other);
    const joint = idOf(bridge, "joining");
    await bridge.sip(accepted, joint);
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("left answers") }, left);
    const stopped = bridge.stop(3_600_000);
    await bridge.quiet();
    for (const call of [left, joint]) await bridge.sip({ kind: "sip.ended" }, call);
    await stopped;
    expect(bridge.trunks.orders.slice(-2).map(({ call, verb }) => [call, verb])).toEqual([
      [left, "bye"],
      [joint, "bye"],
    ]);
  });

  test("after having talked to it: the two far ends talk to each other", async () => {
    const bridge = await talking({ features: { transfer: "join" } });
    const held = bridge.call();
    const consulted = await bridge.arrive({ identity: callerOf("+442079460999") });
    await bridge.take(bridge.answer(made1));
    const await1 = { ...bridge.ringing(made1), kind: "call.replaced" } as const;
    await bridge.take({ ...await1, replacement: { kind: "await", token: "t9" } });
    await handOver(bridge, undefined, "t9");
    const joint = idOf(bridge, "joining");
    expect(joint).not.toBe(held);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: consulted, verb: "reoffer" });
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("right answers") }, consulted);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: held, verb: "reoffer" });
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("left answers") }, held);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["joined"]);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 }, consulted);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: held, verb: "bye" });
  });

  test("somebody else's word for it counts for nothing", async () => {
    const bridge = await talking();
    const fact = { ...bridge.callOf(bob), kind: "call.replaced" } as const;
    await bridge.take({ ...fact, replacement: { kind: "create", token: "t1", target: other } });
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });
});

test("a call handed over to another person of the homeserver rings there, under the far end's number, and is answered", async () => {
  const bridge = new TestBridge();
  await bridge.arrive();
  await bridge.take(bridge.answer(made1));
  await bridge.take({
    ...bridge.ringing(made1),
    kind: "call.replaced",
    replacement: { kind: "create", token: "t1", target: bob },
  });
  expect(bridge.homeserver.rooms).toMatchObject([{ invite: ann }, { as: caller, invite: bob }]);
  expect(bridge.in(made2)).toEqual(["invite"]);
  await bridge.take(bridge.answer(made2, bob));
  expect(bridge.in(made2)).toEqual(["invite", "select PHONE"]);
  expect(bridge.trunks.verbs).toEqual(["ring", "accept", "reoffer"]);
  await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("far end answers") });
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(bridge.in(made2).at(-1)).toBe("hangup user_hangup");
  expect(bridge.in(made1)).toEqual(["invite", "select PHONE", "hangup user_hangup"]);
});

test("the trunk hands the call over: the person goes on talking, to somebody else, and sees to whom", async () => {
  const bridge = await talking();
  const target = callerOf("02079460999").from;
  await bridge.sip({ kind: "sip.referred", target, replaces: undefined });
  expect(bridge.trunks.orders.at(-1)).toMatchObject({
    verb: "replace",
    argument: { target: "sip:+442079460999@sip.example.org" },
  });
  await bridge.sip({ kind: "sip.replaced", description: telephoneSays("new far end"), dialog });
  expect(bridge.signals.at(-1)).toBe("identity");
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  expect(bridge.trunks.verbs.at(-1)).toBe("bye");
});

test.each([
  ["may not be called", "09098790000", { cause: "premium-barred" }],
  ["is no number", "nonsense", { cause: "domain-not-allowed" }],
  ["can be called in emergencies only", "999", { cause: "emergency" }],
])(
  "the trunk hands the call over to what %s: it is refused, they talk on, and the log says why",
  async (_what, user, why) => {
    const bridge = await talking();
    const target = { ...callerOf(user).from, uri: sipUri(`sip:${user}@gw.example.net`), host: "gw.example.net" };
    await bridge.sip({ kind: "sip.referred", target, replaces: undefined });
    expect(bridge.trunks.verbs.at(-1)).toBe("refuseRefer");
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
    const lines = bridge.telemetry.lines.filter(({ message }) => message === "transfer refused");
    expect(lines).toMatchObject([{ level: "warn", fields: { person: ann, by: "trunk", ...why } }]);
  },
);

test("the trunk hands the call over to a number of another trunk: it is refused, and the log names the routes", async () => {
  const [main] = examplePlan.trunks;
  if (main === undefined) throw new Error("no trunk");
  const trunks = [main, { ...main, name: trunkName("abroad") }];
  const all = { strip: 0, prepend: "" };
  const routes = [
    { ...all, prefix: "+49", trunks: [trunkName("abroad")] },
    { ...all, prefix: "", trunks: [main.name] },
  ];
  const bridge = await talking({ plan: { ...examplePlan, trunks, routes } });
  const target = callerOf("+4915112345678").from;
  await bridge.sip({ kind: "sip.referred", target, replaces: undefined });
  expect(bridge.trunks.verbs.at(-1)).toBe("refuseRefer");
  const lines = bridge.telemetry.lines.filter(({ message }) => message === "transfer refused");
  expect(lines).toMatchObject([{ fields: { by: "trunk", setting: "dial_plan.routes" } }]);
});

test("a number that the trunk names within another country is called there", async () => {
  const bridge = await talking();
  const target = {
    uri: anyUri("tel:15112345678;phone-context=+49"),
    user: "15112345678",
    host: undefined,
    displayName: undefined,
  };
  await bridge.sip({ kind: "sip.referred", target, replaces: undefined });
  expect(bridge.trunks.orders.at(-1)).toMatchObject({
    verb: "replace",
    argument: { target: "sip:+4915112345678@sip.example.org" },
  });
});

test("a client's event about a call of the same id in another room changes nothing", async () => {
  const bridge = await talking();
  await bridge.take({
    ...bridge.callOf(ann),
    room: made1,
    matrixCallId: matrixCallId("call1"),
    device: deviceId("PHONE"),
    kind: "call.hungUp",
    said: undefined,
  });
  expect([bridge.trunks.verbs, bridge.homeserver.told[0]?.leg.room]).toEqual([["invite"], room]);
});
