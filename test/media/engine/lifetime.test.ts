// What the engine does over time: workers that die, ports and capacity that run out, silence, reports, the end.
import { createSocket } from "node:dgram";
import { describe, expect } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import { readRtcp } from "../../../src/media/embedded/rtp/rtcp.ts";
import { PortPool } from "../../../src/media/embedded/engine/port-pool.ts";
import { MediaError } from "../../../src/ports/media.ts";
import { portSlice, startRig, type Rig } from "../peers/rig.ts";
import { bothHz, startTalk, trunkHz } from "../peers/talk.ts";
import { test, type Scope } from "../peers/scope.ts";

async function rigOf(scope: Scope, options: Parameters<typeof startRig>[0] = {}): Promise<Rig> {
  const rig = await startRig(options);
  scope.add(async () => rig.engine.stop());
  return rig;
}

function workerPids(rig: Rig): number[] {
  return rig.log.filter(({ message }) => message === "media worker started").map(({ fields }) => Number(fields["pid"]));
}

describe.concurrent("a worker that dies", () => {
  test.concurrent("loses its calls, not those of the others, and is replaced", async ({ scope }) => {
    const rig = await rigOf(scope, { workers: 2, sessionsPerWorker: 2 });
    const first = await startTalk(rig, scope);
    const second = await startTalk(rig, scope);
    expect(rig.engine.health()).toMatchObject({ ready: true, sessions: 2, free: 2 });
    const [victim = 0] = workerPids(rig);
    process.kill(victim, "SIGKILL");
    const lost = await Promise.race([
      first.fact("media.lost").then(() => first),
      second.fact("media.lost").then(() => second),
    ]);
    const alive = lost === first ? second : first;
    expect((await alive.client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
    expect(alive.facts.map((fact) => fact.kind)).not.toContain("media.lost");
    await expect(lost.session.describe("b")).rejects.toMatchObject({ name: "MediaError", code: "engine" });
    expect(await lost.session.close()).toMatchObject({ a: { packets: 0 } });

    await rig.logged("media worker started", 3);
    expect(rig.engine.health()).toMatchObject({ ready: true, sessions: 1, free: 3 });
    const third = await startTalk(rig, scope);
    expect((await third.client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
  });

  test.concurrent("as does one that hangs", async ({ scope }) => {
    const rig = await rigOf(scope);
    const { fact } = await rig.open();
    const [victim = 0] = workerPids(rig);
    process.kill(victim, "SIGSTOP");
    await fact("media.lost");
    await rig.logged("media worker started", 2);
    expect(rig.engine.health().ready).toBe(true);
  });

  test.concurrent("while it is opening a session is an error of the engine, not a crash", async ({ scope }) => {
    const rig = await rigOf(scope);
    const [victim = 0] = workerPids(rig);
    const opening = rig.open();
    process.kill(victim, "SIGKILL");
    await expect(opening).rejects.toBeInstanceOf(MediaError);
    await expect(rig.open()).rejects.toMatchObject({ code: "no-capacity" });
    expect(rig.engine.health().ready).toBe(false);
  });
});

test.concurrent("a session is opened at another worker if the one that was asked dies over it", async ({ scope }) => {
  const rig = await rigOf(scope, { workers: 2 });
  const [first = 0] = workerPids(rig);
  // Of two that are free the first is asked: it cannot answer any more, and its end is noticed after the question.
  process.kill(first, "SIGKILL");
  const opened = await Promise.all([rig.open(), rig.open(), rig.open()]);
  expect(opened).toHaveLength(3);
  expect(rig.engine.health()).toMatchObject({ ready: true, sessions: 3 });
});

describe.concurrent("limits", () => {
  test.concurrent("calls are spread, and one too many is refused until another ends", async ({ scope }) => {
    const rig = await rigOf(scope, { workers: 2, sessionsPerWorker: 1 });
    const { session } = await rig.open();
    await rig.open();
    await expect(rig.open()).rejects.toMatchObject({ name: "MediaError", code: "no-capacity" });
    expect(rig.engine.health().free).toBe(0);
    await session.close();
    await rig.open();
  });

  test.concurrent("five port pairs serve six calls one after another, and the sixth is not refused", async ({
    scope,
  }) => {
    const rig = await rigOf(scope, { rtp: { host: "127.0.0.1", ...(await portSlice(5)) } });
    const ports: string[] = [];
    for (let call = 0; call < 6; call += 1) {
      const { session } = await rig.open();
      ports.push(/m=audio (\d+)/.exec(await session.describe("b"))?.[1] ?? "");
      await session.close();
    }
    // A pair is used again only when all the others have been used since.
    expect(new Set(ports).size).toBe(5);
    expect(ports[5]).toBe(ports[0]);
  });

  test.concurrent("a pair that somebody else has is passed over", async ({ scope }) => {
    const slice = await portSlice(2);
    const rig = await rigOf(scope, { rtp: { host: "127.0.0.1", ...slice } });
    // RTCP's port of the one pair is taken by a stranger.
    const stranger = createSocket("udp4");
    await bind(stranger, slice.portMin + 1);
    scope.add(() => void stranger.close());
    const talk = await startTalk(rig, scope);
    expect(talk.trunkOffer).toContain(`m=audio ${slice.portMin + 2} `);
    await expect(rig.open()).rejects.toMatchObject({ code: "no-ports" });
  });

  test("the pool gives every pair once, and first the one that has been free for longest", () => {
    const pool = new PortPool(10_001, 10_008);
    const taken = [pool.take(), pool.take(), pool.take()];
    expect(taken.toSorted((one, other) => (one ?? 0) - (other ?? 0))).toEqual([10_002, 10_004, 10_006]);
    expect(pool.take()).toBeUndefined();
    const order = [taken[1], taken[2], taken[0]];
    for (const port of order) pool.giveBack(port ?? 0);
    expect(pool.free).toBe(3);
    expect([pool.take(), pool.take(), pool.take()]).toEqual(order);
  });

  test.concurrent("an address that is not ours does not start", async () => {
    const rtp = { host: "192.0.2.77", ...(await portSlice(1)) };
    await expect(startRig({ rtp })).rejects.toMatchObject({ name: "MediaError", code: "no-ports" });
  });
});

describe.concurrent("silence", () => {
  test.concurrent("a gateway that goes quiet is reported, once", async ({ scope }) => {
    const rig = await rigOf(scope, { silenceTimeoutMs: 1500 });
    const { trunk, client, fact, facts } = await startTalk(rig, scope);
    await client.ear.nextSecond(bothHz);
    trunk.stopSpeaking();
    expect(await fact("media.timedOut")).toEqual({ kind: "media.timedOut", end: "b" });
    await trunk.ear.nextSecond(bothHz);
    await trunk.ear.nextSecond(bothHz);
    expect(facts.filter(({ kind }) => kind === "media.timedOut")).toHaveLength(1);
  });

  test.concurrent("a side of which nothing has been passed on is named, but not one that is on hold", async ({
    scope,
  }) => {
    const rig = await rigOf(scope);
    const { client, trunk, session } = await startTalk(rig, scope, { speak: false });
    expect(await session.unheard()).toEqual(["a", "b"]);
    client.speak();
    await trunk.ear.nextSecond(bothHz);
    expect(await session.unheard()).toEqual(["b"]);
    await session.offer("a", await client.offer("sendonly"));
    await session.answer("b", trunk.sdp({ lines: ["a=recvonly"] }));
    expect(await session.unheard()).toEqual([]);
  });

  test.concurrent("a client that goes quiet is reported", async ({ scope }) => {
    const rig = await rigOf(scope, { silenceTimeoutMs: 1500 });
    const { client, fact } = await startTalk(rig, scope);
    client.stopSpeaking();
    expect(await fact("media.timedOut")).toEqual({ kind: "media.timedOut", end: "a" });
  });

  test.concurrent("on hold nobody has to say anything", async ({ scope }) => {
    const rig = await rigOf(scope, { silenceTimeoutMs: 1000 });
    const { client, trunk, session, facts } = await startTalk(rig, scope);
    await session.offer("a", await client.offer("sendonly"));
    await session.answer("b", trunk.sdp({ lines: ["a=recvonly"] }));
    trunk.stopSpeaking();
    for (let second = 0; second < 3; second += 1) await trunk.ear.nextSecond(bothHz);
    expect(facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });
});

describe.concurrent("RTCP", () => {
  test.concurrent("both sides get reports of what we heard from them, under our numbers, and a BYE", async ({
    scope,
  }) => {
    const rig = await rigOf(scope);
    const { client, trunk, session } = await startTalk(rig, scope);
    const isSenderReport = (bytes: Buffer): boolean => bytes[1] === 200 && bytes.length >= 52;
    const [toTrunk] = await Promise.all([trunk.report(isSenderReport), client.report(isSenderReport)]);
    const ours = trunk.ear.packets.at(-1);
    expect(toTrunk.readUInt32BE(4)).toBe(ours?.ssrc);
    expect(toTrunk.readUInt32BE(28)).toBe(trunk.ssrc);
    // NTP: within a second of now; RTP: near what was sent last.
    expect(Math.abs(toTrunk.readUInt32BE(8) - 2_208_988_800 - Date.now() / 1000)).toBeLessThan(5);
    expect(Math.abs(((ours?.timestamp ?? 0) - toTrunk.readUInt32BE(16)) | 0)).toBeLessThan(5 * 8000);
    const toClient = await client.report(isSenderReport);
    expect(toClient.readUInt32BE(4)).toBe(client.ear.packets.at(-1)?.ssrc);
    await session.close();
    const bye = await trunk.report((bytes) => readRtcp(bytes).isBye);
    expect(bye.readUInt32BE(4)).toBe(ours?.ssrc);
  });

  test.concurrent("go where the gateway wants them: beside RTP, or with it", async ({ scope }) => {
    const rig = await rigOf(scope);
    const { trunk, session } = await startTalk(rig, scope);
    const outcome = await session.offer("b", trunk.sdp({ lines: ["a=rtcp-mux", "a=sendrecv"] }));
    expect(outcome.description).toContain("a=rtcp-mux");
    await trunk.report((bytes) => bytes[1] === 200);
    expect(trunk.reportedTo).toEqual(new Set(["rtp"]));
  });

  test.concurrent("RTCP alone keeps a silent gateway alive", async ({ scope }) => {
    const rig = await rigOf(scope, { silenceTimeoutMs: 1500 });
    const { client, trunk, facts } = await startTalk(rig, scope, { speak: false });
    client.speak();
    const report = Buffer.from("80c90001deadbeef", "hex");
    const timer = setInterval(() => trunk.send(report), 300);
    scope.add(() => clearInterval(timer));
    for (let second = 0; second < 4; second += 1) await trunk.ear.nextSecond(bothHz);
    expect(facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });
});
