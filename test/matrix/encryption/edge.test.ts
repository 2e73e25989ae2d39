// Encrypted events on their way through the whole edge: stored as they came, read in their room's order, acted on as what they
// are; and what goes out.
import { expect, it, onTestFinished } from "vitest";
import { roomId, type UserId } from "../../../src/core/ids.ts";
import type { MatrixFact } from "../../../src/ports/homeserver.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { alice, bot, ghost, roomEvent, startEdge, textMessage, type RigOptions } from "../edge-rig.ts";
import { KeyServer, serveKeys } from "./key-server.ts";
import { Person } from "./person.ts";

const room = roomId("!encrypted:example.org");
const hangUp = { call_id: "1", party_id: "PHONE", version: "1", reason: "user_hangup" };
const text = (body: string) => ({ msgtype: "m.text", body });
const tapped = (key: string) => ({ "m.relates_to": { rel_type: "m.annotation", event_id: "$pad", key } });
const told = (facts: readonly MatrixFact[]) =>
  facts.map((fact) => {
    if (fact.kind === "reaction.added") return fact.mark;
    return fact.kind === "message.received" ? fact.body : fact.kind;
  });

async function start(more: RigOptions = {}) {
  const server = new KeyServer();
  onTestFinished(await serveKeys(server));
  server.rooms.set(room, { members: new Set([ghost, alice]), encrypted: true });
  const rig = await startEdge({
    homeserverUrl: server.url,
    encryption: { mode: "on-demand", secret: Buffer.alloc(44, 7) },
    ours: [ghost],
    ...more,
  });
  const person = await Person.logIn(server);
  await rig.edge.homeserver.text(room, ghost, "first line", "0");
  const { edge, facts } = rig;
  const push = (transaction: string, events: readonly unknown[]) => rig.push(transaction, events);
  return { edge, facts, factCount: (count: number) => rig.factCount(count), push, server, person };
}

/** What was sent to the ghost's device and not fetched yet. */
const mailOf = (server: KeyServer) =>
  [...(server.devices.get(ghost)?.values() ?? [])].flatMap(({ inbox }) => inbox.splice(0));

it("Calls and texts of an encrypted room are facts like any others, in their order", async () => {
  const { person, push, edge, facts } = await start();
  await push("1", [
    await person.encrypts(room, "m.call.hangup", hangUp, [ghost]),
    await person.seals(room, "m.room.message", text("Hello")),
    await person.seals(room, "m.room.topic", { topic: "Nothing to us" }),
    roomEvent("m.reaction", tapped("5️⃣"), { room_id: room }),
    await person.seals(room, "m.reaction", tapped("6️⃣")),
    await person.seals(room, "m.room.message", text("Bye")),
  ]);
  await edge.idle();
  expect(told(facts)).toEqual(["call.hungUp", "Hello", "5️⃣", "6️⃣", "Bye"]);
  expect(facts[0]).toMatchObject({ sender: alice, room, matrixCallId: "1" });
});

it("Only its own room waits for a key", async () => {
  const { person, push, edge, facts, server, factCount } = await start();
  const event = await person.encrypts(room, "m.call.hangup", hangUp, [ghost]);
  const mail = mailOf(server);
  await push("1", [event, textMessage("elsewhere", { room_id: "!plain:example.org" })]);
  await push("2", [roomEvent("m.call.hangup", hangUp, { room_id: room })]);
  await factCount(1);
  expect(told(facts)).toEqual(["elsewhere"]);
  for (const device of server.devices.get(ghost)?.values() ?? []) device.inbox.push(...mail);
  await edge.idle();
  expect(told(facts)).toEqual(["elsewhere", "call.hungUp", "call.hungUp"]);
});

it("What waits for its key when the bridge is stopped is there after the next start, as it came", async () => {
  const store = openMemoryStore();
  const { person, push, edge, facts, server } = await start({ store });
  const event = await person.encrypts(room, "m.call.hangup", hangUp, [ghost]);
  mailOf(server);
  await push("1", [event]);
  await edge.stop();
  expect(facts).toEqual([]);
  const [kept] = await store.inbox.pending();
  expect(JSON.parse(kept?.json ?? "")).toEqual(event);
});

it("What was sent before the join is read back and decrypted", async () => {
  const { person, edge, facts, server } = await start();
  server.timeline.push(
    await person.encrypts(room, "m.call.hangup", hangUp, [ghost]),
    await person.seals(room, "m.room.message", text("Hello")),
  );
  expect(told(await edge.homeserver.readBack(room, ghost, 60_000))).toEqual(["call.hungUp"]);
  await edge.idle();
  expect(told(facts)).toEqual(["Hello"]);
});

it("What is said twice is one event, and nobody between reads it", async () => {
  const { person, edge, server } = await start();
  await edge.homeserver.text(room, ghost, "Hello", "1");
  await edge.homeserver.text(room, ghost, "Hello", "1");
  const said = server.sent.filter((event) => event.room === room);
  expect(said.map(({ type }) => type)).toEqual(["m.room.encrypted", "m.room.encrypted"]);
  const [, second] = said;
  expect(second && (await person.reads(second)).content).toMatchObject(text("Hello"));
});

it("A number's reaction is in the clear, where clients look for it, and what it is under is not", async () => {
  const { edge, server } = await start();
  const message = await edge.homeserver.notice(room, ghost, "Keypad");
  await edge.homeserver.react(room, ghost, message, "5️⃣");
  const said = server.sent.filter((event) => event.room === room).slice(1);
  expect(said.map(({ type }) => type)).toEqual(["m.room.encrypted", "m.reaction"]);
  expect(said[1]?.content).toEqual({ "m.relates_to": { rel_type: "m.annotation", event_id: message, key: "5️⃣" } });
});

it("The bot has its keys before anybody comes into a room of its own that the homeserver has encrypted unasked", async () => {
  const { edge, server, push } = await start({ ours: [] });
  const made = roomId(`!made${server.rooms.size}:example.org`);
  await push("1", [roomEvent("m.room.encryption", {}, { room_id: made, state_key: "" })]);
  await edge.idle();
  expect(await edge.homeserver.createDirectRoom(bot, alice, false)).toBe(made);
  await expect.poll(() => server.devices.get(bot)?.size).toBe(1);
});

it("A room that is made encrypted has a number in it that has its keys already", async () => {
  const { person, edge, server } = await start();
  const other = "@_sip_2:example.org" as UserId;
  const made = await edge.homeserver.createDirectRoom(other, alice, true);
  expect(server.requests.findIndex((line) => line === "POST createRoom")).toBeGreaterThan(
    server.requests.findLastIndex((line) => line === "POST keys/upload"),
  );
  expect(server.devices.get(other)?.size).toBe(1);
  await edge.homeserver.text(made, other, "Hello", "1");
  const said = server.sent.find((event) => event.room === made);
  expect(said?.type).toBe("m.room.encrypted");
  expect(said && (await person.reads(said)).content).toMatchObject(text("Hello"));
});

it("Where nobody can have keys, no room is made encrypted", async () => {
  const server = new KeyServer();
  server.devicesBy = "nothing";
  onTestFinished(await serveKeys(server));
  const encryption = { mode: "on-demand", secret: Buffer.alloc(44, 7) } as const;
  const { edge } = await startEdge({ homeserverUrl: server.url, encryption, ours: [ghost] });
  const made = await edge.homeserver.createDirectRoom(ghost, alice, true);
  expect(server.rooms.get(made)).toMatchObject({ encrypted: false });
});
