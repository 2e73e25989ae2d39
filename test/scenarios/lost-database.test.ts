// The database is new or was lost, and the rooms are old: the homeserver still knows who is in them.
import { describe, expect, test } from "vitest";
import { roomId, type RoomId, type UserId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, bob, ghost, House, room, trunk } from "./house.ts";
import { reception } from "./settings.ts";

const national = "@_sip_01818118181%40sip.example.org:example.org" as UserId;
const identity = callerOf("+441818118181");
const other = roomId("!other:example.org");

function rooms(house: House, whose: UserId, ...where: readonly RoomId[]): void {
  house.homeserver.joinedRoomsOf.set(whose, where);
}

function members(house: House, where: RoomId, ...users: readonly UserId[]): void {
  house.homeserver.membersOf.set(
    where,
    users.map((user) => ({ user, membership: "join" })),
  );
}

/** Ann has an old room with 0181 811 8181. */
function oldRoom(): House {
  const house = new House();
  members(house, room, ann, ghost);
  rooms(house, national, room);
  return house;
}

describe("with an empty database, an old room", () => {
  test("is called from: the number rings", async () => {
    const house = oldRoom();
    await house.take(house.inviteFact());
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("is written in: the text reaches the telephone", async () => {
    const house = oldRoom();
    await house.take({ ...house.origin(), kind: "message.received", body: "Hello", form: "text", edits: false });
    expect(house.trunks.messages.map(({ text }) => text)).toEqual(["Hello"]);
  });

  test("rings when its number calls, whichever way the trunk writes it", async () => {
    const house = oldRoom();
    await house.arrive({ identity });
    expect([house.in(room), house.homeserver.rooms]).toEqual([["invite"], []]);
  });

  test("gets the texts of its number", async () => {
    const house = oldRoom();
    await house.texts.messaged({ trunk, called: "+441632960001", identity, text: "Hi", id: "t" });
    expect(house.homeserver.texts).toMatchObject([{ room, as: national, text: "Hi" }]);
  });

  test("is linked by the bot", async () => {
    const house = oldRoom();
    const { bot } = house.homeserver;
    members(house, other, ann, bot);
    const said = { body: "call +44 181 811 8181", form: "text", edits: false } as const;
    await house.take({ ...house.origin(ann, other), kind: "message.received", ...said });
    expect(house.words.at(-1)).toContain(encodeURIComponent(room));
  });

  test("of others is not taken for one's own", async () => {
    const house = new House();
    members(house, room, bob, ghost);
    members(house, other, ann, bob, ghost);
    rooms(house, national, room, other);
    await house.arrive({ identity });
    expect(house.homeserver.rooms).toHaveLength(1);
  });

  test("of the configuration rings, and the ghost in it is known", async () => {
    const house = new House();
    members(house, reception, ann, bob, national);
    await house.arrive({ identity, called: "+441632960004" });
    expect(house.homeserver.told.map(({ leg }) => [leg.room, leg.ghost])).toEqual([[reception, national]]);
    expect(house.homeserver.joined).toEqual([]);
  });

  test("whose last person leaves is left by the number", async () => {
    const house = oldRoom();
    const leaving = { ...house.origin(), kind: "member.left", user: ann } as const;
    await house.take({ ...house.origin(), kind: "message.received", body: "Hello", form: "text", edits: false });
    members(house, room, ghost);
    await house.take(leaving);
    expect(house.homeserver.left).toEqual([{ room, user: ghost }]);
  });
});

describe("a homeserver that tells only members who is in a room", () => {
  const tellingNobody = (): House => {
    const house = oldRoom();
    house.homeserver.tellsMembers = false;
    return house;
  };

  test("is asked as the number that the call names", async () => {
    const house = tellingNobody();
    await house.take(house.inviteFact({ invitee: ghost }));
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("has told all once the number was looked up again", async () => {
    const house = tellingNobody();
    await house.lookedUp(national);
    await house.take(house.inviteFact());
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("leaves the call of an unknown room alone: the log says which room, once", async () => {
    const house = tellingNobody();
    await house.take(house.inviteFact());
    await house.take(house.inviteFact(house.callOf(ann, "call2")));
    expect(house.trunks.verbs).toEqual([]);
    const lines = house.telemetry.lines.filter(({ level }) => level === "warn");
    expect(lines.map(({ message, fields }) => [message, fields["room"]])).toEqual([
      ["event from an unknown room: the homeserver does not say who is in it", room],
    ]);
  });
});

describe("what is known is not asked for", () => {
  test("a room in which nobody of ours is, is asked for once", async () => {
    const house = new House();
    let asked = 0;
    house.homeserver.joinedMembers = async () => {
      asked += 1;
      return [ann, bob];
    };
    await house.take(house.inviteFact());
    await house.take(house.inviteFact(house.callOf(ann, "call2")));
    expect([asked, house.trunks.verbs]).toEqual([1, []]);
  });

  test("but a room is asked for again after the homeserver could not say", async () => {
    const house = oldRoom();
    const joinedMembers = house.homeserver.joinedMembers.bind(house.homeserver);
    house.homeserver.joinedMembers = () => Promise.reject(new HomeserverError("UNREACHABLE", "away", true));
    await house.take(house.inviteFact());
    house.homeserver.joinedMembers = joinedMembers;
    await house.take(house.inviteFact(house.callOf(ann, "call2")));
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("a room that the number has just made is known", async () => {
    const house = new House();
    let asked = 0;
    house.homeserver.joinedMembers = async () => {
      asked += 1;
      return [];
    };
    await house.arrive({ identity });
    expect([house.homeserver.rooms.length, asked]).toEqual([1, 0]);
  });

  test("a call in a known conversation asks for no rooms", async () => {
    const house = oldRoom();
    await house.enterRoom(room, national);
    house.homeserver.askedRooms.length = 0;
    await house.arrive({ identity });
    expect([house.in(room), house.homeserver.askedRooms]).toEqual([["invite"], []]);
  });

  test("a number that nobody has is looked for once, by its common spellings", async () => {
    const house = new House();
    for (let n = 0; n < 3; n++) await house.arrive({ identity });
    const asked = house.homeserver.askedRooms;
    expect(asked.length).toBe(new Set(asked).size);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  test("a homeserver that fails holds up no call: the number gets a new room", async () => {
    const house = new House();
    house.homeserver.joinedRooms = async () => {
      throw new HomeserverError("UNREACHABLE", "timed out", true);
    };
    await house.arrive({ identity });
    expect(house.homeserver.rooms).toHaveLength(1);
  });
});
