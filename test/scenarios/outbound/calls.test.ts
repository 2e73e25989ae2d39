// Stories of whole calls through the bridge, with doubles at its edges.
import { describe, expect, test } from "vitest";
import { matrixCallId, roomId, deviceId, type UserId } from "../../../src/core/ids.ts";
import { invite } from "../../core/call/examples/examples.ts";
import { clientOffers, telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, ann, ghost, TestBridge, room } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

describe("a person dials a number", () => {
  test("the ghost gets a name, joins, and the telephone rings", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    expect(bridge.homeserver.registered).toEqual([ghost]);
    expect(bridge.homeserver.names.get(ghost)).toBe("01818118181");
    expect(bridge.homeserver.joined).toEqual([{ room, user: ghost }]);
    expect(bridge.trunks.orders).toMatchObject([
      {
        verb: "invite",
        argument: {
          trunk: "main",
          target: "sip:+441818118181@sip.example.org",
          sdp: expect.stringContaining("RTP/AVP 0 8 101"),
        },
      },
    ]);
  });

  test("a number that the numbering plan knows is shown in international form", async () => {
    const bridge = new TestBridge();
    const london = "@_sip_02079460123%40sip.example.org:example.org" as UserId;
    await bridge.take({
      ...bridge.origin(),
      kind: "member.invited",
      user: london,
      direct: true,
      encrypted: false,
      public: false,
    });
    expect(bridge.homeserver.names.get(london)).toBe("+44 20 7946 0123");
  });

  test("the telephone is not heard after the answer: the person reads so, and it is counted", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    bridge.media.engine.heard = ["a"];
    await bridge.passTime(10_000);
    expect(bridge.words).toEqual(["No audio has come from the telephone since the call was answered 10 seconds ago."]);
    expect(bridge.telemetry.unheard).toEqual(["b"]);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
  });

  test("the callee answers, both talk, the callee hangs up", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip({ kind: "sip.ringing" });
    await bridge.sip(accepted);
    expect(bridge.signals).toEqual(["answer"]);
    // Its longest duration is still to come, the look at whether both are heard, and how good it sounds.
    expect(bridge.clock.pending).toBe(3);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    expect(bridge.signals).toEqual(["answer", "hangup user_hangup"]);
    expect(bridge.media.orders.at(-1)).toBe("close");
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "callee-hung-up", unsettled: false }]);
    expect(bridge.switchboard.calls).toEqual([]);
  });

  test("operators find a call by any of its three ids, and the time until it was answered", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip({ kind: "sip.sent", invite });
    await bridge.passTime(3_000);
    await bridge.sip(accepted);
    expect(bridge.telemetry.lines.findLast(({ message }) => message === "call phase")).toMatchObject({
      fields: { call: bridge.call(), matrixCall: "call1", sipCall: invite.sipCallId, phase: "connected" },
    });
    expect(bridge.telemetry.answered).toEqual([3_000]);
  });

  test("an invite that was sent before the ghost had joined rings, once, also if it is pushed after all", async () => {
    const bridge = new TestBridge();
    const fact = bridge.inviteFact();
    const trickle = {
      ...bridge.callOf(),
      kind: "call.candidates" as const,
      candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }],
    };
    bridge.homeserver.timeline = [fact, trickle];
    await bridge.enterRoom();
    await bridge.take(fact, trickle);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.media.orders).toEqual(["offer a client offer", "candidates 1"]);
  });

  test("an invite read back that was given up again never rings", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.timeline = [bridge.inviteFact(), { ...bridge.callOf(), kind: "call.hungUp", said: undefined }];
    await bridge.enterRoom();
    expect([bridge.trunks.verbs, bridge.telemetry.started]).toEqual([[], 0]);
  });

  test("an invite read back that somebody else, or another device, seems to give up rings", async () => {
    const bridge = new TestBridge();
    const eve = "@eve:example.org" as UserId;
    bridge.homeserver.timeline = [
      bridge.inviteFact(),
      { ...bridge.callOf(eve), kind: "call.hungUp", said: undefined },
      { ...bridge.callOf(ann, "call1", "TABLET"), kind: "call.hungUp", said: undefined },
    ];
    await bridge.enterRoom();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("an invite read back whose caller took somebody else's answer never rings", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.timeline = [
      bridge.inviteFact(),
      { ...bridge.callOf(), kind: "call.selected", selected: deviceId("BOBS-PHONE") },
    ];
    await bridge.enterRoom();
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("an invite that is too old does not ring", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact({ ageMs: 59_500 }));
    expect(bridge.trunks.verbs).toEqual([]);
    await bridge.take(bridge.inviteFact({ ageMs: 50_000, matrixCallId: matrixCallId("call2") }));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("candidates that overtook the invite are used", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take({
      ...bridge.callOf(),
      kind: "call.candidates",
      candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }],
    });
    await bridge.take(bridge.inviteFact());
    expect(bridge.media.orders).toEqual(["offer a client offer", "candidates 1"]);
  });

  test("a hang-up that overtook the invite keeps the telephone silent", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("nobody answers while the invite lives: the telephone stops ringing", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip({ kind: "sip.ringing" });
    await bridge.passTime(60_000);
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel"]);
    expect(bridge.signals).toEqual(["reject failed"]);
    expect(bridge.words).toEqual(["Nobody answered."]);
  });

  test("when it is over, nothing of it is left to come, and what still comes reaches nobody", async () => {
    const bridge = new TestBridge();
    const call = await bridge.ring();
    await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
    expect(bridge.clock.pending).toBe(0);
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    await bridge.sip({ kind: "sip.hungUp", q850: 16 }, call);
    expect(bridge.telemetry.ignored).toEqual(["matrix.hungUp in ended", "sip.hungUp in none"]);
    expect(bridge.telemetry.lines.filter(({ message }) => message === "fact ignored")).toEqual([]);
  });

  test("the trunk hears why a ringing telephone stops", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.passTime(60_000);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "cancel", argument: 19 });
  });

  test("a room that wants no notices stays silent where a call fails", async () => {
    const bridge = new TestBridge({ notices: { failures: false, history: false } });
    await bridge.ring();
    await bridge.passTime(60_000);
    expect([bridge.signals, bridge.words]).toEqual([["reject failed"], []]);
  });

  test("a ghost is registered and named once", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    bridge.homeserver.names.clear();
    await bridge.enterRoom();
    expect(bridge.homeserver.registered).toEqual([ghost]);
    expect(bridge.homeserver.names.size).toBe(0);
  });

  test("the longest call is ended", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.passTime(4 * 3_600_000 - 1);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    await bridge.passTime(1);
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.signals).toEqual(["answer", "hangup user_hangup"]);
  });
});

describe("other devices, other people, other rooms", () => {
  test("events of the person's other devices change nothing", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.take({ ...bridge.callOf(ann, "call1", "TABLET"), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    expect(bridge.telemetry.ignored).toEqual(["matrix.hungUp in other-party"]);
  });

  test("somebody else in the room cannot hang up", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.take({ ...bridge.callOf("@eve:example.org" as UserId), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("an invite for somebody else is not ours", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact({ invitee: "@bob:example.org" as UserId }));
    expect(bridge.trunks.verbs).toEqual([]);
  });

  test("in a room with other people the number must be named: the call may be meant for them", async () => {
    const bridge = new TestBridge();
    const bob = "@bob:example.org" as UserId;
    bridge.homeserver.memberList = [ann, bob, ghost].map((user) => ({ user, membership: "join" }));
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact(), bridge.inviteFact({ matrixCallId: matrixCallId("again") }));
    expect(bridge.trunks.verbs).toEqual([]);
    expect(bridge.words).toEqual([
      "There are several people or numbers in this room, so the bridge cannot tell whom you are calling. Please call from a room with only you and the number in it.",
    ]);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2"), invitee: ghost }));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("in a room with two numbers only the one named rings", async () => {
    const bridge = new TestBridge();
    const second = "@_sip_01632960123%40sip.example.org:example.org" as UserId;
    await bridge.enterRoom();
    await bridge.take({
      ...bridge.origin(),
      kind: "member.invited",
      user: second,
      direct: false,
      encrypted: false,
      public: false,
    });
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual([]);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2"), invitee: second }));
    expect(bridge.trunks.orders).toMatchObject([
      { verb: "invite", argument: { target: "sip:+441632960123@sip.example.org" } },
    ]);
  });

  test("a ghost or the bot does not join where anybody may: clients do not call there", async () => {
    const bridge = new TestBridge();
    for (const user of [ghost, bridge.homeserver.bot])
      await bridge.take({
        ...bridge.origin(),
        kind: "member.invited",
        user,
        direct: false,
        encrypted: false,
        public: true,
      });
    expect([bridge.homeserver.joined, bridge.homeserver.registered]).toEqual([[], []]);
  });

  test("leaving the room hangs up, and the ghost leaves an empty room", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    bridge.homeserver.memberList = [{ user: ghost, membership: "join" }];
    await bridge.take({ ...bridge.origin(), kind: "member.left", user: ann });
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
  });

  test("a ghost that is thrown out of the room takes its call with it", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.take({ ...bridge.origin(), kind: "member.left", user: ghost });
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  });

  test("a version 0 client has no devices to tell apart", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact({ ...legacyClient("0"), device: undefined }));
    await bridge.take({ ...bridge.callOf(), device: undefined, kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel"]);
  });

  test("calls are independent: a defect in one ends that one", async () => {
    const bridge = new TestBridge();
    const call = await bridge.ring();
    bridge.media.defect = new Error("bug");
    await bridge.take({ ...bridge.callOf(), kind: "call.candidates", candidates: [] });
    bridge.media.defect = undefined;
    expect(bridge.switchboard.calls.map(({ id, phase }) => [id, phase.kind])).toEqual([[call, "ending"]]);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["ending", "inviting"]);
  });
});

describe("who may not call", () => {
  test("an unknown domain is told so in the room, and nothing is dialled", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact({ sender: "@bob:elsewhere.org" as UserId }));
    expect(bridge.trunks.verbs).toEqual([]);
    expect(bridge.signals).toEqual(["reject failed"]);
    expect(bridge.words).toEqual(["You do not have permission to make telephone calls here."]);
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "not-permitted", result: "caller" }]);
  });

  test("more calls at once than allowed", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    for (const name of ["call2", "call3"]) {
      const other = roomId(`!${name}:example.org`);
      await bridge.enterRoom(other);
      await bridge.take(bridge.inviteFact({ room: other, matrixCallId: matrixCallId(name) }));
    }
    expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
    expect(bridge.words).toEqual(["You already have as many calls as you may have at once."]);
  });
});

describe("whoever hangs up", () => {
  test("may dial again at once, also while the trunk is slow to take note", async () => {
    const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerUser: 1, callsInAll: 1 } });
    await bridge.ring();
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["ending"]);
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel", "invite"]);
  });
});

describe("hold and resume", () => {
  test("reach the trunk and are answered", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.take({
      ...bridge.callOf(),
      kind: "call.offered",
      video: false,
      description: clientOffers("sendonly", { direction: "sendonly" }),
      lifetimeMs: 60_000,
    });
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("recvonly", { lines: ["a=recvonly"] }) });
    expect(bridge.trunks.verbs).toEqual(["invite", "reoffer"]);
    expect(bridge.signals).toEqual(["answer", "reanswer"]);
  });
});

test("at trace each description that comes or goes is in the log, under its call; the telemetry takes the keys out", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  const traced = bridge.telemetry.lines.filter(({ message }) => message === "session description");
  expect(traced.map(({ level, fields }) => [level, fields?.["order"], fields?.["sdp"]])).toEqual([
    ["trace", "media.offer", clientOffers("client offer")],
    ["trace", "sip.invite", expect.any(String)],
    ["trace", "media.answer", accepted.description],
    ["trace", "matrix.signal", expect.any(String)],
  ]);
  expect(traced.every(({ fields }) => typeof fields?.["call"] === "string")).toBe(true);
});
