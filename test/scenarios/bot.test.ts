// What people read who write to the bridge's bot.
import { describe, expect, test } from "vitest";
import { partyId, roomId, type NumberKey, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { ann, House, room } from "./house.ts";
import { reception } from "./settings.ts";

describe("the bot", () => {
  const bot = "@_sip_bot:example.org" as UserId;
  const lobby = roomId("!lobby:example.org");
  const open = async (house: House): Promise<void> => {
    house.homeserver.memberList = [
      { user: ann, membership: "join" },
      { user: bot, membership: "join" },
    ];
    await house.take({
      ...house.origin(ann, lobby),
      kind: "member.invited",
      user: bot,
      direct: true,
      encrypted: false,
      public: false,
    });
  };
  const say = (house: House, body: string, sender = ann) =>
    house.take({ ...house.origin(sender, lobby), kind: "message.received", body, form: "text", edits: false });

  test("says so, too, where it cannot read what was written before it came", async () => {
    const house = new House();
    house.homeserver.timelineFailure = new HomeserverError("UNREACHABLE", "gone", true);
    await open(house);
    expect(house.words[0]).toContain("call NUMBER");
  });

  test("has news of voice messages for a person in the room that they made with it", async () => {
    const house = new House();
    await open(house);
    expect(await house.store.conversations.find(ann, bot as string as NumberKey)).toMatchObject([{ room: lobby }]);
  });

  test("says what it can do when it is invited", async () => {
    const house = new House();
    await open(house);
    expect(house.words[0]).toContain("call NUMBER");
  });

  test("makes the room with a number and invites the person; the call made there rings", async () => {
    const house = new House();
    await open(house);
    await say(house, "call 0181 811 8181");
    const [made] = house.homeserver.rooms;
    expect(made).toMatchObject({ invite: ann });
    expect(house.words.at(-1)).toContain("https://matrix.to/#/");
    await house.take(house.inviteFact({ room: made?.room ?? room, party: partyId("PHONE") }));
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("leaves files, and corrections of what was said, alone", async () => {
    const house = new House();
    await open(house);
    const before = house.words.length;
    const message = { kind: "message.received", body: "call 01818118181" } as const;
    await house.take({ ...house.origin(ann, lobby), ...message, form: "text", edits: true });
    await house.take({ ...house.origin(ann, lobby), ...message, form: "other", edits: false });
    expect(house.homeserver.rooms).toEqual([]);
    expect(house.words).toHaveLength(before);
  });

  test("finds the room again", async () => {
    const house = new House();
    await open(house);
    await say(house, "call 01818118181");
    await say(house, "CALL 01818118181");
    expect(house.homeserver.rooms).toHaveLength(1);
  });

  test("invites a person again who has left the room of a number", async () => {
    const house = new House();
    await open(house);
    await say(house, "call 01818118181");
    house.homeserver.memberList = [{ user: bot, membership: "join" }];
    await say(house, "call 01818118181");
    expect(house.homeserver.rooms).toHaveLength(1);
    expect(house.homeserver.invited).toEqual([{ room: house.homeserver.rooms[0]?.room, user: ann }]);
  });

  test("makes a new room where the number was thrown out of the old one, and none while the homeserver is away", async () => {
    const house = new House();
    await open(house);
    await say(house, "call 01818118181");
    await house.take({
      ...house.origin(ann, lobby),
      kind: "message.received",
      body: "call 01818118181",
      form: "text",
      edits: false,
    });
    house.homeserver.closedRoom = house.homeserver.rooms[0]?.room;
    const { closedWith } = house.homeserver;
    house.homeserver.closedWith = new HomeserverError("UNREACHABLE", "gone", true);
    await say(house, "call 01818118181");
    expect(house.homeserver.rooms).toHaveLength(1);
    expect(house.words.at(-1)).toBe("I could not create a room for this number. Please try again later.");
    house.homeserver.closedWith = closedWith;
    await say(house, "call 01818118181");
    expect(house.homeserver.rooms).toHaveLength(2);
  });

  test("tells whoever may not call", async () => {
    const house = new House();
    await open(house);
    await say(house, "call 01818118181", "@bob:elsewhere.org" as UserId);
    expect(house.homeserver.rooms).toEqual([]);
    expect(house.words.at(-1)).toBe("You do not have permission to make telephone calls here.");
  });

  test("answers nonsense with help", async () => {
    const house = new House();
    await open(house);
    await say(house, "call");
    await say(house, "hello");
    await say(house, "call xyzzy!!");
    expect(house.words.slice(1)).toEqual([
      "Which number? Example: call +44 1632 960123",
      expect.stringContaining("help"),
      "This number cannot be dialled.",
    ]);
  });

  test("says which domain may not be called", async () => {
    const house = new House();
    await open(house);
    await say(house, "call bob@elsewhere.org");
    expect(house.words.at(-1)).toBe("Calls to this SIP domain are not allowed here.");
  });

  test("leaves a room with several people, after one sentence, and does not read along", async () => {
    const house = new House();
    await open(house);
    house.homeserver.memberList = [ann, "@bob:example.org" as UserId, bot].map((user) => ({
      user,
      membership: "join",
    }));
    await say(house, "Call me maybe");
    expect(house.words.slice(1)).toEqual(["I can only help in a room with just you and me in it."]);
    expect(house.homeserver.left).toEqual([{ room: lobby, user: bot }]);
    await say(house, "call 01818118181");
    expect(house.words).toHaveLength(2);
    expect(house.homeserver.rooms).toEqual([]);
  });

  test("does not stay where it is invited among several people", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, "@bob:example.org" as UserId, bot].map((user) => ({
      user,
      membership: "join",
    }));
    await house.take({
      ...house.origin(ann, lobby),
      kind: "member.invited",
      user: bot,
      direct: true,
      encrypted: false,
      public: false,
    });
    expect(house.words).toEqual(["I can only help in a room with just you and me in it."]);
    expect(house.homeserver.left).toEqual([{ room: lobby, user: bot }]);
  });

  test("stays, silent, in a room of the configuration, to let numbers in", async () => {
    const house = new House();
    house.homeserver.memberList = [ann, "@bob:example.org" as UserId, bot].map((user) => ({
      user,
      membership: "join",
    }));
    await house.take({
      ...house.origin(ann, reception),
      kind: "member.invited",
      user: bot,
      direct: false,
      encrypted: false,
      public: false,
    });
    await house.take({
      ...house.origin(ann, reception),
      kind: "message.received",
      body: "Call me",
      form: "text",
      edits: false,
    });
    expect(house.words).toEqual([]);
    expect(house.homeserver.left).toEqual([]);
  });

  test("stays, silent, while the homeserver does not say who is there", async () => {
    const house = new House();
    await open(house);
    house.homeserver.memberFailure = new HomeserverError("UNREACHABLE", "gone", true);
    await say(house, "help");
    expect(house.words).toHaveLength(1);
    expect(house.homeserver.left).toEqual([]);
  });
});
