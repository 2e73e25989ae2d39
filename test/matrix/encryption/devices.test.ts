// The devices of numbers: when they have keys, who accepts them, how they outlive a restart and the crypto worker.
import { CollectStrategy } from "@matrix-org/matrix-sdk-crypto-wasm";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { type UserId } from "../../../src/core/ids.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { bot, ghost } from "../edge-rig.ts";
import { hasty, invitation, opened, room, start, startRoom, text } from "./encryption-rig.ts";

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

  it("is not alone in having them: the bot writes and reads with some", async () => {
    const { alice, encryption } = await startRoom({ ours: async () => [bot] });
    const { type, content } = await encryption.seal(room, bot, "m.room.message", text("welcome"));
    const event = { room, sender: bot, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await alice.reads(event)).toMatchObject({ content: text("welcome") });
    expect(
      (await opened(encryption, await alice.encrypts(room, "m.room.message", text("help"), [bot])))?.content,
    ).toEqual(text("help"));
  });

  it("has them as the application service's own user too, which writes with them and can read nothing", async () => {
    const { alice, server, encryption } = await startRoom({ ours: async () => [bot], sender: bot });
    const { type, content } = await encryption.seal(room, bot, "m.room.message", text("welcome"));
    const event = { room, sender: bot, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await alice.reads(event)).toMatchObject({ content: text("welcome") });
    expect(encryption.isRead(bot)).toBe(false);
    expect(await opened(encryption, await alice.encrypts(room, "m.room.message", text("help"), [bot]))).toBeUndefined();
    expect(server.requests).not.toContain("GET sync");
  });

  it("has them before it is called, once it has shown that every room is encrypted: the log says what to set", async () => {
    const { server, encryption, lines } = await startRoom();
    encryption.note({ ...invitation, encrypted: true, user: "@_sip_third:example.org" as UserId });
    const warnings = lines.filter(({ level }) => level === "warn");
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("set encryption.mode to always")]);
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

  it("gets a new device when somebody has deleted its own", async () => {
    const { alice, server, encryption } = await startRoom();
    const [before = ""] = [...(server.devices.get(ghost)?.keys() ?? [])];
    server.devices.get(ghost)?.delete(before);
    const { type, content } = await encryption.seal(room, ghost, "m.room.message", text("still here"));
    const event = { room, sender: ghost, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await alice.reads(event)).toMatchObject({ content: text("still here") });
    expect([...(server.devices.get(ghost)?.keys() ?? [])]).not.toContain(before);
  });

  it("gets none from a homeserver that gives no devices: the bridge says so and reads nothing", async () => {
    const rig = await start();
    rig.server.devicesBy = "nothing";
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

it("A number that was written to a moment ago keeps its keys, however long it has read nothing", async () => {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const { alice, encryption, worker } = await startRoom({ clock, mostDevices: 1 });
  await opened(encryption, await alice.encrypts(room, "m.room.message", text("one"), [ghost]));
  aheadMs = 3_600_000;
  const event = { type: "m.dummy", sender: "@alice:example.org" as UserId, content: {} };
  encryption.pushed({
    messages: [{ user: ghost, device: "any", event }],
    lists: undefined,
    counts: new Map(),
    unusedFallbackKeys: new Map(),
    tellsOfKeys: false,
  });
  await encryption.registered("@_sip_third:example.org" as UserId);
  await expect(worker.link?.ask<"outgoing">({ kind: "outgoing", user: ghost })).resolves.toBeDefined();
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

  it("takes none with it whose key had once been given up", async () => {
    const { alice, encryption, server, worker } = await startRoom({ clock: hasty(4) });
    const event = await alice.encrypts(room, "m.room.message", text("one"), [ghost]);
    const mail = [...(server.devices.get(ghost)?.values() ?? [])].flatMap(({ inbox }) => inbox.splice(0));
    expect(await opened(encryption, event)).toBeUndefined();
    for (const device of server.devices.get(ghost)?.values() ?? []) device.inbox.push(...mail);
    expect((await opened(encryption, event))?.content).toEqual(text("one"));
    await expect.poll(() => server.backups.get(ghost)?.keys.size).toBe(1);
    worker.link?.kill();
    expect((await opened(encryption, await alice.seals(room, "m.room.message", text("two"))))?.content).toEqual(
      text("two"),
    );
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
