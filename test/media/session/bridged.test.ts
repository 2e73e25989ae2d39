// Two trunks joined: both ends are gateways, each with its own numbers, encryption and ports.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { encodeTelephoneEvent, keypresses } from "../../../dev/audio/telephone-event.ts";
import { SrtpContext } from "../../../src/media/embedded/trunk/srtp.ts";
import type { MediaSession } from "../../../src/ports/media.ts";
import { portSlice, startRig, type OpenSession, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

const [firstHz, secondHz] = [700, 1300];
const bothHz = [firstHz, secondHz];
const pcmu = { srtp: "off", codecs: ["PCMU"], rtpNetworks: [] } as const;

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ silenceTimeoutMs: 1500 });
});
afterAll(async () => rig.engine.stop());

interface Joined extends OpenSession {
  /** At end `b`, and at end `a`. */
  readonly first: TrunkPeer;
  readonly second: TrunkPeer;
}

async function gateway(scope: Scope, hz: number, ssrc: number): Promise<TrunkPeer> {
  const peer = await TrunkPeer.open({ hz, ssrc });
  scope.add(async () => peer.close());
  return peer;
}

async function join(scope: Scope): Promise<Joined> {
  const first = await gateway(scope, firstHz, 0x1111_0001);
  const second = await gateway(scope, secondHz, 0x2222_0002);
  const open = await rig.open(pcmu, [], pcmu);
  scope.add(async () => open.session.close());
  first.aim(await open.session.describe("b"));
  second.aim(await open.session.answer("b", first.sdp()));
  const words = { formats: "0 97", lines: ["a=rtpmap:97 telephone-event/8000"] };
  expect(await open.session.answer("a", second.sdp(words))).toBe("");
  expect(await open.fact("media.connected")).toEqual({ kind: "media.connected" });
  first.speak();
  second.speak();
  return { ...open, first, second };
}

async function bothHear({ first, second }: Pick<Joined, "first" | "second">): Promise<void> {
  const heard = await Promise.all([first.ear.nextSecond(bothHz), second.ear.nextSecond(bothHz)]);
  expect(heard.map(({ hz }) => hz)).toEqual([secondHz, firstHz]);
}

/** One key of 100 ms as the gateway tells it. */
function press(peer: TrunkPeer, digit: string, payloadType: number): void {
  const timestamp = peer.timestamp;
  for (let elapsedMs = 20; elapsedMs <= 140; elapsedMs += 20) {
    const event = { digit, end: elapsedMs >= 100, volume: 10, duration: Math.min(elapsedMs, 100) * 8 };
    peer.sendRtp({ payloadType, marker: elapsedMs === 20, timestamp, payload: encodeTelephoneEvent(event) });
  }
}

test.concurrent("hear each other and each other's keys, and both get reports", async ({ scope }) => {
  const joined = await join(scope);
  const { first, second, session, facts } = joined;
  await bothHear(joined);
  press(first, "3", 101);
  press(second, "8", 101);
  const told = (peer: TrunkPeer, number: number) =>
    peer.ear.packets.filter(({ payloadType }) => payloadType === number);
  await Promise.all([
    second.ear.until(() => told(second, 97).length === 7),
    first.ear.until(() => told(first, 101).length === 7),
  ]);
  expect(keypresses(told(second, 97), 8000)).toEqual([{ digit: "3", durationMs: 100 }]);
  expect(keypresses(told(first, 101), 8000)).toEqual([{ digit: "8", durationMs: 100 }]);
  await expect
    .poll(() => facts)
    .toEqual(
      expect.arrayContaining([
        { kind: "media.dtmf", from: "b", digit: "3", durationMs: 100, relayed: true },
        { kind: "media.dtmf", from: "a", digit: "8", durationMs: 100, relayed: true },
      ]),
    );
  await Promise.all([first, second].map(async (peer) => peer.report((bytes) => bytes[1] === 200)));
  expect((await session.stats()).a.packets).toBeGreaterThan(50);
});

describe.concurrent("a hold", () => {
  test.concurrent.for(["b", "a"] as const)("by %s is told to the other, and so is its end", async (by, { scope }) => {
    const joined = await join(scope);
    const { session, facts } = joined;
    const [holder, held] = by === "b" ? [joined.first, joined.second] : [joined.second, joined.first];
    const other = by === "b" ? "a" : "b";
    await bothHear(joined);
    const events = "a=rtpmap:101 telephone-event/8000";
    const offer = await session.offer(by, holder.sdp({ lines: [events, "a=inactive"] }));
    expect(offer.kind).toBe("forward");
    expect(offer.description).toContain("a=inactive\r\n");
    expect(await session.answer(other, held.sdp({ lines: [events, "a=inactive"] }))).toContain("a=inactive\r\n");
    holder.stopSpeaking();
    held.stopSpeaking();
    const back = await session.offer(by, holder.sdp());
    expect(back).toMatchObject({ kind: "forward" });
    await session.answer(other, held.sdp());
    holder.speak();
    held.speak();
    await bothHear(joined);
    expect(facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });
});

test.concurrent("one that goes quiet is named by its side", async ({ scope }) => {
  const joined = await join(scope);
  joined.second.stopSpeaking();
  expect(await joined.fact("media.timedOut")).toEqual({ kind: "media.timedOut", end: "a" });
});

test.concurrent("one may encrypt and the other not", async ({ scope }) => {
  const first = await gateway(scope, firstHz, 0x1111_0003);
  const second = await gateway(scope, secondHz, 0x2222_0004);
  const { session } = await rig.open(pcmu, [], { ...pcmu, srtp: "required" });
  scope.add(async () => session.close());
  first.aim(await session.describe("b"));
  const offer = await session.answer("b", first.sdp());
  second.aim(offer);
  await encrypt(session, second, offer);
  first.speak();
  second.speak();
  await bothHear({ first, second });
});

async function encrypt(session: MediaSession<string>, peer: TrunkPeer, offer: string): Promise<void> {
  const suite = "AES_CM_128_HMAC_SHA1_80";
  const theirs = new RegExp(`RTP/SAVP 0 101\r\na=crypto:1 ${suite} inline:(\\S{40})\r\n`).exec(offer)?.[1] ?? "";
  const ours = randomBytes(30);
  const [out, back] = [new SrtpContext(suite, ours), new SrtpContext(suite, Buffer.from(theirs, "base64"))];
  peer.cipher = { seal: (packet) => out.protectRtp(packet), open: (packet) => back.openRtp(packet) };
  const lines = [`a=crypto:1 ${suite} inline:${ours.toString("base64")}`, "a=rtpmap:101 telephone-event/8000"];
  await session.answer("a", peer.sdp({ protocol: "RTP/SAVP", lines }));
}

test.concurrent("need two pairs of ports, and give both back", async ({ scope }) => {
  const small = await startRig({ rtp: { host: "127.0.0.1", ...(await portSlice(2)) } });
  scope.add(async () => small.engine.stop());
  const { session } = await small.open(pcmu, [], pcmu);
  await expect(small.open()).rejects.toMatchObject({ code: "no-ports" });
  await session.close();
  const again = await small.open();
  // One pair is left, which is not enough; and it is not lost.
  await expect(small.open(pcmu, [], pcmu)).rejects.toMatchObject({ code: "no-ports" });
  await small.open();
  await again.session.close();
});
