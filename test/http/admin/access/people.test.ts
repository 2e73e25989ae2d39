// Admins whom the configuration names log in to the console as themselves: by a link of the bot, or by Matrix OpenID.
import { expect, onTestFinished, test } from "vitest";
import { roomId, type UserId } from "../../../../src/core/ids.ts";
import { createAdminServer } from "../../../../src/http/admin/admin-server.ts";
import { HomeserverError } from "../../../../src/ports/homeserver.ts";
import { collectingLog } from "../../../matrix/edge-rig.ts";
import { ann, TestBridge } from "../../../scenarios/test-bridge.ts";
import { token } from "../admin-rig.ts";
import { browserAt, consoleFolder, startConsole, withToken } from "./console-rig.ts";

const bob = "@bob:example.org" as UserId;
const lobby = roomId("!lobby:example.org");

/** The bridge itself, of which Ann is an admin; she has a private room with its bot. */
async function startWorld() {
  const bridge = new TestBridge();
  const { bot } = bridge.homeserver;
  bridge.homeserver.memberList = [ann, bot].map((user) => ({ user, membership: "join" }));
  await bridge.take({
    ...bridge.origin(ann, lobby),
    kind: "member.invited",
    user: bot,
    direct: true,
    encrypted: false,
    public: false,
  });
  const server = createAdminServer({
    door: bridge.adminDoor,
    socketPath: undefined,
    port: { host: "127.0.0.1", port: 0, token, hostNames: [] },
    consoleFolder: consoleFolder(),
    wholeNumbers: false,
    version: "1.2.3",
    clock: bridge.clock,
    log: collectingLog([]),
  });
  await server.start();
  onTestFinished(() => server.stop());
  const port = server.port() ?? 0;
  const write = async (person: UserId, body = "console"): Promise<string> => {
    await bridge.take({
      ...bridge.origin(person, lobby),
      kind: "message.received",
      body,
      form: "text",
      edits: false,
    });
    return bridge.words.at(-1) ?? "";
  };
  const link = async (): Promise<string> => {
    const [, code = ""] = /^https:\/\/bridge\.example\.org\/#login=(\S+)/m.exec(await write(ann)) ?? [];
    return code;
  };
  return { bridge, browser: browserAt(port), port, write, link };
}

const withCode = (code: string) => ({ method: "POST", body: { code } });
const withOpenId = (access_token: string) => ({
  method: "POST",
  body: { openid: { access_token, token_type: "Bearer", matrix_server_name: "example.org", expires_in: 3600 } },
});

test("an admin writes to the bot, opens the link and acts under their own name", async () => {
  const { browser, link } = await startWorld();
  const { status, body } = await browser("/session", withCode(await link()));
  expect([status, body]).toMatchObject([200, { who: ann, person: ann }]);
  await browser("/trunks/main/pause", { method: "POST" });
  expect((await browser("/actions")).body).toMatchObject({
    actions: [
      { who: ann, action: "pause trunk" },
      { who: ann, action: "log in", detail: "by link" },
    ],
  });
});

test("a link is good for one login, within five minutes, and only the latest one", async () => {
  const { bridge, port, link } = await startWorld();
  const used = await link();
  expect((await browserAt(port)("/session", withCode(used))).status).toBe(200);
  const { status, body } = await browserAt(port)("/session", withCode(used));
  expect([status, body]).toMatchObject([
    401,
    { message: expect.stringContaining("write console to the bot") as string },
  ]);
  const replaced = await link();
  const late = await link();
  expect((await browserAt(port)("/session", withCode(replaced))).status).toBe(401);
  await bridge.passTime(5 * 60_000);
  expect((await browserAt(port)("/session", withCode(late))).status).toBe(401);
});

test("whoever is no admin gets no link, and is not told of the console", async () => {
  const { bridge, write } = await startWorld();
  bridge.homeserver.memberList = [bob, bridge.homeserver.bot].map((user) => ({ user, membership: "join" }));
  expect(await write(bob)).toContain("Only admins");
  expect(await write(bob, "help")).toContain("call NUMBER");
  expect(bridge.words.join()).not.toMatch(/console|#login/);
});

test("an admin reads of the console in the bot's help, and gets no link where others would read it", async () => {
  const { bridge, write } = await startWorld();
  expect(await write(ann, "help")).toContain("console – gives you a link");
  bridge.homeserver.memberList = [ann, bob, bridge.homeserver.bot].map((user) => ({ user, membership: "join" }));
  expect(await write(ann)).toContain("only help in a room with just you and me");
  expect(bridge.words.join()).not.toContain("#login");
});

test("an admin shows an OpenID token of the homeserver, and others' tokens let nobody in", async () => {
  const { bridge, browser, port } = await startWorld();
  bridge.homeserver.openIdTokens.set("of-ann", ann).set("of-bob", bob);
  for (const wrong of ["of-bob", "of-nobody"]) {
    const { status, body } = await browserAt(port)("/session", withOpenId(wrong));
    expect([status, body]).toMatchObject([401, { message: expect.stringContaining("admin.users") as string }]);
  }
  expect((await browser("/session", withOpenId("of-ann"))).body).toMatchObject({ person: ann });
  expect((await browser("/calls")).status).toBe(200);
});

test("a homeserver that does not answer to OpenID is said to be the reason", async () => {
  const { door, browser } = await startConsole();
  door.openIdFails = new HomeserverError("M_UNRECOGNIZED", "Unrecognized request", false);
  const { status, body } = await browser("/session", withOpenId("of-ann"));
  expect([status, body]).toMatchObject([503, { message: expect.stringContaining("Unrecognized request") as string }]);
});

test("whoever is an admin no longer is logged out at once", async () => {
  const { door, browser } = await startConsole();
  door.codes.set("right", ann);
  await browser("/session", withCode("right"));
  expect((await browser("/calls")).status).toBe(200);
  door.admins.clear();
  expect((await browser("/calls")).status).toBe(401);
  door.admins.add(ann);
  expect((await browser("/calls")).status).toBe(401);
});

test("guesses of links and OpenID tokens are counted; a link still lets an admin in whose proxy is not listened to", async () => {
  const { door, port } = await startConsole();
  door.codes.set("right", ann);
  door.openIds.set("of-ann", ann);
  for (let guesses = 0; guesses < 5; guesses++) {
    await browserAt(port)("/session", withCode("wrong"));
    await browserAt(port)("/session", withOpenId("wrong"));
  }
  expect((await browserAt(port)("/session", withToken)).status).toBe(429);
  expect((await browserAt(port)("/session", withOpenId("of-ann"))).status).toBe(429);
  expect((await browserAt(port)("/session", withCode("right"))).status).toBe(200);
});
