// Devices of numbers on a homeserver that lets an application service make none: users are logged in instead, as on Dendrite.
import { CollectStrategy } from "@matrix-org/matrix-sdk-crypto-wasm";
import { expect, it, onTestFinished } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import { bot, ghost } from "../edge-rig.ts";
import { invitation, opened, quickClock, room, start, text } from "./encryption-rig.ts";
import { KeyServer, serveKeys } from "./key-server.ts";
import { Person } from "./person.ts";

async function startServer(): Promise<KeyServer> {
  const server = new KeyServer();
  server.devicesBy = "login";
  server.rooms.set(room, { members: new Set([ghost, "@alice:example.org"]), encrypted: true });
  onTestFinished(await serveKeys(server));
  return server;
}

async function startRoom(server: KeyServer, more: Parameters<typeof start>[0] = {}) {
  const rig = await start(more, server);
  rig.encryption.note({ ...invitation, encrypted: true });
  await rig.encryption.entering(room, ghost);
  return rig;
}

const devicesOf = (server: KeyServer, user: string = ghost) => [...(server.devices.get(user)?.keys() ?? [])];

const asEvent = (sender: string, { type, content }: { type: string; content: unknown }) => ({
  room,
  sender,
  type,
  transaction: "1",
  content: content as Record<string, unknown>,
});

it("A number reads and writes with the device that it was logged in on", async () => {
  const server = await startServer();
  const alice = await Person.logIn(server);
  const { encryption } = await startRoom(server);
  const event = await alice.encrypts(room, "m.room.message", text("Hello"), [ghost]);
  expect((await opened(encryption, event))?.content).toEqual(text("Hello"));
  const sealed = await encryption.seal(room, ghost, "m.room.message", text("Good day"));
  expect(await alice.reads(asEvent(ghost, sealed))).toMatchObject({ content: text("Good day") });
});

it("The homeserver wants a password for an identity: the log says once whom numbers cannot be reached by", async () => {
  const server = await startServer();
  const alice = await Person.logIn(server);
  const { encryption, lines } = await startRoom(server, { clock: quickClock });
  await encryption.seal(room, bot, "m.room.message", text("welcome"));
  expect(server.identities.size).toBe(0);
  const warnings = lines.filter(({ level, message }) => level === "warn" && message.includes("verified devices only"));
  expect(warnings).toHaveLength(1);
  await alice.crossSigns();
  await alice.sharesKey(room, [ghost], CollectStrategy.identityBasedStrategy());
  const event = await alice.seals(room, "m.room.message", text("to signed devices"));
  expect(await opened(encryption, event)).toBeUndefined();
});

it("After a restart the device of before is gone, and what was sent to it is read", async () => {
  const server = await startServer();
  const alice = await Person.logIn(server);
  const first = await startRoom(server);
  const before = devicesOf(server);
  const one = await alice.encrypts(room, "m.room.message", text("one"), [ghost]);
  expect((await opened(first.encryption, one))?.content).toEqual(text("one"));
  await expect.poll(() => server.backups.get(ghost)?.keys.size).toBe(1);
  await first.encryption.stop();
  const { encryption } = await startRoom(server);
  expect(devicesOf(server)).toHaveLength(1);
  expect(devicesOf(server)).not.toEqual(before);
  const two = await alice.seals(room, "m.room.message", text("two"));
  expect((await opened(encryption, two))?.content).toEqual(text("two"));
});

it("Devices that are not the bridge's stay", async () => {
  const server = await startServer();
  server.addDevice(ghost, "OPERATOR");
  await startRoom(server);
  expect(devicesOf(server)).toEqual(["OPERATOR", expect.stringMatching(/^SIPBRIDGE_/)]);
});

it("A number whose device somebody has logged out is logged in again", async () => {
  const server = await startServer();
  const alice = await Person.logIn(server);
  const { encryption } = await startRoom(server);
  const before = devicesOf(server);
  server.answer("POST", "/_matrix/client/v3/logout/all", new URLSearchParams({ user_id: ghost }), {});
  const sealed = await encryption.seal(room, ghost, "m.room.message", text("still here"));
  expect(await alice.reads(asEvent(ghost, sealed))).toMatchObject({ content: text("still here") });
  expect(devicesOf(server)).not.toEqual(before);
});

it("A number that cannot log in keeps no other number from it", async () => {
  const server = await startServer();
  server.lockedOut.add(ghost);
  const { encryption } = await startRoom(server);
  const other = "@_sip_2:example.org" as UserId;
  await expect(encryption.seal(room, ghost, "m.room.message", text("Hello"))).rejects.toThrow("Deactivated");
  expect((await encryption.seal(room, other, "m.room.message", text("Hello"))).type).toBe("m.room.encrypted");
});
