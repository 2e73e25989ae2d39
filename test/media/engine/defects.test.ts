// A defect of ours in one call, which shows by itself and not with a packet: that call ends, and no other.
import { afterAll, beforeAll, expect, vi } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { fakeAdmission, FakeSfu } from "../../fakes/sfu/sfu.ts";
import { attendanceOf, conferenceHz as hz, Seats, type ConferenceCall, type Name } from "../peers/conference-call.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";

const seats = new Seats(async (identity, room) => fakeAdmission(Number(room), identity, room));
let rig: Rig;

beforeAll(async () => {
  vi.stubEnv("NODE_OPTIONS", `--import=${new URL("../peers/broken-mixer.mjs", import.meta.url).href}`);
  rig = await startRig({}, seats);
  vi.unstubAllEnvs();
});
afterAll(async () => rig.engine.stop());

test("a call in which the mixing of voices breaks ends, and those of the others in it go on", async ({ scope }) => {
  const port = await freePort();
  const sfu = await FakeSfu.start(port);
  scope.add(async () => sfu.stop());
  const call = async (own: Scope, name: Name, others: readonly Name[]): Promise<ConferenceCall> =>
    seats.call(rig, own, String(port), name, attendanceOf(others));
  const bob = await call(scope, "bob", ["carol"]);
  const carol = await call(scope, "carol", ["bob"]);
  const alice = await call(scope, "alice", ["bob", "carol"]);
  expect(await alice.fact("media.failed")).toMatchObject({ message: "internal error" });
  const heard = [bob, carol].map(async ({ telephone }) => (await telephone.ear.nextSecond(Object.values(hz))).hz);
  expect(await Promise.all(heard)).toEqual([hz.carol, hz.bob]);
  const messages = rig.log.map(({ message }) => message);
  expect(messages.filter((message) => message === "media session broke")).toHaveLength(1);
  expect(messages).not.toContain("media worker ended");
});
