// Who may speak as the client: false certificates in either role, strangers at its port before the handshake, and changed packets.
import { createSocket, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import { ClientPeer } from "../peers/client-peer.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";
import { bothHz, clientHz, connect, trunkHz } from "../peers/talk.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ reconnectTimeoutMs: 1500 });
});
afterAll(async () => rig.engine.stop());

async function ends(scope: Scope) {
  const client = new ClientPeer({ hz: clientHz });
  scope.add(() => client.close());
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const open = await rig.open();
  scope.add(async () => open.session.close());
  return { ...open, client, trunk };
}

async function socketOf(scope: Scope): Promise<Socket> {
  const socket = createSocket("udp4");
  await bind(socket);
  scope.add(async () => new Promise<void>((resolve) => void socket.close(() => resolve())));
  return socket;
}

const otherFingerprint = (sdp: string): string => sdp.replace(/(a=fingerprint:sha-256 )..:..:../i, "$100:11:22");
const hostCandidate = /a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/i;
const portIn = (sdp: string): number => Number(hostCandidate.exec(sdp)?.[1]);
const lineIn = (sdp: string, name: string): string => new RegExp(`a=${name}:(\\S+)`).exec(sdp)?.[1] ?? "";

test.concurrent("a client that is called, and whose certificate is not the one it named, never connects", async ({
  scope,
}) => {
  const { client, trunk, session, fact, facts } = await ends(scope);
  const { description } = await session.offer("b", trunk.sdp());
  await session.answer("a", otherFingerprint(await client.answer(description)));
  await fact("media.failed");
  expect(facts.map(({ kind }) => kind)).not.toContain("media.connected");
});

/** A connectivity check (RFC 8445 s7.2.2) by somebody who has read the user names and not the password. */
function forgedCheck(username: string): Buffer {
  const name = Buffer.from(username);
  const padded = Buffer.concat([name, Buffer.alloc((4 - (name.length % 4)) % 4)]);
  const attribute = (type: number, length: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.from([type >> 8, type & 255, length >> 8, length & 255]), value]);
  const body = Buffer.concat([
    attribute(0x0006, name.length, padded),
    attribute(0x0025, 0, Buffer.alloc(0)),
    attribute(0x0008, 20, Buffer.alloc(20, 7)),
  ]);
  return Buffer.concat([
    Buffer.from([0, 1, body.length >> 8, body.length & 255, 0x21, 0x12, 0xa4, 0x42]),
    Buffer.alloc(12, 9),
    body,
  ]);
}

/** The beginning of a handshake of DTLS 1.2: a record of a ClientHello. */
function clientHello(): Buffer {
  const hello = Buffer.concat([
    Buffer.from([0xfe, 0xfd]),
    Buffer.alloc(32, 5),
    Buffer.from([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]),
  ]);
  const size = [0, 0, hello.length];
  const message = Buffer.concat([Buffer.from([1, ...size, 0, 0, 0, 0, 0, ...size]), hello]);
  return Buffer.concat([Buffer.from([22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, message.length]), message]);
}

/** A call with two descriptions: `ours`, of the bridge, and `theirs`, of the client; `connect` ends the wait of both. */
interface Begun {
  readonly ours: string;
  readonly theirs: string;
  readonly connect: () => Promise<void>;
}

type Ends = Awaited<ReturnType<typeof ends>>;

async function calling({ client, trunk, session }: Ends): Promise<Begun> {
  const theirs = await client.offer();
  const { description } = await session.offer("a", theirs);
  trunk.aim(description);
  const ours = await session.answer("b", trunk.sdp());
  expect(lineIn(ours, "setup")).toBe("active");
  return { ours, theirs, connect: async () => connect(client, session, ours) };
}

async function called({ client, trunk, session }: Ends): Promise<Begun> {
  const { description: ours } = await session.offer("b", trunk.sdp());
  const theirs = await client.answer(ours.replaceAll(/a=candidate.*\r\n/g, ""));
  // The bridge is the server of the handshake, which a stranger could begin.
  expect(lineIn(theirs, "setup")).toBe("active");
  trunk.aim(await session.answer("a", theirs));
  const connected = async (): Promise<void> => {
    client.addCandidates(ours);
    await client.connected();
  };
  return { ours, theirs, connect: connected };
}

test.concurrent.for([
  ["that calls", calling],
  ["that is called", called],
] as const)(
  "before a client %s: a stranger with forged checks and a handshake of its own gets none of the call",
  async ([, begin], { scope }) => {
    const all = await ends(scope);
    const { client, trunk } = all;
    const { ours, theirs, connect: connectClient } = await begin(all);
    const stranger = await socketOf(scope);
    const heard: Buffer[] = [];
    stranger.on("message", (bytes) => heard.push(bytes));
    const names = [lineIn(ours, "ice-ufrag"), lineIn(theirs, "ice-ufrag"), "x".repeat(1_000)];
    const checks = [names.slice(0, 2), names].map((parts) => forgedCheck(parts.join(":")));
    const intrude = (): void => {
      for (let copy = 0; copy < 20; copy += 1)
        for (const bytes of [...checks, clientHello()]) stranger.send(bytes, portIn(ours), "127.0.0.1");
    };
    intrude();
    await connectClient();
    client.speak();
    trunk.speak();
    intrude();
    const [atTrunk, atClient] = await Promise.all([trunk.ear.nextSecond(bothHz), client.ear.nextSecond(bothHz)]);
    expect([atTrunk.hz, atClient.hz]).toEqual([clientHz, trunkHz]);
    expect(heard.map((bytes) => bytes.toString("hex"))).toEqual([]);
  },
);

test.concurrent("what was changed on its way from the client does not reach the telephone", async ({ scope }) => {
  const { client, trunk, session, fact } = await ends(scope);
  const { description } = await session.offer("a", await client.offer());
  trunk.aim(description);
  const answer = await session.answer("b", trunk.sdp());
  // All that the client and the bridge say to each other goes through here.
  const between = await socketOf(scope);
  const toBridge = await socketOf(scope);
  const bridgePort = portIn(answer);
  let clientPort = 0;
  let isChanging = true;
  const passed = { changed: 0, whole: 0 };
  between.on("message", (bytes, from) => {
    clientPort = from.port;
    const first = bytes[0] ?? 0;
    const isRtp = first >= 128 && first <= 191 && ((bytes[1] ?? 0) & 127) < 64;
    if (isRtp && isChanging) {
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      passed.changed += 1;
    } else if (isRtp) passed.whole += 1;
    toBridge.send(bytes, bridgePort, "127.0.0.1");
  });
  toBridge.on("message", (bytes) => between.send(bytes, clientPort, "127.0.0.1"));
  const port = between.address().port;
  const through = answer
    .split("\r\n")
    .filter((line) => !line.startsWith("a=candidate") || hostCandidate.test(line))
    .map((line) => line.replace(hostCandidate, (text) => text.replace(String(bridgePort), String(port))));
  client.answered(through.join("\r\n"));
  await client.connected();
  await fact("media.connected");
  client.speak();
  await expect.poll(() => passed.changed).toBeGreaterThan(20);
  expect(trunk.ear.packets).toEqual([]);
  isChanging = false;
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  expect((await session.close()).a.packets).toBeLessThanOrEqual(passed.whole);
});
