// Somebody sets the machine's clock in the middle of everything, or it finds the right time by itself.
import { expect, test } from "vitest";
import { dialog } from "../core/call/examples.ts";
import { House } from "./house.ts";
import { examplePolicy } from "./settings.ts";

const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;
const hourMs = 3_600_000;

async function talking(house: House): Promise<void> {
  await house.ring();
  await house.sip(accepted);
}

async function hangUp(house: House): Promise<void> {
  await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
  await house.sip({ kind: "sip.ended" });
}

test("two hours ahead, then three back: the talk is as long as it was", async () => {
  const house = new House({ notices: { failures: true, history: true } });
  await talking(house);
  house.clock.setWall(2 * hourMs);
  await house.passTime(60_000);
  house.clock.setWall(-3 * hourMs);
  await house.passTime(15_000);
  await hangUp(house);
  const [record] = await house.store.calls.history(1);
  expect((record?.endedAtMs ?? 0) - (record?.answeredAtMs ?? 0)).toBe(75_000);
  expect(record?.endedAtMs).toBe(house.clock.wallMs());
  // By the time of day at the end, all of it: a record is read beside the telephone's bill.
  expect((record?.endedAtMs ?? 0) - (record?.startedAtMs ?? 0)).toBe(75_000);
});

test("a day ahead: nobody is cut off, the limit of a call's length holds all the same", async () => {
  const house = new House({ policy: { ...examplePolicy, maxDurationMs: 600_000 } });
  await talking(house);
  house.clock.setWall(24 * hourMs);
  await house.passTime(599_000);
  expect(house.trunks.verbs).toEqual(["invite"]);
  house.clock.setWall(-48 * hourMs);
  await house.passTime(2_000);
  expect(house.trunks.verbs).toEqual(["invite", "bye"]);
});

test("an hour back after a call: the next call goes out", async () => {
  const house = new House({ policy: { ...examplePolicy, callsPerMinute: 1 } });
  await talking(house);
  await hangUp(house);
  house.clock.setWall(-hourMs);
  await house.passTime(60_000);
  await house.take(house.inviteFact({ matrixCallId: "call2" as never }));
  expect(house.trunks.verbs).toEqual(["invite", "bye", "invite"]);
});

test("set while the bridge was down: a call of before it says how long the talk was by the time of day", async () => {
  const before = new House();
  await talking(before);
  await before.passTime(10_000);
  // The next process counts from another beginning.
  const after = new House({ store: before.store });
  after.clock.setWall(60_000);
  for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
  await after.sip({ kind: "sip.ended" });
  const [record] = await after.store.calls.history(1);
  expect(record?.answeredAtMs).toBe(before.clock.wallMs() - 10_000);
  expect(record?.endedAtMs).toBe(after.clock.wallMs());
});
