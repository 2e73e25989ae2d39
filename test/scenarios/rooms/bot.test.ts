// What people read who write to the bridge's bot.
import { describe, expect, test } from "vitest";
import { deviceId, roomId, type NumberKey, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { ann, TestBridge, room } from "../test-bridge.ts";
import { reception } from "../settings.ts";

describe("the bot", () => {
  const bot = "@_sip_bot:example.org" as UserId;
  const lobby = roomId("!lobby:example.org");
  const open = async (bridge: TestBridge): Promise<void> => {
    bridge.homeserver.memberList = [
      { user: ann, membership: "join" },
      { user: bot, membership: "join" },
    ];
    await bridge.take({
      ...bridge.origin(ann, lobby),
      kind: "member.invited",
      user: bot,
      direct: true,
      encrypted: false,
      public: false,
    });
  };
  const say = (bridge: TestBridge, body: string, sender = ann) =>
    bridge.take({ ...bridge.origin(sender, lobby), kind: "message.received", body, form: "text", edits: false });

  test("says so, too, where it cannot read what was written before it came", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.timelineFailure = new HomeserverError("UNREACHABLE", "gone", true);
    await open(bridge);
    expect(bridge.words[0]).toContain("call NUMBER");
  });

  test("has news of voice messages for a person in the room that they made with it", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    expect(await bridge.store.conversations.find(ann, bot as string as NumberKey)).toMatchObject([{ room: lobby }]);
  });

  test("says what it can do when it is invited", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    expect(bridge.words[0]).toContain("call NUMBER");
  });

  test("makes the room with a number and invites the person; the call made there rings", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call 0181 811 8181");
    const [made] = bridge.homeserver.rooms;
    expect(made).toMatchObject({ invite: ann });
    expect(bridge.words.at(-1)).toContain("https://matrix.to/#/");
    await bridge.take(bridge.inviteFact({ room: made?.room ?? room, device: deviceId("PHONE") }));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("leaves files, and corrections of what was said, alone", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    const before = bridge.words.length;
    const message = { kind: "message.received", body: "call 01818118181" } as const;
    await bridge.take({ ...bridge.origin(ann, lobby), ...message, form: "text", edits: true });
    await bridge.take({ ...bridge.origin(ann, lobby), ...message, form: "other", edits: false });
    expect(bridge.homeserver.rooms).toEqual([]);
    expect(bridge.words).toHaveLength(before);
  });

  test("finds the room again", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call 01818118181");
    await say(bridge, "CALL 01818118181");
    expect(bridge.homeserver.rooms).toHaveLength(1);
  });

  test("invites a person again who has left the room of a number", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call 01818118181");
    bridge.homeserver.memberList = [{ user: bot, membership: "join" }];
    await say(bridge, "call 01818118181");
    expect(bridge.homeserver.rooms).toHaveLength(1);
    expect(bridge.homeserver.invited).toEqual([{ room: bridge.homeserver.rooms[0]?.room, user: ann }]);
  });

  test("makes a new room where the number was thrown out of the old one, and none while the homeserver is away", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call 01818118181");
    await bridge.take({
      ...bridge.origin(ann, lobby),
      kind: "message.received",
      body: "call 01818118181",
      form: "text",
      edits: false,
    });
    bridge.homeserver.closedRoom = bridge.homeserver.rooms[0]?.room;
    const { closedWith } = bridge.homeserver;
    bridge.homeserver.closedWith = new HomeserverError("UNREACHABLE", "gone", true);
    await say(bridge, "call 01818118181");
    expect(bridge.homeserver.rooms).toHaveLength(1);
    expect(bridge.words.at(-1)).toBe("I could not create a room for this number. Please try again later.");
    bridge.homeserver.closedWith = closedWith;
    await say(bridge, "call 01818118181");
    expect(bridge.homeserver.rooms).toHaveLength(2);
  });

  test("tells whoever may not call", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call 01818118181", "@bob:elsewhere.org" as UserId);
    expect(bridge.homeserver.rooms).toEqual([]);
    expect(bridge.words.at(-1)).toBe("You do not have permission to make telephone calls here.");
  });

  test("answers nonsense with help", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call");
    await say(bridge, "hello");
    await say(bridge, "call xyzzy!!");
    expect(bridge.words.slice(1)).toEqual([
      "Which number? Example: call +44 1632 960123",
      expect.stringContaining("help"),
      "This number cannot be dialled.",
    ]);
  });

  test("says which domain may not be called", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    await say(bridge, "call bob@elsewhere.org");
    expect(bridge.words.at(-1)).toBe("Calls to this SIP domain are not allowed here.");
  });

  test("leaves a room with several people, after one sentence, and does not read along", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    bridge.homeserver.memberList = [ann, "@bob:example.org" as UserId, bot].map((user) => ({
      user,
      membership: "join",
    }));
    await say(bridge, "Call me maybe");
    expect(bridge.words.slice(1)).toEqual(["I can only help in a room with just you and me in it."]);
    expect(bridge.homeserver.left).toEqual([{ room: lobby, user: bot }]);
    await say(bridge, "call 01818118181");
    expect(bridge.words).toHaveLength(2);
    expect(bridge.homeserver.rooms).toEqual([]);
  });

  test("does not stay where it is invited among several people", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, "@bob:example.org" as UserId, bot].map((user) => ({
      user,
      membership: "join",
    }));
    await bridge.take({
      ...bridge.origin(ann, lobby),
      kind: "member.invited",
      user: bot,
      direct: true,
      encrypted: false,
      public: false,
    });
    expect(bridge.words).toEqual(["I can only help in a room with just you and me in it."]);
    expect(bridge.homeserver.left).toEqual([{ room: lobby, user: bot }]);
  });

  test("stays, silent, in a room of the configuration, to let numbers in", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.memberList = [ann, "@bob:example.org" as UserId, bot].map((user) => ({
      user,
      membership: "join",
    }));
    await bridge.take({
      ...bridge.origin(ann, reception),
      kind: "member.invited",
      user: bot,
      direct: false,
      encrypted: false,
      public: false,
    });
    await bridge.take({
      ...bridge.origin(ann, reception),
      kind: "message.received",
      body: "Call me",
      form: "text",
      edits: false,
    });
    expect(bridge.words).toEqual([]);
    expect(bridge.homeserver.left).toEqual([]);
  });

  test("stays, silent, while the homeserver does not say who is there", async () => {
    const bridge = new TestBridge();
    await open(bridge);
    bridge.homeserver.memberFailure = new HomeserverError("UNREACHABLE", "gone", true);
    await say(bridge, "help");
    expect(bridge.words).toHaveLength(1);
    expect(bridge.homeserver.left).toEqual([]);
  });
});
