// Clients know one call per room: several calls between one person and one number never meet in one room.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { accepted, ann, bob, ghost, TestBridge, made1, made2, room, trunk } from "../test-bridge.ts";
import { examplePolicy, reception } from "../settings.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

const withheld = callerOf("anonymous", undefined, ["id"]);

function rejections(bridge: TestBridge): readonly unknown[] {
  return bridge.trunks.orders.filter(({ verb }) => verb === "reject").map(({ argument }) => argument);
}

describe("two callers who withhold their number ring one person", () => {
  test("while the first is accepted, the second rings elsewhere", async () => {
    const bridge = new TestBridge();
    await bridge.arrive({ identity: withheld });
    await bridge.take(bridge.answer(made1));
    await bridge.arrive({ identity: withheld });
    expect(bridge.in(made1)).toEqual(["invite", "select PHONE"]);
    expect(bridge.in(made2)).toEqual(["invite"]);
    expect(new Set(bridge.homeserver.rooms.map(({ as }) => as)).size).toBe(1);
  });

  test("at once, and each rings in a room of its own", async () => {
    const bridge = new TestBridge();
    await Promise.all([bridge.arrive({ identity: withheld }), bridge.arrive({ identity: withheld })]);
    expect([bridge.in(made1), bridge.in(made2)]).toEqual([["invite"], ["invite"]]);
  });

  test("one after the other, and one room is enough", async () => {
    const bridge = new TestBridge();
    for (let n = 0; n < 3; n++) {
      const call = await bridge.arrive({ identity: withheld });
      await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect(bridge.homeserver.rooms).toHaveLength(1);
  });

  test("and a call that is over keeps no room, though the trunk has not answered the BYE yet", async () => {
    const bridge = new TestBridge();
    const call = await bridge.arrive({ identity: withheld });
    await bridge.take(bridge.answer(made1));
    await bridge.take({ ...bridge.ringing(made1), kind: "call.hungUp", said: undefined });
    expect(bridge.switchboard.calls.map(({ id, phase }) => [id, phase.kind])).toEqual([[call, "ending"]]);
    await bridge.arrive({ identity: withheld });
    expect(bridge.homeserver.rooms).toHaveLength(1);
  });

  test("and the second room is used again", async () => {
    const bridge = new TestBridge();
    for (let n = 0; n < 3; n++) {
      const calls = [await bridge.arrive({ identity: withheld }), await bridge.arrive({ identity: withheld })];
      for (const call of calls) await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect(bridge.homeserver.rooms).toHaveLength(2);
  });

  test("and a fourth hears that the person is busy: there are no more than three rooms", async () => {
    const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerUser: 10 } });
    for (let n = 0; n < 4; n++) await bridge.arrive({ identity: withheld });
    expect(bridge.homeserver.rooms).toHaveLength(3);
    expect(rejections(bridge)).toEqual([486]);
  });
});

describe("a number that a person is talking to", () => {
  test("calls once more: it rings in another room", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" }));
    const call = await bridge.ring();
    await bridge.sip(accepted, call);
    await bridge.arrive({ identity: callerOf("+441818118181") });
    expect(bridge.in(room).filter((signal) => signal === "invite")).toEqual([]);
    expect(bridge.in(made1)).toEqual(["invite"]);
  });

  test("writes, and the text comes into the room of the call", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" }));
    const call = await bridge.ring();
    await bridge.sip(accepted, call);
    const text = { trunk, called: "+441632960001", text: "Late", id: "t1" };
    await bridge.messaged({ ...text, identity: callerOf("+441818118181") });
    expect(bridge.homeserver.texts.map(({ room: where }) => where)).toEqual([room]);
  });

  test("is transferred to somebody who talks to it already: it rings in another room of theirs", async () => {
    const bridge = new TestBridge({ features: { transfer: "join" } });
    await bridge.arrive({ called: "+441632960003" });
    await bridge.take(bridge.answer(made1));
    await bridge.arrive({ called: "+441632960002" });
    const bobsRooms = () => bridge.homeserver.rooms.filter(({ invite }) => invite === bob).map((made) => made.room);
    const [bobsRoom = made2] = bobsRooms();
    await bridge.take(bridge.answer(bobsRoom, bob));
    const replacement = { kind: "create", token: "t", target: bob } as const;
    await bridge.take({ ...bridge.ringing(made1), kind: "call.replaced", replacement });
    expect(bobsRooms().map((where) => bridge.in(where))).toEqual([["invite", "select PHONE"], ["invite"]]);
  });
});

describe("in a room of the configuration", () => {
  const toRoom = { called: "+441632960004" };
  const other = callerOf("+441632960777");

  test("one call rings at a time: the next caller hears that it is busy", async () => {
    const bridge = new TestBridge();
    await Promise.all([bridge.arrive(toRoom), bridge.arrive({ ...toRoom, identity: other })]);
    expect(bridge.in(reception)).toEqual(["invite"]);
    expect(rejections(bridge)).toEqual([486]);
  });

  test("the next number rings for the others once somebody has taken the first call", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, bob].map((user) => ({ user, membership: "join" }));
    await bridge.arrive(toRoom);
    await bridge.take(bridge.answer(reception));
    await bridge.arrive({ ...toRoom, identity: other });
    expect(bridge.in(reception)).toEqual(["invite", "select PHONE", "invite"]);
  });

  test("nobody else being there, it is busy", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [{ user: ann, membership: "join" }];
    await bridge.arrive(toRoom);
    await bridge.take(bridge.answer(reception));
    await bridge.arrive({ ...toRoom, identity: other });
    expect(rejections(bridge)).toEqual([486]);
  });

  test("the same number does not ring again while somebody talks to it there", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, bob].map((user) => ({ user, membership: "join" }));
    await bridge.arrive(toRoom);
    await bridge.take(bridge.answer(reception));
    await bridge.arrive(toRoom);
    expect(rejections(bridge)).toEqual([486]);
  });

  test("it is free again when the call is over", async () => {
    const bridge = new TestBridge();
    for (let n = 0; n < 2; n++) {
      const call = await bridge.arrive(toRoom);
      await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect(rejections(bridge)).toEqual([]);
  });
});

describe("a person dials in the room of a running call", () => {
  const again = (bridge: TestBridge, device: string) => bridge.inviteFact({ ...bridge.callOf(ann, "call2", device) });

  test("from another device, and is told so: nothing is dialled", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.take(again(bridge, "LAPTOP"));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.signals).toEqual(["reject busy"]);
    expect(bridge.words).toEqual(["There is already a call in this room. Please end it before you call again."]);
  });

  test("from the device that talks there: nothing is dialled", async () => {
    const bridge = new TestBridge();
    await bridge.sip(accepted, await bridge.ring());
    await bridge.take(again(bridge, "PHONE"));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.signals.at(-1)).toBe("reject busy");
  });

  test("from the device whose call still rings, having forgotten it: that call is cancelled and the new one rings", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.take(again(bridge, "PHONE"));
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel", "invite"]);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["ending", "inviting"]);
  });

  test("and two clients without party ids are two devices", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    const old = { device: undefined, ...legacyClient("0") };
    await bridge.take(bridge.inviteFact(old));
    await bridge.take({ ...again(bridge, "none"), ...old });
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("after the call there is over", async () => {
    const bridge = new TestBridge();
    const call = await bridge.ring();
    await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined }, call);
    await bridge.take(again(bridge, "PHONE"));
    expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
  });

  test("to a number that somebody else is calling there: nothing is dialled", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.take(bridge.inviteFact(bridge.callOf(bob, "call2", "BOBS")));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.signals).toEqual(["reject busy"]);
  });

  test("and other people's calls to other numbers do not count", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    const second = "@_sip_01632960107%40sip.example.org:example.org" as UserId;
    await bridge.enterRoom(room, second);
    const fact = bridge.inviteFact({ ...bridge.callOf(bob, "call2", "BOBS"), invitee: second });
    await bridge.take(fact);
    expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
  });
});
