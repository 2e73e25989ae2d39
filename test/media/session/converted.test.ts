// Calls between ends that share no codec: what each hears of the other, through a real engine and real sockets.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import type { RtpPacket } from "../../../dev/audio/rtp.ts";
import { encodeTelephoneEvent, keypresses } from "../../../dev/audio/telephone-event.ts";
import { SrtpContext } from "../../../src/media/embedded/trunk/srtp.ts";
import { ClientPeer, opusAlone } from "../peers/client-peer.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { pickUp, startRinging } from "../peers/ringing.ts";
import { test } from "../peers/scope.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";
import { bothHz, clientHz, startTalk, trunkHz, type Talk } from "../peers/talk.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

const media = { codecs: ["PCMA", "PCMU", "opus"] };

/** Each hears the other's tone, and not its own. */
async function areHeard({ client, trunk }: Talk): Promise<void> {
  const [atClient, atTrunk] = await Promise.all([client.ear.nextSecond(bothHz), trunk.ear.nextSecond(bothHz)]);
  expect([atClient.hz, atTrunk.hz]).toEqual([trunkHz, clientHz]);
}

test.concurrent.for(["PCMA", "PCMU"] as const)(
  "a client with Opus alone talks with a telephone that has %s alone",
  async (law, { scope }) => {
    const talk = await startTalk(rig, scope, { client: { codec: opusAlone }, trunk: { codec: law }, media });
    expect(talk.trunkOffer).toMatch(/m=audio \d+ RTP\/AVP 111 8 0 /);
    await areHeard(talk);
    expect(await talk.session.stats()).toMatchObject({ codec: law, converted: { a: "opus", b: law } });
  },
);

test.concurrent.for([
  ["Opus", opusAlone, /fmtp:\d+ maxplaybackrate=16000;/],
  ["G.711", undefined, /m=audio \d+ \S+ 0 /],
] as const)(
  "a client with %s alone talks with a telephone that has G.722 alone",
  async ([, codec, answer], { scope }) => {
    const talk = await startTalk(rig, scope, {
      client: codec === undefined ? {} : { codec },
      trunk: { codec: "G722" },
      media: { codecs: ["G722"] },
    });
    expect(talk.clientAnswer).toMatch(answer);
    await areHeard(talk);
    expect(await talk.session.stats()).toMatchObject({ converted: { b: "G722" } });
  },
);

test.concurrent("a client with G.711 alone talks with a telephone that has Opus alone", async ({ scope }) => {
  const lines = ["a=rtpmap:111 opus/48000/2", "a=rtpmap:102 telephone-event/48000", "a=ptime:40"];
  const talk = await startTalk(rig, scope, {
    trunk: { codec: "opus" },
    media: { codecs: ["opus"] },
    answer: { formats: "111 102", lines },
  });
  await areHeard(talk);
  const [one, other] = talk.trunk.ear.audio.slice(-2);
  expect(((other?.timestamp ?? 0) - (one?.timestamp ?? 0)) | 0).toBe(40 * 48);
  talk.client.press("3", 160);
  const pressed = () => keypresses(numbered(talk.trunk.ear.packets, 102), 48_000);
  await talk.trunk.ear.until(() => pressed()[0]?.durationMs === 160);
});

test.concurrent("what is converted is encrypted where the trunk wants it so", async ({ scope }) => {
  const suite = "AES_CM_128_HMAC_SHA1_80";
  const master = randomBytes(30);
  const talk = await startTalk(rig, scope, {
    client: { codec: opusAlone },
    media: { ...media, srtp: "required" },
    answer: {
      protocol: "RTP/SAVP",
      lines: [`a=crypto:1 ${suite} inline:${master.toString("base64")}`, "a=rtpmap:101 telephone-event/8000"],
    },
    speak: false,
  });
  const theirs = new RegExp(`a=crypto:1 ${suite} inline:(\\S{40})`).exec(talk.trunkOffer)?.[1] ?? "";
  const [out, back] = [new SrtpContext(suite, master), new SrtpContext(suite, Buffer.from(theirs, "base64"))];
  talk.trunk.cipher = { seal: (packet) => out.protectRtp(packet), open: (packet) => back.openRtp(packet) };
  talk.client.speak();
  talk.trunk.speak();
  await areHeard(talk);
});

test.concurrent("music of a telephone that holds is heard, and both are when it is back", async ({ scope }) => {
  const talk = await startTalk(rig, scope, { client: { codec: opusAlone }, media });
  const { session, trunk, client } = talk;
  await session.offer("b", trunk.sdp({ lines: ["a=rtpmap:101 telephone-event/8000", "a=sendonly"] }));
  expect((await client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
  await session.offer("b", trunk.sdp());
  await areHeard(talk);
  expect(new Set(trunk.ear.packets.map(({ ssrc }) => ssrc)).size).toBe(1);
});

test.concurrent("a client with Opus alone is called by a telephone that has G.711 alone", async ({ scope }) => {
  const ringing = await startRinging(rig, scope, { client: { codec: opusAlone }, media: { codecs: ["PCMU"] } });
  expect(ringing.sdp).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0 111 /);
  await areHeard(await pickUp(ringing));
});

test.concurrent("keys of 160 ms are as long at the other end, both ways, in the clock that it knows", async ({
  scope,
}) => {
  const { client, trunk, session, facts } = await startTalk(rig, scope, { client: { codec: opusAlone }, media });
  client.press("5", 160);
  client.press("#", 100);
  const atTrunk = () => keypresses(numbered(trunk.ear.packets, 101), 8000);
  await trunk.ear.until(() => atTrunk()[1]?.durationMs === 100);
  expect(atTrunk()).toEqual([
    { digit: "5", durationMs: 160 },
    { digit: "#", durationMs: 100 },
  ]);
  const { timestamp } = trunk;
  for (let step = 1; step <= 10; step += 1) {
    const payload = encodeTelephoneEvent({ digit: "7", end: step >= 8, volume: 10, duration: Math.min(step, 8) * 160 });
    trunk.sendRtp({ payloadType: 101, marker: step === 1, timestamp, payload });
  }
  const atClient = () => keypresses(numbered(client.ear.packets, 110), 48_000);
  await client.ear.until(() => atClient()[0]?.durationMs === 160);
  void session.sendDtmf("a", "9", 160);
  await client.ear.until(() => atClient()[1]?.durationMs === 160);
  expect(atClient()).toEqual([
    { digit: "7", durationMs: 160 },
    { digit: "9", durationMs: 160 },
  ]);
  expect(facts.filter(({ kind }) => kind === "media.dtmf")).toMatchObject([
    { from: "a", digit: "5", durationMs: 160 },
    { from: "a", digit: "#", durationMs: 100 },
    { from: "b", digit: "7", durationMs: 160 },
  ]);
});

test.concurrent("the trunk hears one stream when it changes its codec, and when the client finds one in common", async ({
  scope,
}) => {
  const talk = await startTalk(rig, scope, { client: { codec: opusAlone }, media });
  const { trunk, session, client } = talk;
  await areHeard(talk);
  await session.offer("b", trunk.sdp({ formats: "8 101" }));
  trunk.ear.packets = [];
  await trunk.ear.until(() => numbered(trunk.ear.packets, 8).length >= 50);
  client.stopSpeaking();
  const others = (await client.offer()).replace("SAVPF 111", "SAVPF 8 111");
  const again = await session.offer("a", others);
  expect(again.description).toMatch(/SAVPF 8 /);
  for (let count = 0; count < 20; count += 1)
    client.sendRtp({ payloadType: 8, marker: false, timestamp: count * 160, payload: new Uint8Array(160) });
  const before = trunk.ear.packets.length;
  await trunk.ear.until(() => trunk.ear.packets.length >= before + 20);
  const { packets } = trunk.ear;
  const steps = packets.slice(1).map((packet, index) => (packet.sequence - (packets[index]?.sequence ?? 0)) & 0xffff);
  expect(new Set(steps)).toEqual(new Set([1]));
  expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
  expect(
    packets.every((packet, index) => ((packet.timestamp - (packets[index - 1] ?? packet).timestamp) | 0) >= 0),
  ).toBe(true);
  expect(await session.stats()).not.toHaveProperty("converted");
});

test.concurrent("two trunks without a codec in common hear each other", async ({ scope }) => {
  const [one, other] = [await TrunkPeer.open({ hz: trunkHz }), await TrunkPeer.open({ hz: clientHz, codec: "PCMA" })];
  scope.add(async () => one.close());
  scope.add(async () => other.close());
  const plain = { srtp: "off", rtpNetworks: [] } as const;
  const { session, fact } = await rig.open({ codecs: ["PCMU"] }, [], { ...plain, codecs: ["PCMA"] });
  scope.add(async () => session.close());
  one.aim(await session.describe("b"));
  other.aim(await session.answer("b", one.sdp()));
  await session.answer("a", other.sdp());
  await fact("media.connected");
  one.speak();
  other.speak();
  const heard = await Promise.all([one.ear.nextSecond(bothHz), other.ear.nextSecond(bothHz)]);
  expect(heard.map(({ hz }) => hz)).toEqual([clientHz, trunkHz]);
  expect(await session.stats()).toMatchObject({ converted: { a: "PCMA", b: "PCMU" } });
});

test.concurrent("a converted call takes the place of two in its worker, until it is over or needs it no more", async ({
  scope,
}) => {
  const own = await startRig({ sessionsPerWorker: 4 });
  scope.add(async () => own.engine.stop());
  const { session } = await startTalk(own, scope, { client: { codec: opusAlone }, media, speak: false });
  expect(own.engine.health()).toMatchObject({ sessions: 1, free: 2 });
  await own.open();
  await own.open();
  await expect(own.open()).rejects.toMatchObject({ code: "no-capacity" });
  await session.close();
  expect(own.engine.health()).toMatchObject({ sessions: 2, free: 2 });
});

test.concurrent("a call that may come to be converted has its place from the offer on, and gives it back if it is not", async ({
  scope,
}) => {
  const own = await startRig({ sessionsPerWorker: 8 });
  scope.add(async () => own.engine.stop());
  const { free } = own.engine.health();
  // To a trunk that has all: Opus to G.722 costs four.
  const wide = { codecs: ["G722", "PCMA", "opus"] };
  const one = new ClientPeer({ hz: clientHz, codec: opusAlone });
  scope.add(() => one.close());
  const out = await own.open(wide);
  await out.session.offer("a", await one.offer());
  expect(own.engine.health().free).toBe(free - 4);
  // From a trunk that has G.711: nobody knows yet whether the client has it too.
  const ringing = await startRinging(own, scope, { media: { codecs: ["PCMU"] } });
  expect(own.engine.health().free).toBe(free - 6);
  await pickUp(ringing);
  expect(own.engine.health().free).toBe(free - 5);
  await out.session.close();
  expect(own.engine.health().free).toBe(free - 1);
  // A client that has the trunk's codec is never converted.
  const plain = new ClientPeer({ hz: clientHz });
  scope.add(() => plain.close());
  await (await own.open()).session.offer("a", await plain.offer());
  expect(own.engine.health().free).toBe(free - 2);
});

const numbered = (packets: readonly RtpPacket[], payloadType: number): readonly RtpPacket[] =>
  packets.filter((packet) => packet.payloadType === payloadType);
