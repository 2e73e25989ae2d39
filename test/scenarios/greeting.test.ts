// The bot makes itself known to whom numbers ring: whom it invites, how often, and what they read.
import { expect, test } from "vitest";
import { roomId, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";
import { ann, bob, House, made1, room } from "./house.ts";
import { examplePolicy } from "./settings.ts";

/** The homeserver is there, and so much time passes that everybody has had their turn. */
async function begin(house: House): Promise<void> {
  void house.first.begin();
  await house.quiet();
  for (let turn = 0; turn < 5; turn++) await house.passTime(1_000);
}

const invited = (house: House): readonly UserId[] => house.homeserver.rooms.map(({ invite }) => invite);

test("everybody whom a number rings is invited to a room with the bot, one after the other", async () => {
  const house = new House();
  house.homeserver.acceptsInvitations = false;
  void house.first.begin();
  await house.quiet();
  expect(invited(house)).toEqual([ann]);
  await house.passTime(500);
  await house.passTime(999);
  expect(invited(house)).toEqual([ann]);
  await house.passTime(1);
  expect(house.homeserver.rooms.map(({ as, invite }) => [as, invite])).toEqual([
    [house.homeserver.bot, ann],
    [house.homeserver.bot, bob],
  ]);
  expect(house.words).toEqual([]);
});

test("who joins reads which numbers ring them and how to call, once", async () => {
  const house = new House();
  house.homeserver.acceptsInvitations = false;
  await begin(house);
  const joined = { kind: "member.joined", user: ann } as const;
  await house.take({ ...house.origin(ann, made1), ...joined });
  await house.take({ ...house.origin(ann, made1), ...joined });
  expect(house.words).toEqual([
    [
      "Hello. I connect Matrix calls to telephones.",
      "Calls to these numbers ring you: +441632960001, +441632960002, +441632960003.",
      "To call a telephone, write: call NUMBER. Example: call +44 1632 960123",
      "Please stay in this room: calls from new numbers can ring here.",
    ].join("\n"),
  ]);
  expect(house.homeserver.notices).toMatchObject([{ room: made1, as: house.homeserver.bot }]);
});

test("who is joined by the homeserver itself reads it at once", async () => {
  const house = new House();
  await begin(house);
  expect(house.homeserver.notices.map(({ room }) => room)).toContain(made1);
});

test("who joins another room reads nothing of the kind there", async () => {
  const house = new House();
  house.homeserver.acceptsInvitations = false;
  await begin(house);
  await house.take({ ...house.origin(ann, room), kind: "member.joined", user: ann });
  expect(house.words).toEqual([]);
});

test("who may not call is not told how to", async () => {
  const house = new House({ policy: { ...examplePolicy, permissions: new Map() } });
  await begin(house);
  expect(house.words.join("\n")).not.toContain("call NUMBER");
});

test("nobody is greeted twice, whether they came, left or never answered", async () => {
  const store = openMemoryStore();
  await begin(new House({ store }));
  const house = new House({ store });
  await begin(house);
  expect(invited(house)).toEqual([]);
});

test("nobody is greeted a second time after they closed the room", async () => {
  const store = openMemoryStore();
  const before = new House({ store });
  await begin(before);
  await store.rooms.forget(made1);
  const house = new House({ store });
  await begin(house);
  expect(invited(house)).toEqual([]);
});

test("who has a room with the bot is left in peace", async () => {
  const store = openMemoryStore();
  const before = new House({ store });
  await before.take({
    ...before.origin(ann, roomId("!theirs:example.org")),
    kind: "member.invited",
    user: before.homeserver.bot,
    direct: true,
    encrypted: false,
    public: false,
  });
  const house = new House({ store });
  await begin(house);
  expect(invited(house)).toEqual([bob]);
});

test("who could not be invited is invited at the next start", async () => {
  const store = openMemoryStore();
  const before = new House({ store });
  before.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
  await begin(before);
  const house = new House({ store });
  await begin(house);
  expect(invited(house)).toEqual([ann, bob]);
});
