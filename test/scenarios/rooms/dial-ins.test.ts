// People who are in a call with each other have the bot dial a telephone into it.
import { beforeEach, expect, test } from "vitest";
import { deviceId, matrixCallId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { conferenceForm, ConferenceMedia, participant } from "../../fakes/conference.ts";
import { reception } from "../settings.ts";
import { accepted, ann, TestBridge } from "../test-bridge.ts";

const bot = "@_sip_bot:example.org" as UserId;

let bridge: TestBridge;
let media: ConferenceMedia;

beforeEach(async () => {
  media = new ConferenceMedia();
  bridge = new TestBridge({ media });
  bridge.homeserver.runningCalls.add(reception);
  runs("call-1");
  await bridge.store.rooms.saveOurs(reception, bot);
});

/** The call of the room has a place for the next number. */
function runs(id: string): void {
  bridge.homeserver.runningCall = {
    side: { matrixCallId: matrixCallId(id), own: deviceId(`own ${id}`), form: conferenceForm },
    abilities: { canRenegotiate: false, hasKeypad: false },
    description: participant("all"),
  };
}

async function write(body: string, sender: UserId = ann, ageMs = 20): Promise<void> {
  await bridge.take({
    ...bridge.origin(sender, reception),
    ageMs,
    kind: "message.received",
    body,
    form: "text",
    edits: false,
  });
}

const told = () => bridge.homeserver.told.map(({ leg, signal }) => `${signal.kind} ${leg.ghost.split("%")[0]}`);

test("the number comes into the room, rings audibly, and is in the call when it answers", async () => {
  await write("invite 0181 811 8181");
  expect(bridge.trunks.orders).toMatchObject([
    { verb: "invite", argument: { target: expect.stringContaining("8181") } },
  ]);
  expect(bridge.homeserver.joined).toMatchObject([{ room: reception, user: expect.stringContaining("8181") }]);
  await bridge.sip({ kind: "sip.ringing" });
  expect(media.rang).toEqual(["a"]);
  expect(told()).toEqual([]);
  await bridge.sip(accepted);
  expect(bridge.homeserver.told).toMatchObject([
    { leg: { room: reception, matrixCallId: "call-1", own: "own call-1" }, signal: { kind: "answer" } },
  ]);
  expect(bridge.words).toEqual([]);
});

test("what is read a minute later dials nobody into whatever call there is then", async () => {
  await write("invite 0181 811 8181", ann, 61_000);
  expect(bridge.trunks.verbs).toEqual([]);
  expect(bridge.words).toEqual([]);
});

test("several are in it at once, each of them once", async () => {
  await write("invite 0181 811 8181");
  await write("!Invite +44 181 811 8181");
  expect(bridge.words).toEqual(["That number is in the call already."]);
  runs("call-2");
  await write("invite 0181 811 8182");
  expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
});

test("is dialled in nobody's name who may not call it, and is left alone where nobody is in a call", async () => {
  await write("invite 0906 123 4567");
  await write("invite 0181 811 8181", "@mallory:elsewhere.example" as UserId);
  await write("invite");
  await write("invite nonsense");
  bridge.homeserver.runningCalls.clear();
  await write("invite 0181 811 8181");
  bridge.homeserver.runningCalls.add(reception);
  bridge.homeserver.runningCall = undefined;
  await write("invite 0181 811 8181");
  expect(bridge.trunks.verbs).toEqual([]);
  expect(bridge.words).toEqual([
    expect.stringMatching(/not/),
    expect.stringMatching(/not/),
    "Which number? Example: invite +44 1632 960123",
    expect.stringMatching(/not/),
    "Nobody is in a call here. Start one, and then invite numbers to it.",
    "Nobody is in a call here. Start one, and then invite numbers to it.",
  ]);
});

test("that cannot come into the room is not dialled", async () => {
  bridge.homeserver.failure = new HomeserverError("M_FORBIDDEN", "no power", false);
  await write("invite 0181 811 8181");
  bridge.homeserver.failure = undefined;
  expect(bridge.trunks.verbs).toEqual([]);
});

test("other words in such a room are nothing to the bot", async () => {
  await write("we should invite Bob");
  await write("hello");
  expect(bridge.words).toEqual([]);
});

test("stays in the call when whoever invited it leaves the room, and goes when nobody is in the call any more", async () => {
  await write("invite 0181 811 8181");
  await bridge.sip(accepted);
  await bridge.take({ ...bridge.origin(ann, reception), kind: "member.left", user: ann });
  expect(bridge.trunks.verbs).not.toContain("bye");
  const { matrixCallId: call } = bridge.homeserver.told[0]?.leg ?? expect.fail("it was told");
  const device = deviceId("own call-1");
  await bridge.take({
    ...bridge.origin(ann, reception),
    kind: "call.hungUp",
    matrixCallId: call,
    device,
    said: undefined,
  });
  expect(bridge.trunks.verbs).toContain("bye");
});
