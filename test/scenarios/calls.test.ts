// Stories of whole calls through the bridge, with doubles at its edges.
import { describe, expect, test } from "vitest";
import { matrixCallId, roomId, partyId, type UserId } from "../../src/core/ids.ts";
import { dialog, invite } from "../core/call/examples.ts";
import { ann, ghost, House, room } from "./house.ts";
import { examplePolicy } from "./settings.ts";

const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;

describe("a person dials a number", () => {
  test("the ghost gets a name, joins, and the telephone rings", async () => {
    const house = new House();
    await house.ring();
    expect(house.homeserver.registered).toEqual([ghost]);
    expect(house.homeserver.names.get(ghost)).toBe("01818118181");
    expect(house.homeserver.joined).toEqual([{ room, user: ghost }]);
    expect(house.trunks.orders).toMatchObject([
      { verb: "invite", argument: { trunk: "main", target: "sip:+441818118181@sip.example.org", sdp: "trunk offer" } },
    ]);
  });

  test("a number that the numbering plan knows is shown in international form", async () => {
    const house = new House();
    const london = "@_sip_02079460123%40sip.example.org:example.org" as UserId;
    await house.take({
      ...house.origin(),
      kind: "member.invited",
      user: london,
      direct: true,
      encrypted: false,
      public: false,
    });
    expect(house.homeserver.names.get(london)).toBe("+44 20 7946 0123");
  });

  test("the telephone is not heard after the answer: the person reads so, and it is counted", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    house.media.unheard = ["trunk"];
    await house.passTime(10_000);
    expect(house.words).toEqual(["No audio has come from the telephone since the call was answered 10 seconds ago."]);
    expect(house.telemetry.unheard).toEqual(["trunk"]);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
  });

  test("the callee answers, both talk, the callee hangs up", async () => {
    const house = new House();
    await house.ring();
    await house.sip({ kind: "sip.ringing" });
    await house.sip(accepted);
    expect(house.signals).toEqual(["answer"]);
    // Its longest duration is still to come, and the look at whether both are heard.
    expect(house.clock.pending).toBe(2);
    await house.sip({ kind: "sip.hungUp", q850: 16 });
    expect(house.signals).toEqual(["answer", "hangup user_hangup"]);
    expect(house.media.orders.at(-1)).toBe("close");
    expect(house.telemetry.ended).toMatchObject([{ cause: "callee-hung-up", unsettled: false }]);
    expect(house.switchboard.calls).toEqual([]);
  });

  test("operators find a call by any of its three ids, and the time until it was answered", async () => {
    const house = new House();
    await house.ring();
    await house.sip({ kind: "sip.sent", invite });
    await house.passTime(3_000);
    await house.sip(accepted);
    expect(house.telemetry.lines.findLast(({ message }) => message === "call phase")).toMatchObject({
      fields: { call: house.call(), matrixCall: "call1", sipCall: invite.sipCallId, phase: "connected" },
    });
    expect(house.telemetry.answered).toEqual([3_000]);
  });

  test("an invite that was sent before the ghost had joined rings, once, also if it is pushed after all", async () => {
    const house = new House();
    const fact = house.inviteFact();
    const trickle = {
      ...house.callOf(),
      kind: "call.candidates" as const,
      candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }],
    };
    house.homeserver.timeline = [fact, trickle];
    await house.enterRoom();
    await house.take(fact, trickle);
    expect(house.trunks.verbs).toEqual(["invite"]);
    expect(house.media.orders).toEqual(["offer matrix client offer", "candidates 1"]);
  });

  test("an invite read back that was given up again never rings", async () => {
    const house = new House();
    house.homeserver.timeline = [house.inviteFact(), { ...house.callOf(), kind: "call.hungUp", reason: undefined }];
    await house.enterRoom();
    expect([house.trunks.verbs, house.telemetry.started]).toEqual([[], 0]);
  });

  test("an invite read back that somebody else, or another device, seems to give up rings", async () => {
    const house = new House();
    const eve = "@eve:example.org" as UserId;
    house.homeserver.timeline = [
      house.inviteFact(),
      { ...house.callOf(eve), kind: "call.hungUp", reason: undefined },
      { ...house.callOf(ann, "call1", "TABLET"), kind: "call.hungUp", reason: undefined },
    ];
    await house.enterRoom();
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("an invite read back whose caller took somebody else's answer never rings", async () => {
    const house = new House();
    house.homeserver.timeline = [
      house.inviteFact(),
      { ...house.callOf(), kind: "call.selected", selected: partyId("BOBS-PHONE") },
    ];
    await house.enterRoom();
    expect(house.trunks.verbs).toEqual([]);
  });

  test("an invite that is too old does not ring", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take(house.inviteFact({ ageMs: 59_500 }));
    expect(house.trunks.verbs).toEqual([]);
    await house.take(house.inviteFact({ ageMs: 50_000, matrixCallId: matrixCallId("call2") }));
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("candidates that overtook the invite are used", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take({
      ...house.callOf(),
      kind: "call.candidates",
      candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }],
    });
    await house.take(house.inviteFact());
    expect(house.media.orders).toEqual(["offer matrix client offer", "candidates 1"]);
  });

  test("a hang-up that overtook the invite keeps the telephone silent", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    await house.take(house.inviteFact());
    expect(house.trunks.verbs).toEqual([]);
  });

  test("nobody answers while the invite lives: the telephone stops ringing", async () => {
    const house = new House();
    await house.ring();
    await house.sip({ kind: "sip.ringing" });
    await house.passTime(60_000);
    expect(house.trunks.verbs).toEqual(["invite", "cancel"]);
    expect(house.signals).toEqual(["reject failed"]);
    expect(house.words).toEqual(["Nobody answered."]);
  });

  test("when it is over, nothing of it is left to come, and what still comes reaches nobody", async () => {
    const house = new House();
    const call = await house.ring();
    await house.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
    expect(house.clock.pending).toBe(0);
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    await house.sip({ kind: "sip.hungUp", q850: 16 }, call);
    expect(house.telemetry.ignored).toEqual(["matrix.hungUp in ended", "sip.hungUp in none"]);
    expect(house.telemetry.lines.filter(({ message }) => message === "fact ignored")).toEqual([]);
  });

  test("the trunk hears why a ringing telephone stops", async () => {
    const house = new House();
    await house.ring();
    await house.passTime(60_000);
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "cancel", argument: 19 });
  });

  test("a room that wants no notices stays silent where a call fails", async () => {
    const house = new House({ notices: { failures: false, history: false } });
    await house.ring();
    await house.passTime(60_000);
    expect([house.signals, house.words]).toEqual([["reject failed"], []]);
  });

  test("a ghost is registered and named once", async () => {
    const house = new House();
    await house.enterRoom();
    house.homeserver.names.clear();
    await house.enterRoom();
    expect(house.homeserver.registered).toEqual([ghost]);
    expect(house.homeserver.names.size).toBe(0);
  });

  test("the longest call is ended", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    await house.passTime(4 * 3_600_000 - 1);
    expect(house.trunks.verbs).toEqual(["invite"]);
    await house.passTime(1);
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
    expect(house.signals).toEqual(["answer", "hangup user_hangup"]);
  });
});

describe("other devices, other people, other rooms", () => {
  test("events of the person's other devices change nothing", async () => {
    const house = new House();
    await house.ring();
    await house.take({ ...house.callOf(ann, "call1", "TABLET"), kind: "call.hungUp", reason: undefined });
    expect(house.trunks.verbs).toEqual(["invite"]);
    expect(house.telemetry.ignored).toEqual(["matrix.hungUp in other-party"]);
  });

  test("somebody else in the room cannot hang up", async () => {
    const house = new House();
    await house.ring();
    await house.take({ ...house.callOf("@eve:example.org" as UserId), kind: "call.hungUp", reason: undefined });
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("an invite for somebody else is not ours", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take(house.inviteFact({ invitee: "@bob:example.org" as UserId }));
    expect(house.trunks.verbs).toEqual([]);
  });

  test("in a room with other people the number must be named: the call may be meant for them", async () => {
    const house = new House();
    const bob = "@bob:example.org" as UserId;
    house.homeserver.memberList = [ann, bob, ghost].map((user) => ({ user, membership: "join" }));
    await house.enterRoom();
    await house.take(house.inviteFact(), house.inviteFact({ matrixCallId: matrixCallId("again") }));
    expect(house.trunks.verbs).toEqual([]);
    expect(house.words).toEqual([
      "There are several people or numbers in this room, so the bridge cannot tell whom you are calling. Please call from a room with only you and the number in it.",
    ]);
    await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2"), invitee: ghost }));
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("in a room with two numbers only the one named rings", async () => {
    const house = new House();
    const second = "@_sip_01632960123%40sip.example.org:example.org" as UserId;
    await house.enterRoom();
    await house.take({
      ...house.origin(),
      kind: "member.invited",
      user: second,
      direct: false,
      encrypted: false,
      public: false,
    });
    await house.take(house.inviteFact());
    expect(house.trunks.verbs).toEqual([]);
    await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2"), invitee: second }));
    expect(house.trunks.orders).toMatchObject([
      { verb: "invite", argument: { target: "sip:+441632960123@sip.example.org" } },
    ]);
  });

  test("a ghost or the bot does not join where anybody may: clients do not call there", async () => {
    const house = new House();
    for (const user of [ghost, house.homeserver.bot])
      await house.take({
        ...house.origin(),
        kind: "member.invited",
        user,
        direct: false,
        encrypted: false,
        public: true,
      });
    expect([house.homeserver.joined, house.homeserver.registered]).toEqual([[], []]);
  });

  test("leaving the room hangs up, and the ghost leaves an empty room", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    house.homeserver.memberList = [{ user: ghost, membership: "join" }];
    await house.take({ ...house.origin(), kind: "member.left", user: ann });
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
    expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
  });

  test("a ghost that is thrown out of the room takes its call with it", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    await house.take({ ...house.origin(), kind: "member.left", user: ghost });
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
    await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
  });

  test("a version 0 client has no devices to tell apart", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take(house.inviteFact({ version: "0", party: undefined }));
    await house.take({ ...house.callOf(), version: "0", party: undefined, kind: "call.hungUp", reason: undefined });
    expect(house.trunks.verbs).toEqual(["invite", "cancel"]);
  });

  test("calls are independent: a defect in one ends that one", async () => {
    const house = new House();
    const call = await house.ring();
    house.media.defect = new Error("bug");
    await house.take({ ...house.callOf(), kind: "call.candidates", candidates: [] });
    house.media.defect = undefined;
    expect(house.switchboard.calls.map(({ id, phase }) => [id, phase])).toEqual([[call, "ending"]]);
    await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["ending", "inviting"]);
  });
});

describe("who may not call", () => {
  test("an unknown domain is told so in the room, and nothing is dialled", async () => {
    const house = new House();
    await house.enterRoom();
    await house.take(house.inviteFact({ sender: "@bob:elsewhere.org" as UserId }));
    expect(house.trunks.verbs).toEqual([]);
    expect(house.signals).toEqual(["reject failed"]);
    expect(house.words).toEqual(["You do not have permission to make telephone calls here."]);
    expect(house.telemetry.ended).toMatchObject([{ cause: "not-permitted", result: "caller" }]);
  });

  test("more calls at once than allowed", async () => {
    const house = new House();
    await house.ring();
    for (const name of ["call2", "call3"]) {
      const other = roomId(`!${name}:example.org`);
      await house.enterRoom(other);
      await house.take(house.inviteFact({ room: other, matrixCallId: matrixCallId(name) }));
    }
    expect(house.trunks.verbs).toEqual(["invite", "invite"]);
    expect(house.words).toEqual(["You already have as many calls as you may have at once."]);
  });
});

describe("whoever hangs up", () => {
  test("may dial again at once, also while the trunk is slow to take note", async () => {
    const house = new House({ policy: { ...examplePolicy, callsPerUser: 1, callsInAll: 1 } });
    await house.ring();
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["ending"]);
    await house.take(house.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(house.trunks.verbs).toEqual(["invite", "cancel", "invite"]);
  });
});

describe("hold and resume", () => {
  test("reach the trunk and are answered", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    await house.take({ ...house.callOf(), kind: "call.offered", sdp: "sendonly", lifetimeMs: 60_000 });
    await house.sip({ kind: "sip.reanswered", sdp: "recvonly" });
    expect(house.trunks.verbs).toEqual(["invite", "reoffer"]);
    expect(house.signals).toEqual(["answer", "reanswer"]);
  });
});

test("at trace each description that comes or goes is in the log, under its call; the telemetry takes the keys out", async () => {
  const house = new House();
  await house.ring();
  await house.sip({ kind: "sip.accepted", sdp: "trunk answer", dialog });
  const traced = house.telemetry.lines.filter(({ message }) => message === "session description");
  expect(traced.map(({ level, fields }) => [level, fields?.["order"], fields?.["sdp"]])).toEqual([
    ["trace", "media.offer", "client offer"],
    ["trace", "sip.invite", expect.any(String)],
    ["trace", "media.answer", "trunk answer"],
    ["trace", "matrix.signal", expect.any(String)],
  ]);
  expect(traced.every(({ fields }) => typeof fields?.["call"] === "string")).toBe(true);
});
