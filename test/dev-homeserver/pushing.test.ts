// What only a homeserver with a known clock and a known backoff can show of its pushes.
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";
import type { Homeserver, HomeserverOptions } from "../../dev/homeserver/homeserver.ts";
import { startHomeserver } from "../../dev/homeserver/homeserver.ts";
import type { AppserviceDouble } from "../contract/appservice-double.ts";
import { failingProtocol, startAppserviceDouble } from "../contract/appservice-double.ts";
import type { Client } from "../contract/client-request.ts";
import { actingAs, clientOf } from "../contract/client-request.ts";
import { directRoom, isMembership, send } from "../contract/homeserver/rig.ts";

const domain = "example.org";
const ghost = `@_sip_1:${domain}`;
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function start(options: HomeserverOptions = {}, receivesEphemeral = false) {
  const appservice = await startAppserviceDouble(domain);
  ends.push(() => appservice.stop());
  const registration = { ...appservice.registration, receive_ephemeral: receivesEphemeral };
  const homeserver = await startHomeserver({ domain, registrations: [registration], retryBaseMs: 5, ...options });
  ends.push(() => homeserver.stop());
  const alice = clientOf(homeserver.url, homeserver.addUser("alice").accessToken);
  const bridge = clientOf(homeserver.url, registration.as_token);
  await bridge("POST", "/v3/register", {
    type: "m.login.application_service",
    username: "_sip_1",
    inhibit_login: true,
  });
  return { appservice, homeserver, alice, bridge };
}

async function callRoom({ homeserver, alice, bridge }: { homeserver: Homeserver; alice: Client; bridge: Client }) {
  const roomId = await directRoom(alice, ghost);
  await bridge("POST", `/v3/rooms/${encodeURIComponent(roomId)}/join?${actingAs(ghost)}`, {});
  await homeserver.pushed();
  return roomId;
}

const isTransaction = ({ target }: { readonly target: string }) => target.includes("/transactions/");
const outage = (appservice: AppserviceDouble) => appservice.answer(isTransaction, { status: 503, body: {} });

test("what queued up in an outage comes in transactions of at most 100 events, in order", async () => {
  const started = await start();
  const { appservice, homeserver, alice } = started;
  const roomId = await callRoom(started);
  const recover = outage(appservice);
  const bodies = Array.from({ length: 250 }, (_, index) => String(index));
  for (const body of bodies) await send(alice, roomId, "m.room.message", { msgtype: "m.text", body });
  await expect.poll(() => homeserver.isAppserviceDown("double")).toBe(true);
  recover();
  await homeserver.pushed();
  expect(homeserver.isAppserviceDown("double")).toBe(false);
  const arrived = appservice.events(roomId).filter(({ type }) => type === "m.room.message");
  expect(arrived.map(({ content }) => content["body"])).toEqual(bodies);
  expect(Math.max(...appservice.pushes().map(({ events }) => events.length))).toBeLessThanOrEqual(100);
});

test("events of a burst travel together while a transaction is on its way", async () => {
  const started = await start();
  const { appservice, homeserver, alice } = started;
  const roomId = await callRoom(started);
  const before = appservice.pushes().length;
  const bodies = Array.from({ length: 40 }, (_, index) => String(index));
  await Promise.all(bodies.map((body) => send(alice, roomId, "m.room.message", { msgtype: "m.text", body })));
  await homeserver.pushed();
  const pushes = appservice.pushes().slice(before);
  expect(pushes.flatMap(({ events }) => events)).toHaveLength(bodies.length);
  expect(pushes.length).toBeLessThan(bodies.length);
});

test("a ping of a service that is back ends the wait for the next attempt", async () => {
  // With this backoff nothing would come again before the test is over.
  const started = await start({ retryBaseMs: 600_000 });
  const { appservice, homeserver, alice, bridge } = started;
  const roomId = await callRoom(started);
  const recover = outage(appservice);
  await send(alice, roomId, "m.room.message", { msgtype: "m.text", body: "hello" });
  await appservice.until(() => appservice.pushes().find(({ status }) => status === 503));
  await expect.poll(() => homeserver.isAppserviceDown("double")).toBe(true);
  recover();
  expect(await bridge("POST", "/v1/appservice/double/ping", {})).toMatchObject({ status: 200 });
  await homeserver.pushed();
  expect(appservice.events(roomId).at(-1)?.content["body"]).toBe("hello");
});

test("a service that does not answer counts as failed after the time-out", async () => {
  const silent = await startHomeserverWithSilentService();
  const { client, homeserver, token } = silent;
  await directRoom(client, ghost);
  const bridge = clientOf(homeserver.url, token);
  expect(await bridge("POST", "/v1/appservice/silent/ping", {})).toMatchObject({
    status: 504,
    body: { errcode: "M_CONNECTION_TIMEOUT" },
  });
  expect(await client("GET", "/v3/thirdparty/protocols")).toEqual({ status: 200, body: {} });
  expect(await client("GET", "/v3/thirdparty/user/m.protocol.pstn?m.id.phone=1")).toEqual({ status: 200, body: [] });
});

test("a service that is not there fails its ping at once", async () => {
  const { appservice, bridge } = await start();
  await appservice.stop();
  ends.shift();
  expect(await bridge("POST", "/v1/appservice/double/ping", {})).toMatchObject({
    status: 502,
    body: { errcode: "M_CONNECTION_FAILED" },
  });
});

test("the list of protocols is asked anew after an hour, failed ones too", async () => {
  let now = Date.now();
  const { appservice, alice } = await start({ now: () => now });
  const names = async () => Object.keys((await alice("GET", "/v3/thirdparty/protocols")).body).toSorted();
  const before = await names();
  const isFailing = ({ target }: { target: string }) => target.endsWith(failingProtocol);
  appservice.answer(isFailing, { status: 200, body: { instances: [] } });
  now += 59 * 60 * 1000;
  expect(await names()).toEqual(before);
  now += 61 * 1000;
  expect(await names()).toEqual([...before, failingProtocol].toSorted());
});

test("typing goes to a service that asked for it, in rooms with its ghosts, and is not repeated", async () => {
  const started = await start({}, true);
  const { appservice, homeserver, alice } = started;
  const roomId = await callRoom(started);
  const path = `/v3/rooms/${encodeURIComponent(roomId)}/typing/${encodeURIComponent(`@alice:${domain}`)}`;
  await alice("PUT", path, { typing: true, timeout: 3000 });
  await homeserver.pushed();
  const typing = () =>
    appservice.requests
      .filter(({ body }) => JSON.stringify(body ?? {}).includes("m.typing"))
      .map(({ status }) => status);
  expect(typing()).toEqual([200]);

  const recover = outage(appservice);
  await alice("PUT", path, { typing: false });
  await appservice.until(() => (typing().length > 1 ? true : undefined));
  recover();
  await send(alice, roomId, "m.room.message", { msgtype: "m.text", body: "back" });
  await homeserver.pushed();
  expect(typing()).toEqual([200, 503]);
});

test("a ghost that left hears of its own leaving and of nothing after it", async () => {
  const started = await start();
  const { appservice, homeserver, alice, bridge } = started;
  const roomId = await callRoom(started);
  await bridge("POST", `/v3/rooms/${encodeURIComponent(roomId)}/leave?${actingAs(ghost)}`, {});
  await send(alice, roomId, "m.room.message", { msgtype: "m.text", body: "are you there?" });
  await homeserver.pushed();
  expect(appservice.events(roomId).at(-1)).toSatisfy(isMembership(ghost, "leave"));
});

test("a server that keeps to the user-id grammar refuses the percent sign", async () => {
  const { bridge } = await start({ strictUserIds: true });
  const register = (username: string) =>
    bridge("POST", "/v3/register", { type: "m.login.application_service", username, inhibit_login: true });
  expect(await register("_sip_1%40sip.example.org")).toMatchObject({
    status: 400,
    body: { errcode: "M_INVALID_USERNAME" },
  });
  expect(await register("_sip_1=40sip.example.org")).toMatchObject({ status: 200 });
  expect(await register("_sip_+441818118181")).toMatchObject({ status: 200 });
});

async function startHomeserverWithSilentService() {
  const server = createServer();
  await listen(server);
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as { port: number };
  const homeserver = await startHomeserver({
    domain,
    appserviceTimeoutMs: 50,
    registrations: [
      {
        id: "silent",
        url: `http://127.0.0.1:${port}`,
        as_token: "as",
        hs_token: "hs",
        sender_localpart: "_sip_bot",
        namespaces: { users: [{ exclusive: true, regex: "^@_sip_.*" }] },
        protocols: ["m.protocol.pstn"],
      },
    ],
  });
  ends.push(() => homeserver.stop());
  const client = clientOf(homeserver.url, homeserver.addUser("alice").accessToken);
  return { homeserver, client, token: "as" };
}
