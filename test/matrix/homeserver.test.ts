// The edge against the small homeserver: real HTTP both ways.
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../dev/loopback/free-ports.ts";
import { type Homeserver as DevHomeserver, startHomeserver, type User } from "../../dev/homeserver/homeserver.ts";
import type { MatrixLeg } from "../../src/core/call/model/matrix-leg.ts";
import { eventId, matrixCallId, deviceId, type RoomId, roomId, type UserId } from "../../src/core/ids.ts";
import type { MatrixFact } from "../../src/ports/homeserver.ts";
import {
  alice,
  bot,
  domain,
  type EdgeRig,
  ghost,
  registrationFor,
  type RigOptions,
  sender,
  startEdge,
} from "./edge-rig.ts";
import { legacyClient } from "../../src/matrix/legs/legacy-form.ts";

interface World {
  readonly server: DevHomeserver;
  readonly rig: EdgeRig;
  readonly alice: User;
  /** A request of Alice's client. */
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  sendCall(room: RoomId, type: string, content: Record<string, unknown>): Promise<void>;
}

const sdp = "v=0\r\n";
const invite = { call_id: "call1", version: "1", party_id: "DEVICE", lifetime: 60_000, offer: { type: "offer", sdp } };

async function startWorld(options: RigOptions = {}): Promise<World> {
  const port = await freePort();
  const server = await startHomeserver({
    domain,
    registrations: [structuredClone(registrationFor(port)) as never],
    retryBaseMs: 10,
  });
  onTestFinished(() => server.stop());
  const user = server.addUser("alice");
  const rig = await startEdge({ ...options, port, homeserverUrl: server.url });
  let transactions = 0;
  const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${server.url}/_matrix/client/v3/${path}`, {
      method,
      headers: { authorization: `Bearer ${user.accessToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  return {
    server,
    rig,
    alice: user,
    ask,
    sendCall: async (room, type, content) => {
      await ask("PUT", `rooms/${encodeURIComponent(room)}/send/${type}/t${++transactions}`, content);
    },
  };
}

async function directRoom(world: World, extra: Record<string, unknown> = {}): Promise<RoomId> {
  const answer = await world.ask("POST", "createRoom", {
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [ghost],
    ...extra,
  });
  return roomId(String(answer["room_id"]));
}

function legIn(room: RoomId): MatrixLeg {
  return {
    room,
    ghost,
    person: alice,
    matrixCallId: matrixCallId("call1"),
    device: deviceId("DEVICE"),
    own: deviceId("ghostparty"),
    ...legacyClient("1"),
  };
}

describe("a ghost", () => {
  it("is registered under its exact id, and registering it again is no error", async () => {
    const { rig, server } = await startWorld();
    await rig.edge.homeserver.register(ghost);
    await rig.edge.homeserver.register(ghost);
    await rig.edge.homeserver.setDisplayName(ghost, "+44 181 811 8181");
    const profile = await fetch(`${server.url}/_matrix/client/v3/profile/${encodeURIComponent(ghost)}`);
    expect(await profile.json()).toMatchObject({ displayname: "+44 181 811 8181" });
  });

  it("that another process registered before is taken for registered", async () => {
    const first = await startWorld();
    await first.rig.edge.homeserver.register(ghost);
    const second = await startEdge({ homeserverUrl: first.server.url });
    await expect(second.edge.homeserver.register(ghost)).resolves.toBe("known");
  });

  it("outside the namespace is refused with the homeserver's code", async () => {
    const { rig } = await startWorld();
    const stranger = "@bob:example.org" as UserId;
    await expect(rig.edge.homeserver.register(stranger)).rejects.toMatchObject({
      name: "HomeserverError",
      code: "M_EXCLUSIVE",
      transient: false,
    });
  });

  it("is found by the homeserver when somebody invites it, and hears of the invite", async () => {
    const world = await startWorld({
      queries: {
        userExists: async (user) => {
          if (user !== ghost) return false;
          await world.rig.edge.homeserver.register(ghost);
          return true;
        },
      },
    });
    const room = await directRoom(world);
    await world.rig.factCount(1);
    expect(world.rig.facts).toMatchObject([
      { kind: "member.invited", room, user: ghost, sender: alice, direct: true, encrypted: false, public: false },
    ]);
  });

  it("that joins late reads back the call that began without it, once", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await world.sendCall(room, "m.call.invite", invite);
    await world.sendCall(room, "m.call.candidates", { ...invite, candidates: [{ candidate: "" }] });
    await world.rig.factCount(1);

    await homeserver.join(room, ghost);
    const facts = await homeserver.readBack(room, ghost, 60_000);
    expect(facts.map((fact) => fact.kind)).toEqual(["call.invited", "call.candidates"]);
    expect(facts[0]).toMatchObject({
      kind: "call.invited",
      matrixCallId: "call1",
      device: "DEVICE",
      description: sdp,
      sender: alice,
    });
    expect(facts[0]?.ageMs).toBeLessThan(10_000);

    expect(await homeserver.readBack(room, ghost, 60_000)).toEqual([]);
    await world.sendCall(room, "m.call.hangup", { call_id: "call1", version: "1", party_id: "DEVICE" });
    await world.server.pushed();
    await world.rig.edge.idle();
    expect(world.rig.facts.map((fact) => fact.kind)).toEqual(["member.invited", "call.hungUp"]);
  });

  it("that joins late is handed what was written before, like any other message", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await world.sendCall(room, "m.room.message", { msgtype: "m.text", body: "Are you there?" });
    await homeserver.join(room, ghost);
    expect(await homeserver.readBack(room, ghost, 60_000)).toEqual([]);
    await world.rig.factCount(2);
    expect(world.rig.facts[1]).toMatchObject({ kind: "message.received", body: "Are you there?", sender: alice });
  });

  it("is told nothing of what was said and who was called in a room before it was invited", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world, { invite: [] });
    await world.sendCall(room, "m.room.message", { msgtype: "m.text", body: "Between us." });
    await world.sendCall(room, "m.call.invite", { ...invite, call_id: "before" });
    await world.ask("POST", `rooms/${encodeURIComponent(room)}/invite`, { user_id: ghost });
    await world.sendCall(room, "m.room.message", { msgtype: "m.text", body: "For you." });
    await world.sendCall(room, "m.call.invite", invite);
    await homeserver.join(room, ghost);
    expect(await homeserver.readBack(room, ghost, 60_000)).toMatchObject([{ matrixCallId: "call1" }]);
    await world.rig.factCount(2);
    const said = world.rig.facts.flatMap((fact) => (fact.kind === "message.received" ? [fact.body] : []));
    expect(said).toEqual(["For you."]);
  });

  it("does not read back what is older than it asked for", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await world.sendCall(room, "m.call.invite", invite);
    await homeserver.join(room, ghost);
    expect(await homeserver.readBack(room, ghost, -1)).toEqual([]);
  });

  it("answers a call, and the event is what a client understands", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await homeserver.join(room, ghost);
    await homeserver.signal(legIn(room), { kind: "answer", description: "v=0\r\nanswer" });
    const event = await world.server.eventWhere(({ type }) => type === "m.call.answer");
    expect(event).toMatchObject({
      sender: ghost,
      content: {
        call_id: "call1",
        version: "1",
        party_id: "ghostparty",
        answer: { type: "answer", sdp: "v=0\r\nanswer" },
        capabilities: { "m.call.dtmf": true, "m.call.transferee": true },
      },
    });
    expect(event.content).not.toHaveProperty("sdp_stream_metadata");
  });

  it("sends what it has to say in the order it was told to", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await homeserver.join(room, ghost);
    await Promise.all([
      homeserver.signal(legIn(room), { kind: "answer", description: sdp }),
      homeserver.signal(legIn(room), { kind: "reoffer", description: sdp, lifetimeMs: 30_000 }),
      homeserver.signal(legIn(room), { kind: "hangup", cause: "callee-hung-up" }),
      homeserver.notice(room, ghost, "Goodbye."),
    ]);
    const sent = world.server.events(room).filter((event) => event.sender === ghost && event.type !== "m.room.member");
    expect(sent.map((event) => event.type)).toEqual([
      "m.call.answer",
      "m.call.negotiate",
      "m.call.hangup",
      "m.room.message",
    ]);
    expect(sent[3]?.content).toEqual({ msgtype: "m.notice", body: "Goodbye." });
  });

  it("rings a person, and the room is told whose answer it took and who is at the telephone", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await homeserver.createDirectRoom(ghost, alice);
    const leg = legIn(room);
    await homeserver.signal(leg, { kind: "invite", description: sdp, lifetimeMs: 90_000, invitee: alice });
    await homeserver.signal(leg, { kind: "select", device: deviceId("DEVICE") });
    await homeserver.signal(leg, { kind: "identity", identity: { ghost, displayName: "Bob" } });
    const sent = world.server.events(room).filter(({ type }) => type.includes("call."));
    expect(sent.map(({ type }) => type)).toEqual([
      "m.call.invite",
      "m.call.select_answer",
      "m.call.asserted_identity",
      "org.matrix.call.asserted_identity",
    ]);
    expect(sent[0]).toMatchObject({ sender: ghost, content: { invitee: alice, lifetime: 90_000 } });
    expect(sent[3]?.content).toMatchObject({ asserted_identity: { id: ghost, display_name: "Bob" } });
  });

  it("passes on a text once, however often it is told to, and another of the same words too", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await homeserver.createDirectRoom(ghost, alice);
    await homeserver.text(room, ghost, "Hello.", "a84b4c76e66710@pc33.example.com 314159 MESSAGE");
    await homeserver.text(room, ghost, "Hello.", "a84b4c76e66710@pc33.example.com 314159 MESSAGE");
    await homeserver.text(room, ghost, "Hello.", "a84b4c76e66710@pc33.example.com 314160 MESSAGE");
    const sent = world.server.events(room).filter(({ type }) => type === "m.room.message");
    expect(sent.map(({ sender, content }) => [sender, content])).toEqual([
      [ghost, { msgtype: "m.text", body: "Hello.", "m.mentions": {} }],
      [ghost, { msgtype: "m.text", body: "Hello.", "m.mentions": {} }],
    ]);
  });

  it("answers a message with a notice, and shows that it was read", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await homeserver.join(room, ghost);
    await world.sendCall(room, "m.room.message", { msgtype: "m.text", body: "Hello?" });
    const written = await world.server.eventWhere(({ type }) => type === "m.room.message");
    const about = eventId(written.event_id);
    await homeserver.notice(room, ghost, "Not delivered.", about);
    await homeserver.markRead(room, ghost, about);
    expect(await world.server.eventWhere(({ content }) => content["msgtype"] === "m.notice")).toMatchObject({
      content: { body: "Not delivered.", "m.relates_to": { "m.in_reply_to": { event_id: about } } },
    });
    const { rooms } = await world.ask("GET", "sync");
    expect(rooms).toMatchObject({
      join: { [room]: { ephemeral: { events: [{ content: { [about]: { "m.read": { [ghost]: {} } } } }] } } },
    });
  });

  it("makes no fuss of a receipt that the homeserver does not take", async () => {
    const { rig } = await startWorld();
    await rig.edge.homeserver.register(ghost);
    await rig.edge.homeserver.markRead(roomId("!elsewhere:example.org"), ghost, eventId("$none"));
    expect(rig.lines.filter(({ level }) => level !== "debug")).toEqual([]);
  });

  it("cannot send into a room that it left, and leaving twice is no error", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await directRoom(world);
    await homeserver.join(room, ghost);
    await homeserver.leave(room, ghost);
    await homeserver.leave(room, ghost);
    await expect(homeserver.notice(room, ghost, "?")).rejects.toMatchObject({ code: "M_FORBIDDEN", transient: false });
  });
});

describe("a room", () => {
  it("made by a ghost for a person is direct, unencrypted, and the person may call in it", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await homeserver.createDirectRoom(ghost, alice);
    expect(await homeserver.members(room, ghost)).toEqual(
      expect.arrayContaining([
        { user: ghost, membership: "join" },
        { user: alice, membership: "invite" },
      ]),
    );
    await world.ask("POST", `rooms/${encodeURIComponent(room)}/join`, {});
    await world.sendCall(room, "m.call.invite", invite);
    await world.rig.factCount(2);
    expect(world.rig.facts.map((fact) => fact.kind)).toEqual(["member.joined", "call.invited"]);
  });

  it("takes an invitation of somebody who is there already for done", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const room = await homeserver.createDirectRoom(ghost, alice);
    await world.ask("POST", `rooms/${encodeURIComponent(room)}/join`, {});
    await expect(homeserver.invite(room, ghost, alice)).resolves.toBeUndefined();
    const stranger = "@_sip_2:example.org" as UserId;
    await homeserver.register(stranger);
    await expect(homeserver.invite(room, stranger, alice)).rejects.toMatchObject({ code: "M_FORBIDDEN" });
  });

  it("that is encrypted says so: in the invite, and as a fact", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    await homeserver.register(ghost);
    const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
    const room = await directRoom(world, { initial_state: [encryption] });
    await world.rig.factCount(1);
    await homeserver.join(room, ghost);
    await world.sendCall(room, "m.room.encrypted", { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "AwgA" });
    await world.rig.factCount(2);
    const kinds = (facts: readonly MatrixFact[]): readonly string[] => facts.map((fact) => fact.kind);
    expect(kinds(world.rig.facts)).toEqual(["member.invited", "event.unreadable"]);
    expect(world.rig.facts[0]).toMatchObject({ encrypted: true });
  });
});

describe("a person's display name", () => {
  it("is told to a ghost, and is none where there is none", async () => {
    const world = await startWorld();
    const { rig } = world;
    await rig.edge.homeserver.register(ghost);
    await world.ask("PUT", `profile/${encodeURIComponent(alice)}/displayname`, { displayname: "Alice" });
    expect(await rig.edge.homeserver.displayName(alice, ghost)).toBe("Alice");
    expect(await rig.edge.homeserver.displayName("@nobody:example.org" as UserId, ghost)).toBeUndefined();
  });
});

describe("the bridge's bot", () => {
  it("is not the user that the homeserver knows the bridge by, and learns which people there are", async () => {
    const { rig } = await startWorld();
    const { homeserver } = rig.edge;
    expect(await homeserver.whoAmI()).toBe(sender);
    await homeserver.register(bot);
    expect(await homeserver.exists(alice)).toBe(true);
    expect(await homeserver.exists("@nobody:example.org" as UserId)).toBe(false);
  });

  it("is reached by a ping, which the homeserver times", async () => {
    const { rig } = await startWorld();
    expect(await rig.edge.homeserver.ping()).toMatchObject({ kind: "answered" });
  });

  it("comes into a room to which it was invited before anybody had registered it", async () => {
    const world = await startWorld();
    await world.rig.edge.homeserver.join(await directRoom(world, { invite: [bot] }), bot);
  });

  it("acts as itself", async () => {
    const world = await startWorld();
    const { homeserver } = world.rig.edge;
    expect(homeserver.bot).toBe(bot);
    await homeserver.register(bot);
    const room = await homeserver.createDirectRoom(bot, alice);
    await homeserver.notice(room, bot, "Hello.");
    expect(await world.server.eventWhere(({ type }) => type === "m.room.message")).toMatchObject({ sender: bot });
  });
});
