// The small homeserver as its real clients meet it: the SDK of the calling client and the
// library that the bridge stands on, with a message each way through both.
import { AppServiceRegistration, Bridge } from "matrix-appservice-bridge";
import type { WeakEvent } from "matrix-appservice-bridge";
import type { MatrixClient, MatrixEvent } from "matrix-js-sdk";
import { ClientEvent, Preset, RoomEvent, SyncState, createClient } from "matrix-js-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freePort } from "../../dev/loopback/free-ports.ts";
import { startHomeserver } from "../../dev/homeserver/homeserver.ts";

const domain = "example.org";
const ghost = `@_sip_01818118181=40sip.example.org:${domain}`;
const ends: (() => unknown)[] = [];

// The SDK says every request aloud.
beforeEach(() => {
  for (const level of ["debug", "info", "log"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  vi.restoreAllMocks();
});

test("a client of matrix-js-sdk and a bridge of matrix-appservice-bridge reach each other", async () => {
  const port = await freePort();
  const registration = {
    id: "sip",
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token",
    hs_token: "hs-token",
    sender_localpart: "_sip_bot",
    namespaces: { users: [{ exclusive: true, regex: `^@_sip_.*:example\\.org$` }] },
    protocols: ["m.protocol.pstn"],
    rate_limited: false,
  };
  const homeserver = await startHomeserver({
    domain,
    registrations: [registration],
    users: [{ localpart: "alice", password: "secret", displayname: "Alice" }],
  });
  ends.push(() => homeserver.stop());

  const told = new Told<WeakEvent>();
  const bridge = new Bridge({
    homeserverUrl: homeserver.url,
    domain,
    registration: AppServiceRegistration.fromObject(registration) ?? "",
    disableStores: true,
    intentOptions: { clients: { dontCheckPowerLevel: true } },
    controller: {
      onUserQuery: () => ({}),
      onEvent: (request) => told.add(request.getData()),
      thirdPartyLookup: {
        protocols: ["m.protocol.pstn"],
        getProtocol: () =>
          Promise.resolve({
            user_fields: ["m.id.phone"],
            location_fields: [],
            icon: "",
            field_types: {},
            instances: [{ network_id: "sip", bot_user_id: "", desc: "", icon: "", fields: {} }],
          }),
        getUser: (protocol, fields) => Promise.resolve([{ userid: ghost, protocol, fields }]),
      },
    },
  });
  await bridge.initialise();
  await bridge.listen(port, "127.0.0.1");
  ends.push(() => bridge.close());

  const alice = await startClient(homeserver.url);
  ends.push(() => alice.stopClient());
  const said = new Told<MatrixEvent>();
  alice.on(RoomEvent.Timeline, (event) => said.add(event));

  expect(Object.keys(await alice.getThirdpartyProtocols())).toEqual(["m.protocol.pstn"]);
  const [found] = await alice.getThirdpartyUser("m.protocol.pstn", { "m.id.phone": "01818118181" });
  expect(found?.userid).toBe(ghost);

  const { room_id: roomId } = await alice.createRoom({
    preset: Preset.TrustedPrivateChat,
    invite: [ghost],
    is_direct: true,
  });
  await told.until(({ state_key, content }) => state_key === ghost && content["membership"] === "invite");
  const intent = bridge.getIntent(ghost);
  await intent.join(roomId);
  await intent.setDisplayName("+44 181 811 8181");
  await alice.sendTextMessage(roomId, "Are you there?");
  await told.until(({ type, content }) => type === "m.room.message" && content["body"] === "Are you there?");
  await intent.sendText(roomId, "I am");

  const answer = await said.until((event) => event.getSender() === ghost && event.getContent()["body"] === "I am");
  expect(alice.getRoom(roomId)?.getMember(ghost)?.name).toBe("+44 181 811 8181");
  expect(answer.getRoomId()).toBe(roomId);
  expect(said.all.filter((event) => event.getContent()["body"] === "Are you there?")).toHaveLength(1);
});

/** What has come so far, and a wait for what has not. */
class Told<Fact> {
  readonly all: Fact[] = [];
  readonly #waiting = new Set<() => void>();

  add(fact: Fact): void {
    this.all.push(fact);
    for (const look of this.#waiting) look();
  }

  until(fits: (fact: Fact) => boolean): Promise<Fact> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.all.find(fits);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

async function startClient(baseUrl: string): Promise<MatrixClient> {
  const login = await createClient({ baseUrl }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "alice" },
    password: "secret",
  });
  const client = createClient({
    baseUrl,
    userId: login.user_id,
    accessToken: login.access_token,
    deviceId: login.device_id,
  });
  const ready = new Promise<void>((resolve) => {
    client.on(ClientEvent.Sync, (state) => {
      if (state === SyncState.Prepared) resolve();
    });
  });
  await client.startClient();
  await ready;
  return client;
}
