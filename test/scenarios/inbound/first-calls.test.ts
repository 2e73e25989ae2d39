// A number that never called before calls a person: where it rings, what the person reads, and what is left behind.
import { describe, expect, test } from "vitest";
import { roomId, type NumberKey, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { ann, caller, TestBridge, made1, made2, type TestBridgeOptions } from "../test-bridge.ts";

const botRoom = roomId("!bot:example.org");
const link = (room: string): string => `https://matrix.to/#/${encodeURIComponent(room)}`;
const forbidden = new HomeserverError("M_FORBIDDEN", "not allowed", false);
const otherCaller = "@_sip_+442079460124%40sip.example.org:example.org" as UserId;
const fromOther = { identity: callerOf("+442079460124") };

/** Clients show invitations, and nobody accepts one. Ann has a room with the bot. */
async function houseOfAnn(options: TestBridgeOptions = {}): Promise<TestBridge> {
  const bridge = new TestBridge(options);
  const { homeserver, store } = bridge;
  homeserver.acceptsInvitations = false;
  const { bot } = homeserver;
  await store.conversations.save({ room: botRoom, person: ann, number: bot as string as NumberKey, ghost: bot });
  await store.rooms.saveOurs(botRoom, homeserver.bot);
  homeserver.membersOf.set(
    botRoom,
    [homeserver.bot, ann].map((user) => ({ user, membership: "join" as const })),
  );
  return bridge;
}

/** Whoever accepts invitations by themselves would have done so by now. */
async function ringFirst(bridge: TestBridge, changes: Parameters<TestBridge["arrive"]>[0] = {}) {
  const call = await bridge.arrive(changes);
  await bridge.passTime(500);
  return call;
}

function joins(bridge: TestBridge, where: typeof made1, person = ann) {
  return { ...bridge.origin(person, where), kind: "member.joined", user: person } as const;
}

describe("a first call, where the person has a room with the bot", () => {
  test("rings there, under the number's name alone", async () => {
    const bridge = await houseOfAnn();
    await ringFirst(bridge);
    expect(bridge.in(botRoom)).toEqual(["invite"]);
    expect(bridge.homeserver.told[0]?.leg.ghost).toBe(caller);
    expect(bridge.homeserver.serviceMembers).toEqual([{ room: botRoom, users: [bridge.homeserver.bot] }]);
    expect(bridge.homeserver.invited).toEqual([{ room: botRoom, user: caller }]);
    expect(bridge.trunks.verbs).toEqual(["ring"]);
  });

  test("is answered there", async () => {
    const bridge = await houseOfAnn();
    await ringFirst(bridge);
    await bridge.take(bridge.answer(botRoom));
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("leaves the room to the bot when it is over, with the way to the number's own room", async () => {
    const bridge = await houseOfAnn({ notices: { failures: true, history: true } });
    const call = await ringFirst(bridge);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(bridge.in(botRoom)).toEqual(["invite", "hangup user_hangup"]);
    expect(bridge.words).toEqual([`Missed call. Call back or write in the room of this number: ${link(made1)}`]);
    expect(bridge.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
    expect(bridge.homeserver.serviceMembers.at(-1)).toEqual({ room: botRoom, users: [] });
    expect(await bridge.store.visits.open()).toEqual([]);
  });

  test("has the number's own room made as well: the next call rings in it once the person is there", async () => {
    const bridge = await houseOfAnn();
    const call = await ringFirst(bridge);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(bridge.homeserver.rooms).toEqual([{ room: made1, as: caller, invite: ann }]);
    bridge.homeserver.acceptsInvitations = true;
    await bridge.arrive();
    expect(bridge.in(made1)).toEqual(["invite"]);
  });

  test("does not wait for the number's own room once invitations are known to stay open", async () => {
    const bridge = await houseOfAnn();
    const call = await ringFirst(bridge);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    await bridge.arrive(fromOther);
    expect(bridge.in(botRoom).filter((signal) => signal === "invite")).toHaveLength(2);
  });

  test("of a second number in the meantime is an invitation, and the bot says who calls", async () => {
    const bridge = await houseOfAnn();
    await ringFirst(bridge);
    await ringFirst(bridge, fromOther);
    expect([bridge.in(botRoom), bridge.in(made2)]).toEqual([["invite"], []]);
    expect(bridge.homeserver.notices).toContainEqual({
      room: botRoom,
      as: bridge.homeserver.bot,
      text: `+44 20 7946 0124 is calling too. Join this room to answer: ${link(made2)}`,
      about: undefined,
    });
    await bridge.take(joins(bridge, made2));
    expect(bridge.in(made2)).toEqual(["invite"]);
  });

  test("does not ring a second time in the number's own room when the person joins that", async () => {
    const bridge = await houseOfAnn();
    await ringFirst(bridge);
    await bridge.take(joins(bridge, made1));
    expect([bridge.in(botRoom), bridge.in(made1)]).toEqual([["invite"], []]);
  });

  test("never makes the room with the bot the number's own", async () => {
    const bridge = await houseOfAnn();
    await ringFirst(bridge);
    await bridge.take(bridge.inviteFact({ room: botRoom }));
    const conversations = await bridge.store.conversations.find(ann, "+442079460123" as NumberKey);
    expect(conversations.map((one) => one.room)).toEqual([made1]);
  });

  test("leaves it also where the caller gave up while the number was on its way into it", async () => {
    const bridge = await houseOfAnn();
    const invite = bridge.homeserver.invite.bind(bridge.homeserver);
    let admit = (): void => {};
    const admitted = new Promise<void>((resolve) => (admit = resolve));
    bridge.homeserver.invite = async (...args) => {
      await admitted;
      return invite(...args);
    };
    const call = await ringFirst(bridge);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    admit();
    await bridge.quiet();
    expect(bridge.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
    expect([bridge.switchboard.calls, await bridge.store.visits.open()]).toEqual([[], []]);
  });
});

describe("the room with the bot is left alone by a first call, which is logged,", () => {
  async function unfit(spoil: (bridge: TestBridge) => void): Promise<TestBridge> {
    const bridge = await houseOfAnn();
    spoil(bridge);
    await ringFirst(bridge);
    expect(bridge.in(botRoom)).toEqual([]);
    expect(bridge.trunks.verbs).toEqual(["ring"]);
    return bridge;
  }
  const reasons = (bridge: TestBridge) =>
    bridge.telemetry.lines
      .filter(({ message }) => message === "first call cannot ring in the room with the bot")
      .map(({ fields }) => fields["why"]);

  test("where it is encrypted", async () => {
    const bridge = await unfit(({ homeserver }) => homeserver.encryptedRooms.add(botRoom));
    expect(reasons(bridge)).toEqual(["it is encrypted"]);
  });

  test("where others are in it", async () => {
    const bridge = await unfit(({ homeserver }) => {
      const there = homeserver.membersOf.get(botRoom) ?? [];
      there.push({ user: "@bob:example.org" as UserId, membership: "join" });
    });
    expect(reasons(bridge)).toEqual(["others are in it"]);
  });

  test("where the person has left it", async () => {
    const bridge = await unfit(({ homeserver }) => {
      homeserver.membersOf.set(botRoom, [{ user: homeserver.bot, membership: "join" }]);
    });
    expect(reasons(bridge)).toEqual(["the person is not in it"]);
  });

  test.each([
    ["change the room's state", "refuseState"],
    ["invite", "refuseInvites"],
  ] as const)("where the bot may not %s", async (_what, refusal) => {
    const bridge = await unfit(({ homeserver }) => void (homeserver[refusal] = forbidden));
    expect(bridge.telemetry.lines.map(({ message }) => message)).toContain(
      "first call cannot ring in the room with the bot: the bot needs the power to invite and to set state there",
    );
    expect(await bridge.store.visits.open()).toEqual([]);
  });
});

describe("a first call, where the person has no room with the bot,", () => {
  async function lonely(options: TestBridgeOptions = {}): Promise<TestBridge> {
    const bridge = new TestBridge(options);
    bridge.homeserver.acceptsInvitations = false;
    return bridge;
  }

  test("waits for the person to join, and then rings once", async () => {
    const bridge = await lonely();
    await ringFirst(bridge);
    expect([bridge.in(made1), bridge.trunks.verbs]).toEqual([[], ["ring"]]);
    await bridge.take(joins(bridge, made1));
    await bridge.take(joins(bridge, made1));
    expect(bridge.in(made1)).toEqual(["invite"]);
    await bridge.take(bridge.answer(made1));
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("does not ring when somebody else joins the number's room", async () => {
    const bridge = await lonely();
    await ringFirst(bridge);
    await bridge.take(joins(bridge, made1, "@bob:example.org" as UserId));
    expect(bridge.in(made1)).toEqual([]);
  });

  test("that the person came to says nothing of silence when it is over", async () => {
    const bridge = await lonely({ notices: { failures: true, history: true } });
    const call = await ringFirst(bridge);
    await bridge.take(joins(bridge, made1));
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(bridge.words.filter((line) => line.includes("did not ring"))).toEqual([]);
  });

  test("that nobody came to leaves a line that says why it was silent, and no hang-up of a call that nobody saw", async () => {
    const bridge = await lonely({ notices: { failures: true, history: true } });
    const call = await ringFirst(bridge);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(bridge.in(made1)).toEqual([]);
    expect(bridge.words).toEqual([
      expect.stringMatching(/^Missed call\. It did not ring .* inbound\.join_for_people\.$/),
    ]);
    expect(bridge.telemetry.lines).toContainEqual(
      expect.objectContaining({
        message: "first call from a number does not ring until the person joins its room",
        fields: expect.objectContaining({ person: ann, setting: "inbound.join_for_people" }),
      }),
    );
  });

  test("rings in the number's own room where the homeserver accepts the invitation by itself", async () => {
    const bridge = await houseOfAnn();
    await bridge.arrive();
    await bridge.take(joins(bridge, made1));
    expect([bridge.in(made1), bridge.in(botRoom)]).toEqual([["invite"], []]);
  });
});

test("a homeserver that begins to accept invitations by itself is noticed: first calls ring in the number's own room", async () => {
  const bridge = await houseOfAnn();
  const first = await ringFirst(bridge);
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, first);
  const second = await bridge.arrive(fromOther);
  await bridge.take(joins(bridge, made2));
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, second);
  await bridge.arrive({ identity: callerOf("+442079460125") });
  const made3 = bridge.homeserver.rooms.at(-1)?.room ?? made1;
  await bridge.take(joins(bridge, made3));
  expect(bridge.in(made3)).toEqual(["invite"]);
});

describe("joined in the person's name", () => {
  test("a first call rings in the number's own room, also where the person has one with the bot", async () => {
    const joined: unknown[] = [];
    const people = { covers: () => true, joinDirect: async (...names: readonly string[]) => void joined.push(names) };
    const bridge = await houseOfAnn({ people });
    await bridge.arrive();
    expect(joined).toEqual([[made1, ann, caller]]);
    expect([bridge.in(made1), bridge.in(botRoom)]).toEqual([["invite"], []]);
  });

  test("also where the bot has seen that nobody's invitation is accepted by itself", async () => {
    const people = { covers: () => true, joinDirect: async () => {} };
    const bridge = await houseOfAnn({ people });
    void bridge.first.begin();
    for (let turn = 0; turn < 4; turn++) await bridge.passTime(1_000);
    await bridge.arrive();
    const own = bridge.homeserver.rooms.find(({ as }) => as === caller)?.room ?? botRoom;
    expect([bridge.in(own), bridge.in(botRoom)]).toEqual([["invite"], []]);
  });

  test("where the homeserver does not know the token, it rings as without it, and the log names the setting once", async () => {
    const unknown = new HomeserverError("M_UNKNOWN_TOKEN", "who are you", false);
    const bridge = await houseOfAnn({ people: { covers: () => true, joinDirect: () => Promise.reject(unknown) } });
    const call = await bridge.arrive();
    expect(bridge.in(botRoom)).toEqual(["invite"]);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    await bridge.arrive(fromOther);
    expect(bridge.in(botRoom).filter((signal) => signal === "invite")).toHaveLength(2);
    const lines = bridge.telemetry.lines.filter(({ level }) => level === "error");
    expect(lines).toMatchObject([{ fields: { setting: "inbound.join_for_people", code: "M_UNKNOWN_TOKEN" } }]);
  });
});

describe("the operator reads how first calls ring", () => {
  const refusal = () => Promise.reject(new HomeserverError("M_UNKNOWN_TOKEN", "who are you", false));

  test("where the homeserver leaves invitations open", async () => {
    const bridge = await houseOfAnn();
    await ringFirst(bridge);
    expect(bridge.first.firstCalls.describe()).toContain("inbound.join_for_people makes them ring for everybody");
  });

  test("where people are joined, and where the homeserver refuses that", async () => {
    const bridge = await houseOfAnn({ people: { covers: () => true, joinDirect: refusal } });
    expect(bridge.first.firstCalls.describe()).toBe(
      "ring for everybody of this homeserver: inbound.join_for_people is on",
    );
    await bridge.arrive();
    expect(bridge.first.firstCalls.describe()).toMatch(/^the homeserver refuses inbound\.join_for_people/);
  });
});

describe("a call that the person makes in the room with the bot", () => {
  test("after a number called there is refused at once, with the way to the number's own room", async () => {
    const bridge = await houseOfAnn();
    const call = await ringFirst(bridge);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    await bridge.take(bridge.inviteFact({ room: botRoom }));
    expect(bridge.in(botRoom).at(-1)).toBe("reject failed");
    expect(bridge.homeserver.told.at(-1)?.leg.ghost).toBe(bridge.homeserver.bot);
    expect(bridge.words.at(-1)).toBe(
      `To call a number back, use its own room. These numbers called you here last:\n+44 20 7946 0123: ${link(made1)}`,
    );
    expect(bridge.trunks.verbs).toEqual(["ring"]);
  });

  test("where no number ever called is refused with what to write instead", async () => {
    const bridge = await houseOfAnn();
    await bridge.take(bridge.inviteFact({ room: botRoom }));
    expect(bridge.signals).toEqual(["reject failed"]);
    expect(bridge.words.at(-1)).toMatch(/^You cannot call me\. To call a telephone, write: call NUMBER\./);
  });

  test("is left to others who are there", async () => {
    const bridge = await houseOfAnn();
    const there = bridge.homeserver.membersOf.get(botRoom) ?? [];
    there.push({ user: "@bob:example.org" as UserId, membership: "join" });
    await bridge.take(bridge.inviteFact({ room: botRoom }));
    expect([bridge.signals, bridge.words]).toEqual([[], []]);
  });
});

test("a number that a crash left in the room with the bot leaves it at the next start, and keeps no call out", async () => {
  const store = openMemoryStore();
  const before = await houseOfAnn({ store });
  await ringFirst(before);
  const bridge = await houseOfAnn({ store });
  await bridge.first.load();
  void bridge.first.begin();
  await bridge.quiet();
  expect(bridge.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
  expect(bridge.homeserver.serviceMembers).toEqual([{ room: botRoom, users: [] }]);
  await ringFirst(bridge, fromOther);
  expect(bridge.in(botRoom)).toEqual(["invite"]);
  expect(bridge.homeserver.invited).toEqual([{ room: botRoom, user: otherCaller }]);
});

test("the start of a bridge sends no number out of the room in which it has just begun to ring", async () => {
  const bridge = await houseOfAnn();
  await ringFirst(bridge);
  void bridge.first.begin();
  await bridge.quiet();
  expect(bridge.homeserver.left).toEqual([]);
});

test("a number that could not leave because the homeserver was away leaves at the next start", async () => {
  const store = openMemoryStore();
  const before = await houseOfAnn({ store });
  const call = await ringFirst(before);
  before.homeserver.leave = () => Promise.reject(new HomeserverError("UNREACHABLE", "away", true));
  await before.sip({ kind: "sip.cancelled", elsewhere: false }, call);
  const bridge = await houseOfAnn({ store });
  await bridge.first.load();
  void bridge.first.begin();
  await bridge.quiet();
  expect(bridge.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
});
