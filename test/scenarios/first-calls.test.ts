// A number that never called before calls a person: where it rings, what the person reads, and what is left behind.
import { describe, expect, test } from "vitest";
import { roomId, type NumberKey, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, caller, House, made1, made2, type HouseOptions } from "./house.ts";

const botRoom = roomId("!bot:example.org");
const link = (room: string): string => `https://matrix.to/#/${encodeURIComponent(room)}`;
const forbidden = new HomeserverError("M_FORBIDDEN", "not allowed", false);
const otherCaller = "@_sip_+442079460124%40sip.example.org:example.org" as UserId;
const fromOther = { identity: callerOf("+442079460124") };

/** Clients show invitations, and nobody accepts one. Ann has a room with the bot. */
async function houseOfAnn(options: HouseOptions = {}): Promise<House> {
  const house = new House(options);
  const { homeserver, store } = house;
  homeserver.acceptsInvitations = false;
  const { bot } = homeserver;
  await store.conversations.save({ room: botRoom, person: ann, number: bot as string as NumberKey, ghost: bot });
  await store.rooms.saveOurs(botRoom, homeserver.bot);
  homeserver.membersOf.set(
    botRoom,
    [homeserver.bot, ann].map((user) => ({ user, membership: "join" as const })),
  );
  return house;
}

/** Whoever accepts invitations by themselves would have done so by now. */
async function ringFirst(house: House, changes: Parameters<House["arrive"]>[0] = {}) {
  const call = await house.arrive(changes);
  await house.passTime(500);
  return call;
}

function joins(house: House, where: typeof made1, person = ann) {
  return { ...house.origin(person, where), kind: "member.joined", user: person } as const;
}

describe("a first call, where the person has a room with the bot", () => {
  test("rings there, under the number's name alone", async () => {
    const house = await houseOfAnn();
    await ringFirst(house);
    expect(house.in(botRoom)).toEqual(["invite"]);
    expect(house.homeserver.told[0]?.leg.ghost).toBe(caller);
    expect(house.homeserver.serviceMembers).toEqual([{ room: botRoom, users: [house.homeserver.bot] }]);
    expect(house.homeserver.invited).toEqual([{ room: botRoom, user: caller }]);
    expect(house.trunks.verbs).toEqual(["ring"]);
  });

  test("is answered there", async () => {
    const house = await houseOfAnn();
    await ringFirst(house);
    await house.take(house.answer(botRoom));
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("leaves the room to the bot when it is over, with the way to the number's own room", async () => {
    const house = await houseOfAnn({ notices: { failures: true, history: true } });
    const call = await ringFirst(house);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(house.in(botRoom)).toEqual(["invite", "hangup user_hangup"]);
    expect(house.words).toEqual([`Missed call. Call back or write in the room of this number: ${link(made1)}`]);
    expect(house.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
    expect(house.homeserver.serviceMembers.at(-1)).toEqual({ room: botRoom, users: [] });
    expect(await house.store.visits.open()).toEqual([]);
  });

  test("has the number's own room made as well: the next call rings in it once the person is there", async () => {
    const house = await houseOfAnn();
    const call = await ringFirst(house);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(house.homeserver.rooms).toEqual([{ room: made1, as: caller, invite: ann }]);
    house.homeserver.acceptsInvitations = true;
    await house.arrive();
    expect(house.in(made1)).toEqual(["invite"]);
  });

  test("does not wait for the number's own room once invitations are known to stay open", async () => {
    const house = await houseOfAnn();
    const call = await ringFirst(house);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    await house.arrive(fromOther);
    expect(house.in(botRoom).filter((signal) => signal === "invite")).toHaveLength(2);
  });

  test("of a second number in the meantime is an invitation, and the bot says who calls", async () => {
    const house = await houseOfAnn();
    await ringFirst(house);
    await ringFirst(house, fromOther);
    expect([house.in(botRoom), house.in(made2)]).toEqual([["invite"], []]);
    expect(house.homeserver.notices).toContainEqual({
      room: botRoom,
      as: house.homeserver.bot,
      text: `+44 20 7946 0124 is calling too. Join this room to answer: ${link(made2)}`,
      about: undefined,
    });
    await house.take(joins(house, made2));
    expect(house.in(made2)).toEqual(["invite"]);
  });

  test("does not ring a second time in the number's own room when the person joins that", async () => {
    const house = await houseOfAnn();
    await ringFirst(house);
    await house.take(joins(house, made1));
    expect([house.in(botRoom), house.in(made1)]).toEqual([["invite"], []]);
  });

  test("never makes the room with the bot the number's own", async () => {
    const house = await houseOfAnn();
    await ringFirst(house);
    await house.take(house.inviteFact({ room: botRoom }));
    const conversations = await house.store.conversations.find(ann, "+442079460123" as NumberKey);
    expect(conversations.map((one) => one.room)).toEqual([made1]);
  });

  test("leaves it also where the caller gave up while the number was on its way into it", async () => {
    const house = await houseOfAnn();
    const invite = house.homeserver.invite.bind(house.homeserver);
    let admit = (): void => {};
    const admitted = new Promise<void>((resolve) => (admit = resolve));
    house.homeserver.invite = async (...args) => {
      await admitted;
      return invite(...args);
    };
    const call = await ringFirst(house);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    admit();
    await house.quiet();
    expect(house.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
    expect([house.switchboard.calls, await house.store.visits.open()]).toEqual([[], []]);
  });
});

describe("the room with the bot is left alone by a first call, which is logged,", () => {
  async function unfit(spoil: (house: House) => void): Promise<House> {
    const house = await houseOfAnn();
    spoil(house);
    await ringFirst(house);
    expect(house.in(botRoom)).toEqual([]);
    expect(house.trunks.verbs).toEqual(["ring"]);
    return house;
  }
  const reasons = (house: House) =>
    house.telemetry.lines
      .filter(({ message }) => message === "first call cannot ring in the room with the bot")
      .map(({ fields }) => fields["why"]);

  test("where it is encrypted", async () => {
    const house = await unfit(({ homeserver }) => homeserver.encryptedRooms.add(botRoom));
    expect(reasons(house)).toEqual(["it is encrypted"]);
  });

  test("where others are in it", async () => {
    const house = await unfit(({ homeserver }) => {
      const there = homeserver.membersOf.get(botRoom) ?? [];
      there.push({ user: "@bob:example.org" as UserId, membership: "join" });
    });
    expect(reasons(house)).toEqual(["others are in it"]);
  });

  test("where the person has left it", async () => {
    const house = await unfit(({ homeserver }) => {
      homeserver.membersOf.set(botRoom, [{ user: homeserver.bot, membership: "join" }]);
    });
    expect(reasons(house)).toEqual(["the person is not in it"]);
  });

  test.each([
    ["change the room's state", "refuseState"],
    ["invite", "refuseInvites"],
  ] as const)("where the bot may not %s", async (_what, refusal) => {
    const house = await unfit(({ homeserver }) => void (homeserver[refusal] = forbidden));
    expect(house.telemetry.lines.map(({ message }) => message)).toContain(
      "first call cannot ring in the room with the bot: the bot needs the power to invite and to set state there",
    );
    expect(await house.store.visits.open()).toEqual([]);
  });
});

describe("a first call, where the person has no room with the bot,", () => {
  async function lonely(options: HouseOptions = {}): Promise<House> {
    const house = new House(options);
    house.homeserver.acceptsInvitations = false;
    return house;
  }

  test("waits for the person to join, and then rings once", async () => {
    const house = await lonely();
    await ringFirst(house);
    expect([house.in(made1), house.trunks.verbs]).toEqual([[], ["ring"]]);
    await house.take(joins(house, made1));
    await house.take(joins(house, made1));
    expect(house.in(made1)).toEqual(["invite"]);
    await house.take(house.answer(made1));
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("does not ring when somebody else joins the number's room", async () => {
    const house = await lonely();
    await ringFirst(house);
    await house.take(joins(house, made1, "@bob:example.org" as UserId));
    expect(house.in(made1)).toEqual([]);
  });

  test("that the person came to says nothing of silence when it is over", async () => {
    const house = await lonely({ notices: { failures: true, history: true } });
    const call = await ringFirst(house);
    await house.take(joins(house, made1));
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(house.words.filter((line) => line.includes("did not ring"))).toEqual([]);
  });

  test("that nobody came to leaves a line that says why it was silent, and no hang-up of a call that nobody saw", async () => {
    const house = await lonely({ notices: { failures: true, history: true } });
    const call = await ringFirst(house);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    expect(house.in(made1)).toEqual([]);
    expect(house.words).toEqual([
      expect.stringMatching(/^Missed call\. It did not ring .* inbound\.join_for_people\.$/),
    ]);
    expect(house.telemetry.lines).toContainEqual(
      expect.objectContaining({
        message: "first call from a number does not ring until the person joins its room",
        fields: expect.objectContaining({ person: ann, setting: "inbound.join_for_people" }),
      }),
    );
  });

  test("rings in the number's own room where the homeserver accepts the invitation by itself", async () => {
    const house = await houseOfAnn();
    await house.arrive();
    await house.take(joins(house, made1));
    expect([house.in(made1), house.in(botRoom)]).toEqual([["invite"], []]);
  });
});

test("a homeserver that begins to accept invitations by itself is noticed: first calls ring in the number's own room", async () => {
  const house = await houseOfAnn();
  const first = await ringFirst(house);
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, first);
  const second = await house.arrive(fromOther);
  await house.take(joins(house, made2));
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, second);
  await house.arrive({ identity: callerOf("+442079460125") });
  const made3 = house.homeserver.rooms.at(-1)?.room ?? made1;
  await house.take(joins(house, made3));
  expect(house.in(made3)).toEqual(["invite"]);
});

describe("joined in the person's name", () => {
  test("a first call rings in the number's own room, also where the person has one with the bot", async () => {
    const joined: unknown[] = [];
    const people = { covers: () => true, joinDirect: async (...names: readonly string[]) => void joined.push(names) };
    const house = await houseOfAnn({ people });
    await house.arrive();
    expect(joined).toEqual([[made1, ann, caller]]);
    expect([house.in(made1), house.in(botRoom)]).toEqual([["invite"], []]);
  });

  test("also where the bot has seen that nobody's invitation is accepted by itself", async () => {
    const people = { covers: () => true, joinDirect: async () => {} };
    const house = await houseOfAnn({ people });
    void house.first.begin();
    for (let turn = 0; turn < 4; turn++) await house.passTime(1_000);
    await house.arrive();
    const own = house.homeserver.rooms.find(({ as }) => as === caller)?.room ?? botRoom;
    expect([house.in(own), house.in(botRoom)]).toEqual([["invite"], []]);
  });

  test("where the homeserver does not know the token, it rings as without it, and the log names the setting once", async () => {
    const unknown = new HomeserverError("M_UNKNOWN_TOKEN", "who are you", false);
    const house = await houseOfAnn({ people: { covers: () => true, joinDirect: () => Promise.reject(unknown) } });
    const call = await house.arrive();
    expect(house.in(botRoom)).toEqual(["invite"]);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    await house.arrive(fromOther);
    expect(house.in(botRoom).filter((signal) => signal === "invite")).toHaveLength(2);
    const lines = house.telemetry.lines.filter(({ level }) => level === "error");
    expect(lines).toMatchObject([{ fields: { setting: "inbound.join_for_people", code: "M_UNKNOWN_TOKEN" } }]);
  });
});

describe("the operator reads how first calls ring", () => {
  const refusal = () => Promise.reject(new HomeserverError("M_UNKNOWN_TOKEN", "who are you", false));

  test("where the homeserver leaves invitations open", async () => {
    const house = await houseOfAnn();
    await ringFirst(house);
    expect(house.first.firstCalls.describe()).toContain("inbound.join_for_people makes them ring for everybody");
  });

  test("where people are joined, and where the homeserver refuses that", async () => {
    const house = await houseOfAnn({ people: { covers: () => true, joinDirect: refusal } });
    expect(house.first.firstCalls.describe()).toBe(
      "ring for everybody of this homeserver: inbound.join_for_people is on",
    );
    await house.arrive();
    expect(house.first.firstCalls.describe()).toMatch(/^the homeserver refuses inbound\.join_for_people/);
  });
});

describe("a call that the person makes in the room with the bot", () => {
  test("after a number called there is refused at once, with the way to the number's own room", async () => {
    const house = await houseOfAnn();
    const call = await ringFirst(house);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    await house.take(house.inviteFact({ room: botRoom }));
    expect(house.in(botRoom).at(-1)).toBe("reject failed");
    expect(house.homeserver.told.at(-1)?.leg.ghost).toBe(house.homeserver.bot);
    expect(house.words.at(-1)).toBe(
      `To call a number back, use its own room. These numbers called you here last:\n+44 20 7946 0123: ${link(made1)}`,
    );
    expect(house.trunks.verbs).toEqual(["ring"]);
  });

  test("where no number ever called is refused with what to write instead", async () => {
    const house = await houseOfAnn();
    await house.take(house.inviteFact({ room: botRoom }));
    expect(house.signals).toEqual(["reject failed"]);
    expect(house.words.at(-1)).toMatch(/^You cannot call me\. To call a telephone, write: call NUMBER\./);
  });

  test("is left to others who are there", async () => {
    const house = await houseOfAnn();
    const there = house.homeserver.membersOf.get(botRoom) ?? [];
    there.push({ user: "@bob:example.org" as UserId, membership: "join" });
    await house.take(house.inviteFact({ room: botRoom }));
    expect([house.signals, house.words]).toEqual([[], []]);
  });
});

test("a number that a crash left in the room with the bot leaves it at the next start, and keeps no call out", async () => {
  const store = openMemoryStore();
  const before = await houseOfAnn({ store });
  await ringFirst(before);
  const house = await houseOfAnn({ store });
  await house.first.load();
  void house.first.begin();
  await house.quiet();
  expect(house.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
  expect(house.homeserver.serviceMembers).toEqual([{ room: botRoom, users: [] }]);
  await ringFirst(house, fromOther);
  expect(house.in(botRoom)).toEqual(["invite"]);
  expect(house.homeserver.invited).toEqual([{ room: botRoom, user: otherCaller }]);
});

test("the start of a bridge sends no number out of the room in which it has just begun to ring", async () => {
  const house = await houseOfAnn();
  await ringFirst(house);
  void house.first.begin();
  await house.quiet();
  expect(house.homeserver.left).toEqual([]);
});

test("a number that could not leave because the homeserver was away leaves at the next start", async () => {
  const store = openMemoryStore();
  const before = await houseOfAnn({ store });
  const call = await ringFirst(before);
  before.homeserver.leave = () => Promise.reject(new HomeserverError("UNREACHABLE", "away", true));
  await before.sip({ kind: "sip.cancelled", elsewhere: false }, call);
  const house = await houseOfAnn({ store });
  await house.first.load();
  void house.first.begin();
  await house.quiet();
  expect(house.homeserver.left).toEqual([{ room: botRoom, user: caller }]);
});
