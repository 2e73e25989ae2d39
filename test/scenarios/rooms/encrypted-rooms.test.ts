// Encrypted rooms: a call there cannot be read, so that the number says so each time, and leaves to be dialled anew.
import { describe, expect, test } from "vitest";
import { roomId, type RoomId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { accepted, ann, ghost, TestBridge, made1, made2, room } from "../test-bridge.ts";
import { reception } from "../settings.ts";

const words = /^This room is encrypted\. Calls and texts from encrypted rooms .* dial it again/;

async function invited(bridge: TestBridge, where: RoomId, encrypted: boolean, user: UserId = ghost): Promise<void> {
  const fact = { kind: "member.invited", user, direct: true, encrypted, public: false } as const;
  await bridge.take({ ...bridge.origin(ann, where), ...fact });
}

const unreadable = (bridge: TestBridge, where: RoomId = room) =>
  bridge.take({ ...bridge.origin(ann, where), kind: "event.unreadable" });

describe("with keys of their own", () => {
  test("numbers stay in encrypted rooms, say once that the bridge reads them, and take calls", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.readsEncrypted = true;
    await invited(bridge, room, true);
    await bridge.ring();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
    await bridge.take({ ...bridge.origin(), kind: "room.encrypted" });
    expect(bridge.words).toEqual([expect.stringMatching(/The bridge decrypts what is said and written here/)]);
    expect(bridge.homeserver.left).toEqual([]);
  });

  test("numbers ask to be called again if something cannot be decrypted, and do not say so for ever", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.readsEncrypted = true;
    await bridge.enterRoom();
    for (let times = 0; times < 5; times++) await unreadable(bridge);
    expect(bridge.words).toEqual(Array(2).fill(expect.stringMatching(/please hang up and call again/)));
    expect(bridge.homeserver.left).toEqual([]);
  });

  test("the bot reads in an encrypted room: it says so once, helps, and asks for what it could not decrypt", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.readsEncrypted = true;
    bridge.homeserver.botReadsEncrypted = true;
    bridge.homeserver.memberList = [ann, bridge.homeserver.bot].map((user) => ({ user, membership: "join" }));
    await invited(bridge, room, true, bridge.homeserver.bot);
    expect(bridge.words).toEqual([
      expect.stringMatching(/The bridge decrypts what is said and written here/),
      expect.stringMatching(/^I connect Matrix calls to telephones/),
    ]);
    await unreadable(bridge);
    expect(bridge.words).toHaveLength(3);
    expect(bridge.words[2]).toMatch(/could not be decrypted/);
  });

  test("the bot says once that it reads nothing in an encrypted room where it has no keys of others", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.readsEncrypted = true;
    await invited(bridge, room, true, bridge.homeserver.bot);
    for (let times = 0; times < 3; times++) await unreadable(bridge);
    expect(bridge.words.filter((line) => line.includes("I cannot read what is written here"))).toHaveLength(1);
    expect(bridge.words.join()).not.toMatch(/hang up|decrypts what is said/);
  });

  test("a number calls a person whose room with it is encrypted: it rings there, and who comes into it reads the line", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.readsEncrypted = true;
    bridge.homeserver.encryptsAll = true;
    await bridge.arrive();
    expect(bridge.homeserver.rooms).toHaveLength(1);
    await bridge.take({ ...bridge.origin(ann, made1), kind: "member.joined", user: ann });
    expect(bridge.words).toEqual([expect.stringMatching(/The bridge decrypts/)]);
  });
});

describe("a room that the bridge makes", () => {
  const made = async (bridge: TestBridge) => {
    const { length } = bridge.homeserver.rooms;
    await bridge.arrive({ identity: callerOf("+442079460200") });
    const { room: fresh } = bridge.homeserver.rooms[length] ?? expect.fail("no room was made");
    expect(bridge.in(fresh)).toEqual(["invite"]);
    return bridge.homeserver.encryptedRooms.has(fresh) ? "encrypted" : "plain";
  };
  const withKeys = (encryptRooms: "auto" | "never" | "always") => {
    const bridge = new TestBridge({ encryptRooms });
    bridge.homeserver.readsEncrypted = true;
    return bridge;
  };
  /** Ann's room with another number is encrypted. */
  const annEncrypts = async (bridge: TestBridge) => {
    bridge.homeserver.encryptedRooms.add(room);
    await bridge.enterRoom();
  };

  test("is plain for a person who has no other", async () => {
    expect(await made(withKeys("auto"))).toBe("plain");
  });

  test("is as the room in which the person last spoke with another number", async () => {
    const bridge = withKeys("auto");
    await annEncrypts(bridge);
    expect(await made(bridge)).toBe("encrypted");
    const other = roomId("!plain:example.org");
    const second = withKeys("auto");
    await annEncrypts(second);
    await second.enterRoom(other, "@_sip_0207%40sip.example.org:example.org" as UserId);
    expect(await made(second)).toBe("plain");
  });

  test("is plain where the homeserver does not say what the others are", async () => {
    const bridge = withKeys("auto");
    await annEncrypts(bridge);
    bridge.homeserver.encryptionFailure = new HomeserverError("M_FORBIDDEN", "not in the room", false);
    expect(await made(bridge)).toBe("plain");
  });

  test("is always encrypted, or never", async () => {
    expect(await made(withKeys("always"))).toBe("encrypted");
    const bridge = withKeys("never");
    await annEncrypts(bridge);
    expect(await made(bridge)).toBe("plain");
  });

  test("is plain as long as numbers have no keys", async () => {
    expect(await made(new TestBridge({ encryptRooms: "always" }))).toBe("plain");
  });

  test("for the bot is as the others, but plain if the bot could not read there, unless every room is encrypted", async () => {
    for (const [encryptRooms, reads, encrypted] of [
      ["auto", false, false],
      ["auto", true, true],
      ["always", false, true],
      ["never", true, false],
    ] as const) {
      const bridge = withKeys(encryptRooms);
      bridge.homeserver.botReadsEncrypted = reads;
      await annEncrypts(bridge);
      void bridge.first.greeter.start();
      await bridge.quiet();
      const { rooms, encryptedRooms, bot } = bridge.homeserver;
      const ofBot = rooms.find(({ as, invite }) => as === bot && invite === ann) ?? expect.fail("no room was made");
      expect(encryptedRooms.has(ofBot.room)).toBe(encrypted);
    }
  });
});

describe("a person who dials from encrypted rooms", () => {
  test("reads each time why there is no call, and the number has left the room before the next dial", async () => {
    const bridge = new TestBridge();
    for (const n of [1, 2, 3]) {
      const where = roomId(`!encrypted${n}:example.org`);
      await invited(bridge, where, true);
      await unreadable(bridge, where);
    }
    expect(bridge.words).toHaveLength(3);
    for (const text of bridge.words) expect(text).toMatch(words);
    expect(bridge.homeserver.left).toHaveLength(3);
  });

  test("calls in a room whose encryption nobody had told us of: the words, and the number leaves", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    await unreadable(bridge);
    expect(bridge.words).toEqual([expect.stringMatching(words)]);
    expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
    await unreadable(bridge);
    expect(bridge.words).toHaveLength(1);
  });

  test("joins the number to a room that the homeserver says only later is encrypted", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.encryptedRooms.add(room);
    await bridge.enterRoom();
    expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
  });

  test("calls from a new room that is not encrypted: the call goes out", async () => {
    const bridge = new TestBridge();
    await invited(bridge, roomId("!encrypted:example.org"), true);
    await bridge.ring();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("is told although the homeserver refuses the words once, and the number leaves all the same", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    bridge.homeserver.failure = new HomeserverError("M_LIMIT_EXCEEDED", "slow down", true);
    bridge.homeserver.failOnce();
    await unreadable(bridge);
    expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
  });
});

test("a number that cannot leave says so twice a minute, not at each call", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  bridge.homeserver.leave = () => Promise.reject(new HomeserverError("M_FORBIDDEN", "stay", false));
  for (let call = 0; call < 10; call++) await unreadable(bridge);
  expect(bridge.words).toHaveLength(2);
});

test("two calls at once from an encrypted room: the number says once why it leaves", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  await Promise.all([unreadable(bridge), unreadable(bridge)]);
  expect([bridge.words.length, bridge.homeserver.left]).toEqual([1, [{ room, user: ghost }]]);
});

test("encryption is switched on in a call: nobody is cut off, the room is told, and the number leaves afterwards", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  await bridge.take({ ...bridge.origin(), kind: "room.encrypted" });
  expect([bridge.words.length, bridge.homeserver.left, bridge.trunks.verbs]).toEqual([1, [], ["invite"]]);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  await unreadable(bridge);
  expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
});

test("a number calls a person whose room with it is encrypted: it rings in a new one", async () => {
  const bridge = new TestBridge();
  await bridge.arrive();
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false });
  await bridge.take({ ...bridge.origin(ann, made1), kind: "room.encrypted" });
  await bridge.arrive();
  expect(bridge.in(made2)).toEqual(["invite"]);
});

test("a room of the configuration that is encrypted is told so once, and nobody leaves it", async () => {
  const bridge = new TestBridge();
  await invited(bridge, reception, false);
  for (let times = 0; times < 3; times++) await unreadable(bridge, reception);
  expect(bridge.words).toEqual([expect.stringMatching(/^This room is encrypted/)]);
  expect(bridge.homeserver.left).toEqual([]);
});

test("a room with the bot that is encrypted is told so once, and the bot stays", async () => {
  const bridge = new TestBridge();
  await invited(bridge, room, true, bridge.homeserver.bot);
  await unreadable(bridge);
  expect(bridge.words).toHaveLength(1);
  expect(bridge.homeserver.left).toEqual([]);
});

test("a number in an encrypted room with the bot leaves it, and the bot stays", async () => {
  const bridge = new TestBridge();
  await invited(bridge, room, false, bridge.homeserver.bot);
  await bridge.enterRoom();
  await unreadable(bridge);
  expect(bridge.words.at(-1)).toMatch(words);
  expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
});
