// Calls of MatrixRTC through the whole edge: what a person does on real HTTP, what the bridge hears, what the room shows.
import { describe, expect, test } from "vitest";
import type { LegAddress, OwnSide } from "../../../src/core/call/model/matrix-leg.ts";
import type { MatrixFact } from "../../../src/ports/homeserver.ts";
import { type Attendance, type Seat, seatIn } from "../../../src/ports/conference.ts";
import type { EdgeRig } from "../edge-rig.ts";
import { declineType, memberType, number, ringing, ringType, type RtcWorld, startRtcWorld } from "./rtc-world.ts";

type Kind<K extends MatrixFact["kind"]> = Extract<MatrixFact, { kind: K }>;

async function heard<K extends MatrixFact["kind"]>({ rig }: Pick<RtcWorld, "rig">, kind: K): Promise<Kind<K>> {
  for (let count = 1; ; count++) {
    await rig.factCount(count);
    const fact = rig.facts[count - 1];
    if (fact?.kind === kind) return fact as Kind<K>;
  }
}

function legOf({ room, matrixCallId, form }: Kind<"call.invited">, own: string): LegAddress {
  return { room, ghost: number, matrixCallId, own: own as LegAddress["own"], form };
}

function seatOf(rig: EdgeRig, { description }: Kind<"call.invited" | "call.answered">): Seat {
  const seat = seatIn(description);
  const taken = seat && rig.edge.conferences?.seat(seat);
  if (taken === undefined) throw new Error("no seat");
  return taken;
}

/** Alice calls, and the bridge has heard of it. */
async function called(world: RtcWorld): Promise<Kind<"call.invited">> {
  await world.send(ringType, ringing(await world.join()));
  return heard(world, "call.invited");
}

async function rung(world: RtcWorld): Promise<{ leg: LegAddress; side: OwnSide }> {
  const { homeserver } = world.rig.edge;
  const side = homeserver.ownSide(["rtc"]);
  const leg = { ...side, room: world.room, ghost: number };
  await homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: world.alice });
  return { leg, side };
}

describe("a person who calls a number", () => {
  test("is answered by the number's membership, which ends with theirs", async () => {
    const world = await startRtcWorld();
    const fact = await called(world);
    const leg = legOf(fact, "unused");
    expect(world.memberships()).toEqual([]);
    await world.rig.edge.homeserver.signal(leg, { kind: "answer", description: "" });
    const [membership] = world.memberships();
    const device = String(membership?.content["device_id"]);
    expect(device).toMatch(/^SIP/);
    expect(membership).toMatchObject({
      state_key: `_${number}_${device}_m.call`,
      content: { application: "m.call", foci_preferred: [{ livekit_service_url: world.tokens.url }] },
    });
    expect(await world.delayed()).toMatchObject([{ type: memberType, state_key: membership?.state_key, content: {} }]);

    await world.leave();
    expect(await heard(world, "call.hungUp")).toMatchObject({ matrixCallId: fact.matrixCallId, device: "PHONE" });
    await world.server.eventWhere(({ sender, content }) => sender === number && Object.keys(content).length === 0);
    await world.rig.edge.stop();
    expect(await world.delayed()).toEqual([]);
    expect(world.memberships()).toHaveLength(2);
  });

  test("meets the number at the media server: under the device of its membership", async () => {
    const world = await startRtcWorld();
    const fact = await called(world);
    const seat = seatOf(world.rig, fact);
    const { url, token } = await seat.admit();
    expect(url).toBe(world.tokens.mediaServer);
    await world.rig.edge.homeserver.signal(legOf(fact, "unused"), { kind: "answer", description: "" });
    const device = String(world.memberships()[0]?.content["device_id"]);
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { sub: string };
    expect(claims.sub).toBe(`${number}:${device}`);
    expect(world.tokens.requests).toMatchObject([{ path: "/sfu/get", body: { room: world.room, device_id: device } }]);
  });

  test("is heard there, with each device that is in the call, and nobody else", async () => {
    const world = await startRtcWorld();
    const seat = seatOf(world.rig, await called(world));
    const heardOf: string[] = [];
    const stop = seat.attend(({ participants }) =>
      heardOf.push(participants.map(({ identity }) => identity).join(" ")),
    );
    await world.join("LAPTOP");
    await world.join("ELSEWHERE", ["https://rtc.example.com"]);
    await world.leave("LAPTOP");
    await world.server.pushed();
    await world.rig.edge.idle();
    stop();
    await world.leave();
    expect(heardOf).toEqual([
      `${world.alice}:PHONE`,
      `${world.alice}:PHONE ${world.alice}:LAPTOP`,
      `${world.alice}:PHONE`,
    ]);
  });

  test("is heard at the media server of another service, if the bridge may use it, and the log says so if not", async () => {
    const theirs = "https://rtc.example.com";
    const world = await startRtcWorld({ rtc: { allowedServices: [theirs] } });
    const seat = seatOf(world.rig, await called(world));
    await world.join("LAPTOP", [theirs]);
    await world.join("TABLET", ["https://rtc.example.net"]);
    await world.server.pushed();
    await world.rig.edge.idle();
    let last: Attendance | undefined;
    seat.attend((attendance) => (last = attendance))();
    expect(last?.participants).toMatchObject([
      { identity: `${world.alice}:PHONE`, focus: undefined },
      { identity: `${world.alice}:LAPTOP`, focus: theirs },
    ]);
    expect(world.rig.lines.filter(({ fields }) => fields?.["setting"] === "rtc.allowed_services")).toMatchObject([
      { level: "warn", fields: { service: "https://rtc.example.net" } },
    ]);
    await world.leave();
  });

  test("is declined, and reads so at once", async () => {
    const world = await startRtcWorld();
    const ring = await world.send(ringType, ringing(await world.join()));
    const fact = await heard(world, "call.invited");
    await world.rig.edge.homeserver.signal(legOf(fact, "unused"), { kind: "reject", cause: "busy" });
    expect(world.said(declineType)).toMatchObject([{ content: { "m.relates_to": { event_id: ring } } }]);
    expect(world.memberships()).toEqual([]);
  });

  test("calls a number that comes into the room only then", async () => {
    const world = await startRtcWorld();
    const membership = await world.join();
    await world.server.pushed();
    const rig = await world.restart();
    await world.send(ringType, ringing(membership));
    expect(await heard({ rig }, "call.invited")).toMatchObject({ matrixCallId: membership, device: "PHONE" });
  });
});

describe("a person who is called", () => {
  test("is rung by a membership and a ring that names them, and answers by coming in", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    const [membership] = world.memberships();
    expect(world.said(ringType)).toMatchObject([
      {
        content: {
          "m.mentions": { user_ids: [world.alice], room: false },
          "m.relates_to": { rel_type: "m.reference", event_id: membership?.event_id },
          lifetime: 60_000,
        },
      },
    ]);
    await world.join();
    const answer = await heard(world, "call.answered");
    expect(answer).toMatchObject({ matrixCallId: leg.matrixCallId, device: "PHONE" });
    expect((await seatOf(world.rig, answer).admit()).url).toBe(world.tokens.mediaServer);
  });

  test("so that they can dial, and answers, meets the number as it rang", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    await world.join();
    const { form } = await heard(world, "call.answered");
    await world.rig.edge.homeserver.signal({ ...leg, form }, { kind: "answer", description: "" });
    expect(world.memberships()).toHaveLength(1);
    await world.rig.edge.homeserver.signal({ ...leg, form }, { kind: "reject", cause: "busy" });
    expect(world.memberships().map(({ content }) => Object.keys(content).length > 0)).toEqual([true, false]);
  });

  test("in a room of several, and is not the first to answer, is not rung on", async () => {
    const world = await startRtcWorld();
    const { homeserver } = world.rig.edge;
    const leg = { ...homeserver.ownSide(["rtc"]), room: world.room, ghost: number };
    await homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: undefined });
    const [ring] = world.said(ringType);
    expect(ring?.content["m.mentions"]).toEqual({ user_ids: [], room: true });
    await world.join();
    const { form, device } = await heard(world, "call.answered");
    if (device !== undefined) await homeserver.signal({ ...leg, form }, { kind: "select", device });
    expect(world.said("m.room.redaction")).toMatchObject([{ content: { redacts: ring?.event_id } }]);
  });

  test("and answers: the number's hang-up takes it out of the call, and deletes nothing", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    await world.join();
    const { form, device } = await heard(world, "call.answered");
    const taken = { ...leg, form };
    if (device !== undefined) await world.rig.edge.homeserver.signal(taken, { kind: "select", device });
    await world.rig.edge.homeserver.signal(taken, { kind: "hangup", cause: "caller-hung-up" });
    expect(world.memberships().at(-1)?.content).toEqual({});
    expect(await world.delayed()).toEqual([]);
    expect(world.said("m.room.redaction")).toEqual([]);
  });

  test("declines: the number leaves the call", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    const [ring] = world.said(ringType);
    await world.send(declineType, { "m.relates_to": { rel_type: "m.reference", event_id: ring?.event_id } });
    expect(await heard(world, "call.rejected")).toMatchObject({ matrixCallId: leg.matrixCallId, sender: world.alice });
    await world.server.eventWhere(({ sender, content }) => sender === number && Object.keys(content).length === 0);
  });

  test("is rung no longer when the caller gives up: the ring is taken back", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    await world.rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "caller-cancelled" });
    expect(world.memberships().at(-1)?.content).toEqual({});
    expect(world.said("m.room.redaction")).toMatchObject([{ content: { redacts: world.said(ringType)[0]?.event_id } }]);
  });

  test("at another media server, is met there if it is allowed", async () => {
    const elsewhere = "https://rtc.example.com/sfu";
    const world = await startRtcWorld({ rtc: { allowedServices: [elsewhere] } });
    const { leg } = await rung(world);
    await world.join("PHONE", [elsewhere]);
    await heard(world, "call.answered");
    const moved = await world.server.eventWhere(
      ({ sender, type, content }) =>
        sender === number && type === memberType && JSON.stringify(content).includes(elsewhere),
    );
    expect(moved.content["device_id"]).toBe(leg.own);
  });
});

test("who was in the room's call before a restart is there after it, and does not answer by that", async () => {
  const world = await startRtcWorld();
  await world.join("PHONE");
  await world.join("LAPTOP");
  await world.leave("LAPTOP");
  await world.server.pushed();
  const rig = await world.restart();
  const { leg } = await rung({ ...world, rig });
  expect(rig.facts).toEqual([]);
  await world.join("TABLET");
  const answer = await heard({ rig }, "call.answered");
  expect(answer).toMatchObject({ matrixCallId: leg.matrixCallId, device: "TABLET" });
  const heardOf: (readonly string[])[] = [];
  seatOf(rig, answer).attend(({ participants }) => heardOf.push(participants.map(({ identity }) => identity)));
  expect(heardOf).toEqual([[`${world.alice}:PHONE`, `${world.alice}:TABLET`]]);
});

describe("a bridge that died in a call", () => {
  test("takes the number out of it with what is stored of the leg, and its ring and its delayed leave", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    const rig = await world.restart();
    expect(await world.delayed()).toHaveLength(1);
    await rig.edge.homeserver.signal(JSON.parse(JSON.stringify(leg)) as LegAddress, {
      kind: "hangup",
      cause: "restarted",
    });
    expect(world.memberships().at(-1)?.content).toEqual({});
    expect(await world.delayed()).toEqual([]);
    expect(world.said("m.room.redaction")).toMatchObject([{ content: { redacts: world.said(ringType)[0]?.event_id } }]);
  });

  test("declines a call that it had not answered", async () => {
    const world = await startRtcWorld();
    const ring = await world.send(ringType, ringing(await world.join()));
    const fact = await heard(world, "call.invited");
    const rig = await world.restart();
    await rig.edge.homeserver.signal(legOf(fact, "unused"), { kind: "reject", cause: "restarted" });
    expect(world.said(declineType)).toMatchObject([{ content: { "m.relates_to": { event_id: ring } } }]);
  });
});

test("whoever is in a room that the bridge makes may take part in its calls, and do nothing else more", async () => {
  const world = await startRtcWorld();
  const room = await world.rig.edge.homeserver.createDirectRoom(number, world.alice);
  await world.ask("POST", `v3/join/${room}`, {});
  const levels = await world.ask("GET", `v3/rooms/${room}/state/m.room.power_levels`);
  expect(levels).toMatchObject({
    events: {
      [memberType]: 0,
      "org.matrix.msc4143.rtc.member": 0,
      "m.room.power_levels": 100,
      "m.room.tombstone": 100,
    },
    state_default: 50,
  });
});

test("a call that people have with each other is known to run after a restart, and to be over when it is", async () => {
  const world = await startRtcWorld();
  const { bot } = world.rig.edge.homeserver;
  await world.ask("POST", `v3/rooms/${world.room}/invite`, { user_id: bot });
  await world.rig.edge.homeserver.join(world.room, bot);
  expect(await world.rig.edge.homeserver.hasRunningCall(world.room)).toBe(false);
  await world.join("PHONE");
  await world.server.pushed();
  const { edge } = await world.restart();
  expect(await edge.homeserver.hasRunningCall(world.room)).toBe(true);
  await world.leave("PHONE");
  await expect.poll(() => edge.homeserver.hasRunningCall(world.room)).toBe(false);
});

test("a room whose call is left over from a client that died is rung as soon as that shows", async () => {
  const world = await startRtcWorld();
  await world.join();
  await world.server.pushed();
  const { homeserver } = world.rig.edge;
  const calls = async (): Promise<LegAddress> => {
    const leg = { ...homeserver.ownSide(["rtc"]), room: world.room, ghost: number };
    await homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: undefined });
    return leg;
  };
  const leg = await calls();
  const seat = seatOf(world.rig, await heard(world, "call.answered"));
  expect(world.said(ringType)).toEqual([]);
  seat.met(false);
  await expect.poll(() => world.said(ringType)).toHaveLength(1);
  expect(world.said(ringType)).toMatchObject([{ content: { "m.mentions": { room: true }, lifetime: 60_000 } }]);
  expect(await homeserver.placeInRunningCall(world.room, number, world.alice)).toBe(undefined);

  // Whoever calls then does not wait for the dead.
  await calls();
  expect(world.said(ringType)).toHaveLength(2);

  await homeserver.signal(leg, { kind: "hangup", cause: "caller-hung-up" });
  expect(world.said("m.room.redaction")).toMatchObject([{ content: { redacts: world.said(ringType)[0]?.event_id } }]);
});

test("a room whose people come to the media server late rings no longer when they come, and its call is running", async () => {
  const world = await startRtcWorld();
  await world.join();
  await world.server.pushed();
  const { homeserver } = world.rig.edge;
  const leg = { ...homeserver.ownSide(["rtc"]), room: world.room, ghost: number };
  await homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: undefined });
  const seat = seatOf(world.rig, await heard(world, "call.answered"));
  seat.met(false);
  seat.met(true);
  await expect.poll(() => world.said("m.room.redaction")).toHaveLength(1);
  expect(await homeserver.placeInRunningCall(world.room, number, world.alice)).toBeDefined();
});

test("a telephone that is invited meets people where the bridge may go, whoever came first", async () => {
  const world = await startRtcWorld();
  await world.join("PHONE", ["https://elsewhere.example.com/sfu"]);
  await world.join("LAPTOP");
  await world.server.pushed();
  const { edge } = world.rig;
  await expect.poll(() => edge.homeserver.hasRunningCall(world.room)).toBe(true);
  const place = await edge.homeserver.placeInRunningCall(world.room, number, world.alice);
  const id = place && seatIn(place.description);
  const seat = id && edge.conferences?.seat(id);
  expect(await seat?.admit()).toMatchObject({ url: world.tokens.mediaServer });
});

describe("the number's membership", () => {
  test("is kept up: its leave is put off, and a leave that the homeserver has sent is taken back", async () => {
    const world = await startRtcWorld();
    const { leg } = await rung(world);
    const [first] = (await world.delayed()) as readonly { delay_id: string }[];
    world.clock.advance(8_000);
    await world.ask("POST", `unstable/org.matrix.msc4140/delayed_events/${first?.delay_id ?? ""}/send`, {});
    expect(world.memberships().at(-1)?.content).toEqual({});
    world.clock.advance(8_000);
    const again = await world.server.eventWhere(
      ({ type, content, unsigned }) => type === memberType && "application" in content && "replaces_state" in unsigned,
    );
    expect(again.content["device_id"]).toBe(leg.own);
    expect(await world.delayed()).toHaveLength(1);
  });

  test("is renewed before it expires, and says since when it is there", async () => {
    const world = await startRtcWorld();
    await rung(world);
    world.clock.advance(3 * 3_600_000);
    const renewed = await world.server.eventWhere(({ content }) => "created_ts" in content);
    expect(renewed.content["expires"]).toBeGreaterThanOrEqual(7 * 3_600_000);
  });

  test("does without a delayed leave where the number has as many as it may, and the log says so each time", async () => {
    const world = await startRtcWorld();
    for (let index = 0; index < 100; index++) await world.delay(`OTHER${index}`);
    await rung(world);
    await rung(world);
    expect(world.memberships()).toHaveLength(2);
    expect(world.rig.lines.filter(({ level }) => level === "warn")).toMatchObject([
      { message: expect.stringContaining("if the bridge died now") as string, fields: { code: "M_LIMIT_EXCEEDED" } },
      { message: expect.stringContaining("if the bridge died now") as string },
    ]);
  });

  test("does without delayed events where there are none, and the log says once what would mend it", async () => {
    const world = await startRtcWorld({ maxEventDelayMs: 0 });
    const { leg } = await rung(world);
    await world.rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "caller-cancelled" });
    await rung(world);
    expect(world.memberships().map(({ content }) => "application" in content)).toEqual([true, false, true]);
    const warnings = world.rig.lines.filter(({ level, message }) => level === "warn" && message.includes("MSC4140"));
    expect(warnings).toHaveLength(1);
  });
});
