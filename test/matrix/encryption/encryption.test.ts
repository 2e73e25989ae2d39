// Encrypted rooms at the edge: what the bridge is told and what goes out, with a real machine as the person's client.
import { CollectStrategy } from "@matrix-org/matrix-sdk-crypto-wasm";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { roomId, type RoomId, type UserId } from "../../../src/core/ids.ts";
import { Connections } from "../../../src/matrix/client/connections.ts";
import { HomeserverClient } from "../../../src/matrix/client/homeserver-client.ts";
import { CryptoWorker } from "../../../src/matrix/encryption/crypto-worker.ts";
import { Encryption, type EncryptionParts } from "../../../src/matrix/encryption/encryption.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { bot, collectingLog, ghost, type LogLine } from "../edge-rig.ts";
import { KeyServer, serveKeys } from "./key-server.ts";
import { Person } from "./person.ts";

const room = roomId("!room:example.org");
const text = (body: string) => ({ msgtype: "m.text", body });

/** Whoever waits does so a twentieth of the time. */
const quickClock: Clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() * 20,
  wallMs: () => systemClock.wallMs(),
  newId: () => systemClock.newId(),
  at: (atMs, then) => systemClock.at(atMs / 20, then),
};

interface Rig {
  readonly server: KeyServer;
  readonly worker: CryptoWorker;
  readonly encryption: Encryption;
  readonly lines: LogLine[];
}

async function startKeyServer(): Promise<KeyServer> {
  const keys = new KeyServer();
  onTestFinished(await serveKeys(keys));
  return keys;
}

async function start(more: Partial<EncryptionParts> = {}, server?: KeyServer): Promise<Rig> {
  const homeserver = server ?? (await startKeyServer());
  const lines: LogLine[] = [];
  const log = collectingLog(lines);
  const clock = more.clock ?? systemClock;
  const connections = new Connections(homeserver.url, "token");
  const worker = new CryptoWorker(systemClock, log);
  const encryption = new Encryption({
    client: new HomeserverClient(connections, bot, systemClock, log),
    worker,
    bot,
    ours: async () => [ghost],
    secret: Buffer.alloc(32, 7),
    mode: "on-demand",
    clock,
    log,
    ...more,
  });
  onTestFinished(async () => {
    encryption.giveUp();
    await encryption.stop();
    await connections.close();
  });
  return { server: homeserver, worker, encryption, lines };
}

/** A rig with an encrypted room of the ghost and Alice. */
async function startRoom(more: Partial<EncryptionParts> = {}): Promise<Rig & { alice: Person }> {
  const rig = await start(more);
  rig.server.rooms.set(room, { members: new Set([ghost, "@alice:example.org"]), encrypted: true });
  const alice = await Person.logIn(rig.server);
  rig.encryption.note({ ...invitation, encrypted: true });
  await rig.encryption.entering(room, ghost);
  return { ...rig, alice };
}

const invitation = {
  eventId: "$1",
  room,
  sender: "@alice:example.org",
  ageMs: 0,
  receivedAtMs: 0,
  kind: "member.invited",
  user: ghost,
  direct: true,
  encrypted: false,
  public: false,
} as unknown as Parameters<Encryption["note"]>[0] & { kind: "member.invited" };

const opened = (encryption: Encryption, event: object, where: RoomId = room) =>
  encryption.open(where, JSON.stringify(event)) as Promise<{ type: string; content: { body: string } } | undefined>;

describe("a number", () => {
  it("has keys, signed by an identity of its own, when it goes into an encrypted room", async () => {
    const { server } = await startRoom();
    const [[id, device] = []] = [...(server.devices.get(ghost) ?? [])];
    expect(id).toMatch(/^SIPBRIDGE_/);
    expect(device?.oneTime.length).toBeGreaterThan(10);
    const identity = server.identities.get(ghost) as { self_signing_key: { keys: Record<string, string> } };
    const [selfSigning = ""] = Object.keys(identity.self_signing_key.keys);
    const { signatures } = (device?.keys ?? {}) as { signatures: Record<string, Record<string, string>> };
    expect(Object.keys(signatures[ghost] ?? {})).toContain(selfSigning);
  });

  it("has none, and asks for none, in a plain room", async () => {
    const { server, encryption } = await start();
    encryption.note(invitation);
    await encryption.entering(room, ghost);
    await encryption.registered(ghost);
    expect(await encryption.seal(room, ghost, "m.room.message", text("Hello"))).toEqual({
      type: "m.room.message",
      content: text("Hello"),
    });
    await encryption.seal(room, ghost, "m.room.message", text("Hello again"));
    expect(server.requests).toEqual([`GET rooms/${room}/state/m.room.encryption`]);
  });

  it("has them from the start where that is wanted", async () => {
    const { server, encryption } = await start({ mode: "always" });
    await encryption.registered(ghost);
    expect(server.devices.get(ghost)?.size).toBe(1);
  });

  it("is not alone in having them: the bot writes with some, and can read nothing", async () => {
    const { alice, server, encryption } = await startRoom({ ours: async () => [bot] });
    const { type, content } = await encryption.seal(room, bot, "m.room.message", text("welcome"));
    const event = { room, sender: bot, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await alice.reads(event)).toMatchObject({ content: text("welcome") });
    expect(await opened(encryption, await alice.encrypts(room, "m.room.message", text("help"), [bot]))).toBeUndefined();
    expect(server.requests).not.toContain("GET sync");
  });

  it("has them before it is called, once it has shown that every room is encrypted", async () => {
    const { server, encryption } = await startRoom();
    await encryption.registered("@_sip_other:example.org" as UserId);
    expect(server.devices.get("@_sip_other:example.org")?.size).toBe(1);
  });

  it("is the same to everybody after a restart: a new device, the old one gone, one identity", async () => {
    const { alice, server, encryption } = await startRoom();
    const [before] = [...(server.devices.get(ghost)?.keys() ?? [])];
    const identity = JSON.stringify(server.identities.get(ghost));
    await opened(encryption, await alice.encrypts(room, "m.room.message", text("one"), [ghost]));
    await expect.poll(() => server.backups.get(ghost)?.keys.size).toBe(1);
    await encryption.stop();
    const second = await start({}, server);
    second.encryption.note({ ...invitation, encrypted: true });
    await second.encryption.entering(room, ghost);
    // Its key was given to the device of before.
    const event = await alice.seals(room, "m.room.message", text("old key"));
    expect((await opened(second.encryption, event))?.content).toEqual(text("old key"));
    await expect.poll(() => [...(server.devices.get(ghost)?.keys() ?? [])]).not.toContain(before);
    expect(server.devices.get(ghost)?.size).toBe(1);
    expect(JSON.stringify(server.identities.get(ghost))).toBe(identity);
  });

  it("is accepted by clients that speak to devices of a known identity only", async () => {
    const { alice, encryption } = await startRoom();
    await alice.crossSigns();
    await alice.sharesKey(room, [ghost], CollectStrategy.identityBasedStrategy());
    const event = await alice.seals(room, "m.room.message", text("to signed devices"));
    expect((await opened(encryption, event))?.content.body).toBe("to signed devices");
  });

  it("gets none from a homeserver that makes no devices: the bridge says so and reads nothing", async () => {
    const rig = await start();
    rig.server.refusesDevices = true;
    rig.server.rooms.set(room, { members: new Set([ghost]), encrypted: true });
    const sealing = rig.encryption.seal(room, ghost, "m.room.message", text("secret"));
    await expect(sealing).rejects.toBeInstanceOf(HomeserverError);
    expect(rig.encryption.works).toBe(false);
    // People are told why.
    expect(await rig.encryption.seal(room, ghost, "m.room.message", text("no keys"))).toMatchObject({
      type: "m.room.message",
    });
    expect(rig.server.sent).toEqual([]);
    expect(rig.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("what a person sends into an encrypted room", () => {
  it("is read, with what is said outside of it", async () => {
    const { alice, encryption } = await startRoom();
    const event = await alice.encrypts(room, "m.call.hangup", { call_id: "1", version: "1" }, [ghost]);
    expect(await opened(encryption, event)).toEqual({
      event_id: event["event_id"],
      room_id: room,
      sender: "@alice:example.org",
      origin_server_ts: event["origin_server_ts"],
      type: "m.call.hangup",
      content: { call_id: "1", version: "1" },
    });
  });

  it("is read although its key was given twice, the second time for later messages only", async () => {
    const { alice, encryption } = await startRoom();
    const { type, content } = await encryption.seal(room, ghost, "m.room.message", text("hello"));
    const one = await alice.encrypts(room, "m.room.message", text("one"), [ghost]);
    // A new Olm session makes a client give its key again.
    await alice.reads({ room, sender: ghost, type, transaction: "1", content: content as Record<string, unknown> });
    const two = await alice.encrypts(room, "m.room.message", text("two"), [ghost]);
    expect((await opened(encryption, one))?.content).toEqual(text("one"));
    expect((await opened(encryption, two))?.content).toEqual(text("two"));
  });

  it("waits for its key", async () => {
    const { alice, encryption, server } = await startRoom();
    const event = await alice.encrypts(room, "m.room.message", text("late"), [ghost]);
    const [device] = [...(server.devices.get(ghost)?.values() ?? [])];
    const key = device?.inbox.splice(0) ?? [];
    expect(key).toHaveLength(1);
    const opening = opened(encryption, event);
    await expect.poll(() => server.requests.filter((request) => request === "GET sync").length).toBeGreaterThan(1);
    device?.inbox.push(...key);
    expect((await opening)?.content.body).toBe("late");
  });

  it("is given up when its key does not come, and the next of the same key at once", async () => {
    const { alice, encryption, server, lines } = await startRoom({ clock: quickClock });
    const event = await alice.encrypts(room, "m.room.message", text("lost"), [ghost]);
    for (const device of server.devices.get(ghost)?.values() ?? []) device.inbox.splice(0);
    expect(await opened(encryption, event)).toBeUndefined();
    const before = server.requests.length;
    expect(await opened(encryption, await alice.seals(room, "m.room.message", text("lost too")))).toBeUndefined();
    expect(server.requests.length - before).toBe(1);
    expect(lines.filter(({ message }) => message === "an encrypted event could not be read")).toHaveLength(2);
  });

  it("cannot be told to be somebody else's", async () => {
    const { alice, encryption } = await startRoom({ clock: quickClock });
    const event = await alice.encrypts(room, "m.room.message", text("from Alice"), [ghost]);
    expect(await opened(encryption, { ...event, sender: "@mallory:example.org" })).toBeUndefined();
    expect(await opened(encryption, { ...event, room_id: "!other:example.org" }, roomId("!other:example.org"))).toBe(
      undefined,
    );
  });

  it("may be anything at all", async () => {
    const { alice, encryption } = await startRoom({ clock: quickClock });
    const whole = await alice.encrypts(room, "m.room.message", text("whole"), [ghost]);
    const content = whole["content"] as Record<string, string>;
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            algorithm: fc.oneof(
              fc.constant(content["algorithm"]),
              fc.string(),
              fc.constant("m.olm.v1.curve25519-aes-sha2"),
            ),
            ciphertext: fc.oneof(
              fc.nat(200).map((at) => `${content["ciphertext"]?.slice(0, at)}A${content["ciphertext"]?.slice(at + 1)}`),
              fc.jsonValue(),
              fc.base64String({ maxLength: 300 }),
            ),
            session_id: fc.oneof(fc.constant(content["session_id"]), fc.jsonValue()),
            sender_key: fc.oneof(fc.constant(content["sender_key"]), fc.jsonValue()),
            device_id: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        async (broken) => {
          await opened(encryption, { ...whole, content: broken });
        },
      ),
      { numRuns: 100 },
    );
    expect(await opened(encryption, { ...whole, content: { ...content, ciphertext: "A".repeat(300_000) } })).toBe(
      undefined,
    );
    expect((await opened(encryption, whole))?.content.body).toBe("whole");
  }, 30_000);
});

describe("what a number sends into an encrypted room", () => {
  it("is read by the people in it, and by nobody else", async () => {
    const { alice, encryption, server } = await startRoom();
    const mallory = await Person.logIn(server, "@mallory:example.org");
    const { type, content } = await encryption.seal(room, ghost, "m.room.message", text("for Alice"));
    expect(type).toBe("m.room.encrypted");
    const event = { room, sender: ghost, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await alice.reads(event)).toMatchObject({ type: "m.room.message", content: text("for Alice") });
    await expect(mallory.reads(event)).rejects.toThrow();
  });

  it("is read by a person who has reset their identity", async () => {
    const { alice, encryption } = await startRoom();
    for (const identity of ["first", "second"]) {
      await alice.crossSigns();
      const { type, content } = await encryption.seal(room, ghost, "m.room.message", text(identity));
      const event = { room, sender: ghost, type, transaction: "1", content: content as Record<string, unknown> };
      expect(await alice.reads(event)).toMatchObject({ content: text(identity) });
    }
  });

  it("is read on a device that the person has had for a moment only", async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
    const { alice, encryption, server } = await startRoom({ clock });
    await encryption.seal(room, ghost, "m.room.message", text("before"));
    const tablet = await Person.logIn(server, alice.user, "TABLET");
    server.changed.add(alice.user);
    aheadMs = 10_000;
    const { type, content } = await encryption.seal(room, ghost, "m.room.message", text("after"));
    const event = { room, sender: ghost, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await tablet.reads(event)).toMatchObject({ content: text("after") });
  });
});

describe("a room", () => {
  it("that becomes encrypted is so from the next event on, and its number has keys before anybody writes", async () => {
    const { server, encryption } = await start();
    const sealed = () => encryption.seal(room, ghost, "m.room.message", text("Hello"));
    server.rooms.set(room, { members: new Set([ghost, "@alice:example.org"]), encrypted: false });
    expect((await sealed()).type).toBe("m.room.message");
    encryption.note({ ...invitation, kind: "room.encrypted" });
    await expect.poll(() => server.devices.get(ghost)?.size).toBe(1);
    expect((await sealed()).type).toBe("m.room.encrypted");
  });

  it("is asked once whether it is encrypted", async () => {
    const { server, encryption } = await startRoom();
    const other = roomId("!other:example.org");
    server.rooms.set(other, { members: new Set([ghost]), encrypted: true });
    for (let times = 0; times < 3; times++) expect(await encryption.isEncrypted(other, ghost)).toBe(true);
    expect(server.requests.filter((request) => request.endsWith("state/m.room.encryption"))).toHaveLength(1);
  });
});

it("Numbers that have not needed their keys for long give their memory back, and get new ones when they do", async () => {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const { alice, encryption, server, worker } = await startRoom({ clock, mostDevices: 1 });
  const link = worker.link;
  const asked = (user: UserId) => link?.ask<"outgoing">({ kind: "outgoing", user });
  const event = await alice.encrypts(room, "m.room.message", text("one"), [ghost]);
  expect((await opened(encryption, event))?.content).toEqual(text("one"));
  await expect.poll(() => server.backups.get(ghost)?.keys.size).toBe(1);
  await encryption.registered("@_sip_second:example.org" as UserId);
  await expect(asked(ghost)).resolves.toBeDefined();
  aheadMs = 3_600_000;
  await encryption.registered("@_sip_third:example.org" as UserId);
  await expect(asked(ghost)).rejects.toThrow("no such machine");
  const next = await alice.seals(room, "m.room.message", text("two"));
  expect((await opened(encryption, next))?.content).toEqual(text("two"));
});

describe("a stranger", () => {
  it("who asks a number for the keys of others gets nothing", async () => {
    const { alice, encryption, server } = await startRoom();
    const event = await alice.encrypts(room, "m.room.message", text("for the number"), [ghost]);
    expect((await opened(encryption, event))?.content.body).toBe("for the number");
    const mallory = await Person.logIn(server, "@mallory:example.org");
    const { session_id, sender_key } = event["content"] as Record<string, string>;
    const body = { algorithm: "m.megolm.v1.aes-sha2", room_id: room, session_id, sender_key };
    const asking = { action: "request", body, request_id: "1", requesting_device_id: mallory.device };
    for (const device of server.devices.get(ghost)?.values() ?? []) {
      device.inbox.push({ type: "m.room_key_request", sender: mallory.user, content: asking });
      device.inbox.push({
        type: "m.secret.request",
        sender: mallory.user,
        content: { ...asking, name: "m.cross_signing.master" },
      });
    }
    // The next message brings the requests along.
    const strange = await mallory.encrypts(room, "m.room.message", text("now"), [ghost]);
    expect((await opened(encryption, strange))?.content.body).toBe("now");
    expect(server.deviceOf(mallory.user, mallory.device).inbox).toEqual([]);
  });
});

describe("a crypto worker that dies", () => {
  it("takes no message with it: what is sent and what comes goes through a new one", async () => {
    const { alice, encryption, server, worker } = await startRoom();
    const [before] = [...(server.devices.get(ghost)?.keys() ?? [])];
    expect(
      (await opened(encryption, await alice.encrypts(room, "m.room.message", text("one"), [ghost])))?.content,
    ).toEqual(text("one"));
    await expect.poll(() => server.backups.get(ghost)?.keys.size).toBe(1);
    worker.link?.kill();
    // Its key was given to a device that is gone.
    const event = await alice.seals(room, "m.room.message", text("two"));
    expect((await opened(encryption, event))?.content).toEqual(text("two"));
    worker.link?.kill();
    const { content } = await encryption.seal(room, ghost, "m.room.message", text("three"));
    const sent = { room, sender: ghost, type: "", transaction: "1", content: content as Record<string, unknown> };
    expect(await alice.reads(sent)).toMatchObject({ content: text("three") });
    expect([...(server.devices.get(ghost)?.keys() ?? [])]).not.toContain(before);
  });

  it("by a panic of its own is replaced as well", async () => {
    const { worker, encryption, alice } = await startRoom();
    const { link } = worker;
    // Nothing was shared: the machine's code breaks.
    const asked = link?.ask<"encrypt">({ kind: "encrypt", user: ghost, room: "!never:x", type: "t", content: "{}" });
    await expect(asked).rejects.toMatchObject({ name: "CryptoError", lost: true });
    const event = await alice.encrypts(room, "m.room.message", text("after it"), [ghost]);
    await opened(encryption, event);
    const next = await alice.encrypts(room, "m.room.message", text("and again"), [ghost]);
    expect((await opened(encryption, next))?.content).toEqual(text("and again"));
  });
});
