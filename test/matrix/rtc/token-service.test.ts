// Getting in at a media server: whom the bridge asks, and what whoever runs the servers reads when it is refused.
import { describe, expect, test } from "vitest";
import type { MatrixFact } from "../../../src/ports/homeserver.ts";
import { type Admission, type Seat, seatIn } from "../../../src/ports/conference.ts";
import { MediaError } from "../../../src/ports/media.ts";
import { number, ringing, ringType, type RtcWorld, startRtcWorld } from "./rtc-world.ts";

const isInvite = (fact: MatrixFact): fact is Extract<MatrixFact, { kind: "call.invited" }> =>
  fact.kind === "call.invited";

/** Alice calls, and the bridge wants to meet her. */
async function seatOffered(world: RtcWorld, services?: readonly string[]): Promise<Seat> {
  await world.send(ringType, ringing(await world.join("PHONE", services)));
  await world.rig.factCount(2);
  const seat = seatIn(world.rig.facts.find(isInvite)?.description ?? "");
  const taken = seat && world.rig.edge.conferences?.seat(seat);
  if (taken === undefined) throw new Error("no seat");
  return taken;
}

async function admitted(world: RtcWorld, services?: readonly string[]): Promise<Admission> {
  return (await seatOffered(world, services)).admit();
}

const token = (sub: string): string => `x.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.x`;

describe("is refused in words, as an error of the media engine,", () => {
  test.each<[string, { status: number; body: unknown }, RegExp]>([
    [
      "where the service does not know our homeserver",
      { status: 401, body: { errcode: "M_UNAUTHORIZED", error: "not authorised" } },
      /does not serve our homeserver.*not authorised/,
    ],
    [
      "where the media server is down",
      { status: 500, body: { errcode: "M_UNKNOWN", error: "Unable to create room on SFU" } },
      /media server of .* is down/,
    ],
    ["where the service is something else", { status: 404, body: { error: "no such page" } }, /no such page/],
    ["where the answer is none", { status: 200, body: { jwt: 5 } }, /makes no sense/],
    ["where the answer has no end", { status: 200, body: { pad: "a".repeat(100_000) } }, /cannot be reached/],
    ["where it leads elsewhere", { status: 302, body: {} }, /status 302/],
    [
      "where the token is for somebody else",
      { status: 200, body: { url: "wss://sfu.example.org", jwt: token("@mallory:example.org:X") } },
      /names us "@mallory:example.org:X"/,
    ],
    [
      "where the token is none",
      { status: 200, body: { url: "wss://sfu.example.org", jwt: "rubbish" } },
      /names us "undefined"/,
    ],
  ])("%s", async (_, answer, words) => {
    const world = await startRtcWorld();
    world.tokens.answer = () => answer;
    const refused = admitted(world);
    await expect(refused).rejects.toBeInstanceOf(MediaError);
    await expect(refused).rejects.toMatchObject({ code: "engine", message: expect.stringMatching(words) as string });
  });

  test("where the service cannot be reached", async () => {
    const world = await startRtcWorld({ rtc: { service: "http://127.0.0.1:9" } });
    await expect(admitted(world, ["http://127.0.0.1:9"])).rejects.toThrow(/127\.0\.0\.1:9 cannot be reached/);
  });

  test("where the person's client names a service of its own, which is not asked", async () => {
    const world = await startRtcWorld();
    const mine = world.tokens.url.replace("127.0.0.1", "localhost");
    const seat = await seatOffered(world, [mine]);
    for (const refused of [seat.check(), seat.admit()])
      await expect(refused).rejects.toMatchObject({
        code: "no-admission",
        message: expect.stringContaining("may not use: allow it in rtc.allowed_services") as string,
      });
    expect(world.tokens.requests).toEqual([]);
  });

  test("where it names none", async () => {
    await expect(admitted(await startRtcWorld(), [])).rejects.toThrow(/names no media server/);
  });
});

test("a service of another homeserver is asked if the configuration allows it", async () => {
  const world = await startRtcWorld();
  const second = world.tokens.url.replace("127.0.0.1", "localhost");
  const other = await startRtcWorld({ rtc: { allowedServices: [`${second}/`] } });
  await expect(admitted(other, [second])).rejects.toThrow(/does not serve our homeserver/);
  expect(world.tokens.requests).toMatchObject([{ path: "/sfu/get" }]);
});

test("before anybody is called it is known whether we may ask, and nobody is asked", async () => {
  const world = await startRtcWorld();
  const seat = await seatOffered(world);
  await expect(seat.check()).resolves.toBe(undefined);
  expect(world.tokens.requests).toEqual([]);
});

test("each admission is a fresh one, asked for as the number", async () => {
  const world = await startRtcWorld();
  const { token: jwt } = await admitted(world);
  const [request] = world.tokens.requests;
  expect(request?.body["openid_token"]).toMatchObject({ token_type: "Bearer", matrix_server_name: "example.org" });
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as { sub: string };
  expect(claims.sub).toContain(number);
});
