// Rooms of the small homeserver: who may do what, what of the past is seen, how it is paged.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Homeserver } from "../../dev/homeserver/homeserver.ts";
import { startHomeserver } from "../../dev/homeserver/homeserver.ts";
import type { Registration } from "../../dev/homeserver/appservice/registration.ts";
import type { Client } from "../contract/client-request.ts";
import { clientOf } from "../contract/client-request.ts";
import { send } from "../contract/homeserver/rig.ts";

let homeserver: Homeserver;
let count = 0;

beforeAll(async () => {
  homeserver = await startHomeserver();
});
afterAll(() => homeserver.stop());

type Person = { readonly userId: string; readonly client: Client };

function person(): Person {
  const { userId, accessToken } = homeserver.addUser(`person${(count += 1)}`);
  return { userId, client: clientOf(homeserver.url, accessToken) };
}

async function room({ client }: Person, request: object = {}): Promise<string> {
  const { status, body } = await client("POST", "/v3/createRoom", request);
  expect(status, JSON.stringify(body)).toBe(200);
  return String(body["room_id"]);
}

const at = (roomId: string) => `/v3/rooms/${encodeURIComponent(roomId)}`;
const say = ({ client }: Person, roomId: string, body: string) =>
  send(client, roomId, "m.room.message", { msgtype: "m.text", body });
const bodiesOf = (chunk: unknown) =>
  (chunk as { content: { body?: string } }[]).map(({ content }) => content.body).filter((body) => body !== undefined);
const forbidden = { status: 403, body: { errcode: "M_FORBIDDEN" } };

test("nobody speaks or reads in a room they are not in", async () => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice);
  expect(await say(bob, roomId, "hello")).toMatchObject(forbidden);
  for (const path of ["/messages?dir=b", "/state", "/members", "/joined_members", "/state/m.room.create"]) {
    expect(await bob.client("GET", at(roomId) + path)).toMatchObject(forbidden);
  }
  expect(await bob.client("POST", `${at(roomId)}/join`, {})).toMatchObject(forbidden);
});

test("who is not powerful enough can neither kick, nor ban, nor change the room", async () => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice, { preset: "private_chat", invite: [bob.userId] });
  await bob.client("POST", `${at(roomId)}/join`, {});
  for (const action of ["kick", "ban"]) {
    expect(await bob.client("POST", `${at(roomId)}/${action}`, { user_id: alice.userId })).toMatchObject(forbidden);
  }
  expect(await bob.client("PUT", `${at(roomId)}/state/m.room.name`, { name: "mine" })).toMatchObject(forbidden);
  expect(
    await bob.client("PUT", `${at(roomId)}/state/m.room.member/${encodeURIComponent(alice.userId)}`, {
      membership: "leave",
    }),
  ).toMatchObject(forbidden);
  expect(await alice.client("POST", `${at(roomId)}/kick`, { user_id: bob.userId })).toMatchObject({ status: 200 });
  expect(await say(bob, roomId, "hello")).toMatchObject(forbidden);
});

test("who is banned cannot come back until the ban is lifted and an invitation comes", async () => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice, { preset: "public_chat" });
  expect(await bob.client("POST", `/v3/join/${encodeURIComponent(roomId)}`, {})).toMatchObject({ status: 200 });
  await alice.client("POST", `${at(roomId)}/ban`, { user_id: bob.userId, reason: "spam" });
  expect(await bob.client("POST", `${at(roomId)}/join`, {})).toMatchObject(forbidden);
  await alice.client("POST", `${at(roomId)}/unban`, { user_id: bob.userId });
  expect(await bob.client("POST", `${at(roomId)}/join`, {})).toMatchObject({ status: 200 });
});

test.each([
  ["invited", ["between"]],
  ["joined", []],
  ["shared", ["before", "between"]],
  ["world_readable", ["before", "between"]],
])("with history visibility %s a newcomer sees %j of what was said before the join", async (visibility, seen) => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice, {
    initial_state: [{ type: "m.room.history_visibility", content: { history_visibility: visibility } }],
  });
  await say(alice, roomId, "before");
  await alice.client("POST", `${at(roomId)}/invite`, { user_id: bob.userId });
  await say(alice, roomId, "between");
  await bob.client("POST", `${at(roomId)}/join`, {});
  await say(alice, roomId, "after");
  const { body } = await bob.client("GET", `${at(roomId)}/messages?dir=f&limit=100`);
  expect(bodiesOf(body["chunk"])).toEqual([...seen, "after"]);
});

test("who left sees nothing of what came after", async () => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice, { invite: [bob.userId] });
  await bob.client("POST", `${at(roomId)}/join`, {});
  await say(alice, roomId, "with you");
  await bob.client("POST", `${at(roomId)}/leave`, {});
  await say(alice, roomId, "without you");
  const { body } = await bob.client("GET", `${at(roomId)}/messages?dir=b&limit=100`);
  expect(bodiesOf(body["chunk"])).toEqual(["with you"]);
});

test("the past comes in pages, both ways, without a gap or a repetition", async () => {
  const alice = person();
  const roomId = await room(alice);
  const said = Array.from({ length: 25 }, (_, index) => String(index));
  for (const body of said) await say(alice, roomId, body);
  const filter = `filter=${encodeURIComponent(JSON.stringify({ types: ["m.room.message"] }))}`;
  for (const [direction, expected] of [
    ["b", said.toReversed()],
    ["f", said],
  ] as const) {
    const read: string[] = [];
    let from = "";
    do {
      const { body } = await alice.client("GET", `${at(roomId)}/messages?dir=${direction}&limit=10&${filter}${from}`);
      read.push(...bodiesOf(body["chunk"]));
      from = typeof body["end"] === "string" ? `&from=${body["end"]}` : "";
    } while (from !== "");
    expect(read).toEqual(expected);
  }
});

test("a client that was away for long is told where to read on", async () => {
  const alice = person();
  const roomId = await room(alice);
  const first = await alice.client("GET", "/v3/sync");
  const said = Array.from({ length: 30 }, (_, index) => String(index));
  for (const body of said) await say(alice, roomId, body);
  await alice.client("PUT", `${at(roomId)}/state/m.room.name`, { name: "A name" });
  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 5 } } }));
  const { body } = await alice.client("GET", `/v3/sync?since=${String(first.body["next_batch"])}&filter=${filter}`);
  const { timeline } = joined(body, roomId);
  expect(timeline.limited).toBe(true);
  expect(bodiesOf(timeline.events)).toEqual(said.slice(-4));
  const before = await alice.client("GET", `${at(roomId)}/messages?dir=b&limit=3&from=${timeline.prev_batch}`);
  expect(bodiesOf(before.body["chunk"])).toEqual(["25", "24", "23"]);
});

test("an invitation declined is told as a room left", async () => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice, { invite: [bob.userId] });
  const { body } = await bob.client("GET", "/v3/sync");
  await bob.client("POST", `${at(roomId)}/leave`, {});
  const next = await bob.client("GET", `/v3/sync?since=${String(body["next_batch"])}`);
  expect(Object.keys(next.body["rooms"] as object)).toEqual(["leave"]);
  expect(next.body["rooms"]).toMatchObject({ leave: { [roomId]: {} } });
});

test("a new name is told to the rooms its user is in", async () => {
  const [alice, bob] = [person(), person()];
  const roomId = await room(alice, { invite: [bob.userId] });
  await bob.client("POST", `${at(roomId)}/join`, {});
  await bob.client("PUT", `/v3/profile/${encodeURIComponent(bob.userId)}/displayname`, { displayname: "Robert" });
  const member = `${at(roomId)}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
  expect((await alice.client("GET", member)).body).toEqual({ membership: "join", displayname: "Robert" });
  expect(
    await alice.client("PUT", `/v3/profile/${encodeURIComponent(bob.userId)}/displayname`, { displayname: "Bobby" }),
  ).toMatchObject(forbidden);
});

test("the same state sent twice is one event", async () => {
  const alice = person();
  const roomId = await room(alice);
  const name = () => alice.client("PUT", `${at(roomId)}/state/m.room.name/`, { name: "A name" });
  expect((await name()).body["event_id"]).toBe((await name()).body["event_id"]);
});

test.each([
  ["a body that is not an object", "POST", "/v3/createRoom", "[]", "M_BAD_JSON"],
  ["a body of the wrong shape", "POST", "/v3/createRoom", '{"invite":[1]}', "M_BAD_JSON"],
  ["an unknown preset", "POST", "/v3/createRoom", '{"preset":"x"}', "M_BAD_JSON"],
  ["an invitation of what is no user id", "POST", "/v3/createRoom", '{"invite":["bob"]}', "M_INVALID_PARAM"],
  ["a token of another server", "GET", "/v3/sync?since=x", undefined, "M_INVALID_PARAM"],
  ["a path that is no UTF-8", "GET", "/v3/profile/%ff", undefined, "M_INVALID_PARAM"],
  ["a room that is none", "POST", "/v3/rooms/__proto__/join", "{}", "M_NOT_FOUND"],
  ["a protocol that is none", "GET", "/v3/thirdparty/protocol/__proto__", undefined, "M_NOT_FOUND"],
  ["a body over the limit", "POST", "/v3/createRoom", " ".repeat(1024 * 1024 + 1), "M_TOO_LARGE"],
])("%s is answered with an error of its own", async (_name, method, path, body, errcode) => {
  const { accessToken } = homeserver.addUser(`person${(count += 1)}`);
  const response = await fetch(`${homeserver.url}/_matrix/client${path}`, {
    method,
    headers: { authorization: `Bearer ${accessToken}` },
    ...(body !== undefined && { body }),
  });
  expect(await response.json()).toMatchObject({ errcode });
});

test("a receipt for an event of a strange name does no harm to those who sync", async () => {
  const alice = person();
  const roomId = await room(alice);
  await alice.client("POST", `${at(roomId)}/receipt/m.read/__proto__`, {});
  expect(await alice.client("GET", "/v3/sync")).toMatchObject({ status: 200 });
});

test("an event over the size limit is refused", async () => {
  const alice = person();
  const roomId = await room(alice);
  expect(await say(alice, roomId, "x".repeat(70_000))).toMatchObject({ status: 413, body: { errcode: "M_TOO_LARGE" } });
});

test("a password is checked, a session ends with its log-out", async () => {
  homeserver.addUser("carol", "secret");
  const anyone = clientOf(homeserver.url);
  const logIn = (password: string) =>
    anyone("POST", "/v3/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "carol" },
      password,
      device_id: "PHONE",
    });
  expect(await logIn("guess")).toMatchObject(forbidden);
  const { body } = await logIn("secret");
  expect(body).toMatchObject({ user_id: "@carol:localhost", device_id: "PHONE" });
  const carol = clientOf(homeserver.url, String(body["access_token"]));
  expect(await carol("GET", "/v3/account/whoami")).toMatchObject({ body: { device_id: "PHONE" } });
  await carol("POST", "/v3/logout", {});
  expect(await carol("GET", "/v3/account/whoami")).toMatchObject({ status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } });
});

function joined(sync: Record<string, unknown>, roomId: string) {
  const rooms = sync["rooms"] as {
    join: Record<string, { timeline: { events: unknown[]; limited: boolean; prev_batch: string } }>;
  };
  const found = rooms.join[roomId];
  if (!found) throw new Error("The room is not in the sync");
  return found;
}

test("a taken port and a wrong registration are refused at the start", async () => {
  const port = Number(new URL(homeserver.url).port);
  await expect(startHomeserver({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  const registration = { id: "x", as_token: "a", hs_token: "h" } as unknown as Registration;
  await expect(startHomeserver({ registrations: [registration] })).rejects.toThrow(/sender_localpart/);
});
