// The doors by which a token for a media server is got, each on its own: which of them fits depends on how we are in the call.
import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../../dev/loopback/listen.ts";
import { deviceId, roomId, type UserId } from "../../../src/core/ids.ts";
import { Connections } from "../../../src/matrix/http/connections.ts";
import { HomeserverClient } from "../../../src/matrix/client/homeserver-client.ts";
import { Outside } from "../../../src/matrix/http/outside.ts";
import { askForToken } from "../../../src/matrix/rtc/token-service.ts";
import { collectingLog } from "../edge-rig.ts";
import { HastyClock } from "../scripted-homeserver.ts";

/** As lk-jwt-service was seen to name them. */
const user = "@alicez4kh3:localhost:8201" as UserId;
const device = deviceId("VFIKUBPNMP");
const memberId = "c4aa926b-dd0f-43aa-8487-c6f4d3de0c27";
const hashed = "HGbsadC+v+TYfaNLx+qGKGKoMJjHL02OEao5jFzm1pc";
const room = roomId("!r:localhost");

interface Asked {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** Homeserver and token service in one; answers 404 at all doors but these, which name us so. */
async function start(doors: Readonly<Record<string, string>>) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const path = (request.url ?? "").replace(/\?.*/, "");
      const body = JSON.parse(text) as Record<string, unknown>;
      const claims = Buffer.from(JSON.stringify({ sub: doors[path] })).toString("base64url");
      const answers: Readonly<Record<string, object | undefined>> = {
        [`/_matrix/client/v3/user/${encodeURIComponent(user)}/openid/request_token`]: { access_token: "secret" },
        ...(path in doors && { [path]: { url: "wss://sfu.example.org", jwt: `x.${claims}.x` } }),
      };
      if (!path.endsWith("request_token")) asked.push({ path, body });
      response.writeHead(answers[path] === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answers[path] ?? { errcode: "M_UNRECOGNIZED", error: "Unrecognized" }));
    });
  });
  const service = `http://127.0.0.1:${await listen(server)}`;
  const connections = new Connections(service, "token");
  const outside = new Outside();
  onTestFinished(async () => {
    await Promise.all([connections.close(), outside.close()]);
    server.close();
  });
  const client = new HomeserverClient(connections, undefined, new HastyClock(), collectingLog([]));
  const applicant = { user, device, room, service };
  return { asked, applicant, parts: { client, ask: outside.ask } };
}

describe("a token is asked for", () => {
  test("at /sfu/get by whoever is in the call with room state", async () => {
    const { asked, applicant, parts } = await start({ "/sfu/get": `${user}:${device}` });
    expect(await askForToken(applicant, parts)).toMatchObject({ url: "wss://sfu.example.org" });
    expect(asked).toEqual([
      { path: "/sfu/get", body: { room, device_id: device, openid_token: { access_token: "secret" } } },
    ]);
  });

  test("at /get_token by whoever is in it with a sticky event", async () => {
    const { asked, applicant, parts } = await start({ "/get_token": hashed });
    expect(await askForToken({ ...applicant, memberId }, parts)).toMatchObject({ url: "wss://sfu.example.org" });
    expect(asked).toMatchObject([
      {
        path: "/get_token",
        body: {
          room_id: room,
          slot_id: "m.call#ROOM",
          member: { id: memberId, claimed_user_id: user, claimed_device_id: device },
        },
      },
    ]);
  });

  const door = "/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token";
  const atHomeserver = "wss://media.example.org";

  test("at the homeserver where that names the media server, and nothing has to be proved there", async () => {
    const { asked, applicant, parts } = await start({ [door]: hashed, "/get_token": hashed });
    expect(await askForToken({ ...applicant, memberId, atHomeserver }, parts)).toMatchObject({ url: atHomeserver });
    const member = { id: memberId, claimed_device_id: device };
    const body = { url: atHomeserver, room_id: room, slot_id: "m.call#ROOM", member };
    expect(asked).toEqual([{ path: door, body }]);
  });

  test("at /get_token where the homeserver names it and gives no tokens after all", async () => {
    const { asked, applicant, parts } = await start({ "/get_token": hashed });
    const { url } = await askForToken({ ...applicant, memberId, atHomeserver }, parts);
    expect(url).toBe("wss://sfu.example.org");
    expect(asked.map(({ path }) => path)).toEqual([door, "/get_token"]);
  });

  test("at /sfu/get by whoever has room state, whatever the homeserver could give", async () => {
    const { asked, applicant, parts } = await start({ [door]: hashed, "/sfu/get": `${user}:${device}` });
    await askForToken({ ...applicant, atHomeserver }, parts);
    expect(asked.map(({ path }) => path)).toEqual(["/sfu/get"]);
  });

  test("and not taken where it names us otherwise than our membership does", async () => {
    const { applicant, parts } = await start({ "/sfu/get": hashed });
    await expect(askForToken(applicant, parts)).rejects.toThrow(/names us/);
  });
});
