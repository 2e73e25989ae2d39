// Audio from end to end: a WebRTC client, the engine's worker process, and a plain RTP gateway, on real sockets.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { keypresses } from "../../../dev/audio/telephone-event.ts";
import type { RtpPacket } from "../../../dev/audio/rtp.ts";
import { clientEvents } from "../peers/client-peer.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { bothHz, clientHz, startTalk, trunkHz } from "../peers/talk.ts";
import { test } from "../peers/scope.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

/** Steps of the sequence numbers, in the order of arrival. */
function steps(packets: readonly RtpPacket[]): Set<number> {
  const found = new Set<number>();
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1];
    if (before !== undefined) found.add((packet.sequence - before.sequence) & 0xffff);
  }
  return found;
}

test.concurrent("each hears the other's tone, and the statistics know it", async ({ scope }) => {
  const { client, trunk, session } = await startTalk(rig, scope);
  await trunk.ear.nextSecond(bothHz);
  const fromMs = Date.now();
  const [atTrunk, atClient] = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
  expect(atTrunk.hz).toBe(clientHz);
  expect(atTrunk.ratio).toBeGreaterThan(100);
  expect(atClient.hz).toBe(trunkHz);
  expect(atClient.ratio).toBeGreaterThan(100);
  const stats = await session.stats();
  expect(stats.codec).toBe("PCMU");
  expect(stats.a.packets).toBeGreaterThanOrEqual(50);
  expect(stats.b.packets).toBeGreaterThanOrEqual(50);
  expect(stats.a.bytes).toBe(stats.a.packets * 160);
  expect(stats.a.lost).toBe(0);
  expect(stats.b.lost).toBe(0);
  expect(stats.b.lastHeardAtMs).toBeGreaterThan(fromMs);
});

test.concurrent("lost packets are counted", async ({ scope }) => {
  const { trunk, session, client } = await startTalk(rig, scope, { speak: false });
  const payload = new Uint8Array(160);
  for (let count = 0; count < 10; count += 1) {
    if (count === 5) trunk.sequence += 3;
    trunk.sendRtp({ payloadType: 0, marker: false, timestamp: count * 160, payload });
  }
  await client.ear.until(() => client.ear.packets.length === 10);
  expect((await session.stats()).b).toMatchObject({ packets: 10, lost: 3 });
});

describe.concurrent("keys", () => {
  test.concurrent("a key of 160 ms is one key of 160 ms at the gateway, under its own number", async ({ scope }) => {
    const { client, trunk, fact } = await startTalk(rig, scope, { speak: false });
    client.press("5", 160);
    client.press("#", 100);
    const events = (): RtpPacket[] => trunk.ear.packets.filter((packet) => packet.payloadType === 101);
    await trunk.ear.until(() => keypresses(events(), 8000).length === 2 && events().length >= 17);
    expect(keypresses(events(), 8000)).toEqual([
      { digit: "5", durationMs: 160 },
      { digit: "#", durationMs: 100 },
    ]);
    expect(await fact("media.dtmf")).toEqual({
      kind: "media.dtmf",
      from: "a",
      digit: "5",
      durationMs: 160,
      relayed: true,
    });
  });

  test.concurrent("a gateway with another clock for its events gets the same durations", async ({ scope }) => {
    const { client, trunk } = await startTalk(rig, scope, {
      speak: false,
      client: { codec: { payloadType: 111, encoding: "opus/48000/2" } },
      media: { codecs: ["opus"] },
      answer: {
        formats: "96 97",
        lines: ["a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/48000", "a=sendrecv"],
      },
    });
    client.press("7", 160);
    const events = (): RtpPacket[] => trunk.ear.packets.filter((packet) => packet.payloadType === 97);
    await trunk.ear.until(() => events().some((packet) => ((packet.payload[1] ?? 0) & 0x80) !== 0));
    expect(keypresses(events(), 48_000)).toEqual([{ digit: "7", durationMs: 160 }]);
  });
});

test.concurrent("comfort noise and what was not agreed do not pass, and leave no gap", async ({ scope }) => {
  const { client, trunk } = await startTalk(rig, scope, { speak: false });
  const payload = new Uint8Array(160);
  for (const [index, payloadType] of [0, 13, 0, 63, 97, 0].entries())
    client.sendRtp({ payloadType, marker: false, timestamp: index * 160, payload });
  await trunk.ear.until(() => trunk.ear.packets.length === 3);
  expect(trunk.ear.packets.map((packet) => packet.payloadType)).toEqual([0, 0, 0]);
  expect(steps(trunk.ear.packets)).toEqual(new Set([1]));
});

test.concurrent("codecs we know nothing of inside pass octet by octet, under the numbers of both sides", async ({
  scope,
}) => {
  const { client, trunk } = await startTalk(rig, scope, {
    speak: false,
    client: { codec: { payloadType: 9, encoding: "G722/8000" } },
    media: { codecs: ["G722"] },
    answer: { formats: "9 101" },
  });
  const payload = Uint8Array.from({ length: 160 }, (_, index) => (index * 7) & 255);
  client.sendRtp({ payloadType: 9, marker: true, timestamp: 0, payload });
  await trunk.ear.until(() => trunk.ear.packets.length === 1);
  expect(Buffer.from(trunk.ear.packets[0]?.payload ?? [])).toEqual(Buffer.from(payload));
  client.press("1", 60, 8000, clientEvents);
  await trunk.ear.until(() => trunk.ear.packets.some((packet) => packet.payloadType === 101));
});

describe.concurrent("hold", () => {
  test.concurrent("the client holds: the gateway is told, the client hears nothing, and after the resume all is one stream", async ({
    scope,
  }) => {
    const { client, trunk, session } = await startTalk(rig, scope);
    await client.ear.nextSecond(bothHz);
    const beforeHold = client.ear.packets.length;
    const heardBefore = client.ear.packets.slice(0, beforeHold);

    const held = await session.offer("a", await client.offer("sendonly"));
    expect(held.kind).toBe("forward");
    expect(held.description).toContain("a=sendonly");
    expect(held.description).toMatch(/o=- \d+ 2 /);
    const answer = await session.answer("b", trunk.sdp({ lines: ["a=rtpmap:101 telephone-event/8000", "a=recvonly"] }));
    expect(answer).toContain("a=recvonly");
    const packetsAtHold = client.ear.packets.length;
    await trunk.ear.nextSecond(bothHz);
    expect(client.ear.packets.length).toBeLessThanOrEqual(packetsAtHold + 2);

    const resumed = await session.offer("a", await client.offer("sendrecv"));
    expect(resumed.description).toContain("a=sendrecv");
    await session.answer("b", trunk.sdp());
    const [atTrunk, atClient] = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
    expect([atTrunk.hz, atClient.hz]).toEqual([clientHz, trunkHz]);
    expect(new Set([...heardBefore, ...client.ear.packets].map((packet) => packet.ssrc)).size).toBe(1);
  });

  test.concurrent("a gateway that refuses to be held: the client is held by us", async ({ scope }) => {
    const { client, trunk, session } = await startTalk(rig, scope);
    await session.offer("a", await client.offer("sendonly"));
    expect(await session.settle("a")).toContain("a=recvonly");
    const heard = await trunk.ear.nextSecond(bothHz);
    expect(heard.hz).toBe(clientHz);
  });

  test.concurrent("the gateway holds and moves its media: the client hears of nothing but the music", async ({
    scope,
  }) => {
    const { trunk, session, client, trunkOffer } = await startTalk(rig, scope);
    await client.ear.nextSecond(bothHz);
    const music = await TrunkPeer.open({ hz: 1500, ssrc: 0x7777_0001 });
    scope.add(async () => music.close());
    music.aim(trunkOffer);
    const outcome = await session.offer("b", music.sdp({ lines: ["a=rtpmap:101 telephone-event/8000", "a=sendonly"] }));
    expect(outcome.kind).toBe("settled");
    expect(outcome.description).toContain("a=recvonly");
    trunk.stopSpeaking();
    music.speak();
    await client.ear.until(() => client.ear.packets.some((packet) => packet.marker && packet.timestamp > 0));
    const heard = await client.ear.nextSecond([clientHz, trunkHz, 1500]);
    expect(heard.hz).toBe(1500);
    expect(new Set(client.ear.packets.map((packet) => packet.ssrc)).size).toBe(1);
    expect(steps(client.ear.packets)).toEqual(new Set([1]));
  });

  test.concurrent("the old hold with 0.0.0.0 is understood: nothing is sent there", async ({ scope }) => {
    const { trunk, session, client } = await startTalk(rig, scope);
    await trunk.ear.nextSecond(bothHz);
    const outcome = await session.offer("b", trunk.sdp({ address: "0.0.0.0" }));
    expect(outcome.description).toContain("a=recvonly");
    const packetsAtHold = trunk.ear.packets.length;
    await client.ear.nextSecond(bothHz);
    expect(trunk.ear.packets.length).toBeLessThanOrEqual(packetsAtHold + 2);
    await session.offer("b", trunk.sdp());
    expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  });
});

test.concurrent("a media server that starts anew is one stream to the client", async ({ scope }) => {
  const { client, trunk } = await startTalk(rig, scope);
  await client.ear.nextSecond(bothHz);
  const packets = client.ear.packets;
  trunk.ssrc = 0x5555_5555;
  trunk.sequence = 60_000;
  trunk.timestamp = 3_000_000_000;
  await client.ear.until(() => packets.length >= 70);
  expect(new Set(packets.map((packet) => packet.ssrc)).size).toBe(1);
  expect(steps(packets)).toEqual(new Set([1]));
  const jumps = packets.map((packet, index) => packet.timestamp - (packets[index - 1]?.timestamp ?? packet.timestamp));
  expect(Math.max(...jumps)).toBeLessThan(8000);
  expect(Math.min(...jumps)).toBeGreaterThanOrEqual(0);
});

test.concurrent("a trunk that asks for an offer gets ours, and its answer counts", async ({ scope }) => {
  const { client, trunk, session, trunkOffer } = await startTalk(rig, scope);
  const described = await session.describe("b");
  expect(described).toContain("m=audio");
  expect(/m=audio (\d+)/.exec(described)?.[1]).toBe(/m=audio (\d+)/.exec(trunkOffer)?.[1]);
  await session.answer("b", trunk.sdp());
  expect((await client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
});
