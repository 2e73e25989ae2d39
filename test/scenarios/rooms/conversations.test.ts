// People think of a number, not of its spelling: each has one conversation with it.
import { describe, expect, test } from "vitest";
import { callId, roomId, type RoomId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { arrivalOf, callerOf } from "../../fakes/arrivals.ts";
import { accepted, ann, bob, ghost, TestBridge, made1, room } from "../test-bridge.ts";

/** Of 01632 960106, as a person dials it and as the trunk sends it. */
const dialled = "@_sip_01632960106%40sip.example.org:example.org" as UserId;
const sent = "@_sip_+441632960106%40sip.example.org:example.org" as UserId;
const identity = callerOf("+441632960106", "Ilex Ltd");
const other = roomId("!other:example.org");

async function dialling(): Promise<TestBridge> {
  const bridge = new TestBridge();
  bridge.homeserver.memberList = [ann, dialled].map((user) => ({ user, membership: "join" }));
  await bridge.enterRoom(room, dialled);
  return bridge;
}

async function dial(bridge: TestBridge, where: RoomId): Promise<void> {
  const fact = bridge.inviteFact({ ...bridge.callOf(ann, `call in ${where}`), room: where });
  await bridge.take(fact);
  await bridge.take({ ...bridge.origin(ann, where), ...refOf(fact), kind: "call.hungUp", said: undefined });
}

function refOf({ matrixCallId, device }: ReturnType<TestBridge["inviteFact"]>) {
  return { matrixCallId, device };
}

describe("a person dialled 01632960106; +441632960106", () => {
  test("calls, and the room that they have rings", async () => {
    const bridge = await dialling();
    await bridge.arrive({ identity });
    expect(bridge.in(room)).toEqual(["invite"]);
    expect(bridge.homeserver.told.map(({ leg }) => leg.ghost)).toEqual([dialled]);
    expect(bridge.homeserver.rooms).toEqual([]);
    expect(bridge.homeserver.registered).toEqual([dialled]);
  });

  test("calls, is answered and hung up there, all by the ghost of that room", async () => {
    const bridge = await dialling();
    const call = await bridge.arrive({ identity });
    await bridge.take(bridge.answer(room));
    await bridge.sip({ kind: "sip.hungUp", q850: 16 }, call);
    expect(bridge.in(room)).toEqual(["invite", "select PHONE", "hangup user_hangup"]);
    expect(new Set(bridge.homeserver.told.map(({ leg }) => leg.ghost))).toEqual(new Set([dialled]));
    expect(bridge.homeserver.notices.map(({ as }) => as).every((as) => as === dialled)).toBe(true);
  });

  test("calls, and the ghost of that room has the name that the trunk is trusted with", async () => {
    const bridge = await dialling();
    await bridge.arrive({ identity });
    expect([...bridge.homeserver.names]).toEqual([[dialled, "Ilex Ltd"]]);
  });

  test("writes, and the text is in the room that they have", async () => {
    const bridge = await dialling();
    const status = await bridge.messaged({ ...textOf("Are you there?"), identity });
    expect(status).toBe(200);
    expect(bridge.homeserver.texts).toMatchObject([{ room, as: dialled, text: "Are you there?" }]);
  });

  test("is called back from the text's room, and both spellings cross in one call", async () => {
    const bridge = await dialling();
    await bridge.take(bridge.inviteFact());
    await bridge.arrive({ identity });
    expect(bridge.in(room)).toEqual(["answer"]);
    expect(bridge.homeserver.rooms).toEqual([]);
  });

  test("is asked for by `call NUMBER` in a third spelling, and the bot links the room that they have", async () => {
    const bridge = await dialling();
    const lobby = roomId("!lobby:example.org");
    const { bot } = bridge.homeserver;
    bridge.homeserver.membersOf.set(
      lobby,
      [ann, bot].map((user) => ({ user, membership: "join" })),
    );
    await bridge.enterRoom(lobby, bot);
    const body = "call +44 1632 960106";
    await bridge.take({ ...bridge.origin(ann, lobby), kind: "message.received", body, form: "text", edits: false });
    expect(bridge.words.at(-1)).toContain(encodeURIComponent(room));
    expect(bridge.homeserver.rooms).toEqual([]);
  });
});

describe("of two rooms with one number, the conversation is in the one", () => {
  async function two(): Promise<TestBridge> {
    const bridge = await dialling();
    await bridge.enterRoom(other, sent);
    bridge.homeserver.memberList = [ann, dialled, sent].map((user) => ({ user, membership: "join" }));
    return bridge;
  }

  test("that the person made last", async () => {
    const bridge = await two();
    await bridge.arrive({ identity });
    expect([bridge.in(room), bridge.in(other)]).toEqual([[], ["invite"]]);
  });

  test("from which the person called last", async () => {
    const bridge = await two();
    bridge.homeserver.memberList = [ann, dialled].map((user) => ({ user, membership: "join" }));
    await dial(bridge, room);
    const before = bridge.in(room).length;
    await bridge.arrive({ identity });
    expect([bridge.in(room).length - before, bridge.in(other)]).toEqual([1, []]);
  });

  test("in which the person wrote last", async () => {
    const bridge = await two();
    bridge.homeserver.memberList = [ann, dialled].map((user) => ({ user, membership: "join" }));
    await bridge.take({ ...bridge.origin(), kind: "message.received", body: "Hello", form: "text", edits: false });
    await bridge.arrive({ identity });
    expect([bridge.in(room), bridge.in(other)]).toEqual([["invite"], []]);
  });

  test("that is left, once the person has closed the other one", async () => {
    const bridge = await two();
    await bridge.take({ ...bridge.origin(ann, other), kind: "room.replaced" });
    await bridge.arrive({ identity });
    expect(bridge.in(room)).toEqual(["invite"]);
  });

  test("that the person is in, where they never accepted the invitation to the other one", async () => {
    const bridge = await two();
    bridge.homeserver.membersOf.set(other, [
      { user: ann, membership: "invite" },
      { user: sent, membership: "join" },
    ]);
    await bridge.arrive({ identity });
    expect([bridge.in(room), bridge.in(other)]).toEqual([["invite"], []]);
  });
});

describe("a transfer to a person", () => {
  test("rings in the room that they have with the far end's number, under any spelling", async () => {
    const bridge = new TestBridge({ features: { transfer: "join" } });
    const bobs = roomId("!bobs:example.org");
    bridge.homeserver.memberList = [bob, dialled].map((user) => ({ user, membership: "join" }));
    await bridge.take({
      ...bridge.origin(bob, bobs),
      kind: "member.invited",
      user: dialled,
      direct: true,
      encrypted: false,
      public: false,
    });
    bridge.homeserver.memberList = [];
    const call = await bridge.arrive({ identity });
    await bridge.take(bridge.answer(made1));
    bridge.homeserver.memberList = [ann, bob, dialled, sent].map((user) => ({ user, membership: "join" }));
    await bridge.take({
      ...bridge.ringing(made1),
      kind: "call.replaced",
      replacement: { kind: "create", token: "t", target: bob },
    });
    expect(bridge.media.engine.opened.map(({ options }) => options.call)).toContain(call);
    expect(bridge.in(bobs)).toEqual(["invite"]);
    expect(bridge.homeserver.told.at(-1)?.leg.ghost).toBe(dialled);
  });
});

describe("the far end of a call is somebody else now", () => {
  test("and is shown as the ghost that the person knows this number by", async () => {
    const bridge = await dialling();
    const second = roomId("!second:example.org");
    bridge.homeserver.membersOf.set(
      second,
      [ann, ghost].map((user) => ({ user, membership: "join" })),
    );
    await bridge.enterRoom(second);
    await bridge.take(bridge.inviteFact({ room: second }));
    const call = bridge.call();
    await bridge.sip(accepted, call);
    await bridge.sip({ kind: "sip.identified", identity: callerOf("+441632960106") }, call);
    const shown = bridge.homeserver.told.flatMap(({ signal }) => (signal.kind === "identity" ? [signal.identity] : []));
    expect(shown.map((identified) => identified.ghost)).toEqual([dialled]);
  });
});

function textOf(text: string) {
  const { trunk, called } = arrivalOf({ call: callId("c-text") });
  return { trunk, called, text, id: "text-1" };
}

test("a homeserver that is away for a moment costs nobody the room that they have with a number", async () => {
  const bridge = await dialling();
  const members = bridge.homeserver.members.bind(bridge.homeserver);
  bridge.homeserver.members = () => Promise.reject(new HomeserverError("UNREACHABLE", "away", true));
  await bridge.arrive({ identity });
  bridge.homeserver.members = members;
  await bridge.arrive({ identity });
  expect([bridge.in(room), bridge.homeserver.rooms]).toEqual([["invite"], []]);
});
