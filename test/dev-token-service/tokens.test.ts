// Whom the token service lets into the media server, and as whom.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openIdOf, startWorld, type World } from "./world.ts";

const alice = "@alice:example.org";
/** printf '["!room:example.org","m.call#ROOM"]' | openssl sha256 -binary | base64, without the padding */
const room = "TK4o8wNCXi5t5936bOvIzE/X3XFc7cgp3jGRDqK0j5E";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.stop());

const byRoom = { room: "!room:example.org", openid_token: openIdOf(alice), device_id: "DESK" };
const bySlot = {
  room_id: "!room:example.org",
  slot_id: "m.call#ROOM",
  openid_token: openIdOf(alice),
  member: { id: "uuid", claimed_user_id: alice, claimed_device_id: "DESK" },
};

const claimsOf = ({ jwt }: Record<string, unknown>) =>
  JSON.parse(Buffer.from(String(jwt).split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

test("a user gets a token for the room's call under the name of the device, and the room is made", async () => {
  const { status, body } = await world.ask("/sfu/get", byRoom);
  expect(status).toBe(200);
  expect(body["url"]).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
  expect(claimsOf(body)).toMatchObject({
    sub: "@alice:example.org:DESK",
    video: { room, roomJoin: true, canPublish: true, canSubscribe: true },
  });
  expect(world.rooms).toEqual([room]);
});

test("a user who asks by slot gets the same room under a name that tells nothing", async () => {
  const { status, body } = await world.ask("/get_token", bySlot);
  expect(status).toBe(200);
  // printf '["@alice:example.org","DESK","uuid"]' | openssl sha256 -binary | base64
  expect(claimsOf(body)).toMatchObject({ sub: "9ksNasOH8dgkukQgpEPloM6fHnJ8RqKG+5PptGZAY6I", video: { room } });
});

test("a user of another homeserver gets a token, but no room is made for them", async () => {
  const openid_token = openIdOf("@bob:elsewhere.example", "elsewhere.example");
  expect(await world.ask("/sfu/get", { ...byRoom, openid_token })).toMatchObject({ status: 200 });
  expect(world.rooms).toEqual([]);
});

test.each([
  ["whose token no homeserver knows", { ...byRoom, openid_token: { ...openIdOf(alice), access_token: "x" } }],
  ["of a homeserver that nobody knows", { ...byRoom, openid_token: openIdOf("@eve:evil.example", "evil.example") }],
  ["of a homeserver that speaks for another", { ...byRoom, openid_token: openIdOf(alice, "elsewhere.example") }],
])("a user %s is not let in", async (_who, body) => {
  expect(await world.ask("/sfu/get", body)).toEqual({
    status: 401,
    body: { errcode: "M_UNAUTHORIZED", error: "The request could not be authorised." },
  });
});

test("a user who claims to be another is not let in", async () => {
  const member = { ...bySlot.member, claimed_user_id: "@bob:example.org" };
  expect(await world.ask("/get_token", { ...bySlot, member })).toMatchObject({ status: 401 });
});

describe("asked by a homeserver in a user's name", () => {
  const path = "/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token";
  const headers = { authorization: "Bearer secret", "x-matrix-user-identifier": alice };
  let mediaServer: string;
  beforeEach(async () => {
    await world.stop();
    world = await startWorld({ hsToken: "secret" });
    mediaServer = String((await world.ask("/get_token", bySlot)).body["url"]);
  });
  const body = () => ({
    url: mediaServer,
    room_id: bySlot.room_id,
    slot_id: bySlot.slot_id,
    member: { id: "uuid", claimed_device_id: "DESK" },
  });

  test("it gives the token that the user would get, and no address", async () => {
    const own = claimsOf((await world.ask("/get_token", bySlot)).body);
    const answer = await world.ask(path, body(), headers);
    expect(claimsOf(answer.body)).toMatchObject({ sub: own["sub"], video: own["video"] });
    expect(Object.keys(answer.body)).toEqual(["jwt"]);
  });

  test.each<[string, object, object, number, string]>([
    ["without its token", { authorization: undefined }, {}, 401, "M_MISSING_TOKEN"],
    ["with another", { authorization: "Bearer other" }, {}, 401, "M_UNKNOWN_TOKEN"],
    ["for nobody", { "x-matrix-user-identifier": undefined }, {}, 401, "M_UNAUTHORIZED"],
    ["for another media server", {}, { url: "wss://sfu.example.com" }, 400, "M_INVALID_PARAM"],
    ["for none", {}, { url: "" }, 400, "M_BAD_JSON"],
  ])("%s it gets none", async (_, otherHeaders, otherBody, status, errcode) => {
    const said = Object.entries({ ...headers, ...otherHeaders }).filter(([, value]) => value !== undefined);
    const asked = world.ask(path, { ...body(), ...otherBody }, Object.fromEntries(said));
    expect(await asked).toMatchObject({ status, body: { errcode } });
  });
});

test("nobody gets a token while the media server is down", async () => {
  await world.stopSfu();
  expect(await world.ask("/sfu/get", byRoom)).toEqual({
    status: 500,
    body: { errcode: "M_UNKNOWN", error: "Unable to create room on SFU" },
  });
});

test.each([
  ["/sfu/get", "no JSON", "M_NOT_JSON"],
  ["/sfu/get", { ...byRoom, camera: true }, "M_NOT_JSON"],
  ["/sfu/get", { ...byRoom, room: 7 }, "M_NOT_JSON"],
  ["/sfu/get", { ...byRoom, room: undefined }, "M_BAD_JSON"],
  ["/sfu/get", { ...byRoom, delay_id: "d" }, "M_BAD_JSON"],
  ["/get_token", { ...bySlot, member: { ...bySlot.member, id: "" } }, "M_BAD_JSON"],
  ["/get_token", { ...bySlot, openid_token: undefined }, "M_BAD_JSON"],
  // So Element Call asks whether leaves can be delegated.
  ["/delegate_delayed_leave", {}, "M_BAD_JSON"],
])("a request to %s that is wrong is told so: %j", async (path, body, errcode) => {
  expect(await world.ask(path, body)).toMatchObject({ status: 400, body: { errcode } });
});

test("the service says that it is there, and lets pages of any origin ask", async () => {
  expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  const asked = await fetch(`${world.url}/sfu/get`, { method: "OPTIONS" });
  expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  expect((await fetch(`${world.url}/sfu/get`)).status).toBe(405);
  expect((await fetch(`${world.url}/else`)).status).toBe(404);
});
