// What people write to a number and a telephone writes to people, through the whole bridge.
import { expect, test } from "vitest";
import { trunkName } from "../../src/core/ids.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, caller, ghost, House, made1, room } from "./house.ts";

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
