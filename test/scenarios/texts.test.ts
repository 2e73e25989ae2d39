// What people write to a number and a telephone writes to people, through the whole bridge.
import { expect, test } from "vitest";
import { trunkName } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, caller, ghost, House, made1, made2, room } from "./house.ts";
import { examplePolicy } from "./settings.ts";

const text = { form: "text", edits: false } as const;

function arrivalOf(body: string, id = "1") {
  return { trunk: trunkName("main"), called: "+441632960001", identity: callerOf("+442079460123"), text: body, id };
}

test("what a person writes in the room of a number reaches the telephone, in order, and is marked as read", async () => {
  const house = new House();
  await house.enterRoom();
  house.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  for (const body of ["first", "second"])
    await house.take({ ...house.origin(), kind: "message.received", body, ...text });
  expect(house.trunks.messages.map((message) => [message.target, message.text])).toEqual([
    ["sip:+441818118181@sip.example.org", "first"],
    ["sip:+441818118181@sip.example.org", "second"],
  ]);
  expect(house.homeserver.read).toHaveLength(2);
});

test("what could not be delivered says so on the message itself", async () => {
  const house = new House();
  await house.enterRoom();
  house.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  house.trunks.messageOutcome = { kind: "refused", status: 480, phrase: "Temporarily Unavailable" };
  const message = { ...house.origin(), kind: "message.received", body: "hello", ...text } as const;
  await house.take(message);
  expect(house.homeserver.notices).toMatchObject([{ room, as: ghost, about: message.eventId }]);
  expect(house.homeserver.read).toEqual([]);
});

test("a text of a telephone stands in the room that its calls ring in, once, and is answered there", async () => {
  const house = new House();
  expect(await house.texts.messaged(arrivalOf("hello"))).toBe(200);
  expect(await house.texts.messaged(arrivalOf("hello"))).toBe(200);
  expect(house.homeserver.texts).toMatchObject([{ room: made1, as: caller, text: "hello" }]);
  house.homeserver.memberList = [ann, caller].map((user) => ({ user, membership: "join" as const }));
  await house.arrive();
  expect(house.in(made1)).toEqual(["invite"]);
  await house.take({ ...house.origin(ann, made1), kind: "message.received", body: "hello back", ...text });
  expect(house.trunks.messages).toMatchObject([{ target: "sip:+442079460123@sip.example.org", text: "hello back" }]);
});

test("a text in the dialog of a call stands in the room of that call, whoever its number is", async () => {
  const house = new House();
  const call = await house.ring();
  const within = { ...arrivalOf("press 1"), called: "alice", call };
  expect(await house.texts.messaged(within)).toBe(200);
  expect(house.homeserver.texts).toMatchObject([{ room, as: ghost, text: "press 1" }]);
  expect(house.homeserver.rooms).toEqual([]);
});

test("a text in the dialog of a call that still rings stands where its calls ring", async () => {
  const house = new House();
  const call = await house.arrive({ called: "+441632960002" });
  expect(await house.texts.messaged({ ...arrivalOf("pick up"), called: "+441632960002", call })).toBe(200);
  expect(house.homeserver.texts.map(({ room: where, as }) => [where, as])).toEqual([
    [made1, caller],
    [made2, caller],
  ]);
});

test("of a telephone that writes over and over, no more is taken in a minute than one may try calls", async () => {
  const house = new House({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  const statuses: number[] = [];
  for (let n = 0; n < 6; n++) statuses.push(await house.texts.messaged(arrivalOf(`text ${n}`, String(n))));
  expect(statuses).toEqual([200, 200, 200, 480, 480, 480]);
  // A repetition is no new text.
  expect(await house.texts.messaged(arrivalOf("text 0", "0"))).toBe(200);
  await house.passTime(60_000);
  expect(await house.texts.messaged(arrivalOf("later", "later"))).toBe(200);
  expect(house.homeserver.texts).toHaveLength(4);
});

test("texts that come faster than the homeserver takes them do not pile up", async () => {
  const house = new House({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  house.homeserver.hold();
  const refused: number[] = [];
  const statuses = Array.from({ length: 6 }, async (_, n) => {
    const status = await house.texts.messaged(arrivalOf(`text ${n}`, String(n)));
    if (status !== 200) refused.push(status);
    return status;
  });
  await house.quiet();
  expect(refused).toEqual([480, 480, 480]);
  house.homeserver.release();
  expect(await Promise.all(statuses)).toEqual([200, 200, 200, 480, 480, 480]);
});

test("texts under ever new numbers make no more rooms than calls do", async () => {
  const house = new House({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  for (let n = 0; n < 6; n++)
    await house.texts.messaged({ ...arrivalOf("spam", String(n)), identity: callerOf(`+44207946020${n}`) });
  expect([house.homeserver.registered.length, house.homeserver.rooms.length]).toEqual([3, 3]);
});

test("a text that waits for a slow trunk holds up no call", async () => {
  const house = new House();
  await house.enterRoom();
  house.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  house.trunks.message = () => new Promise(() => {});
  void house.switchboard.takeMatrix({ ...house.origin(), kind: "message.received", body: "hello", ...text });
  await house.take(house.inviteFact());
  expect(house.trunks.verbs).toEqual(["invite"]);
});

test("what is written to the bot is the bot's, and goes to no telephone", async () => {
  const house = new House();
  const { bot } = house.homeserver;
  house.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" as const }));
  await house.take({
    ...house.origin(),
    kind: "member.invited",
    user: bot,
    direct: true,
    encrypted: false,
    public: false,
  });
  await house.take({ ...house.origin(), kind: "message.received", body: "help", ...text });
  expect([house.trunks.messages, house.words.length]).toEqual([[], 2]);
});

test("texts are counted, in both directions, by what became of them", async () => {
  const house = new House();
  await house.enterRoom();
  house.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  await house.take({ ...house.origin(), kind: "message.received", body: "hello", ...text });
  house.trunks.messageOutcome = { kind: "refused", status: 404, phrase: "Not Found" };
  await house.take({ ...house.origin(), kind: "message.received", body: "hello", ...text });
  await house.texts.messaged(arrivalOf("hello"));
  house.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
  await house.texts.messaged(arrivalOf("hello", "2"));
  expect(house.telemetry.texts).toEqual([
    "outbound delivered",
    "outbound failed",
    "inbound delivered",
    "inbound failed",
  ]);
});
