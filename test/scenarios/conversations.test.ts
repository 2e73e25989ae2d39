// People think of a number, not of its spelling: each has one conversation with it.
import { describe, expect, test } from "vitest";
import { callId, roomId, type RoomId, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { dialog } from "../core/call/examples.ts";
import { arrivalOf, callerOf } from "../fakes/arrivals.ts";
import { ann, bob, ghost, House, made1, room } from "./house.ts";

/** Of 01632 960106, as a person dials it and as the trunk sends it. */
const dialled = "@_sip_01632960106%40sip.example.org:example.org" as UserId;
const sent = "@_sip_+441632960106%40sip.example.org:example.org" as UserId;
const identity = callerOf("+441632960106", "Ilex Ltd");
const other = roomId("!other:example.org");

async function dialling(): Promise<House> {
  const house = new House();
  house.homeserver.memberList = [ann, dialled].map((user) => ({ user, membership: "join" }));
  await house.enterRoom(room, dialled);
  return house;
}

async function dial(house: House, where: RoomId): Promise<void> {
  const fact = house.inviteFact({ ...house.callOf(ann, `call in ${where}`), room: where });
  await house.take(fact);
  await house.take({ ...house.origin(ann, where), ...refOf(fact), kind: "call.hungUp", reason: undefined });
}

function refOf({ matrixCallId, party, version }: ReturnType<House["inviteFact"]>) {
  return { matrixCallId, party, version };
}

describe("a person dialled 01632960106; +441632960106", () => {
  test("calls, and the room that they have rings", async () => {
    const house = await dialling();
    await house.arrive({ identity });
    expect(house.in(room)).toEqual(["invite"]);
    expect(house.homeserver.told.map(({ leg }) => leg.ghost)).toEqual([dialled]);
    expect(house.homeserver.rooms).toEqual([]);
    expect(house.homeserver.registered).toEqual([dialled]);
  });

  test("calls, is answered and hung up there, all by the ghost of that room", async () => {
    const house = await dialling();
    const call = await house.arrive({ identity });
    await house.take(house.answer(room));
    await house.sip({ kind: "sip.hungUp", q850: 16 }, call);
    expect(house.in(room)).toEqual(["invite", "select PHONE", "hangup user_hangup"]);
    expect(new Set(house.homeserver.told.map(({ leg }) => leg.ghost))).toEqual(new Set([dialled]));
    expect(house.homeserver.notices.map(({ as }) => as).every((as) => as === dialled)).toBe(true);
  });

  test("calls, and the ghost of that room has the name that the trunk is trusted with", async () => {
    const house = await dialling();
    await house.arrive({ identity });
    expect([...house.homeserver.names]).toEqual([[dialled, "Ilex Ltd"]]);
  });

  test("writes, and the text is in the room that they have", async () => {
    const house = await dialling();
    const status = await house.texts.messaged({ ...textOf("Are you there?"), identity });
    expect(status).toBe(200);
    expect(house.homeserver.texts).toMatchObject([{ room, as: dialled, text: "Are you there?" }]);
  });

  test("is called back from the text's room, and both spellings cross in one call", async () => {
    const house = await dialling();
    await house.take(house.inviteFact());
    await house.arrive({ identity });
    expect(house.in(room)).toEqual(["answer"]);
    expect(house.homeserver.rooms).toEqual([]);
  });

  test("is asked for by `call NUMBER` in a third spelling, and the bot links the room that they have", async () => {
    const house = await dialling();
    const lobby = roomId("!lobby:example.org");
    const { bot } = house.homeserver;
    house.homeserver.membersOf.set(
      lobby,
      [ann, bot].map((user) => ({ user, membership: "join" })),
    );
    await house.enterRoom(lobby, bot);
    const body = "call +44 1632 960106";
    await house.take({ ...house.origin(ann, lobby), kind: "message.received", body, form: "text", edits: false });
    expect(house.words.at(-1)).toContain(encodeURIComponent(room));
    expect(house.homeserver.rooms).toEqual([]);
  });
});

describe("of two rooms with one number, the conversation is in the one", () => {
  async function two(): Promise<House> {
    const house = await dialling();
    await house.enterRoom(other, sent);
    house.homeserver.memberList = [ann, dialled, sent].map((user) => ({ user, membership: "join" }));
    return house;
  }

  test("that the person made last", async () => {
    const house = await two();
    await house.arrive({ identity });
    expect([house.in(room), house.in(other)]).toEqual([[], ["invite"]]);
  });

  test("from which the person called last", async () => {
    const house = await two();
    house.homeserver.memberList = [ann, dialled].map((user) => ({ user, membership: "join" }));
    await dial(house, room);
    const before = house.in(room).length;
    await house.arrive({ identity });
    expect([house.in(room).length - before, house.in(other)]).toEqual([1, []]);
  });

  test("in which the person wrote last", async () => {
    const house = await two();
    house.homeserver.memberList = [ann, dialled].map((user) => ({ user, membership: "join" }));
    await house.take({ ...house.origin(), kind: "message.received", body: "Hello", form: "text", edits: false });
    await house.arrive({ identity });
    expect([house.in(room), house.in(other)]).toEqual([["invite"], []]);
  });

  test("that is left, once the person has closed the other one", async () => {
    const house = await two();
    await house.take({ ...house.origin(ann, other), kind: "room.replaced" });
    await house.arrive({ identity });
    expect(house.in(room)).toEqual(["invite"]);
  });

  test("that the person is in, where they never accepted the invitation to the other one", async () => {
    const house = await two();
    house.homeserver.membersOf.set(other, [
      { user: ann, membership: "invite" },
      { user: sent, membership: "join" },
    ]);
    await house.arrive({ identity });
    expect([house.in(room), house.in(other)]).toEqual([["invite"], []]);
  });
});

describe("a transfer to a person", () => {
  test("rings in the room that they have with the far end's number, under any spelling", async () => {
    const house = new House({ features: { transfer: "join" } });
    const bobs = roomId("!bobs:example.org");
    house.homeserver.memberList = [bob, dialled].map((user) => ({ user, membership: "join" }));
    await house.take({
      ...house.origin(bob, bobs),
      kind: "member.invited",
      user: dialled,
      direct: true,
      encrypted: false,
      public: false,
    });
    house.homeserver.memberList = [];
    const call = await house.arrive({ identity });
    await house.take(house.answer(made1));
    house.homeserver.memberList = [ann, bob, dialled, sent].map((user) => ({ user, membership: "join" }));
    await house.take({
      ...house.ringing(made1),
      kind: "call.replaced",
      replacement: { kind: "create", token: "t", target: bob },
    });
    const report = house.media.reports.get(call);
    expect(report).toBeDefined();
    expect(house.in(bobs)).toEqual(["invite"]);
    expect(house.homeserver.told.at(-1)?.leg.ghost).toBe(dialled);
  });
});

describe("the far end of a call is somebody else now", () => {
  test("and is shown as the ghost that the person knows this number by", async () => {
    const house = await dialling();
    const second = roomId("!second:example.org");
    house.homeserver.membersOf.set(
      second,
      [ann, ghost].map((user) => ({ user, membership: "join" })),
    );
    await house.enterRoom(second);
    await house.take(house.inviteFact({ room: second }));
    const call = house.call();
    await house.sip({ kind: "sip.accepted", sdp: "trunk answer", dialog }, call);
    await house.sip({ kind: "sip.identified", identity: callerOf("+441632960106") }, call);
    const shown = house.homeserver.told.flatMap(({ signal }) => (signal.kind === "identity" ? [signal.identity] : []));
    expect(shown.map((identified) => identified.ghost)).toEqual([dialled]);
  });
});

function textOf(text: string) {
  const { trunk, called } = arrivalOf({ call: callId("c-text") });
  return { trunk, called, text, id: "text-1" };
}

test("a homeserver that is away for a moment costs nobody the room that they have with a number", async () => {
  const house = await dialling();
  const members = house.homeserver.members.bind(house.homeserver);
  house.homeserver.members = () => Promise.reject(new HomeserverError("UNREACHABLE", "away", true));
  await house.arrive({ identity });
  house.homeserver.members = members;
  await house.arrive({ identity });
  expect([house.in(room), house.homeserver.rooms]).toEqual([["invite"], []]);
});
