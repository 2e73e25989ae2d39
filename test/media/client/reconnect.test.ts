// A client that comes back: ICE restarts, false certificates, candidates at odd times; and a client that
// is called, and so answers.
import { createSocket } from "node:dgram";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import { elementSdp } from "../../core/sdp/samples.ts";
import { ClientPeer } from "../peers/client-peer.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { bothHz, connect, clientHz, startTalk, trunkHz, type Talk } from "../peers/talk.ts";
import { test, type Scope } from "../peers/scope.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ reconnectTimeoutMs: 1500 });
});
afterAll(async () => rig.engine.stop());

async function bothHear({ client, trunk }: Pick<Talk, "client" | "trunk">): Promise<void> {
  const [atTrunk, atClient] = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
  expect([atTrunk.hz, atClient.hz]).toEqual([clientHz, trunkHz]);
}

describe.concurrent("an ICE restart", () => {
  test.concurrent.for([
    ["while the old path still carries", false],
    ["after the old path was cut", true],
  ] as const)("%s: the trunk hears one stream and is asked nothing", async ([, isCut], { scope }) => {
    const talk = await startTalk(rig, scope);
    const { client, trunk, session, clientAnswer } = talk;
    await bothHear(talk);
    const packets = trunk.ear.packets;
    const outcome = await session.offer("a", await client.restartIce(isCut));
    expect(outcome.kind).toBe("settled");
    const line = (text: string, name: string): string => new RegExp(`a=${name}:(.*)`).exec(text)?.[1] ?? "";
    for (const name of ["ice-ufrag", "ice-pwd", "fingerprint"])
      expect(line(outcome.description, name)).not.toBe(line(clientAnswer, name));
    for (const name of ["setup", "ssrc", "msid"])
      expect(line(outcome.description, name)).toBe(line(clientAnswer, name));
    await connect(client, session, outcome.description);
    await bothHear(talk);
    expect(new Set([...packets, ...trunk.ear.packets].map((packet) => packet.ssrc)).size).toBe(1);
    expect(talk.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
  });

  test.concurrent("together with a hold waits for the trunk, and then does both", async ({ scope }) => {
    const talk = await startTalk(rig, scope);
    const { client, trunk, session } = talk;
    const outcome = await session.offer("a", await client.restartIce(false, "sendonly"));
    expect(outcome.kind).toBe("forward");
    expect(outcome.description).toContain("a=sendonly");
    await connect(client, session, await session.answer("b", trunk.sdp({ lines: ["a=recvonly"] })));
    expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  });
});

test.concurrent("a client whose certificate is not the one it named never connects", async ({ scope }) => {
  const client = new ClientPeer({ hz: clientHz });
  scope.add(() => client.close());
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const { session, fact, facts } = await rig.open();
  scope.add(async () => session.close());
  const offer = (await client.offer()).replace(/(a=fingerprint:sha-256 )..:..:../, "$100:11:22");
  await session.offer("a", offer);
  client.answered(await session.answer("b", trunk.sdp()));
  await fact("media.failed");
  expect(facts.map(({ kind }) => kind)).not.toContain("media.connected");
});

test.concurrent.for(["before the offer", "between offer and answer", "after the answer"])(
  "a candidate that comes %s is tried",
  async (when, { scope }) => {
    const socket = createSocket("udp4");
    await bind(socket);
    scope.add(async () => new Promise<void>((resolve) => void socket.close(() => resolve())));
    const checked = new Promise<Buffer>((resolve) => socket.once("message", resolve));
    const { session } = await rig.open();
    scope.add(async () => session.close());
    const trunk = await TrunkPeer.open({ hz: trunkHz });
    scope.add(async () => trunk.close());
    const candidate = `candidate:1 1 udp 2122194687 127.0.0.1 ${socket.address().port} typ host generation 0 ufrag afOz`;
    const add = (now: string): void => {
      if (now === when) session.addCandidates([{ candidate, mid: "0", mLineIndex: 0 }]);
    };
    add("before the offer");
    await session.offer("a", elementSdp("out-invite"));
    add("between offer and answer");
    const answer = await session.answer("b", trunk.sdp());
    add("after the answer");
    // A connectivity check is a Binding request whose user name is theirs and ours (RFC 8445 s7.2.2).
    const request = await checked;
    expect(request.readUInt16BE(0)).toBe(1);
    expect(request.toString("latin1")).toContain(`afOz:${/a=ice-ufrag:(.*)/.exec(answer)?.[1] ?? "?"}`);
  },
);

/** A STUN server (RFC 8489) that sees everybody at one address; `asked` resolves with the first question. */
async function stunServer(scope: Scope, mapped: readonly number[]): Promise<{ port: number; asked: Promise<void> }> {
  const socket = createSocket("udp4");
  await bind(socket);
  scope.add(async () => new Promise<void>((resolve) => void socket.close(() => resolve())));
  const asked = new Promise<void>((resolve) => {
    socket.on("message", (request, from) => {
      const cookie = request.subarray(4, 8);
      const address = mapped.map((octet, index) => octet ^ (cookie[index] ?? 0));
      const port = from.port ^ cookie.readUInt16BE(0);
      const reply = Buffer.from([
        1,
        1,
        0,
        12,
        ...request.subarray(4, 20),
        0,
        0x20,
        0,
        8,
        0,
        1,
        port >> 8,
        port & 255,
        ...address,
      ]);
      socket.send(reply, from.port, from.address);
      resolve();
    });
  });
  return { port: socket.address().port, asked };
}

test.concurrent("STUN is asked while the telephone rings, and the answer tells what it said", async ({ scope }) => {
  const stun = await stunServer(scope, [203, 0, 113, 77]);
  const client = new ClientPeer({ hz: clientHz });
  scope.add(() => client.close());
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const { session } = await rig.open({}, [{ urls: [`stun:127.0.0.1:${stun.port}`, "turns:ignored.example.org"] }]);
  scope.add(async () => session.close());
  await session.offer("a", await client.offer());
  await stun.asked;
  const answer = await session.answer("b", trunk.sdp());
  expect(answer).toMatch(/a=candidate:\S+ 1 udp \d+ 203\.0\.113\.77 \d+ typ srflx/i);
  await connect(client, session, answer);
});

test.concurrent("and before a client is called: the offer tells it, and the port that was asked about is the one", async ({
  scope,
}) => {
  const stun = await stunServer(scope, [203, 0, 113, 78]);
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const { session } = await rig.open({}, [{ urls: [`stun:127.0.0.1:${stun.port}`] }]);
  scope.add(async () => session.close());
  const { description: sdp } = await session.offer("b", trunk.sdp());
  const port = /a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/.exec(sdp)?.[1];
  expect(sdp).toMatch(
    new RegExp(`a=candidate:\\S+ 1 udp \\d+ 203\\.0\\.113\\.78 ${port} typ srflx raddr 127\\.0\\.0\\.1 rport ${port}`),
  );
});

describe.concurrent("a call to the client", () => {
  async function called(scope: Scope): Promise<Talk> {
    const client = new ClientPeer({ hz: clientHz });
    scope.add(() => client.close());
    const trunk = await TrunkPeer.open({ hz: trunkHz });
    scope.add(async () => trunk.close());
    const open = await rig.open();
    scope.add(async () => open.session.close());
    const outcome = await open.session.offer(
      "b",
      trunk.sdp({ formats: "8 0 96", lines: ["a=rtpmap:96 telephone-event/8000"] }),
    );
    expect(outcome.kind).toBe("forward");
    expect(outcome.description).toContain("a=setup:actpass");
    expect(outcome.description).toContain("a=end-of-candidates");
    expect(outcome.description).toMatch(/a=msid:\S+ \S+/);
    // Our candidates come to the client a little later, as those of a trickling caller would.
    const bare = outcome.description.replaceAll(/a=candidate.*\r\n/g, "");
    const trunkAnswer = await open.session.answer("a", await client.answer(bare));
    client.addCandidates(outcome.description);
    expect(trunkAnswer).toMatch(/m=audio \d+ RTP\/AVP 0 96\r\n/);
    trunk.aim(trunkAnswer);
    await client.connected();
    client.speak();
    trunk.speak();
    return { ...open, client, trunk, trunkOffer: trunkAnswer, clientAnswer: outcome.description };
  }

  test.concurrent("both are heard, and so are its keys", async ({ scope }) => {
    const talk = await called(scope);
    await bothHear(talk);
    talk.client.press("9", 120);
    expect(await talk.fact("media.dtmf")).toMatchObject({ from: "a", digit: "9", durationMs: 120 });
    await talk.trunk.ear.until(() => talk.trunk.ear.packets.some((packet) => packet.payloadType === 96));
  });

  test.concurrent("it may hold and restart ICE as one that called", async ({ scope }) => {
    const talk = await called(scope);
    const { client, trunk, session } = talk;
    await bothHear(talk);
    const held = await session.offer("a", await client.restartIce(true, "sendonly"));
    expect(held.kind).toBe("forward");
    await connect(client, session, await session.answer("b", trunk.sdp({ formats: "0 96", lines: ["a=recvonly"] })));
    expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  });
});
