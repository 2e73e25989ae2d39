// People whose clients say by sticky events that they are in a call: the number answers in kind where homeserver and token service
// let it, and leaves nothing behind.
import { describe, expect, test } from "vitest";
import type { LegAddress } from "../../../src/core/call/model/matrix-leg.ts";
import type { MatrixFact } from "../../../src/ports/homeserver.ts";
import { seatIn } from "../../../src/ports/conference.ts";
import type { EdgeRig } from "../edge-rig.ts";
import {
  memberType,
  number,
  ringing,
  ringType,
  type RtcWorld,
  type RtcWorldOptions,
  startRtcWorld,
  stickyContent,
  stickyType,
} from "./rtc-world.ts";

const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const hour = 3_600_000;

type Invited = Extract<MatrixFact, { kind: "call.invited" }>;

async function invited(rig: EdgeRig): Promise<Invited> {
  for (let count = 1; ; count++) {
    await rig.factCount(count);
    const fact = rig.facts[count - 1];
    if (fact?.kind === "call.invited") return fact;
  }
}

const stored = (leg: LegAddress): LegAddress => JSON.parse(JSON.stringify(leg)) as LegAddress;

/** Alice calls and the number answers; gives its leg. */
async function talking(world: RtcWorld, id = "alice-1") {
  await world.send(ringType, ringing(await world.stick(id)));
  const fact = await invited(world.rig);
  const { room, matrixCallId, form } = fact;
  const leg: LegAddress = { room, ghost: number, matrixCallId, own: "unused" as LegAddress["own"], form };
  await world.rig.edge.homeserver.signal(leg, { kind: "answer", description: "" });
  return { leg, fact };
}

async function ring(world: RtcWorld, { edge }: EdgeRig = world.rig): Promise<LegAddress> {
  const leg = { ...edge.homeserver.ownSide(["rtc"]), room: world.room, ghost: number };
  await edge.homeserver.signal(leg, { kind: "invite", description: "", lifetimeMs: 60_000, invitee: world.alice });
  return leg;
}

const contentOf = (world: RtcWorld) => world.said(stickyType).at(-1)?.content ?? {};
const idIn = (content: Readonly<Record<string, unknown>>): string => String(content["msc4354_sticky_key"]);
const isLeave = (content: object): boolean => Object.keys(content).join() === "msc4354_sticky_key";

test("A number answers a person in their kind, meets them under the name that follows, and leaves in kind", async () => {
  const world = await startRtcWorld();
  const { leg, fact } = await talking(world);
  expect(world.memberships()).toEqual([]);
  const [membership] = world.said(stickyType);
  const { content = {} } = membership ?? {};
  const id = idIn(content);
  expect(id).toMatch(uuid);
  const { device_id: device } = content["member"] as { device_id: string };
  expect(content).toEqual(stickyContent(number, device, id, [world.tokens.url]));
  expect(membership).toMatchObject({ msc4354_sticky: { duration_ms: hour } });
  expect(await world.delayed()).toMatchObject([{ type: stickyType, content: { msc4354_sticky_key: id } }]);

  const seat = seatIn(fact.description);
  const admission = await (seat && world.rig.edge.conferences?.seat(seat))?.admit();
  expect(admission).toMatchObject({ url: world.tokens.mediaServer });
  const asked = world.tokens.requests.findLast(({ path }) => path !== "/healthz");
  const member = { id, claimed_user_id: number, claimed_device_id: device };
  expect(asked).toMatchObject({ path: "/get_token", body: { room_id: world.room, slot_id: "m.call#ROOM", member } });

  await world.rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "callee-hung-up" });
  expect(world.said(stickyType)).toHaveLength(2);
  expect(contentOf(world)).toEqual({ msc4354_sticky_key: id });
  expect(await world.delayed()).toEqual([]);
});

test("A number gets its token from the homeserver where that gives them, and from nobody else", async () => {
  const world = await startRtcWorld({ givesTokens: true });
  const { fact } = await talking(world);
  const member = contentOf(world)["member"] as { id: string; device_id: string };
  const seat = seatIn(fact.description);
  const admission = await (seat && world.rig.edge.conferences?.seat(seat))?.admit();
  expect(admission).toMatchObject({ url: world.tokens.mediaServer });
  const path = "/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token";
  const asked = { room_id: world.room, member: { id: member.id, claimed_device_id: member.device_id } };
  expect(world.tokens.requests).toMatchObject([{ path, body: asked }]);
});

test("A person who leaves is followed", async () => {
  const world = await startRtcWorld();
  await talking(world);
  await world.unstick("alice-1");
  await world.server.eventWhere(({ sender, content }) => sender === number && isLeave(content));
});

test("A person is rung in the kind that their client was last seen to write, in whichever room", async () => {
  const world = await startRtcWorld();
  const first = await ring(world);
  await world.rig.edge.homeserver.signal(first, { kind: "hangup", cause: "caller-cancelled" });
  expect(world.said(stickyType)).toEqual([]);
  await world.stick("alice-1");
  await world.unstick("alice-1");
  await world.server.pushed();
  await world.rig.edge.idle();
  await ring(world);
  const membership = world.said(stickyType).at(-1);
  expect(world.said(ringType).at(-1)?.content["m.relates_to"]).toMatchObject({ event_id: membership?.event_id });

  // After a restart the timeline of the room tells it.
  const rig = await world.restart();
  await ring(world, rig);
  const joined = () => world.said(stickyType).filter(({ content }) => !isLeave(content));
  expect(joined()).toHaveLength(2);
  await world.join("LAPTOP");
  await world.leave("LAPTOP");
  await world.server.pushed();
  await rig.edge.idle();
  await ring(world, rig);
  expect(joined()).toHaveLength(2);
  expect(world.memberships().at(-1)?.content).toHaveProperty("application");
});

test("A number moves to the media server of a person who answers only if it can be named there as it has said", async () => {
  const elsewhere = "https://rtc.example.com/sfu";
  const world = await startRtcWorld({ rtc: { allowedServices: [elsewhere] } });
  await world.stick("alice-1");
  await world.unstick("alice-1");
  await world.server.pushed();
  await world.rig.edge.idle();
  await ring(world);
  await world.join("LAPTOP", [elsewhere]);
  const words = /stays at its own media server/;
  await expect.poll(() => world.rig.lines.map(({ message }) => message)).toContainEqual(expect.stringMatching(words));
  expect(world.said(stickyType).filter(({ content }) => !isLeave(content))).toHaveLength(1);
});

describe("A number is in the call by room state where", () => {
  test.each<[string, RtcWorldOptions, boolean]>([
    ["the homeserver lets no events stick", { takesSticky: false }, true],
    ["the token service names no sticky memberships", {}, false],
  ])("%s", async (_, options, hasDoor) => {
    const world = await startRtcWorld(options);
    if (!hasDoor) world.tokens.answer = (path) => (path === "/get_token" ? { status: 404, body: {} } : undefined);
    const { fact } = await talking(world);
    expect(world.said(stickyType)).toEqual([]);
    const device = String(world.memberships()[0]?.content["device_id"]);
    const seat = seatIn(fact.description);
    await (seat && world.rig.edge.conferences?.seat(seat))?.admit();
    expect(world.tokens.requests.at(-1)).toMatchObject({ path: "/sfu/get", body: { device_id: device } });
  });

  test("the room is encrypted and the bridge has no keys", async () => {
    const state = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
    const world = await startRtcWorld({ state: [state] });
    await talking(world);
    expect(world.said(stickyType)).toEqual([]);
    expect(world.memberships()).toHaveLength(1);
  });

  test("not everybody in a group call is by sticky events", async () => {
    const world = await startRtcWorld();
    await world.stick("alice-1");
    await world.join("LAPTOP");
    await world.server.pushed();
    await world.rig.edge.idle();
    const place = await world.rig.edge.homeserver.placeInRunningCall(world.room, number, world.alice);
    expect(place?.side.form).not.toHaveProperty("memberId", expect.anything());
    await world.leave("LAPTOP");
    await world.server.pushed();
    await world.rig.edge.idle();
    const other = await world.rig.edge.homeserver.placeInRunningCall(world.room, number, world.alice);
    expect(other?.side.form).toHaveProperty("memberId", expect.stringMatching(uuid));
  });
});

test("The membership is renewed within the hour that it sticks, and a leave that was sent is taken back", async () => {
  const world = await startRtcWorld();
  await talking(world);
  const { content } = world.said(stickyType)[0] ?? {};
  world.clock.advance(46 * 60_000);
  await expect.poll(() => world.said(stickyType).length).toBe(2);
  expect(contentOf(world)).toEqual(content);

  const [leave] = (await world.delayed()) as readonly { delay_id: string }[];
  await world.ask("POST", `unstable/org.matrix.msc4140/delayed_events/${leave?.delay_id ?? ""}/send`, {});
  expect(isLeave(contentOf(world))).toBe(true);
  world.clock.advance(8_000);
  await expect.poll(() => contentOf(world)).toEqual(content);
  expect(await world.delayed()).toHaveLength(1);
});

describe("A bridge that died in a call", () => {
  const ends = async (world: RtcWorld, leg: LegAddress): Promise<void> => {
    const rig = await world.restart();
    await rig.edge.homeserver.signal(stored(leg), { kind: "hangup", cause: "restarted" });
  };

  test("has the leave sent that waits, and takes its ring back", async () => {
    const world = await startRtcWorld();
    await world.stick("alice-1");
    await world.unstick("alice-1");
    await world.server.pushed();
    await world.rig.edge.idle();
    const leg = await ring(world);
    const id = idIn(contentOf(world));
    await ends(world, leg);
    expect(world.said(stickyType)).toHaveLength(2);
    expect(contentOf(world)).toEqual({ msc4354_sticky_key: id });
    expect(await world.delayed()).toEqual([]);
    expect(world.said("m.room.redaction")).toMatchObject([{ content: { redacts: world.said(ringType)[0]?.event_id } }]);
    expect(world.said(memberType)).toEqual([]);
  });

  test("leaves by itself where the homeserver delays nothing", async () => {
    const world = await startRtcWorld({ maxEventDelayMs: 0 });
    const { leg } = await talking(world);
    const id = idIn(contentOf(world));
    await ends(world, leg);
    expect(contentOf(world)).toEqual({ msc4354_sticky_key: id });
  });

  test("says nothing more where the homeserver has sent the leave", async () => {
    const world = await startRtcWorld();
    const { leg } = await talking(world);
    const [leave] = (await world.delayed()) as readonly { delay_id: string }[];
    await world.ask("POST", `unstable/org.matrix.msc4140/delayed_events/${leave?.delay_id ?? ""}/send`, {});
    await ends(world, leg);
    expect(world.said(stickyType)).toHaveLength(2);
  });
});
