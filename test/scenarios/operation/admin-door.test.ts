// What an admin's tools learn of the bridge besides its calls of the moment.
import { expect, test } from "vitest";
import { trunkName, type UserId } from "../../../src/core/ids.ts";
import type { RecordPage, RecordQuery } from "../../../src/ports/admin/admin-door.ts";
import type { Policy } from "../../../src/core/policy/permission.ts";
import { accepted, ann, bob, caller, TestBridge, trunk } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

const idsOf = ({ records }: RecordPage): readonly string[] => records.map(({ id }) => id);

/** Two calls of Ann's, the first one answered, and one of a telephone's that gave up. */
async function withHistory(): Promise<{ bridge: TestBridge; calls: readonly string[] }> {
  const bridge = new TestBridge();
  const answered = await bridge.ring();
  await bridge.sip(accepted);
  await bridge.passTime(60_000);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  await bridge.passTime(60_000);
  await bridge.take(bridge.inviteFact(bridge.callOf(ann, "call2")));
  const busy = bridge.call();
  await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
  await bridge.passTime(60_000);
  const missed = await bridge.arrive();
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, missed);
  await bridge.passTime(10_000);
  return { bridge, calls: [answered, busy, missed] };
}

test("ended calls are found by person, number in any spelling, trunk, result and time, newest first", async () => {
  const { bridge, calls } = await withHistory();
  const [answered, busy, missed] = calls;
  const find = async (query: Partial<RecordQuery>) =>
    idsOf(await bridge.door.records({ limit: 10, wholeNumbers: false, ...query }));
  expect(await find({})).toEqual([missed, busy, answered]);
  expect(await find({ result: "success" })).toEqual([answered]);
  expect(await find({ person: bob })).toEqual([]);
  expect(await find({ number: "020 8181 8181", person: ann })).toEqual([]);
  expect(await find({ number: "0181 811 8181" })).toEqual([busy, answered]);
  expect(await find({ number: "+44 1632 960001" })).toEqual([missed]);
  expect(await find({ trunk: trunkName("none") })).toEqual([]);
  expect(await find({ trunk })).toHaveLength(3);
  const [, second] = (await bridge.door.records({ limit: 10, wholeNumbers: false })).records;
  expect(await find({ fromMs: second?.endedAtMs })).toEqual([missed, busy]);
  expect(await find({ toMs: second?.endedAtMs })).toEqual([answered]);
});

test("a page says where the next one begins, and the last one that there is none", async () => {
  const { bridge, calls } = await withHistory();
  const seen: string[] = [];
  let page = await bridge.door.records({ limit: 1, wholeNumbers: false });
  for (seen.push(...idsOf(page)); page.next !== undefined; seen.push(...idsOf(page)))
    page = await bridge.door.records({ limit: 1, wholeNumbers: false, after: page.next });
  expect(seen).toEqual(calls.toReversed());
});

test("numbers of ended calls are masked as in the log unless whole ones are asked for", async () => {
  const { bridge } = await withHistory();
  bridge.telemetry.masksNumbers = true;
  expect(JSON.stringify(await bridge.door.records({ limit: 10, wholeNumbers: false }))).not.toMatch(/8118181|632960/);
  const whole = await bridge.door.records({ limit: 10, wholeNumbers: true });
  expect(whole.records.map(({ number }) => number)).toEqual(["+442079460123", "+441818118181", "+441818118181"]);
});

test("users are those whom permissions name and whom numbers ring, with what they may and what they use", async () => {
  const permission = { allow: new Set<never>(), callsPerUser: undefined, maxDurationMs: undefined };
  const policy: Policy = {
    ...examplePolicy,
    allow: new Set(["shared-cost"]),
    permissions: new Map([
      ["*", { ...permission, mayCall: true }],
      [bob, { ...permission, mayCall: false }],
      ["example.com", { mayCall: true, allow: new Set(["premium"]), callsPerUser: 7, maxDurationMs: 60_000 }],
    ]),
  };
  const bridge = new TestBridge({ policy });
  await bridge.ring();
  const users = bridge.door.users();
  expect(users.map(({ subject }) => subject)).toEqual(["*", bob, "example.com", ann]);
  expect(users).toMatchObject([
    { mayCall: true, allow: ["shared-cost"], callsAtOnce: 2, calls: undefined },
    { mayCall: false, allow: [], rungBy: ["+441632960002", "+441632960003"] },
    { allow: ["shared-cost", "premium"], callsAtOnce: 7, maxDurationMs: 60_000 },
    { rule: "*", mayCall: true, calls: 1, rungBy: ["+441632960001", "+441632960002", "+441632960003"] },
  ]);
  expect(bridge.door.limits()).toMatchObject({
    callsInAll: { limit: 10, used: 1 },
    people: [{ person: ann, limit: 2, used: 1 }],
  });
});

test("a number is explained as the command does it", () => {
  const { door } = new TestBridge();
  expect(door.explain({ text: "0181 811 8181", person: "@eve:elsewhere.org" as UserId })).toMatchObject({
    way: "dialled",
    found: { verdict: { kind: "refused", cause: "not-permitted" }, trunks: [{ trunk, sent: "+441818118181" }] },
  });
  expect(door.explain({ text: "+442079460123", fromTrunk: trunk })).toMatchObject({
    way: "arrived",
    found: { caller: { ghost: caller }, called: { kind: "none" } },
  });
  expect(door.explain({ text: "1", trunk: trunkName("none") })).toBeUndefined();
  expect(door.explain({ text: "1", fromTrunk: trunkName("none") })).toBeUndefined();
});

test("whether calls may begin is told, and so is since when a trunk is as it is, by the wall's clock", async () => {
  const bridge = new TestBridge();
  expect(bridge.door.closed()).toBeUndefined();
  bridge.clock.setWall(3_600_000);
  bridge.trunks.states = [{ name: trunk, state: "up", detail: "OPTIONS answered 200", sinceMs: bridge.clock.nowMs() }];
  expect(bridge.door.trunks()).toMatchObject([{ health: { sinceMs: bridge.clock.wallMs() } }]);
  await bridge.door.drain(0);
  expect(bridge.door.closed()).toBe("draining");
});
