// One person who cannot stop: others do not notice, and what the bridge does for that person stays small.
import { describe, expect, test } from "vitest";
import { describeCause } from "../../src/core/call/model/cause.ts";
import { matrixCallId, roomId, type UserId } from "../../src/core/ids.ts";
import { examplePlan, examplePolicy } from "./settings.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { dialog } from "../core/call/examples.ts";
import { ann, House, made1, room, trunk } from "./house.ts";

const policy = { ...examplePolicy, callsPerMinute: 5, callsPerUser: 1_000, callsInAll: 1_000 };
const bob = "@bob:example.org" as UserId;
const stranger = "@eve:elsewhere.org" as UserId;

function ghostOf(number: string): UserId {
  return `@_sip_${number}%40sip.example.org:example.org` as UserId;
}

function invitation(user: UserId) {
  return { kind: "member.invited", user, direct: true, encrypted: false, public: false } as const;
}

async function callAndGiveUp(house: House, name: string, sender = ann): Promise<void> {
  await house.take(house.inviteFact({ matrixCallId: matrixCallId(name), sender }));
  await house.take({ ...house.callOf(sender, name), kind: "call.hungUp", reason: undefined });
}

describe("calls one after the other", () => {
  test("stop being dialled: each is refused at once, the person reads why once, and may call again later", async () => {
    const house = new House({ policy });
    await house.enterRoom();
    for (let n = 0; n < 20; n++) await callAndGiveUp(house, `call${n}`);
    expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(5);
    expect(house.words).toEqual(["You are calling too often. Please wait a minute."]);
    expect(house.signals.filter((signal) => signal === "reject failed")).toHaveLength(15);
    await callAndGiveUp(house, "other", bob);
    expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(6);
    await house.passTime(60_000);
    await callAndGiveUp(house, "again");
    expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(7);
  });

  test("that the person keeps ringing are refused before the client can play a ringing tone", async () => {
    const house = new House({ policy });
    await house.enterRoom();
    for (let n = 0; n < 12; n++) await house.take(house.inviteFact({ matrixCallId: matrixCallId(`call${n}`) }));
    const refused = house.homeserver.told.filter(({ signal }) => signal.kind === "reject");
    expect(refused.map(({ leg }) => leg.matrixCallId)).toEqual([5, 6, 7, 8, 9, 10, 11].map((n) => `call${n}`));
    await house.passTime(59_000);
    await house.take(house.inviteFact({ matrixCallId: matrixCallId("later") }));
    expect(house.words).toEqual(["You are calling too often. Please wait a minute."]);
  });

  test("of somebody who may not call are all refused, and the ghost says why a few times, not each time", async () => {
    const house = new House({ policy });
    await house.enterRoom();
    for (let n = 0; n < 100; n++)
      await house.take(house.inviteFact({ matrixCallId: matrixCallId(`call${n}`), sender: stranger }));
    expect(house.signals).toHaveLength(100);
    expect(house.words).toHaveLength(6);
  });

  test("of a program that dials without end stop being refused, too, which one line of the log tells", async () => {
    const house = new House({ policy });
    await house.enterRoom();
    for (let n = 0; n < 400; n++)
      await house.take(house.inviteFact({ matrixCallId: matrixCallId(`call${n}`), sender: stranger }));
    expect(house.signals).toHaveLength(305);
    expect(house.telemetry.lines.filter(({ message }) => message.includes("calls_per_minute"))).toHaveLength(1);
  });

  test("to an emergency trunk are all dialled", async () => {
    const house = new House({ policy, plan: { ...examplePlan, emergencyTrunk: trunk } });
    await house.take({ ...house.origin(), ...invitation(ghostOf("112")) });
    for (let n = 0; n < 20; n++) await callAndGiveUp(house, `call${n}`);
    expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(20);
  });

  test("to an emergency number without a trunk are told so each time, not that they come too often", async () => {
    const house = new House({ policy });
    await house.take({ ...house.origin(), ...invitation(ghostOf("112")) });
    for (let n = 0; n < 20; n++) await callAndGiveUp(house, `call${n}`);
    expect(house.words).toHaveLength(20);
    expect(new Set(house.words)).toEqual(new Set([describeCause("emergency").words]));
  });
});

test("invitations of ever more numbers stop being followed", async () => {
  const house = new House({ policy });
  for (let n = 0; n < 100; n++) {
    const where = roomId(`!room${n}:example.org`);
    await house.take({ ...house.origin(ann, where), ...invitation(ghostOf(`${7_000_000 + n}`)) });
  }
  expect([house.homeserver.registered.length, house.homeserver.joined.length]).toEqual([5, 5]);
  expect(house.telemetry.ignored).toHaveLength(95);
});

test("messages to the bot stop being answered", async () => {
  const house = new House({ policy });
  const { bot } = house.homeserver;
  await house.take({ ...house.origin(), ...invitation(bot) });
  for (let n = 0; n < 100; n++)
    await house.take({ ...house.origin(), kind: "message.received", body: "ping", form: "text", edits: false });
  expect(house.words).toHaveLength(1 + 5);
});

test("two calls at the same moment in two rooms are one too many where one is allowed", async () => {
  const house = new House({ policy: { ...policy, callsPerUser: 1 } });
  const other = roomId("!other:example.org");
  await house.enterRoom();
  await house.take({ ...house.origin(ann, other), ...invitation(ghostOf("01632960123")) });
  await Promise.all([
    house.take(house.inviteFact({ room })),
    house.take(house.inviteFact({ room: other, matrixCallId: matrixCallId("call2") })),
  ]);
  expect(house.trunks.verbs).toEqual(["invite"]);
  expect(house.words).toEqual(["You already have as many calls as you may have at once."]);
});

describe("a trunk that sends one call on again and again", () => {
  const refer = (number: number) =>
    ({
      kind: "sip.referred",
      target: callerOf(`0207946${String(number).padStart(4, "0")}`).from,
      replaces: undefined,
      referredBy: undefined,
    }) as const;

  async function answeredCall(house: House): Promise<void> {
    const call = await house.arrive();
    await house.take(house.answer(made1));
    house.switchboard.takeSip(call, { kind: "sip.dialogChanged", dialog });
    await house.quiet();
  }

  async function referMany(house: House, times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await house.sip(refer(n));
      if (house.trunks.verbs.at(-1) === "replace") await house.sip({ kind: "sip.replaceFailed", status: 486 });
    }
  }

  test("is refused once the person's calls of the minute are used up; one line says so, and which setting", async () => {
    const house = new House({ policy });
    await answeredCall(house);
    await referMany(house, 200);
    expect(house.trunks.verbs.filter((verb) => verb === "replace")).toHaveLength(5);
    expect(house.trunks.orders.filter(({ verb }) => verb === "refuseRefer").map(({ argument }) => argument)).toEqual(
      Array.from({ length: 195 }, () => 603),
    );
    const lines = house.telemetry.lines.filter(({ message }) => message.includes("calls_per_minute"));
    expect(lines).toMatchObject([{ level: "warn", fields: { person: ann, refusedSoFar: 1 } }]);
    await house.passTime(60_000);
    await referMany(house, 1);
    expect(house.trunks.verbs.at(-1)).toBe("replace");
  });

  test("leaves the person fewer calls of their own, and their calls leave it fewer", async () => {
    const house = new House({ policy });
    await answeredCall(house);
    await referMany(house, 3);
    await house.enterRoom();
    for (let n = 0; n < 5; n++) await callAndGiveUp(house, `call${n}`);
    expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(2);
  });

  test("and redirects calls to other numbers: each is one more of the minute", async () => {
    const house = new House({ policy });
    await house.ring();
    const allowed = Array.from({ length: 20 }, (_, n) => house.transfers.allows(house.call(), refer(n).target));
    expect(allowed.filter(Boolean)).toHaveLength(4);
  });
});

test("two telephones that a transfer joined count as a call of who had them joined, until they hang up", async () => {
  const house = new House({ policy: { ...policy, callsPerUser: 1 } });
  const far = await house.ring();
  await house.sip({ kind: "sip.accepted", sdp: "trunk answer", dialog });
  const target = ghostOf("02079460999");
  await house.take({ ...house.callOf(), kind: "call.replaced", replacement: { kind: "create", token: "t1", target } });
  await house.sip({ kind: "sip.referRefused", status: 405 });
  expect(house.switchboard.calls.map(({ phase }) => phase)).toContain("joining");
  await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2") }));
  expect(house.words.at(-1)).toBe("You already have as many calls as you may have at once.");
  house.switchboard.takeSip(far, { kind: "sip.hungUp", q850: 16 });
  await house.quiet();
  await house.take(house.inviteFact({ matrixCallId: matrixCallId("call3") }));
  expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(3);
});

test("a trunk that says another caller in every request makes one event a second, and the last one counts", async () => {
  const house = new House({ policy });
  const call = await house.arrive();
  await house.take(house.answer(made1));
  for (let n = 0; n < 300; n++) {
    house.switchboard.takeSip(call, { kind: "sip.identified", identity: callerOf(`+4420794${60_000 + n}`) });
    house.clock.advance(10);
    await house.quiet();
  }
  await house.passTime(1_000);
  const shown = house.homeserver.told.filter(({ signal }) => signal.kind === "identity");
  expect(shown).toHaveLength(4);
  expect(shown.at(-1)?.signal).toMatchObject({ identity: { ghost: expect.stringContaining("442079460299") } });
});

test("a client that changes its call all the time is not passed on to the trunk for ever", async () => {
  const house = new House({ policy });
  await house.ring();
  await house.sip({ kind: "sip.accepted", sdp: "trunk answer", dialog });
  for (let n = 0; n < 200; n++) {
    await house.take({ ...house.callOf(), kind: "call.offered", sdp: `offer ${n}`, lifetimeMs: 30_000 });
    await house.sip({ kind: "sip.reanswered", sdp: "trunk answer" });
  }
  expect(house.trunks.verbs.filter((verb) => verb === "reoffer")).toHaveLength(60);
  expect(house.telemetry.lines.filter(({ message }) => message.startsWith("offer ignored"))).toHaveLength(1);
});
