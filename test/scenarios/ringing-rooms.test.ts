// Where an inbound call rings: rooms found again, made anew, or named by the configuration.
import { describe, expect, test } from "vitest";
import { roomId, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { ann, bob, caller, House, made1, made2 } from "./house.ts";
import { reception } from "./settings.ts";

const forbidden = new HomeserverError("M_FORBIDDEN", "not invited", false);
const both = [ann, caller].map((user) => ({ user, membership: "join" as const }));
const toRoom = { called: "+441632960004" };

async function callAndGiveUp(house: House, called?: string): Promise<void> {
  const call = await house.arrive(called === undefined ? {} : { called });
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
}

describe("the room of a caller and a person", () => {
  test("is found again at the next call", async () => {
    const house = new House();
    await callAndGiveUp(house);
    house.homeserver.memberList = both;
    await callAndGiveUp(house);
    expect([house.homeserver.rooms.length, house.homeserver.invited]).toEqual([1, []]);
    expect(house.in(made1).filter((signal) => signal === "invite")).toHaveLength(2);
  });

  test("is the one in which the person dialled the number", async () => {
    const house = new House();
    const theirs = roomId("!theirs:example.org");
    house.homeserver.memberList = both;
    await house.take({
      ...house.origin(ann, theirs),
      kind: "member.invited",
      user: caller,
      direct: true,
      encrypted: false,
      public: false,
    });
    await house.arrive();
    expect([house.in(theirs), house.homeserver.rooms]).toEqual([["invite"], []]);
  });

  test("is one that the two have to themselves and have called in, whoever made it", async () => {
    const house = new House();
    const theirs = roomId("!theirs:example.org");
    house.homeserver.memberList = both;
    await house.take({
      ...house.origin(ann, theirs),
      kind: "member.invited",
      user: caller,
      direct: false,
      encrypted: false,
      public: false,
    });
    await house.take(house.inviteFact({ room: theirs }));
    await house.take({ ...house.callOf(), room: theirs, kind: "call.hungUp", reason: undefined });
    await house.arrive();
    expect([house.in(theirs), house.homeserver.rooms]).toEqual([["invite"], []]);
  });

  test("is entered by a person who left it: they are invited again and it rings there", async () => {
    const house = new House();
    await callAndGiveUp(house);
    house.homeserver.memberList = both.slice(1);
    await callAndGiveUp(house);
    expect(house.homeserver.invited).toEqual([{ room: made1, user: ann }]);
    expect(house.homeserver.rooms).toHaveLength(1);
  });

  test("is made anew where the ghost was thrown out of the old one", async () => {
    const house = new House();
    await callAndGiveUp(house);
    house.homeserver.closedRoom = made1;
    await callAndGiveUp(house);
    expect(house.homeserver.rooms).toMatchObject([{ room: made1 }, { room: made2 }]);
    expect(house.in(made2)[0]).toBe("invite");
  });

  test("is another one where theirs was upgraded, which clients hide from then on", async () => {
    const house = new House();
    await callAndGiveUp(house);
    house.homeserver.memberList = both;
    await house.take({ ...house.origin(ann, made1), kind: "room.replaced" });
    await house.arrive();
    expect(house.in(made2)).toEqual(["invite"]);
  });

  test("is made anew where the old one was encrypted meanwhile, and the operator reads so", async () => {
    const house = new House();
    await callAndGiveUp(house);
    house.homeserver.memberList = both;
    house.homeserver.encryptedRooms.add(made1);
    await callAndGiveUp(house);
    expect(house.in(made2)[0]).toBe("invite");
    expect(house.telemetry.lines.map(({ message }) => message)).toContain(
      "made a new room because the old one is encrypted",
    );
    await callAndGiveUp(house);
    expect(house.homeserver.rooms).toHaveLength(2);
  });

  test("is not made again and again where the homeserver encrypts all of them: the person is told once", async () => {
    const house = new House();
    house.homeserver.encryptsAll = true;
    for (let n = 0; n < 3; n++) {
      house.homeserver.memberList = n === 0 ? [] : both;
      const call = await house.arrive();
      await house.sip({ kind: "sip.ended" }, call);
    }
    expect(house.homeserver.rooms).toHaveLength(1);
    expect(house.words).toHaveLength(1);
    expect(house.trunks.orders.map(({ verb, argument }) => [verb, argument])).toEqual([
      ["reject", 480],
      ["reject", 480],
      ["reject", 480],
    ]);
  });

  test("rings also while the homeserver does not say whether it is encrypted", async () => {
    const house = new House();
    house.homeserver.encrypted = async () => {
      throw new HomeserverError("UNREACHABLE", "gone", true);
    };
    await house.arrive();
    expect(house.in(made1)).toEqual(["invite"]);
  });
});

test("a caller who gives up while the room is still being made has missed the person, who reads so in it", async () => {
  const house = new House({ notices: { failures: true, history: true } });
  const make = house.homeserver.createDirectRoom.bind(house.homeserver);
  let made = (): void => {};
  const until = new Promise<void>((resolve) => (made = resolve));
  house.homeserver.createDirectRoom = async (as, invite) => {
    await until;
    return make(as, invite);
  };
  const call = await house.arrive();
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
  made();
  await house.quiet();
  expect([house.in(made1), house.words, house.switchboard.calls]).toEqual([[], ["Missed call."], []]);
});

describe("cannot join a room in inbound.numbers", () => {
  test("is entered once; the next call of the same number finds the ghost there", async () => {
    const house = new House();
    await callAndGiveUp(house, toRoom.called);
    await callAndGiveUp(house, toRoom.called);
    expect(house.homeserver.joined).toEqual([{ room: reception, user: caller }]);
  });

  test("from which the ghost was removed while nobody told us is entered again", async () => {
    const house = new House();
    await callAndGiveUp(house, toRoom.called);
    house.homeserver.closedRoom = reception;
    await callAndGiveUp(house, toRoom.called);
    expect(house.homeserver.joined).toHaveLength(2);
    expect(house.trunks.verbs).toEqual(["ring", "ring"]);
  });

  test("that takes only whom somebody invites: the bot invites the ghost", async () => {
    const house = new House();
    house.homeserver.refuseJoins = forbidden;
    house.homeserver.onInvite = () => (house.homeserver.refuseJoins = undefined);
    await house.arrive(toRoom);
    expect(house.homeserver.invited).toEqual([{ room: reception, user: caller }]);
    expect(house.homeserver.joined).toEqual([{ room: reception, user: caller }]);
    expect(house.in(reception)).toEqual(["invite"]);
  });

  test("in which the bot is not either: the caller hears 480 and the log says what to do", async () => {
    const house = new House();
    house.homeserver.refuseJoins = forbidden;
    house.homeserver.refuseInvites = forbidden;
    await house.arrive(toRoom);
    expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 480 }]);
    expect(house.telemetry.lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: "cannot join a room in inbound.numbers: invite the bot there and give it the power to invite",
      }),
    );
  });

  test("that is encrypted cannot be answered in: it is told so once, and nothing rings", async () => {
    const house = new House();
    house.homeserver.encryptedRooms.add(reception);
    await house.arrive(toRoom);
    await house.arrive(toRoom);
    expect(house.homeserver.notices).toMatchObject([{ room: reception, as: caller }]);
    expect(house.trunks.verbs).toEqual(["reject", "reject"]);
  });

  test("goes on ringing when one of those in it leaves", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, bob, caller].map((user) => ({ user, membership: "join" as const }));
    await house.arrive(toRoom);
    await house.take({ ...house.origin(bob, reception), kind: "member.left", user: bob });
    expect(house.trunks.verbs).toEqual(["ring"]);
  });

  test("an invitation of our bot's that is pushed to us is nobody's wish to talk", async () => {
    const house = new House();
    await house.take({
      ...house.origin(house.homeserver.bot, reception),
      kind: "member.invited",
      user: caller,
      direct: false,
      encrypted: false,
      public: false,
    });
    expect(house.homeserver.joined).toEqual([]);
  });
});

test("a person on another homeserver is rung like one on ours", async () => {
  const eve = "@eve:elsewhere.org" as UserId;
  const house = new House({
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
  await house.arrive();
  expect(house.homeserver.rooms).toMatchObject([{ invite: eve }]);
  await house.take(house.answer(made1, eve));
  expect(house.trunks.verbs).toEqual(["ring", "accept"]);
});
