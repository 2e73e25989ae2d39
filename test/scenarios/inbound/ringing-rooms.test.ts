// Where an inbound call rings: rooms found again, made anew, or named by the configuration.
import { describe, expect, test } from "vitest";
import { callId, roomId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { ann, bob, caller, TestBridge, made1, made2 } from "../test-bridge.ts";
import { reception } from "../settings.ts";

const forbidden = new HomeserverError("M_FORBIDDEN", "not invited", false);
const both = [ann, caller].map((user) => ({ user, membership: "join" as const }));
const toRoom = { called: "+441632960004" };

async function callAndGiveUp(bridge: TestBridge, called?: string): Promise<void> {
  const call = await bridge.arrive(called === undefined ? {} : { called });
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
}

describe("the room of a caller and a person", () => {
  test("is found again at the next call", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge);
    bridge.homeserver.memberList = both;
    await callAndGiveUp(bridge);
    expect([bridge.homeserver.rooms.length, bridge.homeserver.invited]).toEqual([1, []]);
    expect(bridge.in(made1).filter((signal) => signal === "invite")).toHaveLength(2);
  });

  test("is the one in which the person dialled the number", async () => {
    const bridge = new TestBridge();
    const theirs = roomId("!theirs:example.org");
    bridge.homeserver.memberList = both;
    await bridge.take({
      ...bridge.origin(ann, theirs),
      kind: "member.invited",
      user: caller,
      direct: true,
      encrypted: false,
      public: false,
    });
    await bridge.arrive();
    expect([bridge.in(theirs), bridge.homeserver.rooms]).toEqual([["invite"], []]);
  });

  test("is one that the two have to themselves and have called in, whoever made it", async () => {
    const bridge = new TestBridge();
    const theirs = roomId("!theirs:example.org");
    bridge.homeserver.memberList = both;
    await bridge.take({
      ...bridge.origin(ann, theirs),
      kind: "member.invited",
      user: caller,
      direct: false,
      encrypted: false,
      public: false,
    });
    await bridge.take(bridge.inviteFact({ room: theirs }));
    await bridge.take({ ...bridge.callOf(), room: theirs, kind: "call.hungUp", said: undefined });
    await bridge.arrive();
    expect([bridge.in(theirs), bridge.homeserver.rooms]).toEqual([["invite"], []]);
  });

  test("is entered by a person who left it: they are invited again and it rings there", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge);
    bridge.homeserver.memberList = both.slice(1);
    await callAndGiveUp(bridge);
    expect(bridge.homeserver.invited).toEqual([{ room: made1, user: ann }]);
    expect(bridge.homeserver.rooms).toHaveLength(1);
  });

  test("is made anew where the ghost was thrown out of the old one", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge);
    bridge.homeserver.closedRoom = made1;
    await callAndGiveUp(bridge);
    expect(bridge.homeserver.rooms).toMatchObject([{ room: made1 }, { room: made2 }]);
    expect(bridge.in(made2)[0]).toBe("invite");
  });

  test("is another one where theirs was upgraded, which clients hide from then on", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge);
    bridge.homeserver.memberList = both;
    await bridge.take({ ...bridge.origin(ann, made1), kind: "room.replaced" });
    await bridge.arrive();
    expect(bridge.in(made2)).toEqual(["invite"]);
  });

  test("is made anew where the old one was encrypted meanwhile, and the operator reads so", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge);
    bridge.homeserver.memberList = both;
    bridge.homeserver.encryptedRooms.add(made1);
    await callAndGiveUp(bridge);
    expect(bridge.in(made2)[0]).toBe("invite");
    expect(bridge.telemetry.lines.map(({ message }) => message)).toContain(
      "made a new room because the old one is encrypted",
    );
    await callAndGiveUp(bridge);
    expect(bridge.homeserver.rooms).toHaveLength(2);
  });

  test("is not made again and again where the homeserver encrypts all of them: the person is told once", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.encryptsAll = true;
    for (let n = 0; n < 3; n++) {
      bridge.homeserver.memberList = n === 0 ? [] : both;
      const call = await bridge.arrive();
      await bridge.sip({ kind: "sip.ended" }, call);
    }
    expect(bridge.homeserver.rooms).toHaveLength(1);
    expect(bridge.words).toHaveLength(1);
    expect(bridge.trunks.orders.map(({ verb, argument }) => [verb, argument])).toEqual([
      ["reject", 480],
      ["reject", 480],
      ["reject", 480],
    ]);
  });

  test("rings also while the homeserver does not say whether it is encrypted", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.encrypted = async () => {
      throw new HomeserverError("UNREACHABLE", "gone", true);
    };
    await bridge.arrive();
    expect(bridge.in(made1)).toEqual(["invite"]);
  });
});

test("a caller who gives up while the room is still being made has missed the person, who reads so in it", async () => {
  const bridge = new TestBridge({ notices: { failures: true, history: true } });
  const make = bridge.homeserver.createDirectRoom.bind(bridge.homeserver);
  let made = (): void => {};
  const until = new Promise<void>((resolve) => (made = resolve));
  bridge.homeserver.createDirectRoom = async (as, invite) => {
    await until;
    return make(as, invite);
  };
  const call = await bridge.arrive();
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
  made();
  await bridge.quiet();
  expect([bridge.in(made1), bridge.words, bridge.switchboard.calls]).toEqual([[], ["Missed call."], []]);
});

describe("cannot join a room in inbound.numbers", () => {
  test("is entered once; the next call of the same number finds the ghost there", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge, toRoom.called);
    await callAndGiveUp(bridge, toRoom.called);
    expect(bridge.homeserver.joined).toEqual([{ room: reception, user: caller }]);
  });

  test("from which the ghost was removed while nobody told us is entered again", async () => {
    const bridge = new TestBridge();
    await callAndGiveUp(bridge, toRoom.called);
    bridge.homeserver.closedRoom = reception;
    await callAndGiveUp(bridge, toRoom.called);
    expect(bridge.homeserver.joined).toHaveLength(2);
    expect(bridge.trunks.verbs).toEqual(["ring", "ring"]);
  });

  test("that takes only whom somebody invites: the bot invites the ghost", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.refuseJoins = forbidden;
    bridge.homeserver.onInvite = () => (bridge.homeserver.refuseJoins = undefined);
    await bridge.arrive(toRoom);
    expect(bridge.homeserver.invited).toEqual([{ room: reception, user: caller }]);
    expect(bridge.homeserver.joined).toEqual([{ room: reception, user: caller }]);
    expect(bridge.in(reception)).toEqual(["invite"]);
  });

  test("in which the bot is not either: the caller hears 480 and the log says what to do", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.refuseJoins = forbidden;
    bridge.homeserver.refuseInvites = forbidden;
    await bridge.arrive(toRoom);
    expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 480 }]);
    expect(bridge.telemetry.lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: "cannot join a room in inbound.numbers: invite the bot there and give it the power to invite",
      }),
    );
  });

  test("that is encrypted cannot be answered in: it is told so once, and nothing rings", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.encryptedRooms.add(reception);
    await bridge.arrive(toRoom);
    await bridge.arrive(toRoom);
    expect(bridge.homeserver.notices).toMatchObject([{ room: reception, as: caller }]);
    expect(bridge.trunks.verbs).toEqual(["reject", "reject"]);
  });

  test("goes on ringing when one of those in it leaves", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, bob, caller].map((user) => ({ user, membership: "join" as const }));
    await bridge.arrive(toRoom);
    await bridge.take({ ...bridge.origin(bob, reception), kind: "member.left", user: bob });
    expect(bridge.trunks.verbs).toEqual(["ring"]);
  });

  test("an invitation of our bot's that is pushed to us is nobody's wish to talk", async () => {
    const bridge = new TestBridge();
    await bridge.take({
      ...bridge.origin(bridge.homeserver.bot, reception),
      kind: "member.invited",
      user: caller,
      direct: false,
      encrypted: false,
      public: false,
    });
    expect(bridge.homeserver.joined).toEqual([]);
  });
});

test("a person on another homeserver is rung like one on ours", async () => {
  const eve = "@eve:elsewhere.org" as UserId;
  const bridge = new TestBridge({
    dids: {
      rules: [
        {
          match: { kind: "prefix", prefix: "+" },
          trunks: [],
          stages: [{ targets: [{ kind: "person", person: eve }], ringMs: 30_000 }],
        },
      ],
    },
  });
  await bridge.arrive();
  expect(bridge.homeserver.rooms).toMatchObject([{ invite: eve }]);
  await bridge.take(bridge.answer(made1, eve));
  expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
});

test.each([
  ["encrypted, where it has one device", true, ["reject"]],
  ["not", false, []],
])("a number that is in the running call of a room comes in once more: %s", async (_, isEncrypted, refused) => {
  const bridge = new TestBridge();
  bridge.homeserver.readsEncrypted = true;
  bridge.homeserver.runningCalls.add(reception);
  if (isEncrypted) bridge.homeserver.encryptedRooms.add(reception);
  await bridge.arrive({ ...toRoom, call: callId("first") });
  await bridge.take(bridge.answer(reception, ann));
  await bridge.arrive({ ...toRoom, call: callId("second") });
  const ofSecond = bridge.trunks.orders.filter(({ call }) => call === "second").map(({ verb }) => verb);
  expect(ofSecond.filter((verb) => verb === "reject")).toEqual(refused);
});

test.each([
  [true, []],
  [false, [callId("second")]],
])("telephones come at once into a room where people are in a call with each other: %s", async (isRunning, refused) => {
  const bridge = new TestBridge();
  if (isRunning) bridge.homeserver.runningCalls.add(reception);
  const second = { ...toRoom, call: callId("second"), identity: callerOf("+442079460777") };
  await Promise.all([bridge.arrive({ ...toRoom, call: callId("first") }), bridge.arrive(second)]);
  expect(bridge.trunks.orders.filter(({ verb }) => verb === "reject").map(({ call }) => call)).toEqual(refused);
});
