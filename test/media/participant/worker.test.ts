// What is left of a conference when the media worker dies.
import { expect } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { fakeAdmission, FakeSfu } from "../../fakes/sfu/sfu.ts";
import { attendanceOf, conferenceHz as hz, Seats } from "../peers/conference-call.ts";
import { startRig } from "../peers/rig.ts";
import { test } from "../peers/scope.ts";

test("when a worker dies the seats of its calls are left, and the next call enters in another worker", async ({
  scope,
}) => {
  const port = await freePort();
  const sfu = await FakeSfu.start(port);
  scope.add(async () => sfu.stop());
  const seats = new Seats(async (identity, room) => fakeAdmission(port, identity, room));
  const rig = await startRig({}, seats);
  scope.add(async () => rig.engine.stop());
  const alice = await seats.call(rig, scope, "room", "alice", attendanceOf(["bob"]));
  await alice.fact("media.connected");
  expect(alice.seat.isTaken).toBe(true);
  const started = rig.log.find(({ message }) => message === "media worker started");
  process.kill(Number(started?.fields["pid"]), "SIGKILL");
  await alice.fact("media.lost");
  expect(alice.seat.isTaken).toBe(false);
  await rig.logged("media worker started", 2);
  const [again, bob] = [
    await seats.call(rig, scope, "another room", "alice", attendanceOf(["bob"])),
    await seats.call(rig, scope, "another room", "bob", attendanceOf(["alice"])),
  ];
  expect((await again.telephone.ear.nextSecond(Object.values(hz))).hz).toBe(hz.bob);
  expect(bob.facts).toEqual([{ kind: "media.connected" }]);
});
