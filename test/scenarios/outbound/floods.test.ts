// One person who cannot stop: others do not notice, and what the bridge does for that person stays small.
import { describe, expect, test } from "vitest";
import { describeCause } from "../../../src/core/call/model/cause.ts";
import { matrixCallId, roomId, type UserId } from "../../../src/core/ids.ts";
import { examplePlan, examplePolicy } from "../settings.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { dialog } from "../../core/call/examples/examples.ts";
import { clientOffers, telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, ann, TestBridge, made1, room, trunk } from "../test-bridge.ts";

const policy = { ...examplePolicy, callsPerMinute: 5, callsPerUser: 1_000, callsInAll: 1_000 };
const bob = "@bob:example.org" as UserId;
const stranger = "@eve:elsewhere.org" as UserId;

function ghostOf(number: string): UserId {
  return `@_sip_${number}%40sip.example.org:example.org` as UserId;
}

function invitation(user: UserId) {
  return { kind: "member.invited", user, direct: true, encrypted: false, public: false } as const;
}

async function callAndGiveUp(bridge: TestBridge, name: string, sender = ann): Promise<void> {
  await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(name), sender }));
  await bridge.take({ ...bridge.callOf(sender, name), kind: "call.hungUp", said: undefined });
}

describe("calls one after the other", () => {
  test("stop being dialled: each is refused at once, the person reads why once, and may call again later", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.enterRoom();
    for (let n = 0; n < 20; n++) await callAndGiveUp(bridge, `call${n}`);
    expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(5);
    expect(bridge.words).toEqual(["You are calling too often. Please wait a minute."]);
    expect(bridge.signals.filter((signal) => signal === "reject failed")).toHaveLength(15);
    await callAndGiveUp(bridge, "other", bob);
    expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(6);
    await bridge.passTime(60_000);
    await callAndGiveUp(bridge, "again");
    expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(7);
  });

  test("that the person keeps ringing are refused before the client can play a ringing tone", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.enterRoom();
    for (let n = 0; n < 12; n++) await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(`call${n}`) }));
    const refused = bridge.homeserver.told.filter(({ signal }) => signal.kind === "reject");
    expect(refused.map(({ leg }) => leg.matrixCallId)).toEqual([5, 6, 7, 8, 9, 10, 11].map((n) => `call${n}`));
    await bridge.passTime(59_000);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("later") }));
    expect(bridge.words).toEqual(["You are calling too often. Please wait a minute."]);
  });

  test("of somebody who may not call are all refused, and the ghost says why a few times, not each time", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.enterRoom();
    for (let n = 0; n < 100; n++)
      await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(`call${n}`), sender: stranger }));
    expect(bridge.signals).toHaveLength(100);
    expect(bridge.words).toHaveLength(6);
  });

  test("of a program that dials without end stop being refused, too, which one line of the log tells", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.enterRoom();
    for (let n = 0; n < 400; n++)
      await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(`call${n}`), sender: stranger }));
    expect(bridge.signals).toHaveLength(305);
    expect(bridge.telemetry.lines.filter(({ message }) => message.includes("calls_per_minute"))).toHaveLength(1);
  });

  test("to an emergency trunk are all dialled", async () => {
    const bridge = new TestBridge({ policy, plan: { ...examplePlan, emergencyTrunk: trunk } });
    await bridge.take({ ...bridge.origin(), ...invitation(ghostOf("112")) });
    for (let n = 0; n < 20; n++) await callAndGiveUp(bridge, `call${n}`);
    expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(20);
  });

  test("to an emergency number without a trunk are told so each time, not that they come too often", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.take({ ...bridge.origin(), ...invitation(ghostOf("112")) });
    for (let n = 0; n < 20; n++) await callAndGiveUp(bridge, `call${n}`);
    expect(bridge.words).toHaveLength(20);
    expect(new Set(bridge.words)).toEqual(new Set([describeCause("emergency").words]));
  });
});

test("invitations of ever more numbers stop being followed", async () => {
  const bridge = new TestBridge({ policy });
  for (let n = 0; n < 100; n++) {
    const where = roomId(`!room${n}:example.org`);
    await bridge.take({ ...bridge.origin(ann, where), ...invitation(ghostOf(`${7_000_000 + n}`)) });
  }
  expect([bridge.homeserver.registered.length, bridge.homeserver.joined.length]).toEqual([5, 5]);
  expect(bridge.telemetry.ignored).toHaveLength(95);
});

test("messages to the bot stop being answered", async () => {
  const bridge = new TestBridge({ policy });
  const { bot } = bridge.homeserver;
  await bridge.take({ ...bridge.origin(), ...invitation(bot) });
  for (let n = 0; n < 100; n++)
    await bridge.take({ ...bridge.origin(), kind: "message.received", body: "ping", form: "text", edits: false });
  expect(bridge.words).toHaveLength(1 + 5);
});

test("two calls at the same moment in two rooms are one too many where one is allowed", async () => {
  const bridge = new TestBridge({ policy: { ...policy, callsPerUser: 1 } });
  const other = roomId("!other:example.org");
  await bridge.enterRoom();
  await bridge.take({ ...bridge.origin(ann, other), ...invitation(ghostOf("01632960123")) });
  await Promise.all([
    bridge.take(bridge.inviteFact({ room })),
    bridge.take(bridge.inviteFact({ room: other, matrixCallId: matrixCallId("call2") })),
  ]);
  expect(bridge.trunks.verbs).toEqual(["invite"]);
  expect(bridge.words).toEqual(["You already have as many calls as you may have at once."]);
});

describe("a trunk that sends one call on again and again", () => {
  const refer = (number: number) =>
    ({
      kind: "sip.referred",
      target: callerOf(`0207946${String(number).padStart(4, "0")}`).from,
      replaces: undefined,
    }) as const;

  async function answeredCall(bridge: TestBridge): Promise<void> {
    const call = await bridge.arrive();
    await bridge.take(bridge.answer(made1));
    bridge.switchboard.takeSip(call, { kind: "sip.dialogChanged", dialog });
    await bridge.quiet();
  }

  async function referMany(bridge: TestBridge, times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await bridge.sip(refer(n));
      if (bridge.trunks.verbs.at(-1) === "replace") await bridge.sip({ kind: "sip.replaceFailed", status: 486 });
    }
  }

  test("is refused once the person's calls of the minute are used up; one line says so, and which setting", async () => {
    const bridge = new TestBridge({ policy });
    await answeredCall(bridge);
    await referMany(bridge, 200);
    expect(bridge.trunks.verbs.filter((verb) => verb === "replace")).toHaveLength(5);
    expect(bridge.trunks.orders.filter(({ verb }) => verb === "refuseRefer").map(({ argument }) => argument)).toEqual(
      Array.from({ length: 195 }, () => 603),
    );
    const lines = bridge.telemetry.lines.filter(({ message }) => message.includes("calls_per_minute"));
    expect(lines).toMatchObject([{ level: "warn", fields: { person: ann, refusedSoFar: 1 } }]);
    await bridge.passTime(60_000);
    await referMany(bridge, 1);
    expect(bridge.trunks.verbs.at(-1)).toBe("replace");
  });

  test("leaves the person fewer calls of their own, and their calls leave it fewer", async () => {
    const bridge = new TestBridge({ policy });
    await answeredCall(bridge);
    await referMany(bridge, 3);
    await bridge.enterRoom();
    for (let n = 0; n < 5; n++) await callAndGiveUp(bridge, `call${n}`);
    expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(2);
  });

  test("and redirects calls to other numbers: each is one more of the minute", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.ring();
    const allowed = Array.from({ length: 20 }, (_, n) => bridge.switchboard.mayReach(bridge.call(), refer(n).target));
    expect(allowed.filter(Boolean)).toHaveLength(4);
  });
});

test("two telephones that a transfer joined count as a call of who had them joined, until they hang up", async () => {
  const bridge = new TestBridge({ policy: { ...policy, callsPerUser: 1 } });
  const far = await bridge.ring();
  await bridge.sip(accepted);
  const target = ghostOf("02079460999");
  await bridge.take({
    ...bridge.callOf(),
    kind: "call.replaced",
    replacement: { kind: "create", token: "t1", target },
  });
  await bridge.sip({ kind: "sip.referRefused", status: 405 });
  expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toContain("joining");
  await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
  expect(bridge.words.at(-1)).toBe("You already have as many calls as you may have at once.");
  bridge.switchboard.takeSip(far, { kind: "sip.hungUp", q850: 16 });
  await bridge.quiet();
  await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call3") }));
  expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(3);
});

test("a trunk that says another caller in every request makes one event a second, and the last one counts", async () => {
  const bridge = new TestBridge({ policy });
  const call = await bridge.arrive();
  await bridge.take(bridge.answer(made1));
  for (let n = 0; n < 300; n++) {
    bridge.switchboard.takeSip(call, { kind: "sip.identified", identity: callerOf(`+4420794${60_000 + n}`) });
    bridge.clock.advance(10);
    await bridge.quiet();
  }
  await bridge.passTime(1_000);
  const shown = bridge.homeserver.told.filter(({ signal }) => signal.kind === "identity");
  expect(shown).toHaveLength(4);
  expect(shown.at(-1)?.signal).toMatchObject({ identity: { ghost: expect.stringContaining("442079460299") } });
});

test("a client that changes its call all the time is not passed on to the trunk for ever", async () => {
  const bridge = new TestBridge({ policy });
  await bridge.ring();
  await bridge.sip(accepted);
  for (let n = 0; n < 200; n++) {
    const description = clientOffers(`offer ${n}`, { direction: n % 2 === 0 ? "sendonly" : "sendrecv" });
    await bridge.take({ ...bridge.callOf(), kind: "call.offered", description, video: false, lifetimeMs: 30_000 });
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("trunk answer") });
  }
  expect(bridge.trunks.verbs.filter((verb) => verb === "reoffer")).toHaveLength(60);
  expect(bridge.telemetry.lines.filter(({ message }) => message.startsWith("offer ignored"))).toHaveLength(1);
});
