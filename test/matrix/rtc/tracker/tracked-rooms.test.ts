// Which room is forgotten when there are too many.
import { expect, test } from "vitest";
import { deviceId, eventId, type RoomId, roomId, type UserId } from "../../../../src/core/ids.ts";
import { RoomPresence } from "../../../../src/matrix/rtc/tracker/room-presence.ts";
import { TrackedRooms } from "../../../../src/matrix/rtc/tracker/tracked-rooms.ts";
import { VirtualClock } from "../../../fakes/virtual-clock.ts";

const ann = "@ann:example.org" as UserId;
const idOf = (name: string): RoomId => roomId(`!${name}:example.org`);
const membership = {
  key: "key",
  format: "state",
  user: ann,
  device: deviceId("PHONE"),
  identity: "identity",
  services: [],
  meets: "own",
  expiresInMs: 1_000,
  renewed: false,
  stay: undefined,
} as const;

test("rooms with nobody in their call go first, then the one heard of longest ago, and those with a call of ours never", () => {
  const clock = new VirtualClock();
  const expired: string[] = [];
  const rooms = new TrackedRooms(3, (room) => room === idOf("ours"));
  const follow = (name: string, isLive = true): void => {
    const { presence } = rooms.of(idOf(name), () => new RoomPresence(clock, (event) => expired.push(event.room)));
    const event = { eventId: eventId(`$${name}`), room: idOf(name), sender: ann, ageMs: 0, receivedAtMs: 0 };
    if (isLive) presence.put(event, membership);
  };
  const followed = (...names: string[]) => names.filter((name) => rooms.get(idOf(name)) !== undefined);
  follow("ours", false);
  follow("live");
  follow("empty", false);
  follow("new");
  expect(followed("ours", "live", "empty", "new")).toEqual(["ours", "live", "new"]);
  follow("live");
  follow("newer");
  expect(followed("ours", "live", "new", "newer")).toEqual(["ours", "live", "newer"]);
  // Nothing is heard any more of what is forgotten.
  clock.advance(2_000);
  expect(expired).toEqual([idOf("live"), idOf("newer")]);
});
