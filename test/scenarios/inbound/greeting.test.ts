// The bot makes itself known to whom numbers ring: whom it invites, how often, and what they read.
import { expect, test } from "vitest";
import { roomId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { ann, bob, TestBridge, made1, room } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

/** The homeserver is there, and so much time passes that everybody has had their turn. */
async function begin(bridge: TestBridge): Promise<void> {
  void bridge.first.begin();
  await bridge.quiet();
  for (let turn = 0; turn < 5; turn++) await bridge.passTime(1_000);
}

const invited = (bridge: TestBridge): readonly UserId[] => bridge.homeserver.rooms.map(({ invite }) => invite);

test("everybody whom a number rings is invited to a room with the bot, one after the other", async () => {
  const bridge = new TestBridge();
  bridge.homeserver.acceptsInvitations = false;
  void bridge.first.begin();
  await bridge.quiet();
  expect(invited(bridge)).toEqual([ann]);
  await bridge.passTime(500);
  await bridge.passTime(999);
  expect(invited(bridge)).toEqual([ann]);
  await bridge.passTime(1);
  expect(bridge.homeserver.rooms.map(({ as, invite }) => [as, invite])).toEqual([
    [bridge.homeserver.bot, ann],
    [bridge.homeserver.bot, bob],
  ]);
  expect(bridge.words).toEqual([]);
});

test("who joins reads which numbers ring them and how to call, once", async () => {
  const bridge = new TestBridge();
  bridge.homeserver.acceptsInvitations = false;
  await begin(bridge);
  const joined = { kind: "member.joined", user: ann } as const;
  await bridge.take({ ...bridge.origin(ann, made1), ...joined });
  await bridge.take({ ...bridge.origin(ann, made1), ...joined });
  expect(bridge.words).toEqual([
    [
      "Hello. I connect Matrix calls to telephones.",
      "Calls to these numbers ring you: +441632960001, +441632960002, +441632960003.",
      "To call a telephone, write: call NUMBER. Example: call +44 1632 960123",
      "Please stay in this room: calls from new numbers can ring here.",
    ].join("\n"),
  ]);
  expect(bridge.homeserver.notices).toMatchObject([{ room: made1, as: bridge.homeserver.bot }]);
});

test("who is joined by the homeserver itself reads it at once", async () => {
  const bridge = new TestBridge();
  await begin(bridge);
  expect(bridge.homeserver.notices.map(({ room }) => room)).toContain(made1);
});

test("who joins another room reads nothing of the kind there", async () => {
  const bridge = new TestBridge();
  bridge.homeserver.acceptsInvitations = false;
  await begin(bridge);
  await bridge.take({ ...bridge.origin(ann, room), kind: "member.joined", user: ann });
  expect(bridge.words).toEqual([]);
});

test("who may not call is not told how to", async () => {
  const bridge = new TestBridge({ policy: { ...examplePolicy, permissions: new Map() } });
  await begin(bridge);
  expect(bridge.words.join("\n")).not.toContain("call NUMBER");
});

test("nobody is greeted twice, whether they came, left or never answered", async () => {
  const store = openMemoryStore();
  await begin(new TestBridge({ store }));
  const bridge = new TestBridge({ store });
  await begin(bridge);
  expect(invited(bridge)).toEqual([]);
});

test("nobody is greeted a second time after they closed the room", async () => {
  const store = openMemoryStore();
  const before = new TestBridge({ store });
  await begin(before);
  await store.rooms.forget(made1);
  const bridge = new TestBridge({ store });
  await begin(bridge);
  expect(invited(bridge)).toEqual([]);
});

test("who has a room with the bot is left in peace", async () => {
  const store = openMemoryStore();
  const before = new TestBridge({ store });
  await before.take({
    ...before.origin(ann, roomId("!theirs:example.org")),
    kind: "member.invited",
    user: before.homeserver.bot,
    direct: true,
    encrypted: false,
    public: false,
  });
  const bridge = new TestBridge({ store });
  await begin(bridge);
  expect(invited(bridge)).toEqual([bob]);
});

test("who could not be invited is invited at the next start", async () => {
  const store = openMemoryStore();
  const before = new TestBridge({ store });
  before.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
  await begin(before);
  const bridge = new TestBridge({ store });
  await begin(bridge);
  expect(invited(bridge)).toEqual([ann, bob]);
});
