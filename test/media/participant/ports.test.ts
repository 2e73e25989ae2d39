// The ports for ICE: where none is left, a call waits for one, and the worker lives.
import { expect } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { fakeAdmission, FakeSfu } from "../../fakes/sfu/sfu.ts";
import { attendanceOf, Seats } from "../peers/conference-call.ts";
import { startRig } from "../peers/rig.ts";
import { test } from "../peers/scope.ts";

test("a call for which no port is left enters the conference when another one ends", async ({ scope }) => {
  const [port, only] = [await freePort(), await freePort()];
  const sfu = await FakeSfu.start(port);
  scope.add(async () => sfu.stop());
  const seats = new Seats(async (identity, room) => fakeAdmission(port, identity, room));
  const rig = await startRig({ ice: { bindHost: "127.0.0.1", portMin: only, portMax: only } }, seats);
  scope.add(async () => rig.engine.stop());
  const alice = await seats.call(rig, scope, "room", "alice", attendanceOf(["bob"]));
  await alice.fact("media.connected");
  const bob = await seats.call(rig, scope, "room", "bob", attendanceOf(["alice"]));
  const reason = "Error: no port is free for ICE";
  await expect
    .poll(() => rig.log)
    .toContainEqual(expect.objectContaining({ fields: expect.objectContaining({ reason }) }));
  await alice.session.close();
  await bob.fact("media.connected");
  expect(rig.log.map(({ message }) => message)).not.toContain("media worker ended");
});
