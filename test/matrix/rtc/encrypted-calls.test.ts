// Calls of MatrixRTC in encrypted rooms: each side tells the other with what its frames are encrypted, device to device.
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock/system-clock.ts";
import type { LegAddress } from "../../../src/core/call/model/matrix-leg.ts";
import { type Attendance, seatIn } from "../../../src/ports/conference.ts";
import { KeyServer, serveKeys } from "../encryption/key-server.ts";
import { Person } from "../encryption/person.ts";
import { number, ringing, ringType, type RtcWorld, startRtcWorld, stickyContent, stickyType } from "./rtc-world.ts";

const keysType = "io.element.call.encryption_keys";
const alice = "@alice:example.org";

interface ToldKey {
  readonly index: number;
  readonly key: string;
  readonly device: string;
  readonly memberId: string;
}

interface World extends RtcWorld {
  readonly person: Person;
  /** Alice's client tells a device of the number's its key, as Element Call does. */
  tellsKey(device: string, index: number, secret: Uint8Array, claims?: string): Promise<void>;
  /** The keys that the number's device has told Alice's client since the last look. */
  told(): Promise<readonly ToldKey[]>;
}

async function start(): Promise<World> {
  const server = new KeyServer();
  const world = await startRtcWorld({
    clock: systemClock,
    encryption: { mode: "on-demand", secret: Buffer.alloc(44, 7) },
    state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
    before: async (homeserver) => {
      onTestFinished(await serveKeys(server, homeserver));
      return server.url;
    },
  });
  const person = await Person.logIn(server);
  await Person.logIn(server, alice, "LAPTOP");
  // The number has keys.
  await world.rig.edge.homeserver.text(world.room, number, "first line", "0");
  return {
    ...world,
    person,
    tellsKey: (device, index, secret, claims = "PHONE") =>
      person.writes(number, device, keysType, {
        keys: { index, key: Buffer.from(secret).toString("base64") },
        room_id: world.room,
        member: { claimed_device_id: claims, id: "any" },
        session: { call_id: "", application: "m.call", scope: "m.room" },
        sent_ts: Date.now(),
      }),
    told: async () =>
      (await person.letters())
        .filter(({ type }) => type === keysType)
        .map(({ content }) => {
          const { keys, member } = content as {
            keys: { index: number; key: string };
            member: { claimed_device_id: string; id: string };
          };
          return { index: keys.index, key: keys.key, device: member.claimed_device_id, memberId: member.id };
        }),
  };
}

/** Alice calls; the number answers, and is at the media server. */
async function talking(world: World, member?: string) {
  const says = async (type: string, content: object, sticky = false): Promise<string> => {
    const { content: sealed } = await world.person.encrypts(world.room, type, content as Record<string, unknown>, [
      number,
    ]);
    return world.send("m.room.encrypted", sealed as object, sticky);
  };
  const content = member === undefined ? {} : stickyContent(alice, "PHONE", member, [world.tokens.url]);
  const membership = member === undefined ? await world.join() : await says(stickyType, content, true);
  await says(ringType, ringing(membership));
  await expect.poll(() => world.rig.facts.map(({ kind }) => kind)).toContain("call.invited");
  const fact = world.rig.facts.find(({ kind }) => kind === "call.invited");
  if (fact?.kind !== "call.invited") throw new Error("no call");
  const id = seatIn(fact.description);
  const seat = id && world.rig.edge.conferences?.seat(id);
  const attended: Attendance[] = [];
  await seat?.admit();
  onTestFinished(seat?.attend((attendance) => attended.push(attendance)) ?? (() => undefined));
  const leg: LegAddress = { ...fact, ghost: number, own: fact.matrixCallId as unknown as LegAddress["own"] };
  await world.rig.edge.homeserver.signal(leg, { kind: "answer", description: "" });
  const device = String(world.memberships()[0]?.content["device_id"]);
  return { device, attended, leg };
}

const letters = async (world: World, count: number) => {
  const all: Awaited<ReturnType<World["told"]>>[number][] = [];
  await expect.poll(async () => all.push(...(await world.told()))).toBeGreaterThanOrEqual(count);
  return all;
};

test("a person and a number tell each other their keys, from device to device", async () => {
  const world = await start();
  const { device, attended } = await talking(world);
  // What is meant for the number alone must reach the device that has its keys.
  expect(device).toMatch(/^SIPBRIDGE_/);
  const [ours] = await letters(world, 1);
  expect(ours).toMatchObject({ index: 0, device });
  expect(Buffer.from(ours?.key ?? "", "base64")).toEqual(Buffer.from(attended.at(-1)?.ownKey?.secret ?? []));
  expect(Buffer.from(ours?.key ?? "", "base64")).toHaveLength(16);

  const theirs = Buffer.alloc(16, 5);
  await world.tellsKey(device, 0, theirs);
  await expect
    .poll(() => attended.at(-1)?.participants)
    .toEqual([{ identity: `${alice}:PHONE`, keys: [{ index: 0, secret: theirs }] }]);
});

test("a device tells its own key and no other's, and rubbish is none", async () => {
  const world = await start();
  const { device, attended } = await talking(world);
  await world.tellsKey(device, 0, Buffer.alloc(16, 1), "LAPTOP");
  await world.tellsKey(device, 300, Buffer.alloc(16, 2));
  await world.tellsKey(device, 1, Buffer.alloc(4, 3));
  await world.tellsKey(device, 2, Buffer.alloc(16, 4));
  await expect
    .poll(() => attended.at(-1)?.participants)
    .toEqual([{ identity: `${alice}:PHONE`, keys: [{ index: 2, secret: Buffer.alloc(16, 4) }] }]);
});

/** The number rings, and Alice answers; what the media server is told of her. */
async function answered(world: World): Promise<{ readonly leg: LegAddress; readonly attended: Attendance[] }> {
  const { edge, facts } = world.rig;
  const leg = { ...edge.homeserver.ownSide(["rtc"]), room: world.room, ghost: number };
  await edge.homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: world.alice });
  const before = facts.length;
  await world.join();
  await expect.poll(() => facts.slice(before).map(({ kind }) => kind)).toContain("call.answered");
  const fact = facts.slice(before).find(({ kind }) => kind === "call.answered");
  const id = fact?.kind === "call.answered" ? seatIn(fact.description) : undefined;
  const attended: Attendance[] = [];
  const seat = id && edge.conferences?.seat(id);
  onTestFinished(seat?.attend((attendance) => attended.push(attendance)) ?? (() => undefined));
  return { leg, attended };
}

test("who answers is heard as soon as their key is there, and in the next call by the key of that", async () => {
  const world = await start();
  for (const byte of [1, 2]) {
    const { leg, attended } = await answered(world);
    const device = String(world.memberships().at(-1)?.content["device_id"]);
    const secret = Buffer.alloc(16, byte);
    await world.tellsKey(device, 0, secret);
    await expect
      .poll(() => attended.at(-1)?.participants)
      .toEqual([{ identity: `${alice}:PHONE`, keys: [{ index: 0, secret }] }]);
    await world.rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "caller-hung-up" });
    await world.leave();
  }
});

test("who has left cannot listen on: the others get another key, which is used a second later", async () => {
  const world = await start();
  const { attended } = await talking(world);
  await letters(world, 1);
  await world.join("LAPTOP");
  await expect.poll(() => attended.at(-1)?.participants.length).toBe(2);
  const before = attended.length;
  const leavesAtMs = performance.now();
  await world.leave("LAPTOP");
  const [next] = await letters(world, 1);
  expect(next).toMatchObject({ index: 1 });
  await expect.poll(() => attended.at(-1)?.ownKey?.index).toBe(1);
  expect(performance.now() - leavesAtMs).toBeGreaterThan(990);
  expect(attended[before]?.ownKey?.index).toBe(0);
});

test("a number that rings in an encrypted room says nothing in the clear but that it is in the call", async () => {
  const world = await start();
  const { homeserver } = world.rig.edge;
  const leg = { ...homeserver.ownSide(["rtc"]), room: world.room, ghost: number };
  await homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: world.alice });
  expect(world.said(ringType)).toEqual([]);
  const sealed = world.said("m.room.encrypted").at(-1);
  const ring = await world.person.reads({ room: world.room, sender: number, content: sealed?.content ?? {} });
  expect(ring).toMatchObject({ type: ringType, content: { "m.mentions": { user_ids: [world.alice], room: false } } });

  // A bridge that knows nothing of the call any more finds what the number was in it.
  const rig = await world.restart();
  await rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "restarted" });
  expect(world.memberships().at(-1)?.content).toEqual({});
  expect(new Set(world.memberships().map(({ state_key }) => state_key)).size).toBeLessThanOrEqual(2);
  expect(world.said("m.room.redaction")).toMatchObject([{ content: { redacts: sealed?.event_id } }]);
  expect(await world.delayed()).toEqual([]);
});

test("a person who is in the call by a sticky event is answered in kind, and both are encrypted", async () => {
  const world = await start();
  const { leg } = await talking(world, "alice-1");
  expect([...world.memberships(), ...world.said(stickyType)]).toEqual([]);
  const sticky = () => world.said("m.room.encrypted").filter((event) => "msc4354_sticky" in event);
  const read = async (event?: { readonly content: Record<string, unknown> }) =>
    world.person.reads({ room: world.room, sender: number, content: event?.content ?? {} });
  const { type, content } = await read(sticky()[0]);
  const { id, device_id: device } = content["member"] as { id: string; device_id: string };
  expect({ type, content }).toEqual({
    type: stickyType,
    content: stickyContent(number, device, id, [world.tokens.url]),
  });
  // What is meant for the number alone must reach the device that has its keys, and the key is that of this membership.
  expect(device).toMatch(/^SIPBRIDGE_/);
  expect(await letters(world, 1)).toMatchObject([{ index: 0, device, memberId: id }]);

  // A bridge that has died cannot read any more what it has said; the leave that waits is the right one all the same.
  const rig = await world.restart();
  const stored = JSON.parse(JSON.stringify(leg)) as LegAddress;
  await rig.edge.homeserver.signal(stored, { kind: "hangup", cause: "restarted" });
  expect(sticky()).toHaveLength(2);
  expect((await read(sticky()[1])).content).toEqual({ msc4354_sticky_key: id });
  expect(await world.delayed()).toEqual([]);
});

test("what a dead call has left in an encrypted room is taken away, and the call of today goes on", async () => {
  const world = await start();
  const dead = await talking(world, "alice-1");
  const today = { ...world, rig: await world.restart() };
  await talking(today, "alice-2");
  const waiting = (await world.delayed()) as readonly { delay_id: string }[];
  expect(waiting).toHaveLength(2);
  const stored = JSON.parse(JSON.stringify(dead.leg)) as LegAddress;
  await today.rig.edge.homeserver.signal(stored, { kind: "hangup", cause: "restarted" });
  expect(await world.delayed()).toMatchObject([{ delay_id: waiting[1]?.delay_id }]);
});
