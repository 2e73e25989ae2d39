// Calls from the trunk: what the client is offered, when it answers and who, and what the trunk hears of it.
import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import { SrtpContext } from "../../../src/media/embedded/trunk/srtp.ts";
import { pickUp, startRinging, type Ringing } from "../peers/ringing.ts";
import { ClientPeer } from "../peers/client-peer.ts";
import { portSlice, startRig, type Rig } from "../peers/rig.ts";
import { test } from "../peers/scope.ts";
import { bothHz, clientHz, connect, trunkHz, type Talk } from "../peers/talk.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ silenceTimeoutMs: 1500 });
});
afterAll(async () => rig.engine.stop());

async function bothHear({ client, trunk }: Pick<Talk, "client" | "trunk">): Promise<void> {
  const [atTrunk, atClient] = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
  expect([atTrunk.hz, atClient.hz]).toEqual([clientHz, trunkHz]);
}

/** How long a homeserver takes with an answer. */
async function onItsWay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

test.concurrent("the client is offered all that it needs, under a browser's numbers", async ({ scope }) => {
  const lines = ["a=rtpmap:96 telephone-event/8000", "m=image 4000 udptl t38", "m=video 4002 RTP/AVP 31"];
  const ringing = await startRinging(rig, scope, { offer: { formats: "8 18 0 96", lines } });
  const { sdp } = ringing;
  expect(sdp).toMatch(/^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 8 0 111 126 110\r$/m);
  expect(sdp.match(/^m=/gm)).toHaveLength(1);
  for (const line of [
    "a=group:BUNDLE 0",
    "a=mid:0",
    "a=rtcp-mux",
    "a=sendrecv",
    "a=setup:actpass",
    "a=end-of-candidates",
  ])
    expect(sdp).toContain(`${line}\r\n`);
  expect(sdp).toMatch(/^a=msid:\S+ \S+\r$/m);
  expect(sdp).toMatch(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host\r$/m);
  const { trunkOffer: answer } = await pickUp(ringing);
  expect(answer).toMatch(/^m=audio \d+ RTP\/AVP 0 96\r\n(?:.*\r\n)*m=image 0 udptl t38\r\nm=video 0 RTP\/AVP 31\r$/m);
  expect(answer).not.toMatch(/msid|ssrc|candidate|fingerprint|a=mid/);
});

describe("an answer that comes after the client's first packets", () => {
  test("connects, fifty times out of fifty", async ({ scope }) => {
    const many = await startRig({
      sessionsPerWorker: 60,
      rtp: { host: "127.0.0.1", ...(await portSlice(60)) },
    });
    scope.add(async () => many.engine.stop());
    const call = async (index: number): Promise<void> => {
      const { client, session, sdp, fact, facts } = await startRinging(many, scope);
      const answer = await client.answer(sdp);
      await onItsWay(250 + 10 * index);
      await session.answer("a", answer);
      if (index % 2 === 0) session.addCandidates(client.candidates());
      await Promise.all([client.connected(), fact("media.connected")]);
      expect(facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
      await session.close();
    };
    for (let batch = 0; batch < 5; batch += 1)
      await Promise.all(Array.from({ length: 10 }, async (_, index) => call(batch * 10 + index)));
  });

  test.concurrent("is the first one, whatever other devices have sent", async ({ scope }) => {
    const ringing = await startRinging(rig, scope);
    const others = [1, 2, 3].map(() => new ClientPeer({ hz: 1800 }));
    for (const other of others) scope.add(() => other.close());
    const answers = await Promise.all(others.map(async (other) => other.answer(ringing.sdp)));
    await onItsWay(300);
    const talk = await pickUp(ringing);
    await bothHear(talk);
    for (const late of answers)
      await expect(ringing.session.answer("a", late)).rejects.toMatchObject({ code: "bad-description" });
    await bothHear(talk);
    expect(others.map((other) => other.isConnected)).toEqual([false, false, false]);
    expect(ringing.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });
});

test.concurrent("candidates that come before the answer are tried with it", async ({ scope }) => {
  const { client, session, sdp } = await startRinging(rig, scope);
  const socket = createSocket("udp4");
  await bind(socket);
  scope.add(async () => new Promise<void>((resolve) => void socket.close(() => resolve())));
  const checked = new Promise<void>((resolve) => socket.once("message", () => resolve()));
  const candidate = `candidate:1 1 udp 2122194687 127.0.0.1 ${socket.address().port} typ host`;
  session.addCandidates([{ candidate, mid: "0", mLineIndex: 0 }]);
  await session.answer("a", await client.answer(sdp));
  await checked;
});

test.concurrent("a session that ends while it rings gives its port back", async ({ scope }) => {
  const { session, sdp } = await startRinging(rig, scope);
  const port = Number(/m=audio (\d+)/.exec(sdp)?.[1]);
  await session.close();
  const socket = createSocket("udp4");
  scope.add(async () => new Promise<void>((resolve) => void socket.close(() => resolve())));
  await bind(socket, port);
});

test.concurrent("the client is told the packet time that the trunk asks for", async ({ scope }) => {
  const lines = ["a=rtpmap:101 telephone-event/8000", "a=ptime:30"];
  const { clientAnswer, trunkOffer } = await pickUp(await startRinging(rig, scope, { offer: { lines } }));
  expect(clientAnswer).toContain("a=ptime:30\r\n");
  expect(trunkOffer).toContain("a=ptime:30\r\n");
});

test.concurrent("a client gets the one port of the range that is left", async ({ scope }) => {
  const { portMin, portMax } = await portSlice(60);
  const sockets = Array.from({ length: portMax - portMin }, () => createSocket("udp4"));
  scope.add(() => {
    for (const socket of sockets) socket.close();
  });
  await Promise.all(sockets.map((socket, index) => bind(socket, portMin + index + (index < 60 ? 0 : 1))));
  const crowded = await startRig({ ice: { bindHost: "127.0.0.1", portMin, portMax } });
  scope.add(async () => crowded.engine.stop());
  const talk = await pickUp(await startRinging(crowded, scope));
  expect(talk.clientAnswer).toContain(`m=audio ${portMin + 60} `);
  await bothHear(talk);
});

test.concurrent.for(["0.0.0.0", "localhost"])("a client is offered real addresses with %s", async (host, { scope }) => {
  const named = await startRig({ rtp: { host: "localhost", ...(await portSlice(2)) }, ice: { bindHost: host } });
  scope.add(async () => named.engine.stop());
  const talk = await pickUp(await startRinging(named, scope));
  expect(talk.trunkOffer).toContain("c=IN IP4 127.0.0.1\r\n");
  expect(talk.clientAnswer).not.toMatch(/candidate:.*(?:0\.0\.0\.0|localhost)/);
  await bothHear(talk);
});

test.concurrent.for([
  ["AES_CM_128_HMAC_SHA1_80", "", 0],
  ["AES_CM_128_HMAC_SHA1_32", "|2^31", 0],
  ["AES_CM_128_HMAC_SHA1_80", "|2^20|1:4", 4],
] as const)("a trunk with SRTP is answered under its tag: %s%s", async ([suite, more, mkiLength], { scope }) => {
  const ours = randomBytes(30);
  const lines = [
    "a=crypto:3 F8_128_HMAC_SHA1_80 inline:" + "A".repeat(40),
    `a=crypto:7 ${suite} inline:${ours.toString("base64")}${more}`,
    "a=rtpmap:101 telephone-event/8000",
  ];
  const ringing = await startRinging(rig, scope, {
    media: { srtp: "required" },
    offer: { protocol: "RTP/SAVP", lines },
  });
  const { session, client, trunk, sdp } = ringing;
  const answer = await session.answer("a", await client.answer(sdp));
  const theirs = new RegExp(`m=audio \\d+ RTP/SAVP 0 101\r\na=crypto:7 ${suite} inline:(\\S{40})\r\n`).exec(
    answer,
  )?.[1];
  const [out, back] = [new SrtpContext(suite, ours), new SrtpContext(suite, Buffer.from(theirs ?? "", "base64"))];
  const tagLength = suite.endsWith("80") ? 10 : 4;
  trunk.cipher = {
    seal: (packet) => {
      const sealed = out.protectRtp(packet);
      const mki = Buffer.from([0, 0, 0, 1]).subarray(4 - mkiLength);
      return Buffer.concat([sealed.subarray(0, -tagLength), mki, sealed.subarray(-tagLength)]);
    },
    open: (packet) => back.openRtp(packet),
  };
  trunk.aim(answer);
  session.addCandidates(client.candidates());
  await client.connected();
  client.speak();
  trunk.speak();
  await bothHear(ringing);
});

describe.concurrent("hold", () => {
  test.concurrent.for([
    ["sendonly", "127.0.0.1", "recvonly"],
    ["inactive", "127.0.0.1", "inactive"],
    ["sendrecv", "0.0.0.0", "recvonly"],
  ] as const)("from the beginning (%s, %s), and its end", async ([direction, address, expected], { scope }) => {
    const events = "a=rtpmap:101 telephone-event/8000";
    const talk = await pickUp(
      await startRinging(rig, scope, { offer: { address, lines: [events, `a=${direction}`] } }),
    );
    expect(talk.trunkOffer).toContain(`a=${expected}\r\n`);
    // Music, where it is sent, is heard; the trunk hears nothing.
    if (direction === "sendonly") expect((await talk.client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
    const back = await talk.session.offer("b", talk.trunk.sdp());
    expect(back.kind).toBe("settled");
    expect(back.description).toContain("a=sendrecv\r\n");
    await bothHear(talk);
  });

  test.concurrent("the trunk's: the person hears the music and nobody times out; then both hear each other", async ({
    scope,
  }) => {
    const talk = await pickUp(await startRinging(rig, scope));
    const { client, trunk, session } = talk;
    await bothHear(talk);
    const music = await TrunkPeer.open({ hz: 1500, ssrc: 0x7777_0001 });
    scope.add(async () => music.close());
    music.aim(talk.trunkOffer);
    const held = await session.offer("b", music.sdp({ lines: ["a=sendonly"], formats: "0" }));
    expect(held).toMatchObject({ kind: "settled" });
    trunk.stopSpeaking();
    music.speak();
    await client.ear.until(() => client.ear.packets.some(({ marker }) => marker));
    expect((await client.ear.nextSecond([...bothHz, 1500])).hz).toBe(1500);
    music.stopSpeaking();
    await session.offer("b", trunk.sdp({ lines: ["a=inactive"], formats: "0" }));
    const before = client.ear.packets.length;
    // Longer than the engine lets a side be silent that is not on hold.
    await onItsWay(2500);
    expect(client.ear.packets.length - before).toBeLessThanOrEqual(2);
    await session.offer("b", trunk.sdp());
    trunk.speak();
    await bothHear(talk);
    expect(talk.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
    expect(new Set(client.ear.packets.map(({ ssrc }) => ssrc)).size).toBe(1);
  });

  test.concurrent("the trunk's is untold until the client has answered the offer that shows it, and so is its end", async ({
    scope,
  }) => {
    const talk = await pickUp(await startRinging(rig, scope));
    const { client, trunk, session } = talk;
    await bothHear(talk);
    expect(session.untold).toBeUndefined();
    const events = "a=rtpmap:101 telephone-event/8000";
    await session.offer("b", trunk.sdp({ lines: [events, "a=sendonly"] }));
    expect(session.untold).toBe("sendonly");
    const hold = await session.describe("a");
    expect(hold).toContain("a=sendonly\r\n");
    expect(session.untold).toBe("sendonly");
    await session.answer("a", await client.offer("recvonly"));
    expect(session.untold).toBeUndefined();
    expect((await client.ear.nextSecond(bothHz)).hz).toBe(trunkHz);
    await session.offer("b", trunk.sdp());
    expect(session.untold).toBe("sendrecv");
    const resumed = await session.describe("a");
    expect(resumed).toContain("a=sendrecv\r\n");
    await session.answer("a", await client.offer());
    expect(session.untold).toBeUndefined();
    await bothHear(talk);
  });

  test.concurrent("the client's reaches the trunk, and its end", async ({ scope }) => {
    const talk = await pickUp(await startRinging(rig, scope));
    const { client, trunk, session } = talk;
    await bothHear(talk);
    const held = await session.offer("a", await client.restartIce(false, "sendonly"));
    expect(held).toMatchObject({ kind: "forward" });
    expect(held.description).toContain("a=sendonly");
    await connect(client, session, await session.answer("b", trunk.sdp({ lines: ["a=recvonly"] })));
    const resumed = await session.offer("a", await client.offer());
    expect(resumed.description).toContain("a=sendrecv");
    await session.answer("b", trunk.sdp());
    await bothHear(talk);
  });
});

test.concurrent("a trunk that leaves the offer to us gets the client's, and completes it", async ({ scope }) => {
  const { session, fact } = await openFor(scope);
  const client = new ClientPeer({ hz: clientHz });
  scope.add(() => client.close());
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const sdp = await session.describe("a");
  expect(sdp).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0 8 111 9 126 110\r\n/);
  const offer = await session.answer("a", await client.answer(sdp));
  expect(offer).toMatch(/m=audio \d+ RTP\/AVP 0 101\r\n/);
  trunk.aim(offer);
  expect(await session.answer("b", trunk.sdp())).toBe("");
  await Promise.all([client.connected(), fact("media.connected")]);
  client.speak();
  trunk.speak();
  await bothHear({ client, trunk });
});

test.concurrent("calls that cross become the person's own call", async ({ scope }) => {
  const ringing: Ringing = await startRinging(rig, scope);
  const { session, trunk } = ringing;
  const own = new ClientPeer({ hz: clientHz });
  scope.add(() => own.close());
  const { a, b: answer } = await session.cross("a", await own.offer());
  expect(answer).toMatch(/m=audio \d+ RTP\/AVP 0 101\r\n/);
  trunk.aim(answer);
  await connect(own, session, a);
  own.speak();
  trunk.speak();
  await bothHear({ client: own, trunk });
  expect(ringing.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
});

test.concurrent("somebody else takes over the trunk's side, and the person hears one stream", async ({ scope }) => {
  const talk = await pickUp(await startRinging(rig, scope));
  const { client, trunk, session } = talk;
  await bothHear(talk);
  const heard = client.ear.packets;
  const offer = await session.describe("b");
  expect(offer).toMatch(/m=audio \d+ RTP\/AVP 0 101\r\n/);
  const next = await TrunkPeer.open({ hz: 1500, ssrc: 0x2222_3333, host: "127.0.0.3" });
  scope.add(async () => next.close());
  next.aim(offer);
  next.speak();
  // Until it has answered nobody but the old peer is heard.
  expect((await client.ear.nextSecond([...bothHz, 1500])).hz).toBe(trunkHz);
  await session.answer("b", next.sdp({ formats: "0 97", lines: ["a=rtpmap:97 telephone-event/8000"] }));
  await client.ear.until(() => client.ear.packets.some(({ marker }) => marker));
  expect((await client.ear.nextSecond([...bothHz, 1500])).hz).toBe(1500);
  expect((await next.ear.nextSecond([...bothHz, 1500])).hz).toBe(clientHz);
  expect(new Set([...heard, ...client.ear.packets].map(({ ssrc }) => ssrc)).size).toBe(1);
  trunk.ear.packets = [];
  client.press("4", 100);
  await next.ear.until(() => next.ear.packets.some(({ payloadType }) => payloadType === 97));
  expect(trunk.ear.packets).toHaveLength(0);
});

test.concurrent("with SRTP, whoever takes over gets keys that nobody has used", async ({ scope }) => {
  const suite = "AES_CM_128_HMAC_SHA1_80";
  const keyIn = (sdp: string): string => new RegExp(`a=crypto:\\d ${suite} inline:(\\S{40})`).exec(sdp)?.[1] ?? "";
  const words = (): { protocol: string; lines: string[]; master: Buffer } => {
    const master = randomBytes(30);
    const lines = [`a=crypto:1 ${suite} inline:${master.toString("base64")}`, "a=rtpmap:101 telephone-event/8000"];
    return { protocol: "RTP/SAVP", lines, master };
  };
  const encrypt = (peer: TrunkPeer, master: Buffer, theirs: string): void => {
    const [out, back] = [new SrtpContext(suite, master), new SrtpContext(suite, Buffer.from(theirs, "base64"))];
    peer.cipher = { seal: (packet) => out.protectRtp(packet), open: (packet) => back.openRtp(packet) };
  };
  const first = words();
  const ringing = await startRinging(rig, scope, { media: { srtp: "required" }, offer: first });
  const { session, client, trunk, sdp } = ringing;
  const answer = await session.answer("a", await client.answer(sdp));
  encrypt(trunk, first.master, keyIn(answer));
  trunk.aim(answer);
  session.addCandidates(client.candidates());
  await client.connected();
  client.speak();
  trunk.speak();
  await bothHear(ringing);
  const offer = await session.describe("b");
  expect(keyIn(offer)).not.toBe(keyIn(answer));
  // Those in use stay until somebody has answered.
  await bothHear(ringing);
  const next = await TrunkPeer.open({ hz: 1500, ssrc: 0x2222_4444 });
  scope.add(async () => next.close());
  const second = words();
  encrypt(next, second.master, keyIn(offer));
  next.aim(offer);
  await session.answer("b", next.sdp(second));
  trunk.stopSpeaking();
  next.speak();
  await client.ear.until(() => client.ear.packets.some(({ marker }) => marker));
  expect((await client.ear.nextSecond([...bothHz, 1500])).hz).toBe(1500);
  expect((await next.ear.nextSecond([...bothHz, 1500])).hz).toBe(clientHz);
});

async function openFor(scope: { add(close: () => unknown): void }): ReturnType<Rig["open"]> {
  const open = await rig.open();
  scope.add(async () => open.session.close());
  return open;
}
