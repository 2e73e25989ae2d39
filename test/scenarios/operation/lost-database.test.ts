// The database is new or was lost, and the rooms are old: the homeserver still knows who is in them.
import { describe, expect, test } from "vitest";
import { roomId, type RoomId, type UserId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { ann, bob, ghost, TestBridge, room, trunk } from "../test-bridge.ts";
import { reception } from "../settings.ts";

const national = "@_sip_01818118181%40sip.example.org:example.org" as UserId;
const identity = callerOf("+441818118181");
const other = roomId("!other:example.org");

function rooms(bridge: TestBridge, whose: UserId, ...where: readonly RoomId[]): void {
  bridge.homeserver.joinedRoomsOf.set(whose, where);
}

function members(bridge: TestBridge, where: RoomId, ...users: readonly UserId[]): void {
  bridge.homeserver.membersOf.set(
    where,
    users.map((user) => ({ user, membership: "join" })),
  );
}

/** Ann has an old room with 0181 811 8181. */
function oldRoom(): TestBridge {
  const bridge = new TestBridge();
  members(bridge, room, ann, ghost);
  rooms(bridge, national, room);
  return bridge;
}

describe("with an empty database, an old room", () => {
  test("is called from: the number rings", async () => {
    const bridge = oldRoom();
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("is written in: the text reaches the telephone", async () => {
    const bridge = oldRoom();
    await bridge.take({ ...bridge.origin(), kind: "message.received", body: "Hello", form: "text", edits: false });
    expect(bridge.trunks.messages.map(({ text }) => text)).toEqual(["Hello"]);
  });

  test("rings when its number calls, whichever way the trunk writes it", async () => {
    const bridge = oldRoom();
    await bridge.arrive({ identity });
    expect([bridge.in(room), bridge.homeserver.rooms]).toEqual([["invite"], []]);
  });

  test("gets the texts of its number", async () => {
    const bridge = oldRoom();
    await bridge.messaged({ trunk, called: "+441632960001", identity, text: "Hi", id: "t" });
    expect(bridge.homeserver.texts).toMatchObject([{ room, as: national, text: "Hi" }]);
  });

  test("is linked by the bot", async () => {
    const bridge = oldRoom();
    const { bot } = bridge.homeserver;
    members(bridge, other, ann, bot);
    const said = { body: "call +44 181 811 8181", form: "text", edits: false } as const;
    await bridge.take({ ...bridge.origin(ann, other), kind: "message.received", ...said });
    expect(bridge.words.at(-1)).toContain(encodeURIComponent(room));
  });

  test("of others is not taken for one's own", async () => {
    const bridge = new TestBridge();
    members(bridge, room, bob, ghost);
    members(bridge, other, ann, bob, ghost);
    rooms(bridge, national, room, other);
    await bridge.arrive({ identity });
    expect(bridge.homeserver.rooms).toHaveLength(1);
  });

  test("of the configuration rings, and the ghost in it is known", async () => {
    const bridge = new TestBridge();
    members(bridge, reception, ann, bob, national);
    await bridge.arrive({ identity, called: "+441632960004" });
    expect(bridge.homeserver.told.map(({ leg }) => [leg.room, leg.ghost])).toEqual([[reception, national]]);
    expect(bridge.homeserver.joined).toEqual([]);
  });

  test("whose last person leaves is left by the number", async () => {
    const bridge = oldRoom();
    const leaving = { ...bridge.origin(), kind: "member.left", user: ann } as const;
    await bridge.take({ ...bridge.origin(), kind: "message.received", body: "Hello", form: "text", edits: false });
    members(bridge, room, ghost);
    await bridge.take(leaving);
    expect(bridge.homeserver.left).toEqual([{ room, user: ghost }]);
  });
});

describe("a homeserver that tells only members who is in a room", () => {
  const tellingNobody = (): TestBridge => {
    const bridge = oldRoom();
    bridge.homeserver.tellsMembers = false;
    return bridge;
  };

  test("is asked as the number that the call names", async () => {
    const bridge = tellingNobody();
    await bridge.take(bridge.inviteFact({ invitee: ghost }));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("has told all once the number was looked up again", async () => {
    const bridge = tellingNobody();
    await bridge.lookedUp(national);
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("leaves the call of an unknown room alone: the log says which room, once", async () => {
    const bridge = tellingNobody();
    await bridge.take(bridge.inviteFact());
    await bridge.take(bridge.inviteFact(bridge.callOf(ann, "call2")));
    expect(bridge.trunks.verbs).toEqual([]);
    const lines = bridge.telemetry.lines.filter(({ level }) => level === "warn");
    expect(lines.map(({ message, fields }) => [message, fields["room"]])).toEqual([
      ["event from an unknown room: the homeserver does not say who is in it", room],
    ]);
  });
});

describe("what is known is not asked for", () => {
  test("a room in which nobody of ours is, is asked for once", async () => {
    const bridge = new TestBridge();
    let asked = 0;
    bridge.homeserver.joinedMembers = async () => {
      asked += 1;
      return [ann, bob];
    };
    await bridge.take(bridge.inviteFact());
    await bridge.take(bridge.inviteFact(bridge.callOf(ann, "call2")));
    expect([asked, bridge.trunks.verbs]).toEqual([1, []]);
  });

  test("but a room is asked for again after the homeserver could not say", async () => {
    const bridge = oldRoom();
    const joinedMembers = bridge.homeserver.joinedMembers.bind(bridge.homeserver);
    bridge.homeserver.joinedMembers = () => Promise.reject(new HomeserverError("UNREACHABLE", "away", true));
    await bridge.take(bridge.inviteFact());
    bridge.homeserver.joinedMembers = joinedMembers;
    await bridge.take(bridge.inviteFact(bridge.callOf(ann, "call2")));
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("a room that the number has just made is known", async () => {
    const bridge = new TestBridge();
    let asked = 0;
    bridge.homeserver.joinedMembers = async () => {
      asked += 1;
      return [];
    };
    await bridge.arrive({ identity });
    expect([bridge.homeserver.rooms.length, asked]).toEqual([1, 0]);
  });

  test("a call in a known conversation asks for no rooms", async () => {
    const bridge = oldRoom();
    await bridge.enterRoom(room, national);
    bridge.homeserver.askedRooms.length = 0;
    await bridge.arrive({ identity });
    expect([bridge.in(room), bridge.homeserver.askedRooms]).toEqual([["invite"], []]);
  });

  test("a number that nobody has is looked for once, by its common spellings", async () => {
    const bridge = new TestBridge();
    for (let n = 0; n < 3; n++) await bridge.arrive({ identity });
    const asked = bridge.homeserver.askedRooms;
    expect(asked.length).toBe(new Set(asked).size);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  test("a homeserver that fails holds up no call: the number gets a new room", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.joinedRooms = async () => {
      throw new HomeserverError("UNREACHABLE", "timed out", true);
    };
    await bridge.arrive({ identity });
    expect(bridge.homeserver.rooms).toHaveLength(1);
  });
});
