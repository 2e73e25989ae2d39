// More calls from the telephone network than anybody could answer: people and the bridge stay usable.
import { describe, expect, test } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import { arrivalOf, callerOf } from "../../fakes/arrivals.ts";
import { ann, TestBridge } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

const policy = { ...examplePolicy, callsPerUser: 2, callsInAll: 10, callsPerMinute: 5 };
const wide = { ...policy, callsPerUser: 1_000, callsInAll: 1_000, callsPerMinute: 1_000 };

function from(n: number) {
  return { identity: callerOf(`+4420794${String(60_000 + n)}`) };
}

const rejects = (bridge: TestBridge): readonly unknown[] =>
  bridge.trunks.orders.filter(({ verb }) => verb === "reject").map(({ argument }) => argument);

describe("many numbers call one person at once", () => {
  test("as many ring as the person may have calls, the others hear busy, and all stand in the history", async () => {
    const bridge = new TestBridge({ policy });
    await Promise.all(Array.from({ length: 20 }, (_, n) => bridge.arrive(from(n))));
    expect(bridge.homeserver.rooms).toHaveLength(2);
    expect(rejects(bridge)).toEqual(Array.from({ length: 18 }, () => 486));
    for (const { verb, call } of bridge.trunks.orders)
      if (verb === "reject") await bridge.sip({ kind: "sip.ended" }, call);
    expect(bridge.telemetry.ended.map(({ cause, direction }) => [cause, direction])).toEqual(
      Array.from({ length: 18 }, () => ["busy", "inbound"]),
    );
  });

  test("a call that the person makes counts, and one that is over does not", async () => {
    const bridge = new TestBridge({ policy });
    await bridge.ring();
    const first = await bridge.arrive(from(1));
    await bridge.arrive(from(2));
    expect(rejects(bridge)).toEqual([486]);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, first);
    await bridge.arrive(from(3));
    expect(rejects(bridge)).toEqual([486]);
  });

  test("who is busy does not keep the others of a group from being rung", async () => {
    const bridge = new TestBridge({ policy: { ...policy, callsPerUser: 1 } });
    await bridge.arrive(from(1));
    await bridge.arrive({ ...from(2), called: "+441632960002" });
    expect(bridge.homeserver.rooms.map(({ invite }) => invite)).toEqual([ann, "@bob:example.org"]);
  });
});

test("more calls than the bridge may have are sent away with 503, and none is rung for", async () => {
  const bridge = new TestBridge({ policy: { ...wide, callsInAll: 3 } });
  for (let n = 0; n < 6; n++) await bridge.arrive(from(n));
  expect(rejects(bridge)).toEqual([503, 503, 503]);
  expect(bridge.homeserver.rooms).toHaveLength(3);
});

describe("one number that calls over and over", () => {
  async function callAndGiveUp(bridge: TestBridge, changes: Parameters<TestBridge["arrive"]>[0]): Promise<void> {
    const call = await bridge.arrive(changes);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
  }

  test("is not listened to for the rest of the minute; others are", async () => {
    const bridge = new TestBridge({ policy });
    for (let n = 0; n < 20; n++) await callAndGiveUp(bridge, from(1));
    expect(bridge.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(5);
    expect(rejects(bridge)).toEqual(Array.from({ length: 15 }, () => 503));
    await callAndGiveUp(bridge, from(2));
    await bridge.passTime(60_000);
    await callAndGiveUp(bridge, from(1));
    expect(bridge.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(7);
  });

  test("and hides does not shut out those who hide and call somebody else", async () => {
    const bridge = new TestBridge({ policy });
    const hidden = { identity: callerOf("+442079460123", undefined, ["id"]) };
    for (let n = 0; n < 10; n++) await callAndGiveUp(bridge, hidden);
    await callAndGiveUp(bridge, { ...hidden, called: "+441632960002" });
    expect(bridge.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(6);
  });
});

describe("calls under ever new numbers, which a caller may choose", () => {
  const narrow = { ...wide, callsPerMinute: 5 };

  test("make as many ghosts and rooms in a minute as one may try calls; the others hear 480", async () => {
    const bridge = new TestBridge({ policy: narrow });
    for (let n = 0; n < 20; n++) await bridge.arrive(from(n));
    expect([bridge.homeserver.registered.length, bridge.homeserver.rooms.length]).toEqual([5, 5]);
    expect(rejects(bridge)).toEqual(Array.from({ length: 15 }, () => 480));
    await bridge.passTime(60_000);
    await bridge.arrive(from(100));
    expect(bridge.homeserver.rooms).toHaveLength(6);
  });

  test("bring as many ghosts into a room of the configuration", async () => {
    const bridge = new TestBridge({ policy: narrow });
    for (let n = 0; n < 20; n++) {
      const call = await bridge.arrive({ ...from(n), called: "+441632960004" });
      await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect([bridge.homeserver.registered.length, bridge.homeserver.joined.length]).toEqual([5, 5]);
  });

  test("keep nobody out who has called before, and none who comes on another trunk", async () => {
    const bridge = new TestBridge({ policy: narrow });
    await bridge.arrive(from(0));
    for (let n = 1; n < 20; n++) await bridge.arrive(from(n));
    bridge.homeserver.memberList = [{ user: ann, membership: "join" }];
    await bridge.arrive(from(0));
    await bridge.arrive({ ...from(50), trunk: trunkName("spare") });
    expect(bridge.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(7);
  });
});

test("a thousand calls to numbers that are nobody's cost no ghost, no room and no media", async () => {
  const bridge = new TestBridge({ policy: wide });
  for (let n = 0; n < 1_000; n++) bridge.arrivals.invited(arrivalOf({ ...from(n), called: `+4416329${n}` }));
  await bridge.quiet();
  expect(rejects(bridge)).toHaveLength(1_000);
  expect([bridge.homeserver.registered, bridge.homeserver.rooms, bridge.media.orders]).toEqual([[], [], []]);
});

test("a defect in the table of numbers answers that call with 500 and no other", async () => {
  const bridge = new TestBridge();
  const broken = { ...from(1), called: undefined as unknown as string };
  await bridge.arrive(broken);
  expect(rejects(bridge)).toEqual([500]);
  await bridge.arrive(from(1));
  expect(bridge.trunks.verbs).toEqual(["reject", "ring"]);
});
