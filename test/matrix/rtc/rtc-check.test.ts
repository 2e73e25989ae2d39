// What an operator reads when a link between the homeserver and its media server is missing.
import { expect, test } from "vitest";
import { bot } from "../edge-rig.ts";
import { type RtcWorld, type RtcWorldOptions, startRtcWorld } from "./rtc-world.ts";

async function start(options: RtcWorldOptions = {}): Promise<RtcWorld> {
  const world = await startRtcWorld(options);
  await world.rig.edge.homeserver.register(bot);
  return world;
}

const problems = (world: RtcWorld) => world.rig.edge.homeserver.conferenceProblems();

test("Where all is there, nothing is said", async () => {
  const world = await start();
  expect(await problems(world)).toEqual([]);
  expect(world.tokens.requests.map(({ path }) => path.replace(/\?.*/, ""))).toEqual([
    "/healthz",
    "/sfu/get",
    "/rtc/validate",
  ]);
});

test.each<[string, string, number, RegExp]>([
  ["The token service is something else", "/healthz", 404, /token service.*does not answer.*livekit_service_url/],
  ["The token service does not serve this homeserver", "/sfu/get", 403, /gives the bridge no token.*openid/],
  ["The media server makes no room for this homeserver", "/rtc/validate", 404, /LIVEKIT_FULL_ACCESS_HOMESERVERS/],
  ["The media server is away", "/rtc/validate", 502, /media server of MatrixRTC does not answer/],
])("%s: the line says what mends it", async (_, door, status, words) => {
  const world = await start();
  world.tokens.answer = (path) => (path.startsWith(door) ? { status, body: { error: "no" } } : undefined);
  const found = await problems(world);
  expect(found).toMatchObject([{ line: expect.stringMatching(words) as string }]);
  expect(JSON.stringify(found)).not.toMatch(/eyJ/);
});

test("The configured token service cannot be reached", async () => {
  const world = await start({ rtc: { service: "http://127.0.0.1:9" } });
  expect(await problems(world)).toMatchObject([
    { reason: expect.stringContaining("http://127.0.0.1:9/healthz") as string },
  ]);
});

test("The homeserver delays no events: it reads what people would notice of that, and the setting", async () => {
  const world = await start({ maxEventDelayMs: 0 });
  expect(await problems(world)).toMatchObject([{ line: expect.stringMatching(/max_event_delay_duration/) as string }]);
});

test("A homeserver without a media server lacks nothing, and neither does a bridge that wants no such calls", async () => {
  const off = await start({ rtc: undefined });
  expect(await problems(off)).toEqual([]);
  expect(off.rig.edge.homeserver.clientKinds).toEqual(["legacy"]);
});
