// Encrypted rooms: a call there cannot be read, so that the number says so each time, and leaves to be dialled anew.
import { describe, expect, test } from "vitest";
import { roomId, type RoomId, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { dialog } from "../core/call/examples.ts";
import { ann, ghost, House, made1, made2, room } from "./house.ts";
import { reception } from "./settings.ts";

const words = /^This room is encrypted\. Calls and texts from encrypted rooms .* dial it again/;

async function invited(house: House, where: RoomId, encrypted: boolean, user: UserId = ghost): Promise<void> {
  const fact = { kind: "member.invited", user, direct: true, encrypted, public: false } as const;
  await house.take({ ...house.origin(ann, where), ...fact });
}

const unreadable = (house: House, where: RoomId = room) =>
  house.take({ ...house.origin(ann, where), kind: "event.unreadable" });

describe("a person who dials from encrypted rooms", () => {
  test("reads each time why there is no call, and the number has left the room before the next dial", async () => {
    const house = new House();
    for (const n of [1, 2, 3]) {
      const where = roomId(`!encrypted${n}:example.org`);
      await invited(house, where, true);
      await unreadable(house, where);
    }
    expect(house.words).toHaveLength(3);
    for (const text of house.words) expect(text).toMatch(words);
    expect(house.homeserver.left).toHaveLength(3);
  });

  test("calls in a room whose encryption nobody had told us of: the words, and the number leaves", async () => {
    const house = new House();
    await house.enterRoom();
    await unreadable(house);
    expect(house.words).toEqual([expect.stringMatching(words)]);
    expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
    await unreadable(house);
    expect(house.words).toHaveLength(1);
  });

  test("joins the number to a room that the homeserver says only later is encrypted", async () => {
    const house = new House();
    house.homeserver.encryptedRooms.add(room);
    await house.enterRoom();
    expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
  });

  test("calls from a new room that is not encrypted: the call goes out", async () => {
    const house = new House();
    await invited(house, roomId("!encrypted:example.org"), true);
    await house.ring();
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("is told although the homeserver refuses the words once, and the number leaves all the same", async () => {
    const house = new House();
    await house.enterRoom();
    house.homeserver.failure = new HomeserverError("M_LIMIT_EXCEEDED", "slow down", true);
    house.homeserver.failOnce();
    await unreadable(house);
    expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
  });
});

test("a number that cannot leave says so twice a minute, not at each call", async () => {
  const house = new House();
  await house.enterRoom();
  house.homeserver.leave = () => Promise.reject(new HomeserverError("M_FORBIDDEN", "stay", false));
  for (let call = 0; call < 10; call++) await unreadable(house);
  expect(house.words).toHaveLength(2);
});

test("two calls at once from an encrypted room: the number says once why it leaves", async () => {
  const house = new House();
  await house.enterRoom();
  await Promise.all([unreadable(house), unreadable(house)]);
  expect([house.words.length, house.homeserver.left]).toEqual([1, [{ room, user: ghost }]]);
});

test("encryption is switched on in a call: nobody is cut off, the room is told, and the number leaves afterwards", async () => {
  const house = new House();
  await house.ring();
  await house.sip({ kind: "sip.accepted", sdp: "trunk answer", dialog });
  await house.take({ ...house.origin(), kind: "room.encrypted" });
  expect([house.words.length, house.homeserver.left, house.trunks.verbs]).toEqual([1, [], ["invite"]]);
  await house.sip({ kind: "sip.hungUp", q850: 16 });
  await unreadable(house);
  expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
});

test("a number calls a person whose room with it is encrypted: it rings in a new one", async () => {
  const house = new House();
  await house.arrive();
  await house.sip({ kind: "sip.cancelled", elsewhere: false });
  await house.take({ ...house.origin(ann, made1), kind: "room.encrypted" });
  await house.arrive();
  expect(house.in(made2)).toEqual(["invite"]);
});

test("a room of the configuration that is encrypted is told so once, and nobody leaves it", async () => {
  const house = new House();
  await invited(house, reception, false);
  for (let times = 0; times < 3; times++) await unreadable(house, reception);
  expect(house.words).toEqual([expect.stringMatching(/^This room is encrypted/)]);
  expect(house.homeserver.left).toEqual([]);
});

test("a room with the bot that is encrypted is told so once, and the bot stays", async () => {
  const house = new House();
  await invited(house, room, true, house.homeserver.bot);
  await unreadable(house);
  expect(house.words).toHaveLength(1);
  expect(house.homeserver.left).toEqual([]);
});

test("a number in an encrypted room with the bot leaves it, and the bot stays", async () => {
  const house = new House();
  await invited(house, room, false, house.homeserver.bot);
  await house.enterRoom();
  await unreadable(house);
  expect(house.words.at(-1)).toMatch(words);
  expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
});
