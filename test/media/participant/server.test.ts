// A media server that loses people, or is hostile.
import { afterAll, beforeAll, expect } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import type { Admission } from "../../../src/ports/conference.ts";
import { fakeAdmission, FakeSfu } from "../../fakes/sfu/sfu.ts";
import { attendanceOf, conferenceHz as hz, Seats, type ConferenceCall } from "../peers/conference-call.ts";
import { portSlice, startRig, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";

const allHz = Object.values(hz);
const admit = async (identity: string, room: string): Promise<Admission> => fakeAdmission(Number(room), identity, room);
const seats = new Seats(admit);
let rig: Rig;

beforeAll(async () => {
  const rtp = { host: "127.0.0.1", ...(await portSlice(30)) };
  rig = await startRig({ reconnectTimeoutMs: 1500, sessionsPerWorker: 100, rtp }, seats);
});
afterAll(async () => rig.engine.stop());

interface Both {
  readonly sfu: FakeSfu;
  readonly alice: ConferenceCall;
  readonly bob: ConferenceCall;
  readonly room: string;
}

/** Of a media server that nobody is at. */
async function startSfu(scope: Scope): Promise<{ readonly sfu: FakeSfu; readonly room: string }> {
  const port = await freePort();
  const sfu = await FakeSfu.start(port);
  let isStopped = false;
  const stop = sfu.stop.bind(sfu);
  sfu.stop = async () => {
    isStopped = true;
    await stop();
  };
  scope.add(async () => (isStopped ? undefined : sfu.stop()));
  return { sfu, room: String(port) };
}

async function talk(scope: Scope): Promise<Both> {
  const { sfu, room } = await startSfu(scope);
  const alice = await seats.call(rig, scope, room, "alice", attendanceOf(["bob"]));
  const bob = await seats.call(rig, scope, room, "bob", attendanceOf(["alice"]));
  expect((await alice.telephone.ear.nextSecond(allHz)).hz).toBe(hz.bob);
  return { sfu, alice, bob, room };
}

const kindsOf = ({ facts }: ConferenceCall): readonly string[] => facts.map(({ kind }) => kind);

test("who is sent away from a server that ends comes again, and the telephone hears them in the stream that it had", async ({
  scope,
}) => {
  const { sfu, alice, bob } = await talk(scope);
  const before = alice.telephone.ear.packets;
  sfu.dismiss("SERVER_SHUTDOWN");
  await expect.poll(() => Math.min(alice.seat.admissions, bob.seat.admissions)).toBeGreaterThan(1);
  expect((await alice.telephone.ear.nextSecond(allHz)).hz).toBe(hz.bob);
  expect((await bob.telephone.ear.nextSecond(allHz)).hz).toBe(hz.alice);
  expect(new Set([...before, ...alice.telephone.ear.packets].map(({ ssrc }) => ssrc)).size).toBe(1);
  expect(kindsOf(alice)).toEqual(["media.connected"]);
});

test("no candidate of ours is told before the answer, as a server that is early would begin a handshake that fails", async ({
  scope,
}) => {
  const { sfu } = await talk(scope);
  expect(sfu.early).toBe(0);
});

test("a server that does not come back is tried for the time that there is, and then the call is told so", async ({
  scope,
}) => {
  const { sfu, alice } = await talk(scope);
  await sfu.stop();
  await alice.fact("media.disconnected");
  expect(alice.seat.admissions).toBeGreaterThan(2);
  expect(kindsOf(alice)).toEqual(["media.connected", "media.disconnected"]);
});

test("who is at the server and says nothing, as a muted client, is not taken for dead", async ({ scope }) => {
  const { alice, bob } = await talk(scope);
  bob.telephone.stopSpeaking();
  const { a: before } = await alice.session.stats();
  const heardAt = async (): Promise<number> => (await alice.session.stats()).a.lastHeardAtMs ?? 0;
  await expect.poll(heardAt).toBeGreaterThan((before.lastHeardAtMs ?? 0) + 2500);
  const { a: after } = await alice.session.stats();
  expect(after.packets - before.packets).toBeLessThan(20);
});

test("who belongs to the call and is not there is missed after four seconds, until they come", async ({ scope }) => {
  const { room } = await startSfu(scope);
  const alice = await seats.call(rig, scope, room, "alice", attendanceOf(["bob"]));
  await expect.poll(() => alice.seat.meetings, { timeout: 8_000 }).toEqual([false]);
  const bob = await seats.call(rig, scope, room, "bob", attendanceOf(["alice"]));
  await expect.poll(() => alice.seat.meetings, { timeout: 8_000 }).toEqual([false, true]);
  expect((await alice.telephone.ear.nextSecond(allHz)).hz).toBe(hz.bob);
  expect(kindsOf(alice)).toEqual(["media.connected"]);
  expect(bob.seat.meetings).toEqual([]);
});

test("who is removed does not come again", async ({ scope }) => {
  const { sfu, alice } = await talk(scope);
  sfu.dismiss("PARTICIPANT_REMOVED");
  await alice.fact("media.disconnected");
  expect(alice.seat.admissions).toBe(1);
});

const hostileAnswers: Readonly<Record<string, (sdp: string) => string>> = {
  "no SDP": () => "hello",
  "without a fingerprint": (sdp) => sdp.replaceAll(/a=fingerprint.*\r\n/g, ""),
  "with a role that is for offers": (sdp) => sdp.replaceAll(/a=setup:\w+/g, "a=setup:actpass"),
  "with a hash that nobody computes": (sdp) => sdp.replaceAll(/sha-256 (..:){4}/g, "sha-224 "),
  "with candidates that are none": (sdp) => sdp.replaceAll(/a=candidate.*\r\n/g, "a=candidate:%n%n\r\n"),
  "with no section at all": (sdp) => sdp.slice(0, sdp.indexOf("m=")),
};

test("an answer that is hostile lets nobody in, and harms nobody else", async ({ scope }) => {
  const { alice } = await talk(scope);
  const facts = await Promise.all(
    Object.entries(hostileAnswers).map(async ([what, spoil]) => {
      const port = await freePort();
      const sfu = await FakeSfu.start(port);
      scope.add(async () => sfu.stop());
      sfu.spoil = spoil;
      const carol = await seats.call(rig, scope, String(port), "carol", attendanceOf([]));
      await carol.fact("media.failed");
      return [what, kindsOf(carol)] as const;
    }),
  );
  expect(facts).toEqual(Object.keys(hostileAnswers).map((what) => [what, ["media.failed"]]));
  expect((await alice.telephone.ear.nextSecond(allHz)).hz).toBe(hz.bob);
  expect(rig.log.map(({ message }) => message)).not.toContain("media worker ended");
});
