// Keys that the homeserver pushes in transactions: they need not be fetched, and what is lost on the way is fetched.
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import { roomId } from "../../../src/core/ids.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { alice, bot, ghost, startEdge, type RigOptions } from "../edge-rig.ts";
import { KeyServer, serveKeys } from "./key-server.ts";
import { Person } from "./person.ts";

const room = roomId("!encrypted:example.org");
const text = (body: string) => ({ msgtype: "m.text", body });

interface Pushed {
  readonly "de.sorunome.msc2409.to_device": readonly object[];
  readonly "org.matrix.msc3202.device_one_time_keys_count": object;
}

/** A bridge and a person in an encrypted room; `reader`, who is of ours, has keys. */
async function start(reader = ghost, more: RigOptions = {}) {
  const server = new KeyServer();
  if (more.sender !== undefined) server.sender = `@${more.sender}:example.org`;
  onTestFinished(await serveKeys(server));
  server.rooms.set(room, { members: new Set([reader, alice]), encrypted: true });
  const rig = await startEdge({
    homeserverUrl: server.url,
    encryption: { mode: "on-demand", secret: Buffer.alloc(44, 7) },
    ours: [reader],
    ...more,
  });
  const person = await Person.logIn(server);
  await rig.edge.homeserver.join(room, reader);
  await rig.edge.homeserver.text(room, reader, "first line", "0");
  await rig.edge.idle();
  const deviceOf = () => [...(server.devices.get(reader) ?? [])][0] ?? ["", undefined];
  let transactions = 0;
  /** What Synapse pushes, and keeps for a `/sync` all the same. */
  const news = (): Pushed => {
    const [id, device] = deviceOf();
    const messages = (device?.inbox ?? []).map((event) =>
      Object.assign({ to_user_id: reader, to_device_id: id }, event),
    );
    return {
      "de.sorunome.msc2409.to_device": messages,
      "org.matrix.msc3202.device_one_time_keys_count": { [reader]: { [id]: { signed_curve25519: 50 } } },
    };
  };
  const push = (events: readonly unknown[], what: object = news()) => rig.push(`${(transactions += 1)}`, events, what);
  const fetches = () => server.requests.filter((request) => request === "GET sync").length;
  const texts = () => rig.facts.flatMap((fact) => (fact.kind === "message.received" ? fact.body : []));
  return { ...rig, server, person, deviceOf, push, news, fetches, texts };
}

it("What a key opens is read without fetching anything, in the transaction that brings the key", async () => {
  const { person, push, edge, fetches, texts } = await start();
  await push([]);
  const before = fetches();
  await push([
    await person.encrypts(room, "m.room.message", text("one"), [ghost]),
    await person.seals(room, "m.room.message", text("two")),
  ]);
  await edge.idle();
  expect(texts()).toEqual(["one", "two"]);
  expect(fetches()).toBe(before);
});

it("What comes before its key is read as soon as the key is pushed, whatever time it is", async () => {
  // Of all that waits, only what waits for nothing but the time goes on waiting.
  const clock: Clock = { ...systemClock, at: () => () => undefined };
  const { person, push, news, edge, fetches, texts } = await start(ghost, { clock });
  await push([]);
  const before = fetches();
  const early = await person.encrypts(room, "m.room.message", text("early"), [ghost]);
  await push([early], {});
  await push([], news());
  await edge.idle();
  expect(texts()).toEqual(["early"]);
  expect(fetches()).toBe(before);
});

it("A number answers without fetching anything, and on a device that the person has just got", async () => {
  const { person, push, edge, fetches, server, news } = await start();
  await push([]);
  // Once, to find out what it missed before anything was pushed.
  await edge.homeserver.text(room, ghost, "second line", "1");
  const before = fetches();
  const tablet = await Person.logIn(server, person.user, "TABLET");
  await push([], { ...news(), "org.matrix.msc3202.device_lists": { changed: [person.user], left: [] } });
  await edge.homeserver.text(room, ghost, "for the tablet", "2");
  const [last] = server.sent.slice(-1);
  expect(last && (await tablet.reads(last)).content).toMatchObject(text("for the tablet"));
  expect(fetches()).toBe(before);
});

it("A key that was lost with its transaction is fetched", async () => {
  const { person, push, edge, fetches, server, texts } = await start();
  await push([await person.encrypts(room, "m.room.message", text("pushed"), [ghost])]);
  await edge.idle();
  const before = fetches();
  const second = await Person.logIn(server, person.user, "TABLET");
  const lost = await second.encrypts(room, "m.room.message", text("lost"), [ghost]);
  await push([lost], {});
  await edge.idle();
  expect(texts()).toEqual(["pushed", "lost"]);
  expect(fetches()).toBeGreaterThan(before);
});

it("What was lost unnoticed is fetched before something is sent, after ten minutes at the latest", async () => {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const { person, push, edge, fetches, server } = await start(ghost, { clock });
  await push([await person.encrypts(room, "m.room.message", text("pushed, and kept by the homeserver"), [ghost])]);
  await edge.idle();
  await edge.homeserver.text(room, ghost, "second line", "1");
  const before = fetches();
  const tablet = await Person.logIn(server, person.user, "TABLET");
  server.changed.add(person.user);
  aheadMs = 11 * 60_000;
  await edge.homeserver.text(room, ghost, "late", "2");
  const [last] = server.sent.slice(-1);
  expect(last && (await tablet.reads(last)).content).toMatchObject(text("late"));
  // That brought nothing that had not been pushed, so that pushes are trusted again.
  aheadMs += 60_000;
  await edge.homeserver.text(room, ghost, "later", "3");
  expect(fetches()).toBe(before + 1);
});

it("One-time keys that run out are renewed; nothing is said of keys by an empty count", async () => {
  const { push, server, news, deviceOf } = await start();
  const uploads = () => server.requests.filter((request) => request === "POST keys/upload").length;
  const [id] = deviceOf();
  const counts = (of: object) => ({ ...news(), "org.matrix.msc3202.device_one_time_keys_count": of });
  const before = uploads();
  await push([], counts({ [ghost]: { [id]: {} } }));
  await push([], counts({}));
  await push([], counts({ [ghost]: { OTHER: { signed_curve25519: 0 } } }));
  await push([], counts({ [ghost]: { [id]: { signed_curve25519: 50 } } }));
  await push([], counts({ [ghost]: { [id]: { signed_curve25519: 3 } } }));
  await expect.poll(uploads).toBe(before + 1);
});

it("The application service's own user, to which the homeserver gives no `/sync`, reads what it is pushed", async () => {
  const { person, push, edge, fetches, texts } = await start(bot, { sender: "_sip_bot" });
  await push([]);
  await push([await person.encrypts(room, "m.room.message", text("help"), [bot])]);
  await edge.idle();
  expect(texts()).toEqual(["help"]);
  expect(fetches()).toBe(0);
});

it("What is pushed may be anything at all", async () => {
  const { person, push, edge, texts, deviceOf, ...rig } = await start();
  const [id] = deviceOf();
  const to = { to_user_id: ghost, to_device_id: id };
  const olm = { algorithm: "m.olm.v1.curve25519-aes-sha2", sender_key: "x", ciphertext: {} };
  for (const more of [
    { to_device: 7, device_lists: [], device_one_time_keys_count: "x", device_unused_fallback_key_types: null },
    { to_device: [null, {}, { ...to, type: "m.room.encrypted", sender: "alice", content: {} }] },
    { to_device: [{ ...to, type: "m.room.encrypted", sender: alice, content: olm }] },
    { to_device: [{ ...to, type: "m.room_key", sender: alice, content: { body: "x".repeat(300_000) } }] },
    { device_lists: { changed: ["nobody", 7, "@:", `@${"x".repeat(300)}:example.org`], left: {} } },
    { device_lists: { changed: Array.from({ length: 20_000 }, (_, index) => `@u${index}:example.org`) } },
    { device_one_time_keys_count: { [ghost]: { [id]: { signed_curve25519: -1 } }, "": 7 } },
    { device_one_time_keys_count: { [ghost]: { [id]: { signed_curve25519: 1e300 } }, "": 7 } },
    { device_unused_fallback_key_types: { [ghost]: { [id]: [7] } } },
  ]) {
    expect((await push([], more)).status).toBe(200);
  }
  const message = JSON.stringify({ ...to, type: "m.room_key", sender: alice, content: { a: "DEEP" } });
  const deep = message.replace('"DEEP"', "[".repeat(30_000) + "]".repeat(30_000));
  const body = `{"events":[],"to_device":[${deep}]}`;
  expect((await rig.request("PUT", "/_matrix/app/v1/transactions/deep", { body })).status).toBe(200);
  await push([await person.encrypts(room, "m.room.message", text("whole"), [ghost])]);
  await edge.idle();
  expect(texts()).toEqual(["whole"]);
});
