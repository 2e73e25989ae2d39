import { describe, expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { matrixCallId, deviceId, roomId } from "../../../src/core/ids.ts";
import type { LegAddress } from "../../../src/core/call/model/matrix-leg.ts";
import type { Homeserver } from "../../../src/ports/homeserver.ts";
import { alice, bot, ghost, startEdge } from "../edge-rig.ts";
import { HastyClock, type ScriptedAnswer, type ScriptedHomeserver, startScripted } from "../scripted-homeserver.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

const room = roomId("!room:example.org");
const sent: ScriptedAnswer = { status: 200, body: { event_id: "$sent" } };
const limited: ScriptedAnswer = { status: 429, body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 1_700 } };
const gateway: ScriptedAnswer = {
  status: 502,
  body: "<html>Bad Gateway</html>",
  headers: { "content-type": "text/html" },
};
const unknown: ScriptedAnswer = { status: 500, body: { errcode: "M_UNKNOWN", error: "Internal" } };
const forbidden: ScriptedAnswer = { status: 403, body: { errcode: "M_FORBIDDEN", error: "not in the room" } };

interface Rig {
  readonly homeserver: Homeserver;
  readonly peer: ScriptedHomeserver;
  readonly clock: HastyClock;
}

async function start(answers: readonly ScriptedAnswer[], peerUrl?: string): Promise<Rig> {
  const peer = await startScripted(answers);
  const clock = new HastyClock();
  const rig = await startEdge({ homeserverUrl: peerUrl ?? peer.url, clock, delivering: false });
  return { homeserver: rig.edge.homeserver, peer, clock };
}

function paths(peer: ScriptedHomeserver): readonly string[] {
  return peer.requests.map((request) => `${request.method} ${request.url}`);
}

describe("an event that cannot be sent at once", () => {
  it("is sent again after limits, failures and lost connections, under the same transaction id", async () => {
    const { homeserver, peer } = await start([limited, gateway, unknown, "hang-up", sent]);
    await homeserver.notice(room, ghost, "hello");
    const user = encodeURIComponent(ghost);
    const path = `PUT /_matrix/client/v3/rooms/!room%3Aexample.org/send/m.room.message/id1?user_id=${user}`;
    expect(paths(peer)).toEqual([path, path, path, path, path]);
    expect(user).toContain("%2540");
    for (const request of peer.requests) {
      expect(request.authorization).toBe("Bearer as-token-of-the-test");
      expect(request.body).toEqual({ msgtype: "m.notice", body: "hello" });
    }
  });

  it("waits longer each time, and as long as the homeserver asks", async () => {
    const { homeserver, clock } = await start([unknown, unknown, limited, unknown, sent]);
    await homeserver.notice(room, ghost, "hello");
    expect(clock.waitsMs).toEqual([250, 500, 1_700, 2_000]);
  });

  it("waits as long as a header says, also a proxy's without the homeserver's words", async () => {
    const inHeader = { status: 429, body: { errcode: "M_LIMIT_EXCEEDED" }, headers: { "retry-after": "3" } };
    const proxy = { status: 429, body: "<html>", headers: { "content-type": "text/html", "retry-after": "4" } };
    const busy = { status: 503, body: "<html>", headers: { "content-type": "text/html", "retry-after": "5" } };
    const nonsense = { status: 503, body: "<html>", headers: { "retry-after": "soon" } };
    const { homeserver, clock } = await start([inHeader, proxy, busy, nonsense, sent]);
    await homeserver.notice(room, ghost, "hello");
    expect(clock.waitsMs).toEqual([3_000, 4_000, 5_000, 2_000]);
  });

  it("is given up after half a minute, with the homeserver's own code", async () => {
    const { homeserver, clock } = await start([unknown]);
    await expect(homeserver.notice(room, ghost, "hello")).rejects.toMatchObject({
      name: "HomeserverError",
      code: "M_UNKNOWN",
      transient: true,
    });
    const waitedMs = clock.waitsMs.reduce((sum, wait) => sum + wait, 0);
    expect(waitedMs).toBeGreaterThan(20_000);
    expect(waitedMs).toBeLessThanOrEqual(30_000);
  });

  it("is given up at once where the homeserver will never take it", async () => {
    const { homeserver, peer } = await start([forbidden]);
    await expect(homeserver.notice(room, ghost, "hello")).rejects.toMatchObject({
      code: "M_FORBIDDEN",
      transient: false,
      message: "not in the room",
    });
    expect(peer.requests).toHaveLength(1);
  });

  it("is given up where a limit would last longer than patience", async () => {
    const endless = { status: 429, body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 86_400_000 } };
    const { homeserver, peer } = await start([endless]);
    await expect(homeserver.notice(room, ghost, "hello")).rejects.toMatchObject({ code: "M_LIMIT_EXCEEDED" });
    expect(peer.requests).toHaveLength(1);
  });

  it("to a homeserver that is not there says UNREACHABLE", async () => {
    const { homeserver } = await start([], `http://127.0.0.1:${await freePort()}`);
    await expect(homeserver.notice(room, ghost, "hello")).rejects.toMatchObject({
      code: "UNREACHABLE",
      transient: true,
    });
  });

  it("holds back what comes after it in its room, and nothing in another", async () => {
    const { homeserver, peer } = await start([unknown, sent]);
    const other = roomId("!other:example.org");
    await Promise.all([
      homeserver.notice(room, ghost, "first"),
      homeserver.notice(room, ghost, "second"),
      homeserver.notice(other, ghost, "elsewhere"),
    ]);
    const said = (at: string): readonly unknown[] =>
      peer.requests.filter((request) => request.url.includes(at)).map((request) => request.body);
    const text = (body: string): unknown => ({ msgtype: "m.notice", body });
    expect(said("!other")).toContainEqual(text("elsewhere"));
    const inRoom = said("!room");
    expect(inRoom.at(-1)).toEqual(text("second"));
    expect(inRoom.slice(0, -1).every((body) => JSON.stringify(body) === JSON.stringify(text("first")))).toBe(true);
  });

  it("and is given up does not stop what comes after it", async () => {
    const { homeserver } = await start([forbidden, sent]);
    const [first, second] = await Promise.allSettled([
      homeserver.notice(room, ghost, "first"),
      homeserver.notice(room, ghost, "second"),
    ]);
    expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
  });
});

describe("a transaction id", () => {
  // A homeserver keeps them by access token, and all our users share one.
  it("is never used twice: not by another ghost, in another room, nor after a restart", async () => {
    const peer = await startScripted([sent]);
    for (let start = 0; start < 2; start += 1) {
      const { homeserver } = (await startEdge({ homeserverUrl: peer.url, delivering: false })).edge;
      for (const user of [ghost, bot])
        for (const at of [room, roomId("!other:example.org")]) await homeserver.notice(at, user, "hello");
    }
    const ids = peer.requests.map((request) => /\/m\.room\.message\/([^/?]+)/.exec(request.url)?.[1]);
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(8);
    for (const id of ids) expect(id).toMatch(/^[0-9A-Za-z]{20}$/);
  });
});

describe("what is said once in a call", () => {
  const leg = {
    room,
    ghost,
    person: alice,
    matrixCallId: matrixCallId("c"),
    device: deviceId("theirs"),
    own: deviceId("p"),
    ...legacyClient("1"),
  } as const;

  it("keeps its transaction id over a restart, and shares it with no other call, party or event", async () => {
    const peer = await startScripted([sent]);
    const hangUp = async (changes: Partial<LegAddress>): Promise<void> => {
      const { homeserver } = (await startEdge({ homeserverUrl: peer.url, delivering: false })).edge;
      await homeserver.signal({ ...leg, ...changes }, { kind: "hangup", cause: "callee-hung-up" });
    };
    await hangUp({});
    await hangUp({});
    await hangUp({ matrixCallId: matrixCallId("d") });
    await hangUp({ own: deviceId("q") });
    await hangUp({ room: roomId("!other:example.org") });
    const [first, again, ...others] = peer.requests.map((request) => /hangup\/([^/?]+)/.exec(request.url)?.[1]);
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it("is all that does: the same offer, made again in a later turn of the call, is a new event", async () => {
    const { homeserver, peer } = await start([sent]);
    const offer = { kind: "reoffer", description: "v=0", lifetimeMs: 60_000 } as const;
    for (let time = 0; time < 2; time += 1) await homeserver.signal(leg, offer);
    const ids = peer.requests.map((request) => /negotiate\/([^/?]+)/.exec(request.url)?.[1]);
    expect(new Set(ids).size).toBe(2);
  });
});

describe("an answer that makes no sense", () => {
  it.each([["{}"], ["null"], ["not json"], [""], ["[]"]])("(%s) is an error, not a crash", async (body) => {
    const { homeserver } = await start([{ status: 200, body }]);
    await expect(homeserver.createDirectRoom(bot, alice)).rejects.toMatchObject({ name: "HomeserverError" });
    await expect(homeserver.members(room, ghost)).rejects.toMatchObject({ name: "HomeserverError" });
    await expect(homeserver.notice(room, ghost, "x")).rejects.toMatchObject({ name: "HomeserverError" });
    expect(await homeserver.iceServers(ghost)).toEqual([]);
    await expect(homeserver.readBack(room, ghost, 60_000)).rejects.toMatchObject({ name: "HomeserverError" });
    expect(await homeserver.ping()).toMatchObject({ kind: "failed" });
  });

  it("with a failure status that holds null is an error too", async () => {
    const { homeserver } = await start([{ status: 400, body: "null" }]);
    await expect(homeserver.join(room, ghost)).rejects.toMatchObject({ name: "HomeserverError" });
  });
});

describe("a room", () => {
  it("is not made twice when the answer is lost", async () => {
    const { homeserver, peer } = await start(["hang-up", { status: 200, body: { room_id: "!second:example.org" } }]);
    await expect(homeserver.createDirectRoom(bot, alice)).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(peer.requests).toHaveLength(1);
  });

  it.each([
    ["a failure of the homeserver's own", unknown],
    ["a proxy that gave up on it", gateway],
    ["an overload", { status: 503, body: "<html>", headers: { "content-type": "text/html", "retry-after": "1" } }],
    ["a time-out of the proxy", { status: 504, body: "<html>", headers: { "content-type": "text/html" } }],
  ])("is not made twice after %s: it may have been made", async (_what, answer) => {
    const { homeserver, peer } = await start([answer, { status: 200, body: { room_id: "!second:example.org" } }]);
    await expect(homeserver.createDirectRoom(bot, alice)).rejects.toMatchObject({ transient: true });
    expect(paths(peer).filter((path) => path.includes("createRoom"))).toHaveLength(1);
  });

  it("is made after a limit, which the homeserver sets before it acts", async () => {
    const { homeserver, peer } = await start([limited, { status: 200, body: { room_id: "!new:example.org" } }]);
    expect(await homeserver.createDirectRoom(bot, alice)).toBe("!new:example.org");
    expect(peer.requests[1]?.body).toEqual({
      preset: "trusted_private_chat",
      visibility: "private",
      is_direct: true,
      invite: [alice],
    });
  });
});

describe("a ghost's registration", () => {
  it("is tried again, logs nobody in, and names the exact id", async () => {
    const { homeserver, peer } = await start([limited, { status: 200, body: { user_id: ghost } }]);
    expect(await homeserver.register(ghost)).toBe("new");
    expect(peer.requests.at(-1)?.body).toEqual({
      type: "m.login.application_service",
      username: "_sip_01818118181%40sip.example.org",
      inhibit_login: true,
    });
  });

  const inUse: ScriptedAnswer = { status: 400, body: { errcode: "M_USER_IN_USE", error: "taken" } };
  const exclusive: ScriptedAnswer = { status: 400, body: { errcode: "M_EXCLUSIVE", error: "reserved" } };

  it("that was made before says so", async () => {
    const { homeserver } = await start([inUse]);
    expect(await homeserver.register(ghost)).toBe("known");
  });

  it("is no matter for the bot where the homeserver has it from the file, but for a ghost it is", async () => {
    const { homeserver } = await start([exclusive]);
    expect(await homeserver.register(bot)).toBe("known");
    await expect(homeserver.register(ghost)).rejects.toMatchObject({ code: "M_EXCLUSIVE", transient: false });
  });

  it("that the homeserver refuses for the id's form says so, and is not tried again", async () => {
    const { homeserver, peer } = await start([{ status: 400, body: { errcode: "M_INVALID_USERNAME", error: "no %" } }]);
    await expect(homeserver.register(ghost)).rejects.toMatchObject({ code: "M_INVALID_USERNAME", transient: false });
    expect(peer.requests).toHaveLength(1);
  });
});

describe("a ping", () => {
  it.each<[string, ScriptedAnswer, unknown]>([
    [
      "that another server answered",
      { status: 200, body: { duration_ms: 12 } },
      { kind: "failed", why: "elsewhere", message: "the ping was answered, but not by the bridge" },
    ],
    [
      "that another server refused",
      { status: 502, body: { errcode: "M_BAD_STATUS", error: "403", status: 403 } },
      { kind: "failed", why: "elsewhere", message: "M_BAD_STATUS: 403" },
    ],
    [
      "of a homeserver without an address",
      { status: 400, body: { errcode: "M_URL_NOT_SET", error: "no url" } },
      { kind: "failed", why: "no-url", message: "M_URL_NOT_SET: no url" },
    ],
    [
      "of a homeserver without the registration",
      { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "who?" } },
      { kind: "failed", why: "unknown", message: "M_UNKNOWN_TOKEN: who?" },
    ],
    ["of a homeserver without one", { status: 404, body: { errcode: "M_UNRECOGNIZED" } }, { kind: "unsupported" }],
    ["of a homeserver behind a web server", { status: 404, body: "<html>" }, { kind: "unsupported" }],
    [
      "that could not reach us",
      { status: 502, body: { errcode: "M_CONNECTION_FAILED", error: "refused" } },
      { kind: "failed", why: "unreachable", message: "M_CONNECTION_FAILED: refused" },
    ],
  ])("%s", async (_what, answer, outcome) => {
    const { homeserver, peer } = await start([answer]);
    expect(await homeserver.ping()).toEqual(outcome);
    expect(paths(peer)).toEqual(["POST /_matrix/client/v1/appservice/sip/ping"]);
  });
});

describe("a display name", () => {
  it.each<[string, ScriptedAnswer]>([
    ["a failure", unknown],
    ["no text", { status: 200, body: { displayname: 5 } }],
    ["null", { status: 200, body: "null" }],
    ["a lost connection", "hang-up"],
    ["nothing for a second", () => undefined],
  ])("that comes as %s holds no call up: it is asked for once", async (_what, answer) => {
    const { homeserver, peer } = await start([answer]);
    expect(await homeserver.displayName(alice, ghost)).toBeUndefined();
    expect(peer.requests).toHaveLength(1);
  });
});

describe("TURN servers", () => {
  const turn = { username: "1795:ghost", password: "pw", ttl: 3_600, uris: ["turn:192.0.2.1?transport=udp"] };

  it("are asked for as the ghost, once while their password is fresh", async () => {
    const { homeserver, peer } = await start([{ status: 200, body: turn }]);
    const expected = [{ urls: turn.uris, username: "1795:ghost", credential: "pw" }];
    expect(await homeserver.iceServers(ghost)).toEqual(expected);
    expect(await homeserver.iceServers(ghost)).toEqual(expected);
    expect(paths(peer)).toEqual([`GET /_matrix/client/v3/voip/turnServer?user_id=${encodeURIComponent(ghost)}`]);
  });

  it("that are none, or cannot be had, do not stop a call", async () => {
    const { homeserver } = await start([{ status: 200, body: {} }]);
    expect(await homeserver.iceServers(ghost)).toEqual([]);
    const broken = await start([unknown]);
    expect(await broken.homeserver.iceServers(ghost)).toEqual([]);
    expect(broken.peer.requests).toHaveLength(1);
  });
});

describe("when the bridge is stopped", () => {
  it("an event that waits to be sent again is tried once more and given up", async () => {
    const peer = await startScripted([unknown]);
    const rig = await startEdge({ homeserverUrl: peer.url, delivering: false });
    const leg = {
      room,
      ghost,
      person: alice,
      matrixCallId: matrixCallId("c"),
      device: undefined,
      own: deviceId("p"),
      ...legacyClient("1"),
    } as const;
    const told = rig.edge.homeserver.signal(leg, { kind: "hangup", cause: "callee-hung-up" });
    const given = expect(told).rejects.toMatchObject({ code: "M_UNKNOWN" });
    await rig.edge.stop();
    await given;
  });
});
