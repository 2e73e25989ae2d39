// What the bridge does in people's names, as the homeserver sees it: nothing but joining and noting direct rooms.
import { expect, test } from "vitest";
import { roomId, type UserId } from "../../../src/core/ids.ts";
import { HttpPeopleRooms } from "../../../src/matrix/client/people-rooms.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { HastyClock, startScripted, type ScriptedAnswer } from "../scripted-homeserver.ts";

const ann = "@ann:example.org" as UserId;
const ghost = "@_sip_0207%40sip.example.org:example.org" as UserId;
const room = roomId("!room:example.org");
const ok = { status: 200, body: {} };
const joinPath = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/join?user_id=${encodeURIComponent(ann)}`;
const directPath = `/_matrix/client/v3/user/${encodeURIComponent(ann)}/account_data/m.direct?user_id=${encodeURIComponent(ann)}`;

async function startPeople(...answers: readonly ScriptedAnswer[]) {
  const homeserver = await startScripted(answers);
  const telemetry = new FakeTelemetry();
  const people = new HttpPeopleRooms({
    url: homeserver.url,
    domain: "example.org",
    token: "people-token",
    people: new Set([ann, "@eve:elsewhere.org" as UserId]),
    clock: new HastyClock(),
    log: telemetry.log,
  });
  return { homeserver, people, telemetry };
}

test("a person is joined, and the room is added to the direct rooms that they have", async () => {
  const before = { "@bob:example.org": ["!bob:example.org"], [ghost]: ["!old:example.org"], odd: 5 };
  const { homeserver, people } = await startPeople(ok, { status: 200, body: before }, ok);
  await people.joinDirect(room, ann, ghost);
  await people.stop();
  expect(homeserver.requests.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
    { method: "POST", url: joinPath, body: {} },
    { method: "GET", url: directPath, body: undefined },
    { method: "PUT", url: directPath, body: { ...before, [ghost]: ["!old:example.org", room] } },
  ]);
  expect(new Set(homeserver.requests.map(({ authorization }) => authorization))).toEqual(
    new Set(["Bearer people-token"]),
  );
});

test("the first direct room of a person is the only one", async () => {
  const none = { status: 404, body: { errcode: "M_NOT_FOUND", error: "none" } };
  const { homeserver, people } = await startPeople(ok, none, ok);
  await people.joinDirect(room, ann, ghost);
  await people.stop();
  expect(homeserver.requests.at(-1)?.body).toEqual({ [ghost]: [room] });
});

test.each([
  ["is no object", { status: 200, body: [1] }],
  ["holds no list for the number", { status: 200, body: { [ghost]: "!old:example.org" } }],
  ["cannot be had", { status: 403, body: { errcode: "M_FORBIDDEN", error: "no" } }],
])("what a person has as direct rooms is left alone where it %s", async (_what, answer) => {
  const { homeserver, people, telemetry } = await startPeople(ok, answer);
  await people.joinDirect(room, ann, ghost);
  await people.stop();
  expect(homeserver.requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
  expect(telemetry.lines.map(({ message }) => message)).toContain("could not mark a room as direct");
});

test("two rooms that one person joins at once are both noted", async () => {
  const none = { status: 404, body: { errcode: "M_NOT_FOUND", error: "none" } };
  const other = roomId("!other:example.org");
  const { homeserver, people } = await startPeople(ok, ok, none, ok, { status: 200, body: { [ghost]: [room] } }, ok);
  await Promise.all([people.joinDirect(room, ann, ghost), people.joinDirect(other, ann, ghost)]);
  await people.stop();
  expect(homeserver.requests.at(-1)?.body).toEqual({ [ghost]: expect.arrayContaining([room, other]) as unknown });
});

test.each(["@bob:example.org", "@eve:elsewhere.org"])(
  "%s, whom no number of this homeserver rings, is never acted for",
  async (name) => {
    const { homeserver, people } = await startPeople(ok);
    expect(people.covers(name as UserId)).toBe(false);
    await expect(people.joinDirect(room, name as UserId, ghost)).rejects.toMatchObject({ code: "NOT_COVERED" });
    expect(homeserver.requests).toEqual([]);
  },
);

test("a token that the homeserver does not know is told as that", async () => {
  const unknown = { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "who are you" } };
  const { people } = await startPeople(unknown);
  await expect(people.joinDirect(room, ann, ghost)).rejects.toMatchObject({ code: "M_UNKNOWN_TOKEN" });
});
