// What happens in the call of a room, as the bridge hears of it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { deviceId, eventId, matrixCallId, roomId, type UserId } from "../../../../src/core/ids.ts";
import { type RtcCall, seatOf } from "../../../../src/matrix/rtc/tracker/rtc-call.ts";
import { RtcTracker } from "../../../../src/matrix/rtc/tracker/tracker.ts";
import { readEvent } from "../../../../src/matrix/wire/event.ts";
import type { RtcEvent, RtcMembership } from "../../../../src/matrix/wire/rtc.ts";
import { seatDescription } from "../../../../src/ports/conference.ts";
import type { MatrixFact } from "../../../../src/ports/homeserver.ts";
import { VirtualClock } from "../../../fakes/virtual-clock.ts";
import { collectingLog } from "../../edge-rig.ts";

const room = roomId("!r:example.org");
const ann = "@ann:example.org" as UserId;
const bob = "@bob:example.org" as UserId;
const ghost = "@_sip_030901820:example.org" as UserId;
const service = "https://rtc.example.org";

let clock: VirtualClock;
let emitted: MatrixFact[];
let findable: ReadonlyMap<string, RtcMembership>;
let tracker: RtcTracker;
let over: string[];
let count = 0;

beforeEach(() => {
  clock = new VirtualClock();
  emitted = [];
  findable = new Map();
  over = [];
  tracker = new RtcTracker({
    isOwn: (user) => user.startsWith("@_sip_"),
    placeIn: async () => ({ device: deviceId("SIP1") }),
    find: async (_room, event) => findable.get(event),
    isConversation: async () => false,
    emit: (fact) => emitted.push(fact),
    clock,
    log: collectingLog([]),
  });
  tracker.listen({ changed: () => undefined, over: (call) => over.push(call.matrixCallId) });
});

function membership(user = ann, device = "PHONE", more: Partial<RtcMembership> = {}): RtcMembership {
  return {
    format: "state",
    key: `state ${user} _${user}_${device}_m.call`,
    user,
    device: deviceId(device),
    identity: `${user}:${device}`,
    services: [service],
    meets: "own",
    expiresInMs: 14_400_000,
    renewed: false,
    stay: undefined,
    ...more,
  };
}

function origin(sender: UserId, event?: string) {
  count += 1;
  return { eventId: eventId(event ?? `$e${count}`), room, sender, ageMs: 50, receivedAtMs: clock.nowMs() };
}

const joins = (event: string, one = membership()): Promise<readonly MatrixFact[]> =>
  tracker.take({ ...origin(one.user, event), kind: "rtc.joined", membership: one });
const leaves = (one = membership()): Promise<readonly MatrixFact[]> =>
  tracker.take({ ...origin(one.user), kind: "rtc.left", key: one.key });
const rings = (
  event: string,
  more: Partial<Extract<RtcEvent, { kind: "rtc.rang" }>> = {},
): Promise<readonly MatrixFact[]> =>
  tracker.take({
    ...origin(ann, `${event}-ring`),
    kind: "rtc.rang",
    membership: eventId(event),
    loudness: "loud",
    named: [],
    lifetimeMs: 30_000,
    video: false,
    ...more,
  });
const declines = (notification: string, sender = ann): Promise<readonly MatrixFact[]> =>
  tracker.take({ ...origin(sender), kind: "rtc.declined", notification: eventId(notification) });

const ringing = matrixCallId("ours");
const seat = seatOf(room, ringing);
const ours: RtcCall = {
  seat,
  room,
  matrixCallId: ringing,
  device: deviceId("SIP1"),
  ghost,
  service,
  state: { kind: "ringing", named: ann, notifications: [] },
};

describe("a person who calls", () => {
  test("is a call with their first ring, under the id of their membership", async () => {
    expect(await joins("$m")).toEqual([]);
    const [fact, ...others] = await rings("$m");
    expect(others).toEqual([]);
    expect(fact).toMatchObject({
      kind: "call.invited",
      sender: ann,
      matrixCallId: "$m",
      device: "PHONE",
      lifetimeMs: 30_000,
      description: seatDescription(seatOf(room, matrixCallId("$m"))),
      form: { kind: "rtc", media: "own", notification: "$m-ring" },
      abilities: { canRenegotiate: false },
    });
    expect(fact?.kind === "call.invited" && fact.invitee).toBe(undefined);
    expect(await rings("$m")).toEqual([]);
  });

  test("hangs up once, however often their leave comes", async () => {
    await joins("$m");
    await rings("$m");
    expect(await leaves()).toMatchObject([{ kind: "call.hungUp", matrixCallId: "$m", device: "PHONE" }]);
    expect(await leaves()).toEqual([]);
    expect(over).toEqual(["$m"]);
  });

  test("names the number that they call", async () => {
    await joins("$m");
    expect(await rings("$m", { named: [bob, ghost], loudness: "quiet" })).toMatchObject([{ invitee: ghost }]);
  });

  test("and names others, or tells a group, calls no number", async () => {
    await joins("$m");
    expect(await rings("$m", { named: [bob] })).toEqual([]);
    expect(await rings("$m", { loudness: "quiet" })).toEqual([]);
  });

  test("and has left before the ring comes, calls nobody", async () => {
    await joins("$m");
    await leaves();
    expect(await rings("$m")).toEqual([]);
  });

  test("is found where nobody told of their membership", async () => {
    findable = new Map([["$m", membership()]]);
    expect(await rings("$m")).toMatchObject([{ kind: "call.invited", matrixCallId: "$m", device: "PHONE" }]);
    expect(await rings("$unknown")).toEqual([]);
  });

  test("cannot ring with somebody else's membership", async () => {
    await joins("$m", membership(bob));
    expect(await rings("$m")).toEqual([]);
  });

  test("goes on with a renewed membership, and with one that a restarted client writes", async () => {
    await joins("$m");
    await rings("$m");
    expect(await joins("$m2", membership(ann, "PHONE", { renewed: true }))).toEqual([]);
    expect(await joins("$m3")).toEqual([]);
    expect(await leaves()).toMatchObject([{ kind: "call.hungUp", matrixCallId: "$m" }]);
  });

  test("goes on with another device", async () => {
    await joins("$m");
    await rings("$m");
    await joins("$n", membership(ann, "LAPTOP"));
    expect(await leaves()).toEqual([]);
    expect(await leaves(membership(ann, "LAPTOP"))).toMatchObject([{ kind: "call.hungUp", device: "PHONE" }]);
    expect(over).toEqual(["$m"]);
  });

  test("is gone when their membership has not been renewed in time", async () => {
    await joins("$m", membership(ann, "PHONE", { expiresInMs: 12_000 }));
    await rings("$m");
    clock.advance(11_000);
    expect(emitted).toEqual([]);
    clock.advance(1_000);
    expect(emitted).toMatchObject([{ kind: "call.hungUp", matrixCallId: "$m", sender: ann, device: "PHONE" }]);
    expect(over).toEqual(["$m"]);
  });

  test("has left the call when they have left the room", async () => {
    await joins("$m");
    await rings("$m");
    const kick = origin(bob, "$kick");
    const [fact] = tracker.personLeft(kick, ann);
    expect(fact).toMatchObject({ kind: "call.hungUp", matrixCallId: "$m", sender: ann, device: "PHONE" });
    // The bridge acts on each event once, and the departure itself is one.
    expect(fact?.eventId).not.toBe(kick.eventId);
    expect(over).toEqual(["$m"]);
    expect(tracker.present(room)).toEqual([]);
  });

  test("a number by its name calls it, also while that rings somebody else in the room", async () => {
    tracker.ring(ours);
    await joins("$m", membership(bob));
    expect(await rings("$m", { ...origin(bob), named: [ghost] })).toMatchObject([
      { kind: "call.invited", sender: bob, invitee: ghost },
    ]);
  });
});

describe("a person who is rung", () => {
  beforeEach(() => {
    tracker.ring(ours);
    tracker.notified(seat, eventId("$ring"));
  });

  test("answers by coming in, from whichever device; each is told", async () => {
    expect(await joins("$a")).toMatchObject([
      {
        kind: "call.answered",
        matrixCallId: "ours",
        device: "PHONE",
        description: seatDescription(seat),
        form: { kind: "rtc", device: "SIP1" },
      },
    ]);
    expect(await joins("$b", membership(ann, "LAPTOP"))).toMatchObject([{ kind: "call.answered", device: "LAPTOP" }]);
    expect(await joins("$a")).toEqual([]);
  });

  test("hangs up with the device that has the call; the other one may come and go", async () => {
    await joins("$a");
    await joins("$b", membership(ann, "LAPTOP"));
    tracker.select(seat, "LAPTOP");
    expect(await leaves()).toMatchObject([{ kind: "call.hungUp", device: "PHONE" }]);
    expect(over).toEqual([]);
    expect(await leaves(membership(ann, "LAPTOP"))).toMatchObject([{ kind: "call.hungUp", device: "LAPTOP" }]);
    expect(over).toEqual(["ours"]);
  });

  test("goes on with another device: the call ends when that leaves, too, and by the device that the bridge knows", async () => {
    await joins("$a");
    tracker.select(seat, "PHONE");
    await joins("$b", membership(ann, "LAPTOP"));
    expect(await leaves()).toEqual([]);
    expect(over).toEqual([]);
    await joins("$c", membership(bob));
    expect(await leaves(membership(ann, "LAPTOP"))).toMatchObject([{ kind: "call.hungUp", device: "PHONE" }]);
    expect(over).toEqual(["ours"]);
  });

  test("hangs up with each of their devices when they leave the room", async () => {
    await joins("$a");
    await joins("$b", membership(ann, "LAPTOP"));
    tracker.select(seat, "LAPTOP");
    const ends = tracker.personLeft(origin(ann), ann);
    expect(ends).toMatchObject([{ device: "PHONE" }, { device: "LAPTOP" }]);
    expect(new Set(ends.map((fact) => fact.eventId)).size).toBe(2);
  });

  test("is the only one who answers: somebody else in the room may come and go", async () => {
    expect(await joins("$bob", membership(bob))).toEqual([]);
    expect(await leaves(membership(bob))).toEqual([]);
    expect(over).toEqual([]);
    expect(await joins("$a")).toMatchObject([{ kind: "call.answered", sender: ann }]);
  });

  test("declines, and our side of it is over", async () => {
    expect(await declines("$ring")).toMatchObject([{ kind: "call.rejected", matrixCallId: "ours", sender: ann }]);
    expect(over).toEqual(["ours"]);
    expect(await declines("$ring")).toEqual([]);
  });

  test("and who declines for themselves only leaves the others ringing", async () => {
    expect(await declines("$ring", bob)).toMatchObject([{ kind: "call.rejected", sender: bob }]);
    expect(over).toEqual([]);
  });

  test("rings back at the same moment: that is the answer", async () => {
    tracker.over(seat);
    await joins("$m");
    tracker.ring(ours);
    expect(await rings("$m")).toMatchObject([{ kind: "call.answered", matrixCallId: "ours", device: "PHONE" }]);
  });

  test("and was in the call before, does not answer with a renewed membership", async () => {
    tracker.over(seat);
    await joins("$m");
    tracker.ring(ours);
    expect(await joins("$m2", membership(ann, "PHONE", { renewed: true }))).toEqual([]);
  });
});

test("a refusal that comes before we know our own ring is told when we do", async () => {
  tracker.ring(ours);
  expect(await declines("$ring")).toEqual([]);
  expect(emitted).toEqual([]);
  tracker.notified(seat, eventId("$ring"));
  expect(emitted).toMatchObject([{ kind: "call.rejected", matrixCallId: "ours", sender: ann }]);
});

test("a membership that is told of again after its end is over all the same", async () => {
  await joins("$m");
  await leaves();
  await joins("$m");
  expect(tracker.present(room)).toEqual([]);
});

test("a crowd in the call of a room is not followed without end", async () => {
  for (let index = 0; index < 1_100; index++) {
    const person = `@p${Math.floor(index / 10)}:example.org` as UserId;
    await joins(`$m${index}`, membership(person, `D${index}`));
  }
  expect(tracker.present(room)).toHaveLength(1_000);
});

test("a person with very many devices in the call of a room hides nobody else", async () => {
  for (let index = 0; index < 150; index++) await joins(`$m${index}`, membership(ann, `D${index}`));
  expect(tracker.present(room)).toHaveLength(20);
  tracker.ring({ ...ours, state: { kind: "ringing", named: bob, notifications: [] } });
  expect(await joins("$bob", membership(bob))).toMatchObject([{ kind: "call.answered", sender: bob }]);
});

describe("a room in which all are rung", () => {
  const all: RtcCall = { ...ours, state: { kind: "ringing", named: undefined, notifications: [] } };
  const bobs = membership(bob, "DESK");

  test("is not rung where its call is running: whoever came first into that has answered", async () => {
    await joins("$bob", bobs);
    await joins("$ann");
    tracker.ring(all);
    expect(tracker.joinRunning(seat)).toBe(true);
    expect(emitted).toMatchObject([{ kind: "call.answered", matrixCallId: "ours", sender: bob, device: "DESK" }]);
    expect(tracker.joinRunning(seat)).toBe(true);
    expect(emitted).toHaveLength(1);
  });

  test("is not rung where somebody has come while the number was coming in", async () => {
    tracker.ring(all);
    expect(await joins("$bob", bobs)).toMatchObject([{ kind: "call.answered", sender: bob }]);
    expect(tracker.joinRunning(seat)).toBe(true);
    expect(emitted).toEqual([]);
  });

  test("is rung where nobody is in the call, and so is a person who is in the call of their room", async () => {
    tracker.ring(all);
    expect(tracker.joinRunning(seat)).toBe(false);
    await joins("$ann");
    const other = { seat: seatOf(room, matrixCallId("other")), matrixCallId: matrixCallId("other") };
    tracker.ring({ ...ours, ...other });
    expect(tracker.joinRunning(other.seat)).toBe(false);
    expect(emitted).toEqual([]);
  });

  test("has the call as long as anybody is in it, in the name of who answered first", async () => {
    tracker.ring(all);
    expect(await joins("$bob", bobs)).toMatchObject([{ kind: "call.answered", sender: bob }]);
    tracker.select(seat, "DESK");
    await joins("$ann");
    const other = { seat: seatOf(room, matrixCallId("other")), matrixCallId: matrixCallId("other") };
    tracker.ring({ ...all, ...other });
    tracker.joinRunning(other.seat);
    expect(await leaves(bobs)).toEqual([]);
    expect(over).toEqual([]);
    const ends = await leaves();
    expect(ends).toMatchObject([
      { kind: "call.hungUp", matrixCallId: "ours", sender: bob, device: "DESK" },
      { kind: "call.hungUp", matrixCallId: "other", sender: bob, device: "DESK" },
    ]);
    // The bridge acts on each event once.
    expect(new Set([...ends, ...emitted].map((fact) => fact.eventId)).size).toBe(3);
    expect(over).toEqual(["ours", "other"]);
  });

  test("has no call any more when the last one in it has left the room", async () => {
    tracker.ring(all);
    await joins("$bob", bobs);
    tracker.select(seat, "DESK");
    await joins("$ann");
    await leaves(bobs);
    expect(tracker.personLeft(origin(ann), ann)).toMatchObject([
      { kind: "call.hungUp", matrixCallId: "ours", sender: bob, device: "DESK" },
    ]);
    expect(over).toEqual(["ours"]);
  });
});

describe("as Element Call was seen to do it", () => {
  const wire = join(import.meta.dirname, "../../../wire/element-call");
  const facts = async (name: string): Promise<readonly string[]> => {
    const text = readFileSync(join(wire, `${name}.json`), "utf8");
    const { events } = (JSON.parse(text) as { body: { events: readonly unknown[] } }).body;
    const told: string[] = [];
    for (const event of events) {
      const reading = readEvent(event, 1_795_400_000_000, (user) => user.startsWith("@_sip_"));
      if (reading.kind !== "fact" || !reading.fact.kind.startsWith("rtc.")) continue;
      told.push(...(await tracker.take(reading.fact as RtcEvent)).map(({ kind }) => kind));
    }
    return told;
  };

  test.each(["calls", "calls-0.26", "calls-sticky", "calls-encrypted", "starts-a-room-and-calls", "gives-up"])(
    "a person %s: one call, one end",
    async (name) => {
      expect(await facts(name)).toEqual(["call.invited", "call.hungUp"]);
    },
  );
});
