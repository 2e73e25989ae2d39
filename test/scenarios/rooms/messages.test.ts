// What people write to a number and a telephone writes to people, through the whole bridge.
import { expect, test } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { ann, caller, ghost, TestBridge, made1, made2, room } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

const text = { form: "text", edits: false } as const;

function arrivalOf(body: string, id = "1") {
  return { trunk: trunkName("main"), called: "+441632960001", identity: callerOf("+442079460123"), text: body, id };
}

test("what a person writes in the room of a number reaches the telephone, in order, and is marked as read", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  bridge.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  for (const body of ["first", "second"])
    await bridge.take({ ...bridge.origin(), kind: "message.received", body, ...text });
  expect(bridge.trunks.messages.map((message) => [message.target, message.text])).toEqual([
    ["sip:+441818118181@sip.example.org", "first"],
    ["sip:+441818118181@sip.example.org", "second"],
  ]);
  expect(bridge.homeserver.read).toHaveLength(2);
});

test("what could not be delivered says so on the message itself", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  bridge.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  bridge.trunks.messageOutcome = { kind: "refused", status: 480, phrase: "Temporarily Unavailable" };
  const message = { ...bridge.origin(), kind: "message.received", body: "hello", ...text } as const;
  await bridge.take(message);
  expect(bridge.homeserver.notices).toMatchObject([{ room, as: ghost, about: message.eventId }]);
  expect(bridge.homeserver.read).toEqual([]);
});

test("a text of a telephone stands in the room that its calls ring in, once, and is answered there", async () => {
  const bridge = new TestBridge();
  expect(await bridge.messaged(arrivalOf("hello"))).toBe(200);
  expect(await bridge.messaged(arrivalOf("hello"))).toBe(200);
  expect(bridge.homeserver.texts).toMatchObject([{ room: made1, as: caller, text: "hello" }]);
  bridge.homeserver.memberList = [ann, caller].map((user) => ({ user, membership: "join" as const }));
  await bridge.arrive();
  expect(bridge.in(made1)).toEqual(["invite"]);
  await bridge.take({ ...bridge.origin(ann, made1), kind: "message.received", body: "hello back", ...text });
  expect(bridge.trunks.messages).toMatchObject([{ target: "sip:+442079460123@sip.example.org", text: "hello back" }]);
});

test("a text in the dialog of a call stands in the room of that call, whoever its number is", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  const within = { ...arrivalOf("press 1"), called: "alice", call };
  expect(await bridge.messaged(within)).toBe(200);
  expect(bridge.homeserver.texts).toMatchObject([{ room, as: ghost, text: "press 1" }]);
  expect(bridge.homeserver.rooms).toEqual([]);
});

test("a text in the dialog of a call that still rings stands where its calls ring", async () => {
  const bridge = new TestBridge();
  const call = await bridge.arrive({ called: "+441632960002" });
  expect(await bridge.messaged({ ...arrivalOf("pick up"), called: "+441632960002", call })).toBe(200);
  expect(bridge.homeserver.texts.map(({ room: where, as }) => [where, as])).toEqual([
    [made1, caller],
    [made2, caller],
  ]);
});

test("of a telephone that writes over and over, no more is taken in a minute than one may try calls", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  const statuses: number[] = [];
  for (let n = 0; n < 6; n++) statuses.push(await bridge.messaged(arrivalOf(`text ${n}`, String(n))));
  expect(statuses).toEqual([200, 200, 200, 480, 480, 480]);
  // A repetition is no new text.
  expect(await bridge.messaged(arrivalOf("text 0", "0"))).toBe(200);
  await bridge.passTime(60_000);
  expect(await bridge.messaged(arrivalOf("later", "later"))).toBe(200);
  expect(bridge.homeserver.texts).toHaveLength(4);
});

test("texts that come faster than the homeserver takes them do not pile up", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  bridge.homeserver.hold();
  const refused: number[] = [];
  const statuses = Array.from({ length: 6 }, async (_, n) => {
    const status = await bridge.messaged(arrivalOf(`text ${n}`, String(n)));
    if (status !== 200) refused.push(status);
    return status;
  });
  await bridge.quiet();
  expect(refused).toEqual([480, 480, 480]);
  bridge.homeserver.release();
  expect(await Promise.all(statuses)).toEqual([200, 200, 200, 480, 480, 480]);
});

test("texts under ever new numbers make no more rooms than calls do", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerMinute: 3 } });
  for (let n = 0; n < 6; n++)
    await bridge.messaged({ ...arrivalOf("spam", String(n)), identity: callerOf(`+44207946020${n}`) });
  expect([bridge.homeserver.registered.length, bridge.homeserver.rooms.length]).toEqual([3, 3]);
});

test("a text that waits for a slow trunk holds up no call", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  bridge.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  bridge.trunks.message = () => new Promise(() => {});
  void bridge.switchboard.takeMatrix({ ...bridge.origin(), kind: "message.received", body: "hello", ...text });
  await bridge.take(bridge.inviteFact());
  expect(bridge.trunks.verbs).toEqual(["invite"]);
});

test("what is written to the bot is the bot's, and goes to no telephone", async () => {
  const bridge = new TestBridge();
  const { bot } = bridge.homeserver;
  bridge.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" as const }));
  await bridge.take({
    ...bridge.origin(),
    kind: "member.invited",
    user: bot,
    direct: true,
    encrypted: false,
    public: false,
  });
  await bridge.take({ ...bridge.origin(), kind: "message.received", body: "help", ...text });
  expect([bridge.trunks.messages, bridge.words.length]).toEqual([[], 2]);
});

test("texts are counted, in both directions, by what became of them", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  bridge.homeserver.memberList = [ann, ghost].map((user) => ({ user, membership: "join" as const }));
  await bridge.take({ ...bridge.origin(), kind: "message.received", body: "hello", ...text });
  bridge.trunks.messageOutcome = { kind: "refused", status: 404, phrase: "Not Found" };
  await bridge.take({ ...bridge.origin(), kind: "message.received", body: "hello", ...text });
  await bridge.messaged(arrivalOf("hello"));
  bridge.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
  await bridge.messaged(arrivalOf("hello", "2"));
  expect(bridge.telemetry.texts).toEqual([
    "outbound delivered",
    "outbound failed",
    "inbound delivered",
    "inbound failed",
  ]);
});
