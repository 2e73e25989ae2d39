// Callers and numbers on the block list: who is rung, what the telephone hears, what stays in the history.
import { describe, expect, test } from "vitest";
import type { UserId } from "../../../src/core/ids.ts";
import type { MessageArrival } from "../../../src/ports/sip.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { examplePlan } from "../settings.ts";
import { ann, bob, TestBridge, trunk, type TestBridgeOptions } from "../test-bridge.ts";

const number = "020 7946 0123";

async function blocking(
  person: UserId | undefined,
  text = number,
  options: TestBridgeOptions = {},
): Promise<TestBridge> {
  const bridge = new TestBridge(options);
  await bridge.door.blocks.add({ text, person, response: undefined, by: "uid 0" });
  return bridge;
}

const invited = ({ homeserver }: TestBridge) => homeserver.rooms.map(({ invite }) => invite);
const heard = ({ trunks }: TestBridge) =>
  trunks.orders.flatMap(({ verb, argument }) => (verb === "reject" ? argument : []));
const history = async (bridge: TestBridge) => {
  await bridge.passTime(60_000);
  const { records } = await bridge.door.records({ limit: 10, wholeNumbers: true });
  return records.map(({ person, number: far, cause, sipStatus }) => ({ person, far, cause, sipStatus }));
};

describe("a caller who is blocked for everybody", () => {
  test("rings nobody, and leaves a line in the history and none in a room", async () => {
    const bridge = await blocking(undefined);
    await bridge.arrive();
    expect(heard(bridge)).toEqual([603]);
    expect([bridge.homeserver.rooms, bridge.homeserver.registered, bridge.words]).toEqual([[], [], []]);
    expect(await history(bridge)).toEqual([{ person: ann, far: "+442079460123", cause: "blocked", sipStatus: 603 }]);
  });

  test("does not ring rooms either", async () => {
    const bridge = await blocking(undefined);
    await bridge.arrive({ called: "+441632960004" });
    expect(heard(bridge)).toEqual([603]);
  });

  test.each([
    ["unwanted", 607],
    ["busy", 486],
    ["unavailable", 480],
  ] as const)("hears %s (%i) if the configuration says so, or the entry", async (response, status) => {
    const configured = await blocking(undefined, number, { blocking: { response } });
    await configured.arrive();
    expect(heard(configured)).toEqual([status]);
    const own = new TestBridge();
    await own.door.blocks.add({ text: number, person: undefined, response, by: "uid 0" });
    await own.arrive();
    expect(heard(own)).toEqual([status]);
  });

  test("rings again when the entry is taken away in another spelling", async () => {
    const bridge = await blocking(undefined);
    await bridge.door.blocks.remove({ text: "+44 20 7946 0123", person: undefined });
    await bridge.arrive();
    expect(invited(bridge)).toEqual([ann]);
  });

  test("stays blocked after a restart", async () => {
    const store = openMemoryStore();
    await blocking(undefined, number, { store });
    const bridge = new TestBridge({ store });
    await bridge.loadBlocks();
    await bridge.arrive();
    expect(heard(bridge)).toEqual([603]);
  });
});

describe("a caller whom one person has blocked", () => {
  test("does not ring that person, and rings the others of a group", async () => {
    const bridge = await blocking(ann);
    await bridge.arrive({ called: "+441632960002" });
    expect(invited(bridge)).toEqual([bob]);
    await bridge.arrive();
    expect(heard(bridge)).toEqual([603]);
  });

  test("rings the next ones in turn at once", async () => {
    const bridge = await blocking(ann);
    await bridge.arrive({ called: "+441632960003" });
    expect(invited(bridge)).toEqual([bob]);
  });

  test("can be called by them and by others", async () => {
    const bridge = await blocking(ann, "0181 811 8181");
    await bridge.ring();
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });
});

test("all callers with the same beginning, and those who withhold their number, can be blocked", async () => {
  const bridge = await blocking(undefined, "+44 20*");
  await bridge.door.blocks.add({ text: "anonymous", person: ann, response: "busy", by: ann });
  await bridge.arrive();
  await bridge.arrive({ identity: callerOf("+442079460123", undefined, ["id"]) });
  expect(heard(bridge)).toEqual([603, 486]);
  await bridge.arrive({ identity: callerOf("+443069990123") });
  expect(invited(bridge)).toEqual([ann]);
});

test("texts of a blocked sender are refused, and do not reach who has blocked them", async () => {
  const bridge = await blocking(ann);
  const text = (called: string): Promise<number> => {
    const arrival: MessageArrival = { trunk, called, identity: callerOf("+442079460123"), text: "hello", id: called };
    return bridge.messaged(arrival);
  };
  expect(await text("+441632960001")).toBe(603);
  expect(await text("+441632960002")).toBe(200);
  expect(invited(bridge)).toEqual([bob]);
});

describe("a number that is blocked for everybody", () => {
  test("is not called, however it is dialled: people read why", async () => {
    const bridge = await blocking(undefined, "+44 181 811*");
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual([]);
    expect(bridge.words).toEqual(["Calls to this number are blocked here."]);
    expect(bridge.door.explain({ text: "0181 811 8181" })).toMatchObject({
      found: { verdict: { kind: "refused", cause: "number-blocked" } },
    });
  });

  test("is never an emergency number", async () => {
    const plan = { ...examplePlan, emergencyTrunk: trunk };
    const bridge = new TestBridge({ plan });
    const entry = { person: undefined, response: undefined, by: "uid 0" };
    for (const text of ["999", "112", "+44999"])
      expect(await bridge.door.blocks.add({ text, ...entry })).toEqual({ kind: "none", why: "emergency" });
    expect(await bridge.door.blocks.add({ text: "99*", ...entry })).toMatchObject({ kind: "added" });
    const help = "@_sip_999%40sip.example.org:example.org" as UserId;
    await bridge.enterRoom(undefined, help);
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });
});

test("the list has an end", async () => {
  const bridge = new TestBridge();
  const add = (n: number, person: UserId | undefined) =>
    bridge.door.blocks.add({ text: `+442079${100_000 + n}`, person, response: undefined, by: ann });
  for (let n = 0; n < 500; n++) await add(n, ann);
  expect(await add(500, ann)).toEqual({ kind: "none", why: "too-many" });
  expect(await add(499, ann)).toMatchObject({ kind: "added" });
  expect(await add(500, bob)).toMatchObject({ kind: "added" });
});
