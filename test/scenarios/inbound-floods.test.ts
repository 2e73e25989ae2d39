// More calls from the telephone network than anybody could answer: people and the bridge stay usable.
import { describe, expect, test } from "vitest";
import { trunkName } from "../../src/core/ids.ts";
import { arrivalOf, callerOf } from "../fakes/arrivals.ts";
import { ann, House } from "./house.ts";
import { examplePolicy } from "./settings.ts";

const policy = { ...examplePolicy, callsPerUser: 2, callsInAll: 10, callsPerMinute: 5 };
const wide = { ...policy, callsPerUser: 1_000, callsInAll: 1_000, callsPerMinute: 1_000 };

function from(n: number) {
  return { identity: callerOf(`+4420794${String(60_000 + n)}`) };
}

const rejects = (house: House): readonly unknown[] =>
  house.trunks.orders.filter(({ verb }) => verb === "reject").map(({ argument }) => argument);

describe("many numbers call one person at once", () => {
  test("as many ring as the person may have calls, the others hear busy, and all stand in the history", async () => {
    const house = new House({ policy });
    await Promise.all(Array.from({ length: 20 }, (_, n) => house.arrive(from(n))));
    expect(house.homeserver.rooms).toHaveLength(2);
    expect(rejects(house)).toEqual(Array.from({ length: 18 }, () => 486));
    for (const { verb, call } of house.trunks.orders)
      if (verb === "reject") await house.sip({ kind: "sip.ended" }, call);
    expect(house.telemetry.ended.map(({ cause, direction }) => [cause, direction])).toEqual(
      Array.from({ length: 18 }, () => ["busy", "inbound"]),
    );
  });

  test("a call that the person makes counts, and one that is over does not", async () => {
    const house = new House({ policy });
    await house.ring();
    const first = await house.arrive(from(1));
    await house.arrive(from(2));
    expect(rejects(house)).toEqual([486]);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, first);
    await house.arrive(from(3));
    expect(rejects(house)).toEqual([486]);
  });

  test("who is busy does not keep the others of a group from being rung", async () => {
    const house = new House({ policy: { ...policy, callsPerUser: 1 } });
    await house.arrive(from(1));
    await house.arrive({ ...from(2), called: "+441632960002" });
    expect(house.homeserver.rooms.map(({ invite }) => invite)).toEqual([ann, "@bob:example.org"]);
  });
});

test("more calls than the bridge may have are sent away with 503, and none is rung for", async () => {
  const house = new House({ policy: { ...wide, callsInAll: 3 } });
  for (let n = 0; n < 6; n++) await house.arrive(from(n));
  expect(rejects(house)).toEqual([503, 503, 503]);
  expect(house.homeserver.rooms).toHaveLength(3);
});

describe("one number that calls over and over", () => {
  async function callAndGiveUp(house: House, changes: Parameters<House["arrive"]>[0]): Promise<void> {
    const call = await house.arrive(changes);
    await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
  }

  test("is not listened to for the rest of the minute; others are", async () => {
    const house = new House({ policy });
    for (let n = 0; n < 20; n++) await callAndGiveUp(house, from(1));
    expect(house.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(5);
    expect(rejects(house)).toEqual(Array.from({ length: 15 }, () => 503));
    await callAndGiveUp(house, from(2));
    await house.passTime(60_000);
    await callAndGiveUp(house, from(1));
    expect(house.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(7);
  });

  test("and hides does not shut out those who hide and call somebody else", async () => {
    const house = new House({ policy });
    const hidden = { identity: callerOf("+442079460123", undefined, ["id"]) };
    for (let n = 0; n < 10; n++) await callAndGiveUp(house, hidden);
    await callAndGiveUp(house, { ...hidden, called: "+441632960002" });
    expect(house.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(6);
  });
});

describe("calls under ever new numbers, which a caller may choose", () => {
  const narrow = { ...wide, callsPerMinute: 5 };

  test("make as many ghosts and rooms in a minute as one may try calls; the others hear 480", async () => {
    const house = new House({ policy: narrow });
    for (let n = 0; n < 20; n++) await house.arrive(from(n));
    expect([house.homeserver.registered.length, house.homeserver.rooms.length]).toEqual([5, 5]);
    expect(rejects(house)).toEqual(Array.from({ length: 15 }, () => 480));
    await house.passTime(60_000);
    await house.arrive(from(100));
    expect(house.homeserver.rooms).toHaveLength(6);
  });

  test("bring as many ghosts into a room of the configuration", async () => {
    const house = new House({ policy: narrow });
    for (let n = 0; n < 20; n++) {
      const call = await house.arrive({ ...from(n), called: "+441632960004" });
      await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    expect([house.homeserver.registered.length, house.homeserver.joined.length]).toEqual([5, 5]);
  });

  test("keep nobody out who has called before, and none who comes on another trunk", async () => {
    const house = new House({ policy: narrow });
    await house.arrive(from(0));
    for (let n = 1; n < 20; n++) await house.arrive(from(n));
    house.homeserver.memberList = [{ user: ann, membership: "join" }];
    await house.arrive(from(0));
    await house.arrive({ ...from(50), trunk: trunkName("spare") });
    expect(house.trunks.verbs.filter((verb) => verb === "ring")).toHaveLength(7);
  });
});

test("a thousand calls to numbers that are nobody's cost no ghost, no room and no media", async () => {
  const house = new House({ policy: wide });
  for (let n = 0; n < 1_000; n++) house.arrivals.invited(arrivalOf({ ...from(n), called: `+4416329${n}` }));
  await house.quiet();
  expect(rejects(house)).toHaveLength(1_000);
  expect([house.homeserver.registered, house.homeserver.rooms, house.media.orders]).toEqual([[], [], []]);
});

test("a defect in the table of numbers answers that call with 500 and no other", async () => {
  const house = new House();
  const broken = { ...from(1), called: undefined as unknown as string };
  await house.arrive(broken);
  expect(rejects(house)).toEqual([500]);
  await house.arrive(from(1));
  expect(house.trunks.verbs).toEqual(["reject", "ring"]);
});
