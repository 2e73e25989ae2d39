// Who may speak into a call and who may not: the address lock, forged and foreign packets, hostile descriptions.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { byePacket } from "../../../src/media/embedded/rtp/rtcp.ts";
import { trunkName } from "../../../src/core/ids.ts";
import { portSlice, startRig, type Rig } from "../peers/rig.ts";
import { bothHz, connect, clientHz, startTalk, trunkHz } from "../peers/talk.ts";
import { test, type Scope } from "../peers/scope.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";
import { ClientPeer } from "../peers/client-peer.ts";

let rig: Rig;
const strangerHz = 1800;
const allHz = [...bothHz, strangerHz];

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

async function stranger(scope: Scope, host: string, sdp: string): Promise<TrunkPeer> {
  const peer = await TrunkPeer.open({ hz: strangerHz, host, ssrc: 0x6666_6666 });
  scope.add(async () => peer.close());
  peer.aim(sdp);
  peer.speak();
  return peer;
}

test.concurrent("a stranger from another address is not heard, and hears nothing", async ({ scope }) => {
  const { client, trunkOffer, session } = await startTalk(rig, scope);
  const intruder = await stranger(scope, "127.0.0.2", trunkOffer);
  const heard = await client.ear.nextSecond(allHz);
  expect(heard.hz).toBe(trunkHz);
  expect(heard.ratio).toBeGreaterThan(100);
  expect(intruder.ear.packets).toHaveLength(0);
  expect((await session.stats()).b.lost).toBe(0);
});

test.concurrent("nor is one who is first, before the gateway has sent anything", async ({ scope }) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope, { speak: false });
  const intruder = await stranger(scope, "127.0.0.2", trunkOffer);
  client.speak();
  expect((await trunk.ear.nextSecond(allHz)).hz).toBe(clientHz);
  expect(intruder.ear.packets).toHaveLength(0);
  expect(client.ear.packets).toHaveLength(0);
  trunk.speak();
  expect((await client.ear.nextSecond(allHz)).hz).toBe(trunkHz);
});

test.concurrent("nor one at the gateway's own address, once the gateway has spoken; and it is logged", async ({
  scope,
}) => {
  const { client, trunkOffer, session } = await startTalk(rig, scope);
  await client.ear.nextSecond(allHz);
  const intruder = await stranger(scope, "127.0.0.1", trunkOffer);
  const heard = await client.ear.nextSecond(allHz);
  expect(heard.hz).toBe(trunkHz);
  expect(heard.ratio).toBeGreaterThan(100);
  expect(intruder.ear.packets).toHaveLength(0);
  await session.close();
  const line = rig.log.find(({ message }) => message === "dropped packets of strangers");
  expect(line?.fields["foreign"]).toBeGreaterThan(20);
});

test.concurrent("a gateway behind NAT is found by its first packet, at its other port", async ({ scope }) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope, { speak: false });
  const real = await TrunkPeer.open({ hz: 1200 });
  scope.add(async () => real.close());
  real.aim(trunkOffer);
  real.speak();
  client.speak();
  expect((await client.ear.nextSecond([...bothHz, 1200])).hz).toBe(1200);
  expect((await real.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  trunk.ear.packets = [];
  await real.ear.nextSecond(bothHz);
  expect(trunk.ear.packets).toHaveLength(0);
});

test.concurrent("one behind a private address is found within the configured networks only", async ({ scope }) => {
  const { client, trunkOffer } = await startTalk(rig, scope, {
    speak: false,
    answer: { address: "10.99.99.99" },
    media: { rtpNetworks: ["127.0.0.2/32"] },
  });
  const allowed = await TrunkPeer.open({ hz: 1200, host: "127.0.0.2" });
  scope.add(async () => allowed.close());
  allowed.aim(trunkOffer);
  await stranger(scope, "127.0.0.3", trunkOffer);
  allowed.speak();
  const heard = await client.ear.nextSecond([...allHz, 1200]);
  expect(heard.hz).toBe(1200);
  expect(heard.ratio).toBeGreaterThan(100);
});

test.concurrent("a late packet from elsewhere at the gateway's address does not shut out the place its SDP names", async ({
  scope,
}) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope, { speak: false });
  const other = await TrunkPeer.open({ hz: 1200, ssrc: 0x7777_0002 });
  scope.add(async () => other.close());
  other.aim(trunkOffer);
  other.sendRtp({ payloadType: 0, marker: true, timestamp: 0, payload: Buffer.alloc(160, 0xff) });
  await client.ear.until(() => client.ear.packets.length > 0);
  trunk.speak();
  expect((await client.ear.nextSecond([...bothHz, 1200])).hz).toBe(trunkHz);
  client.speak();
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  expect(other.ear.packets).toHaveLength(0);
});

test.concurrent("RTCP on the port of RTP does not make its sender the one who is heard", async ({ scope }) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope, { speak: false });
  const reporting = await TrunkPeer.open({ hz: 1200 });
  scope.add(async () => reporting.close());
  const real = await TrunkPeer.open({ hz: 1200 });
  scope.add(async () => real.close());
  reporting.aim(trunkOffer);
  real.aim(trunkOffer);
  reporting.send(byePacket(9, "gateway"));
  client.speak();
  await trunk.ear.nextSecond(bothHz);
  real.speak();
  expect((await client.ear.nextSecond([...bothHz, 1200])).hz).toBe(1200);
});

test.concurrent("a provider that moves its RTP to another port is heard there, and hears; the log says so once", async ({
  scope,
}) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope);
  await client.ear.nextSecond(bothHz);
  trunk.stopSpeaking();
  const moved = await TrunkPeer.open({ hz: 1200, ssrc: 0x7777_0007 });
  scope.add(async () => moved.close());
  moved.aim(trunkOffer);
  moved.speak();
  expect((await client.ear.nextSecond([...bothHz, 1200])).hz).toBe(1200);
  expect((await moved.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  const lines = rig.log.filter(({ message }) => message === "trunk's RTP comes from another port now");
  expect(lines.filter(({ fields }) => fields["port"] === moved.port)).toMatchObject([
    { level: "info", fields: { address: "127.0.0.1", earlier: { address: "127.0.0.1", port: trunk.port } } },
  ]);
});

test.concurrent("a trunk that sends from one port and listens on another is heard, and hears, with rtp_peer: sdp", async ({
  scope,
}) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope, { speak: false, media: { rtpPeer: "sdp" } });
  const mouth = await TrunkPeer.open({ hz: 1200, ssrc: 0x7777_0009 });
  scope.add(async () => mouth.close());
  mouth.aim(trunkOffer);
  mouth.speak();
  client.speak();
  expect((await client.ear.nextSecond([...bothHz, 1200])).hz).toBe(1200);
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  expect(mouth.ear.packets).toHaveLength(0);
});

test.concurrent("nobody is taken for the provider without its key where the trunk encrypts", async ({ scope }) => {
  const client = new ClientPeer({ hz: clientHz });
  scope.add(() => client.close());
  const gateway = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => gateway.close());
  const { session } = await rig.open({ srtp: "required" });
  scope.add(async () => session.close());
  const { description: sdp } = await session.offer("a", await client.offer());
  const lines = [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${"A".repeat(40)}`];
  await connect(client, session, await session.answer("b", gateway.sdp({ protocol: "RTP/SAVP", lines })));
  client.speak();
  const intruder = await stranger(scope, "127.0.0.1", sdp);
  await gateway.report(() => true);
  expect(intruder.ear.packets).toHaveLength(0);
  expect((await session.stats()).b.packets).toBe(0);
});

test.concurrent("RTP from an address that SDP did not name is said once, at once, with the setting that admits it", async ({
  scope,
}) => {
  const { client, trunkOffer } = await startTalk(rig, scope, { media: { trunk: trunkName("provider") } });
  await stranger(scope, "127.0.0.9", trunkOffer);
  await stranger(scope, "127.0.0.9", trunkOffer);
  await client.ear.nextSecond(allHz);
  const lines = rig.log.filter(({ fields }) => fields["address"] === "127.0.0.9");
  expect(lines).toMatchObject([
    {
      level: "warn",
      message: "RTP dropped: it comes from an address that SDP did not name",
      fields: { trunk: "provider", setting: "media.rtp_networks" },
    },
  ]);
});

test.concurrent("all of it is the same over IPv6", async ({ scope }) => {
  const ipv6 = await startRig({ rtp: { host: "::1", ...(await portSlice(2)) } });
  scope.add(async () => ipv6.engine.stop());
  const { client, trunk, trunkOffer } = await startTalk(ipv6, scope, { trunk: { host: "::1" } });
  expect(trunkOffer).toContain("c=IN IP6 ::1");
  expect((await client.ear.nextSecond(allHz)).hz).toBe(trunkHz);
  await stranger(scope, "::1", trunkOffer);
  const [atClient, atTrunk] = await Promise.all([client.ear.nextSecond(allHz), trunk.ear.nextSecond(allHz)]);
  expect([atClient.hz, atTrunk.hz]).toEqual([trunkHz, clientHz]);
  expect(atClient.ratio).toBeGreaterThan(100);
});

test.concurrent("an IPv6 peer is heard however its SDP spells the address", async ({ scope }) => {
  const ipv6 = await startRig({ rtp: { host: "::1", ...(await portSlice(2)) } });
  scope.add(async () => ipv6.engine.stop());
  const { client, trunk } = await startTalk(ipv6, scope, {
    trunk: { host: "::1" },
    answer: { address: "0000:0:0:0:0:0:0:0001" },
  });
  expect((await client.ear.nextSecond(allHz)).hz).toBe(trunkHz);
  expect((await trunk.ear.nextSecond(allHz)).hz).toBe(clientHz);
});

test.concurrent("reports go to the place that the SDP names, once it has spoken, whoever reported first", async ({
  scope,
}) => {
  const { client, trunk, trunkOffer } = await startTalk(rig, scope, { speak: false });
  const other = await TrunkPeer.open({ hz: 1200, ssrc: 0x7777_0003 });
  scope.add(async () => other.close());
  other.aim(trunkOffer);
  other.sendRtcp(byePacket(9, "other"));
  trunk.aim(trunkOffer);
  trunk.sendRtcp(byePacket(7, "gateway"));
  client.speak();
  await trunk.report((bytes) => bytes[1] === 200);
  expect(other.rtcp).toHaveLength(0);
});

test.concurrent("an IPv6 address is refused where RTP is bound to IPv4", async ({ scope }) => {
  await expect(startTalk(rig, scope, { answer: { address: "2001:db8::7" } })).rejects.toMatchObject({
    code: "bad-description",
  });
});

test.concurrent("and an IPv4 address where it is bound to one of IPv6", async ({ scope }) => {
  const ipv6 = await startRig({ rtp: { host: "::1", ...(await portSlice(2)) } });
  scope.add(async () => ipv6.engine.stop());
  await expect(startTalk(ipv6, scope)).rejects.toMatchObject({ code: "bad-description" });
});

test.concurrent("noise on the port harms nobody", async ({ scope }) => {
  const { client, trunk } = await startTalk(rig, scope);
  for (let length = 0; length < 60; length += 1) trunk.send(Buffer.alloc(length, length * 37));
  for (const first of [0x90, 0xa0, 0xbf, 0x8f, 0x00])
    trunk.send(Buffer.from([first, 0, ...Array<number>(20).fill(255)]));
  for (const type of [200, 201, 202, 203, 204, 255]) trunk.send(Buffer.from([0x81, type, 0xff, 0xff, 1, 2, 3, 4]));
  expect((await client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
});

describe.concurrent("descriptions", () => {
  test.concurrent.for([
    ["no SDP", "hello", "bad-description"],
    [
      "RTP without encryption",
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n",
      "encryption-mismatch",
    ],
    [
      "WebRTC without ICE",
      "v=0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n",
      "bad-description",
    ],
  ])("%s from a client is refused as %s", async ([, sdp = "", code], { scope }) => {
    const { session } = await rig.open();
    scope.add(async () => session.close());
    await expect(session.offer("a", sdp)).rejects.toMatchObject({ name: "MediaError", code });
  });

  test.concurrent("a refused answer leaves the session as it was", async ({ scope }) => {
    const client = new ClientPeer({ hz: clientHz });
    scope.add(() => client.close());
    const trunk = await TrunkPeer.open({ hz: trunkHz });
    scope.add(async () => trunk.close());
    const { session } = await rig.open();
    scope.add(async () => session.close());
    const { description: sdp } = await session.offer("a", await client.offer());
    await expect(session.answer("b", trunk.sdp({ protocol: "RTP/SAVP" }))).rejects.toMatchObject({
      code: "encryption-mismatch",
    });
    await expect(session.answer("b", trunk.sdp({ formats: "18" }))).rejects.toMatchObject({
      code: "no-common-codec",
    });
    trunk.aim(sdp);
    await connect(client, session, await session.answer("b", trunk.sdp()));
    trunk.speak();
    expect((await client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
  });

  test.concurrent("a gateway at the highest port gets no RTCP, and the call goes on to a proper end", async ({
    scope,
  }) => {
    const client = new ClientPeer({ hz: clientHz });
    scope.add(() => client.close());
    const { session, facts } = await rig.open();
    await session.offer("a", await client.offer());
    const answer =
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 65535 RTP/AVP 0\r\n";
    await connect(client, session, await session.answer("b", answer));
    client.speak();
    await client.report(() => true);
    expect(facts.map(({ kind }) => kind)).not.toContain("media.failed");
    expect((await session.close()).a.packets).toBeGreaterThan(0);
  });

  test.concurrent("candidates of every kind and none are taken without harm", async ({ scope }) => {
    const { client, session } = await startTalk(rig, scope);
    const texts = [
      "",
      "nonsense",
      "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
      "candidate:1 1 udp 1 x.local 9 typ host",
    ];
    for (let count = 0; count < 300; count += 1)
      texts.push(`candidate:${count} 1 udp 1 127.0.0.1 ${count + 1} typ host`);
    session.addCandidates(texts.map((candidate) => ({ candidate, mid: "0", mLineIndex: 0 })));
    expect((await client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
  });
});
