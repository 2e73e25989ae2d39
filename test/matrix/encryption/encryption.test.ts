// Encrypted rooms at the edge: what the bridge is told and what goes out, with a real machine as the person's client.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { roomId } from "../../../src/core/ids.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { ghost } from "../edge-rig.ts";
import { invitation, opened, quickClock, room, start, startRoom, text } from "./encryption-rig.ts";
import { Person } from "./person.ts";

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

  it("is about what is said outside of it", async () => {
    const { alice, encryption } = await startRoom();
    const event = await alice.encrypts(room, "m.room.message", text("* changed"), [ghost]);
    const relation = { rel_type: "m.replace", event_id: "$first" };
    const content = { ...(event["content"] as object), "m.relates_to": relation };
    expect((await opened(encryption, { ...event, content }))?.content).toEqual({
      ...text("* changed"),
      "m.relates_to": relation,
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

  it("is read at once although much else waits for the number before its key", async () => {
    const { alice, encryption, server } = await startRoom();
    const [device] = [...(server.devices.get(ghost)?.values() ?? [])];
    for (let index = 0; index < 250; index++) {
      device?.inbox.push({ type: "m.dummy", sender: alice.user, content: { index } });
    }
    const event = await alice.encrypts(room, "m.room.message", text("behind them"), [ghost]);
    // Nothing is waited for, so that it is fetched once.
    encryption.giveUp();
    expect((await opened(encryption, event))?.content.body).toBe("behind them");
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

  it("is read although its key was given up before, where keys are pushed and this one was not", async () => {
    const { alice, encryption, server } = await startRoom({ clock: quickClock });
    const noNews = { messages: [], lists: undefined, counts: new Map(), unusedFallbackKeys: new Map() };
    encryption.pushed({ ...noNews, tellsOfKeys: true });
    const event = await alice.encrypts(room, "m.room.message", text("given up"), [ghost]);
    const [device] = [...(server.devices.get(ghost)?.values() ?? [])];
    const key = device?.inbox.splice(0) ?? [];
    expect(await opened(encryption, event)).toBeUndefined();
    device?.inbox.push(...key);
    const next = await alice.seals(room, "m.room.message", text("next"));
    expect((await opened(encryption, next))?.content.body).toBe("next");
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

  it("rings at once on a device that the person has just got", async () => {
    const { alice, encryption, server } = await startRoom();
    await encryption.seal(room, ghost, "m.room.message", text("before"));
    const tablet = await Person.logIn(server, alice.user, "TABLET");
    server.changed.add(alice.user);
    const { type, content } = await encryption.seal(room, ghost, "m.call.invite", { call_id: "1" });
    const event = { room, sender: ghost, type, transaction: "1", content: content as Record<string, unknown> };
    expect(await tablet.reads(event)).toMatchObject({ content: { call_id: "1" } });
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
