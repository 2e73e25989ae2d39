// Clients know one call per room: several calls between one person and one number never meet in one room.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../src/core/ids.ts";
import { dialog } from "../core/call/examples.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, bob, ghost, House, made1, made2, room, trunk } from "./house.ts";
import { examplePolicy, reception } from "./settings.ts";

const withheld = callerOf("anonymous", undefined, ["id"]);
const answered = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;

function rejections(house: House): readonly unknown[] {
  return house.trunks.orders.filter(({ verb }) => verb === "reject").map(({ argument }) => argument);
}

describe("two callers who withhold their number ring one person", () => {
  test("while the first is answered, the second rings elsewhere", async () => {
    const house = new House();
    await house.arrive({ identity: withheld });
    await house.take(house.answer(made1));
    await house.arrive({ identity: withheld });
    expect(house.in(made1)).toEqual(["invite", "select PHONE"]);
    expect(house.in(made2)).toEqual(["invite"]);
    expect(new Set(house.homeserver.rooms.map(({ as }) => as)).size).toBe(1);
  });

  test("at once, and each rings in a room of its own", async () => {
    const house = new House();
    await Promise.all([house.arrive({ identity: withheld }), house.arrive({ identity: withheld })]);
    expect([house.in(made1), house.in(made2)]).toEqual([["invite"], ["invite"]]);
  });

  test("one after the other, and one room is enough", async () => {
    const house = new House();
    for (let n = 0; n < 3; n++) {
      const call = await house.arrive({ identity: withheld });
      await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect(house.homeserver.rooms).toHaveLength(1);
  });

  test("and a call that is over keeps no room, though the trunk has not answered the BYE yet", async () => {
    const house = new House();
    const call = await house.arrive({ identity: withheld });
    await house.take(house.answer(made1));
    await house.take({ ...house.ringing(made1), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.switchboard.calls.map(({ id, phase }) => [id, phase])).toEqual([[call, "ending"]]);
    await house.arrive({ identity: withheld });
    expect(house.homeserver.rooms).toHaveLength(1);
  });

  test("and the second room is used again", async () => {
    const house = new House();
    for (let n = 0; n < 3; n++) {
      const calls = [await house.arrive({ identity: withheld }), await house.arrive({ identity: withheld })];
      for (const call of calls) await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect(house.homeserver.rooms).toHaveLength(2);
  });

  test("and a fourth hears that the person is busy: there are no more than three rooms", async () => {
    const house = new House({ policy: { ...examplePolicy, callsPerUser: 10 } });
    for (let n = 0; n < 4; n++) await house.arrive({ identity: withheld });
    expect(house.homeserver.rooms).toHaveLength(3);
    expect(rejections(house)).toEqual([486]);
  });
});

describe("a number that a person is talking to", () => {
  test("calls once more: it rings in another room", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" }));
    const call = await house.ring();
    await house.sip(answered, call);
    await house.arrive({ identity: callerOf("+441818118181") });
    expect(house.in(room).filter((signal) => signal === "invite")).toEqual([]);
    expect(house.in(made1)).toEqual(["invite"]);
  });

  test("writes, and the text comes into the room of the call", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" }));
    const call = await house.ring();
    await house.sip(answered, call);
    const text = { trunk, called: "+441632960001", text: "Late", id: "t1" };
    await house.texts.messaged({ ...text, identity: callerOf("+441818118181") });
    expect(house.homeserver.texts.map(({ room: where }) => where)).toEqual([room]);
  });

  test("is transferred to somebody who talks to it already: it rings in another room of theirs", async () => {
    const house = new House({ features: { transfer: "join" } });
    await house.arrive({ called: "+441632960003" });
    await house.take(house.answer(made1));
    await house.arrive({ called: "+441632960002" });
    const bobsRooms = () => house.homeserver.rooms.filter(({ invite }) => invite === bob).map((made) => made.room);
    const [bobsRoom = made2] = bobsRooms();
    await house.take(house.answer(bobsRoom, bob));
    const replacement = { kind: "create", token: "t", target: bob } as const;
    await house.take({ ...house.ringing(made1), kind: "call.replaced", replacement });
    expect(bobsRooms().map((where) => house.in(where))).toEqual([["invite", "select PHONE"], ["invite"]]);
  });
});

describe("in a room of the configuration", () => {
  const toRoom = { called: "+441632960004" };
  const other = callerOf("+441632960777");

  test("one call rings at a time: the next caller hears that it is busy", async () => {
    const house = new House();
    await Promise.all([house.arrive(toRoom), house.arrive({ ...toRoom, identity: other })]);
    expect(house.in(reception)).toEqual(["invite"]);
    expect(rejections(house)).toEqual([486]);
  });

  test("the next number rings for the others once somebody has taken the first call", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, bob].map((user) => ({ user, membership: "join" }));
    await house.arrive(toRoom);
    await house.take(house.answer(reception));
    await house.arrive({ ...toRoom, identity: other });
    expect(house.in(reception)).toEqual(["invite", "select PHONE", "invite"]);
  });

  test("nobody else being there, it is busy", async () => {
    const house = new House();
    house.homeserver.memberList = [{ user: ann, membership: "join" }];
    await house.arrive(toRoom);
    await house.take(house.answer(reception));
    await house.arrive({ ...toRoom, identity: other });
    expect(rejections(house)).toEqual([486]);
  });

  test("the same number does not ring again while somebody talks to it there", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, bob].map((user) => ({ user, membership: "join" }));
    await house.arrive(toRoom);
    await house.take(house.answer(reception));
    await house.arrive(toRoom);
    expect(rejections(house)).toEqual([486]);
  });

  test("it is free again when the call is over", async () => {
    const house = new House();
    for (let n = 0; n < 2; n++) {
      const call = await house.arrive(toRoom);
      await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect(rejections(house)).toEqual([]);
  });
});

describe("a person dials in the room of a running call", () => {
  const again = (house: House, party: string) => house.inviteFact({ ...house.callOf(ann, "call2", party) });

  test("from another device, and is told so: nothing is dialled", async () => {
    const house = new House();
    await house.ring();
    await house.take(again(house, "LAPTOP"));
    expect(house.trunks.verbs).toEqual(["invite"]);
    expect(house.signals).toEqual(["reject busy"]);
    expect(house.words).toEqual(["There is already a call in this room. Please end it before you call again."]);
  });

  test("from the device that talks there: nothing is dialled", async () => {
    const house = new House();
    await house.sip(answered, await house.ring());
    await house.take(again(house, "PHONE"));
    expect(house.trunks.verbs).toEqual(["invite"]);
    expect(house.signals.at(-1)).toBe("reject busy");
  });

  test("from the device whose call still rings, having forgotten it: that call is cancelled and the new one rings", async () => {
    const house = new House();
    await house.ring();
    await house.take(again(house, "PHONE"));
    expect(house.trunks.verbs).toEqual(["invite", "cancel", "invite"]);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["ending", "inviting"]);
  });

  test("and two clients without party ids are two devices", async () => {
    const house = new House();
    await house.enterRoom();
    const old = { party: undefined, version: "0" } as const;
    await house.take(house.inviteFact(old));
    await house.take({ ...again(house, "none"), ...old });
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("after the call there is over", async () => {
    const house = new House();
    const call = await house.ring();
    await house.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined }, call);
    await house.take(again(house, "PHONE"));
    expect(house.trunks.verbs).toEqual(["invite", "invite"]);
  });

  test("to a number that somebody else is calling there: nothing is dialled", async () => {
    const house = new House();
    await house.ring();
    await house.take(house.inviteFact(house.callOf(bob, "call2", "BOBS")));
    expect(house.trunks.verbs).toEqual(["invite"]);
    expect(house.signals).toEqual(["reject busy"]);
  });

  test("and other people's calls to other numbers do not count", async () => {
    const house = new House();
    await house.ring();
    const second = "@_sip_01632960107%40sip.example.org:example.org" as UserId;
    await house.enterRoom(room, second);
    const fact = house.inviteFact({ ...house.callOf(bob, "call2", "BOBS"), invitee: second });
    await house.take(fact);
    expect(house.trunks.verbs).toEqual(["invite", "invite"]);
  });
});
