// A client that left its delayed leave to the token service: it counts as in the call while it is at the media server.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openIdOf, startWorld, type World } from "./world.ts";

const identity = "@alice:example.org:DESK";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.stop());

/** Gives the media server's name of the room. */
async function delegate(delay_id: string, delay_timeout = 200, server = "example.org"): Promise<string> {
  const openid_token = openIdOf(`@alice:${server}`, server);
  const body = { room: "!room:example.org", openid_token, device_id: "DESK", delay_id, delay_timeout };
  expect(await world.ask("/sfu/get", body)).toMatchObject({ status: 200 });
  return world.rooms.at(-1) ?? "";
}

const sent = (id: string) => world.actions.filter((action) => action === `send ${id}`);
const restarts = (id: string) => world.actions.filter((action) => action === `restart ${id}`).length;

test("the leave is restarted while the client is there, and sent when it has left", async () => {
  const room = await delegate("d1");
  await world.tell("participant_joined", room, identity);
  await expect.poll(() => restarts("d1")).toBeGreaterThan(2);
  await world.tell("participant_left", room, identity, "CLIENT_INITIATED");
  await expect.poll(() => sent("d1")).toHaveLength(1);
  const before = restarts("d1");
  // What was sent is gone, so another one counts from now.
  await delegate("d2");
  await world.tell("participant_joined", room, identity);
  await expect.poll(() => restarts("d2")).toBeGreaterThan(2);
  expect(restarts("d1")).toBe(before);
});

test("the leave of a client that the media server has lost is sent", async () => {
  const room = await delegate("d1");
  await world.tell("participant_joined", room, identity);
  await world.tell("participant_left", room, identity, "CONNECTION_TIMEOUT");
  await expect.poll(() => sent("d1")).toHaveLength(1);
});

test("a client that takes its own place is taken to have left, as by the real service", async () => {
  const room = await delegate("d1");
  await world.tell("participant_joined", room, identity);
  await delegate("d2");
  await world.tell("participant_joined", room, identity);
  await world.tell("participant_left", room, identity, "DUPLICATE_IDENTITY");
  await expect.poll(() => sent("d2")).toHaveLength(1);
  expect(sent("d1")).toEqual([]);
});

test("a client that was there before it delegated is found", async () => {
  world.present.add(identity);
  await delegate("d1", 5000);
  await expect.poll(() => restarts("d1")).toBe(1);
});

test("a leave that the homeserver has sent by itself is no longer restarted", async () => {
  const room = await delegate("gone", 10);
  await world.tell("participant_joined", room, identity);
  await expect.poll(() => restarts("gone")).toBe(1);
  await delegate("d2", 10);
  await world.tell("participant_joined", room, identity);
  await expect.poll(() => restarts("d2")).toBeGreaterThan(3);
  expect(restarts("gone")).toBe(1);
});

test("who tells of participants without the media server's signature is not believed", async () => {
  const room = await delegate("d1");
  await world.tell("participant_joined", room, identity);
  const event = { event: "participant_left", room: { name: room }, participant: { identity } };
  const told = await fetch(`${world.url}/sfu_webhook`, { method: "POST", body: JSON.stringify(event) });
  expect(told.status).not.toBe(200);
  await expect.poll(() => restarts("d1")).toBeGreaterThan(2);
  expect(sent("d1")).toEqual([]);
});

test.each(["/get_token", "/delegate_delayed_leave"])(
  "a client with a sticky membership leaves it to %s, and is known by the name that follows from that",
  async (path) => {
    const member = { id: "uuid", claimed_user_id: "@alice:example.org", claimed_device_id: "DESK" };
    const openid_token = openIdOf("@alice:example.org");
    const asked = { room_id: "!room:example.org", slot_id: "m.call#ROOM", openid_token, member };
    await world.ask("/get_token", asked);
    const room = world.rooms.at(-1) ?? "";
    expect(await world.ask(path, { ...asked, delay_id: "d1", delay_timeout: 200 })).toMatchObject({ status: 200 });
    // printf '["@alice:example.org","DESK","uuid"]' | openssl sha256 -binary | base64, without the padding
    const hashed = "9ksNasOH8dgkukQgpEPloM6fHnJ8RqKG+5PptGZAY6I";
    await world.tell("participant_joined", room, hashed);
    await expect.poll(() => restarts("d1")).toBeGreaterThan(1);
    await world.tell("participant_left", room, identity, "CLIENT_INITIATED");
    expect(sent("d1")).toEqual([]);
    await world.tell("participant_left", room, hashed, "CLIENT_INITIATED");
    await expect.poll(() => sent("d1")).toHaveLength(1);
  },
);

test("users of other homeservers cannot delegate", async () => {
  const openid_token = openIdOf("@bob:elsewhere.example", "elsewhere.example");
  const member = { id: "uuid", claimed_user_id: "@bob:elsewhere.example", claimed_device_id: "DESK" };
  const body = { room_id: "!r", slot_id: "m.call#ROOM", openid_token, member, delay_id: "d", delay_timeout: 1000 };
  expect(await world.ask("/delegate_delayed_leave", body)).toMatchObject({ status: 403 });
  expect(await world.ask("/get_token", body)).toMatchObject({ status: 400 });
});
