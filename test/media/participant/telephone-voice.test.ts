// In which codec a telephone is heard at a media server: its own where the server takes that, and nothing but its voice.
import { afterAll, beforeAll, expect, vi } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { fakeAdmission, FakeSfu } from "../../fakes/sfu/sfu.ts";
import {
  attendanceOf,
  conferenceHz as hz,
  Seats,
  type CallOptions,
  type ConferenceCall,
} from "../peers/conference-call.ts";
import { portSlice, startRig, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";
import { TrunkPeer } from "../peers/trunk-peer.ts";

const allHz = [...Object.values(hz), 425];
const [pcmu, pcma, opus] = [0, 8, 111];
const places = 24;
const wait = { timeout: 10_000 };
const seats = new Seats(async (identity, room) => fakeAdmission(Number(room), identity, room));
let rig: Rig;

beforeAll(async () => {
  const rtp = { host: "127.0.0.1", ...(await portSlice(30)) };
  rig = await startRig({ sessionsPerWorker: places, rtp }, seats);
});
afterAll(async () => rig.engine.stop());

class Server {
  readonly port: number;
  #sfu: FakeSfu;

  private constructor(port: number, sfu: FakeSfu) {
    this.port = port;
    this.#sfu = sfu;
  }

  static async start(scope: Scope, codecs?: readonly string[]): Promise<Server> {
    const port = await freePort();
    const server = new Server(port, await FakeSfu.start(port));
    if (codecs !== undefined) server.#sfu.codecs = codecs;
    scope.add(async () => server.#sfu.stop());
    return server;
  }

  get sfu(): FakeSfu {
    return this.#sfu;
  }

  /** It dies, and one that takes other codecs takes its place. */
  async replace(codecs: readonly string[]): Promise<void> {
    await this.#sfu.stop();
    this.#sfu = await FakeSfu.start(this.port);
    this.#sfu.codecs = codecs;
  }

  readonly alice = async (scope: Scope, options?: CallOptions): Promise<ConferenceCall> =>
    seats.call(rig, scope, String(this.port), "alice", attendanceOf(["bob"]), options);
  readonly bob = async (scope: Scope, options?: CallOptions): Promise<ConferenceCall> =>
    seats.call(rig, scope, String(this.port), "bob", attendanceOf(["alice"]), options);
}

const hears = async ({ telephone }: ConferenceCall): Promise<number | undefined> =>
  (await telephone.ear.nextSecond(allHz)).hz;
const converted = async ({ session }: ConferenceCall): Promise<unknown> => (await session.stats()).converted;

test("keys and comfort noise of the telephone do not get into its voice", async ({ scope }) => {
  const server = await Server.start(scope);
  const [alice, bob] = [await server.alice(scope), await server.bob(scope)];
  expect(await hears(bob)).toBe(hz.alice);
  const { telephone } = alice;
  const key = {
    payloadType: 101,
    marker: true,
    timestamp: telephone.timestamp,
    payload: Uint8Array.of(5, 0x8a, 3, 0x20),
  };
  telephone.sendRtp(key);
  telephone.sendRtp({ payloadType: 13, marker: false, timestamp: telephone.timestamp, payload: Uint8Array.of(60) });
  const fact = await alice.fact("media.dtmf");
  expect(fact).toMatchObject({ from: "b", digit: "5", relayed: false });
  expect(await hears(bob)).toBe(hz.alice);
  expect([...server.sfu.said("alice")]).toEqual([pcmu]);
  // Nothing is missing either: the numbers have closed over what was left out.
  expect((await bob.session.stats()).a.lost).toBe(0);
});

test("packets of other lengths go on as they are", async ({ scope }) => {
  const server = await Server.start(scope);
  const [alice, bob] = [await server.alice(scope), await server.bob(scope)];
  await bob.fact("media.connected");
  expect(await hears(bob)).toBe(hz.alice);
  const { telephone } = alice;
  telephone.stopSpeaking();
  for (const octets of [80, 240, 480]) {
    telephone.sendRtp({
      payloadType: pcmu,
      marker: false,
      timestamp: telephone.timestamp,
      payload: new Uint8Array(octets).fill(octets & 0xff),
    });
    telephone.timestamp += octets;
  }
  await bob.telephone.ear.until(() => bob.telephone.ear.audio.some(({ payload }) => payload.length === 480));
  const lengths = bob.telephone.ear.audio.map(({ payload }) => payload.length).slice(-3);
  expect(lengths).toEqual([80, 240, 480]);
});

test("a server that takes Opus alone hears Opus, and one that takes one kind of G.711 hears that", async ({
  scope,
}) => {
  const old = await Server.start(scope, ["opus", "red"]);
  const [alice, bob] = [await old.alice(scope), await old.bob(scope)];
  expect(await hears(bob)).toBe(hz.alice);
  expect([...old.sfu.said("alice")]).toEqual([opus]);
  expect(await converted(alice)).toEqual({ a: "opus", b: "PCMU" });
  const other = await Server.start(scope, ["opus", "PCMU"]);
  const ann = await other.alice(scope, { codec: "PCMA" });
  expect(await hears(await other.bob(scope))).toBe(hz.alice);
  expect([...other.sfu.said("alice")]).toEqual([pcmu]);
  await ann.session.close();
  await bob.session.close();
});

test("a server that comes back as another version hears what that one takes, and back again", async ({ scope }) => {
  const server = await Server.start(scope);
  const [alice, bob] = [await server.alice(scope), await server.bob(scope)];
  expect(await hears(bob)).toBe(hz.alice);
  expect([...server.sfu.said("alice")]).toEqual([pcmu]);
  for (const [count, codecs, payloadType] of [
    [1, ["opus"], opus],
    [2, ["opus", "PCMU"], pcmu],
  ] as const) {
    await server.replace(codecs);
    await vi.waitFor(() => expect(Math.min(alice.seat.admissions, bob.seat.admissions)).toBeGreaterThan(count), 10_000);
    await expect.poll(async () => hears(bob), wait).toBe(hz.alice);
    expect([...server.sfu.said("alice")]).toEqual([payloadType]);
    expect(await converted(alice)).toEqual({ a: "opus", b: "PCMU", only: payloadType === opus ? undefined : "a" });
  }
  expect(alice.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
});

test("a server that lists a codec and does not take it is told Opus", async ({ scope }) => {
  const server = await Server.start(scope);
  server.sfu.spoil = (sdp, identity) => {
    const [start, section = ""] = sdp.split("a=mid:tx");
    const isRefused = identity === "alice" && !section.includes("opus");
    return isRefused ? `${start}a=mid:tx${section.replace(/a=(recvonly|sendrecv)/, "a=inactive")}` : sdp;
  };
  const [alice, bob] = [await server.alice(scope), await server.bob(scope)];
  expect(await hears(bob)).toBe(hz.alice);
  expect([...server.sfu.said("alice")]).toEqual([opus]);
  expect(alice.seat.admissions).toBe(2);
  expect(alice.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
});

test.for([
  ["PCMA", { a: "opus", b: "PCMA" }],
  ["opus", { a: "PCMU", b: "opus", only: "b" }],
  ["G722", { a: "opus", b: "G722" }],
] as const)(
  "a telephone that changes to %s in the call is heard in the voice that it had",
  async ([codec, turned], { scope }) => {
    const server = await Server.start(scope);
    const codecs = ["PCMU", codec] as const;
    const [alice, bob] = [await server.alice(scope, { codecs }), await server.bob(scope)];
    expect(await hears(bob)).toBe(hz.alice);
    const other = await TrunkPeer.open({ hz: hz.carol, codec });
    scope.add(async () => other.close());
    const lines = ["a=rtpmap:111 opus/48000/2", "a=sendrecv"];
    const said = other.sdp(codec === "opus" ? { formats: "111", lines } : {});
    const { description } = await alice.session.offer("b", said);
    alice.telephone.stopSpeaking();
    other.aim(description);
    other.speak();
    await expect.poll(async () => hears(bob), wait).toBe(hz.carol);
    expect((await other.ear.nextSecond(allHz)).hz).toBe(hz.bob);
    expect([...server.sfu.said("alice")]).toEqual([pcmu]);
    expect(await converted(alice)).toEqual(turned);
  },
);

test.for([
  ["G.711 alone", ["PCMA", "PCMU"], pcma],
  ["more than G.711", ["PCMU", "opus"], opus],
] as const)(
  "the ringing tone of a telephone that may have %s is heard as its voice will be",
  async ([, codecs, payloadType], { scope }) => {
    const server = await Server.start(scope);
    const bob = await server.bob(scope);
    const alice = await server.alice(scope, { how: "rings", codecs, codec: "PCMU" });
    await expect.poll(async () => hears(bob), wait).toBe(425);
    expect([...server.sfu.said("alice")]).toEqual([payloadType]);
    await alice.session.answer("b", alice.sdp);
    await expect.poll(async () => hears(bob), wait).toBe(hz.alice);
    expect([...server.sfu.said("alice")]).toEqual([payloadType]);
  },
);

test("a call counts as what it costs: more where the server makes us convert both ways", async ({ scope }) => {
  const free = (): number => rig.engine.health().free;
  expect(free()).toBe(places);
  const server = await Server.start(scope);
  const [alice, bob] = [await server.alice(scope), await server.bob(scope)];
  expect(await hears(alice)).toBe(hz.bob);
  expect(free()).toBe(places - 5);
  await server.replace(["opus"]);
  await vi.waitFor(() => expect(Math.min(alice.seat.admissions, bob.seat.admissions)).toBeGreaterThan(1), 10_000);
  await expect.poll(async () => hears(bob), wait).toBe(hz.alice);
  expect(free()).toBe(places - 6);
  await Promise.all([alice.session.close(), bob.session.close()]);
  expect(free()).toBe(places);
});
