// Calls handed over to somebody else, through the whole bridge: by the trunk, or joined here where it will not.
import { describe, expect, test } from "vitest";
import { matrixCallId, partyId, trunkName, type CallId, type UserId } from "../../src/core/ids.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { dialog } from "../core/call/examples.ts";
import { ann, bob, caller, House, made1, made2, room } from "./house.ts";
import { examplePlan } from "./settings.ts";

const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;
const other = "@_sip_02079460999%40sip.example.org:example.org" as UserId;

async function talking(options: ConstructorParameters<typeof House>[0] = {}): Promise<House> {
  const house = new House(options);
  await house.ring();
  await house.sip(accepted);
  return house;
}

async function handOver(house: House, target: UserId | undefined, token = "t1"): Promise<void> {
  await house.take({ ...house.callOf(), kind: "call.replaced", replacement: { kind: "create", token, target } });
}

function idOf(house: House, phase: string): CallId {
  const found = house.switchboard.calls.find((call) => call.phase === phase);
  if (found === undefined) throw new Error(`no call is ${phase}`);
  return found.id;
}

describe("a person hands a call over to another number", () => {
  test("by the trunk: it is told where to call, and when that is answered the call is over here", async () => {
    const house = await talking();
    await handOver(house, other);
    expect(house.trunks.orders.at(-1)).toMatchObject({
      verb: "refer",
      argument: "sip:+442079460999@sip.example.org",
    });
    await house.sip({ kind: "sip.referProgressed", status: 180 });
    await house.sip({ kind: "sip.referProgressed", status: 200 });
    expect(house.trunks.verbs).toEqual(["invite", "refer", "bye"]);
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ cause: "transferred" }]);
    expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
  });

  test("which may not be called by them: they read why, and the far end rings them again", async () => {
    const house = await talking();
    const first = house.call();
    await handOver(house, "@_sip_112%40sip.example.org:example.org" as UserId);
    expect(house.trunks.verbs).toEqual(["invite"]);
    expect(house.words.at(-1)).toMatch(/Emergency numbers cannot be called from here/);
    expect(house.signals).toEqual(["answer", "hangup user_hangup", "invite"]);
    await house.take(house.answer(room));
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: first, verb: "reoffer" });
    await house.sip({ kind: "sip.reanswered", sdp: "far end answers" }, first);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
    await house.take({ ...house.ringing(room), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: first, verb: "bye" });
    await house.sip({ kind: "sip.ended" }, first);
    expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
  });

  test("that is busy, after the trunk took the REFER and could not do it: the far end comes back", async () => {
    const house = await talking();
    const first = house.call();
    await handOver(house, other);
    await house.sip({ kind: "sip.referProgressed", status: 400 });
    const joint = idOf(house, "joining");
    await house.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined }, joint);
    expect(house.words).toEqual(["The transfer failed: The number was busy."]);
    expect(house.signals.at(-1)).toBe("invite");
    await house.sip({ kind: "sip.hungUp", q850: 16 }, first);
    expect(house.signals.at(-1)).toBe("hangup user_hangup");
    expect(house.trunks.verbs).toEqual(["invite", "refer", "invite"]);
    expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
  });

  test("and the bridge is restarted while the far end comes back: it is hung up once", async () => {
    const before = await talking();
    await handOver(before, "@_sip_112%40sip.example.org:example.org" as UserId);
    const after = new House({ store: before.store });
    for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    await after.quiet();
    expect(after.trunks.verbs).toEqual(["resume", "bye"]);
  });

  test("over a trunk that takes no REFER: the number is called from here, and both talk through the bridge", async () => {
    const house = await talking();
    const left = house.call();
    await handOver(house, other);
    await house.sip({ kind: "sip.referRefused", status: 405 });
    const joint = idOf(house, "joining");
    expect(house.trunks.orders.at(-1)).toMatchObject({
      call: joint,
      verb: "invite",
      argument: { target: "sip:+442079460999@sip.example.org" },
    });
    await house.sip(accepted, joint);
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: left, verb: "reoffer" });
    await house.sip({ kind: "sip.reanswered", sdp: "left answers" }, left);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["joined"]);
    expect(house.words).toEqual(["Transferred to +44 20 7946 0999."]);
    expect(house.media.opened.map(({ trunk, matrix }) => [trunk.codecs, matrix?.codecs])).toEqual([
      [["codec of main"], undefined],
      [["codec of main"], ["codec of main"]],
    ]);
    // The far end's stream and description go on in the session of the two: nothing of them begins anew.
    expect(house.media.opened.map(({ legs }) => legs)).toEqual([{ trunk: left }, { trunk: joint, matrix: left }]);
    const { orders } = house.media;
    expect(orders.indexOf("hand over trunk")).toBeLessThan(orders.indexOf("close"));
    expect(house.media.forgotten).toEqual([]);
    await house.sip({ kind: "sip.hungUp", q850: 16 }, left);
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: joint, verb: "bye" });
    await house.sip({ kind: "sip.ended" }, joint);
    expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
    expect(new Set(house.media.forgotten)).toEqual(new Set([left, joint]));
    expect(house.telemetry.ended.map(({ direction }) => direction)).toEqual(["outbound", "joined"]);
  });

  test("joined, and the bridge is restarted: both far ends hear that it is over", async () => {
    const before = await talking({ features: { transfer: "join" } });
    const left = before.call();
    await handOver(before, other);
    const joint = idOf(before, "joining");
    await before.sip(accepted, joint);
    await before.sip({ kind: "sip.reanswered", sdp: "left answers" }, left);
    const after = new House({ store: before.store });
    for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
    await after.quiet();
    expect(after.trunks.verbs.toSorted()).toEqual(["bye", "bye", "resume", "resume"]);
    for (const call of [left, joint]) await after.sip({ kind: "sip.ended" }, call);
    expect(await after.store.calls.open()).toEqual([]);
  });

  test("joined, and the bridge stops: both far ends hear it", async () => {
    const house = await talking({ features: { transfer: "join" } });
    const left = house.call();
    await handOver(house, other);
    const joint = idOf(house, "joining");
    await house.sip(accepted, joint);
    await house.sip({ kind: "sip.reanswered", sdp: "left answers" }, left);
    const stopped = house.switchboard.drain(3_600_000);
    await house.quiet();
    for (const call of [left, joint]) await house.sip({ kind: "sip.ended" }, call);
    await stopped;
    expect(house.trunks.orders.slice(-2).map(({ call, verb }) => [call, verb])).toEqual([
      [left, "bye"],
      [joint, "bye"],
    ]);
  });

  test("after having talked to it: the two far ends talk to each other", async () => {
    const house = await talking({ features: { transfer: "join" } });
    const held = house.call();
    const consulted = await house.arrive({ identity: callerOf("+442079460999") });
    await house.take(house.answer(made1));
    const await1 = { ...house.ringing(made1), kind: "call.replaced" } as const;
    await house.take({ ...await1, replacement: { kind: "await", token: "t9" } });
    await handOver(house, undefined, "t9");
    const joint = idOf(house, "joining");
    expect(joint).not.toBe(held);
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: consulted, verb: "reoffer" });
    await house.sip({ kind: "sip.reanswered", sdp: "right answers" }, consulted);
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: held, verb: "reoffer" });
    await house.sip({ kind: "sip.reanswered", sdp: "left answers" }, held);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["joined"]);
    await house.sip({ kind: "sip.hungUp", q850: 16 }, consulted);
    expect(house.trunks.orders.at(-1)).toMatchObject({ call: held, verb: "bye" });
  });

  test("somebody else's word for it counts for nothing", async () => {
    const house = await talking();
    const fact = { ...house.callOf(bob), kind: "call.replaced" } as const;
    await house.take({ ...fact, replacement: { kind: "create", token: "t1", target: other } });
    expect(house.trunks.verbs).toEqual(["invite"]);
  });
});

test("a call handed over to another person of the homeserver rings there, under the far end's number, and is answered", async () => {
  const house = new House();
  await house.arrive();
  await house.take(house.answer(made1));
  await house.take({
    ...house.ringing(made1),
    kind: "call.replaced",
    replacement: { kind: "create", token: "t1", target: bob },
  });
  expect(house.homeserver.rooms).toMatchObject([{ invite: ann }, { as: caller, invite: bob }]);
  expect(house.in(made2)).toEqual(["invite"]);
  await house.take(house.answer(made2, bob));
  expect(house.in(made2)).toEqual(["invite", "select PHONE"]);
  expect(house.trunks.verbs).toEqual(["ring", "accept", "reoffer"]);
  await house.sip({ kind: "sip.reanswered", sdp: "far end answers" });
  await house.sip({ kind: "sip.hungUp", q850: 16 });
  expect(house.in(made2).at(-1)).toBe("hangup user_hangup");
  expect(house.in(made1)).toEqual(["invite", "select PHONE", "hangup user_hangup"]);
});

test("the trunk hands the call over: the person goes on talking, to somebody else, and sees to whom", async () => {
  const house = await talking();
  const target = callerOf("02079460999").from;
  await house.sip({ kind: "sip.referred", target, replaces: undefined, referredBy: undefined });
  expect(house.trunks.orders.at(-1)).toMatchObject({
    verb: "replace",
    argument: { target: "sip:+442079460999@sip.example.org" },
  });
  await house.sip({ kind: "sip.replaced", sdp: "new far end", dialog });
  expect(house.signals.at(-1)).toBe("identity");
  await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
  expect(house.trunks.verbs.at(-1)).toBe("bye");
});

test.each([
  ["may not be called", "09098790000", { cause: "premium-barred" }],
  ["is no number", "nonsense", { cause: "domain-not-allowed" }],
  ["can be called in emergencies only", "999", { cause: "emergency" }],
])(
  "the trunk hands the call over to what %s: it is refused, they talk on, and the log says why",
  async (_what, user, why) => {
    const house = await talking();
    const target = { ...callerOf(user).from, uri: `sip:${user}@gw.example.net`, host: "gw.example.net" };
    await house.sip({ kind: "sip.referred", target, replaces: undefined, referredBy: undefined });
    expect(house.trunks.verbs.at(-1)).toBe("refuseRefer");
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
    const lines = house.telemetry.lines.filter(({ message }) => message === "transfer refused");
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
  const house = await talking({ plan: { ...examplePlan, trunks, routes } });
  const target = callerOf("+4915112345678").from;
  await house.sip({ kind: "sip.referred", target, replaces: undefined, referredBy: undefined });
  expect(house.trunks.verbs.at(-1)).toBe("refuseRefer");
  const lines = house.telemetry.lines.filter(({ message }) => message === "transfer refused");
  expect(lines).toMatchObject([{ fields: { by: "trunk", setting: "dial_plan.routes" } }]);
});

test("a number that the trunk names within another country is called there", async () => {
  const house = await talking();
  const target = {
    uri: "tel:15112345678;phone-context=+49",
    user: "15112345678",
    host: undefined,
    displayName: undefined,
  };
  await house.sip({ kind: "sip.referred", target, replaces: undefined, referredBy: undefined });
  expect(house.trunks.orders.at(-1)).toMatchObject({
    verb: "replace",
    argument: { target: "sip:+4915112345678@sip.example.org" },
  });
});

test("a client's event about a call of the same id in another room changes nothing", async () => {
  const house = await talking();
  await house.take({
    ...house.callOf(ann),
    room: made1,
    matrixCallId: matrixCallId("call1"),
    party: partyId("PHONE"),
    kind: "call.hungUp",
    reason: "user_hangup",
  });
  expect([house.trunks.verbs, house.homeserver.told[0]?.leg.room]).toEqual([["invite"], room]);
});
