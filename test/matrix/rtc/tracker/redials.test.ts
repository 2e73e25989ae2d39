// A person who calls again before the number has left the last call. To their client that call is running, so that it rings nobody.
import { beforeEach, describe, expect, test } from "vitest";
import { deviceId, eventId, matrixCallId, roomId, type UserId } from "../../../../src/core/ids.ts";
import { seatOf } from "../../../../src/matrix/rtc/tracker/rtc-call.ts";
import { RtcTracker } from "../../../../src/matrix/rtc/tracker/tracker.ts";
import type { RtcMembership } from "../../../../src/matrix/wire/rtc.ts";
import type { MatrixFact } from "../../../../src/ports/homeserver.ts";
import { VirtualClock } from "../../../fakes/virtual-clock.ts";
import { collectingLog } from "../../edge-rig.ts";

const room = roomId("!r:example.org");
const ann = "@ann:example.org" as UserId;
const bob = "@bob:example.org" as UserId;
const ghost = "@_sip_030901820:example.org" as UserId;
const first = seatOf(room, matrixCallId("$first"));
const second = seatOf(room, matrixCallId("$second"));

let clock: VirtualClock;
let emitted: MatrixFact[];
let tracker: RtcTracker;
let isConversation: boolean;
let count = 0;

beforeEach(() => {
  clock = new VirtualClock();
  emitted = [];
  isConversation = true;
  tracker = new RtcTracker({
    isOwn: (user) => user === ghost,
    placeIn: async () => ({ device: deviceId("SIP1") }),
    find: async () => undefined,
    isConversation: async () => isConversation,
    emit: (fact) => emitted.push(fact),
    clock,
    log: collectingLog([]),
  });
});

function membership(user = ann, device = "PHONE", more: Partial<RtcMembership> = {}): RtcMembership {
  return {
    key: `state ${user} _${user}_${device}_m.call`,
    user,
    device: deviceId(device),
    identity: `${user}:${device}`,
    services: ["https://rtc.example.org"],
    meets: "own",
    format: "state",
    expiresInMs: 14_400_000,
    renewed: false,
    stay: undefined,
    ...more,
  };
}

const origin = (sender: UserId, event = `$e${(count += 1)}`) => ({
  eventId: eventId(event),
  room,
  sender,
  ageMs: 50,
  receivedAtMs: clock.nowMs(),
});
const joins = (event: string, one = membership()) =>
  tracker.take({ ...origin(one.user, event), kind: "rtc.joined", membership: one });
const leaves = (one = membership()) => tracker.take({ ...origin(one.user), kind: "rtc.left", key: one.key });
const rings = (event: string, named: readonly UserId[] = []) =>
  tracker.take({
    ...origin(ann, `${event}-ring`),
    kind: "rtc.rang",
    membership: eventId(event),
    loudness: "loud",
    named,
    lifetimeMs: 30_000,
    video: false,
  });

/** Ann has called, and the number has answered. */
async function talking(): Promise<void> {
  await joins("$first");
  await rings("$first");
  tracker.meet(first, ghost, "https://rtc.example.org");
  tracker.isIn(first);
}

/** What has become a call when no ring can be expected any more. */
async function calls(): Promise<readonly string[]> {
  clock.advance(3_000);
  // What is asked of the homeserver is answered.
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return emitted.flatMap((fact) => (fact.kind === "call.invited" ? [fact.matrixCallId] : []));
}

describe("a person who comes in again while the number is there", () => {
  test("has hung up, and calls", async () => {
    await talking();
    await leaves();
    clock.advance(2_000);
    await joins("$second");
    expect(await calls()).toEqual(["$second"]);
    expect(emitted).toMatchObject([{ sender: ann, invitee: ghost, lifetimeMs: 60_000, form: { kind: "rtc" } }]);
    expect(await leaves()).toMatchObject([{ kind: "call.hungUp", matrixCallId: "$second" }]);
  });

  test("calls, too, where the telephone has hung up and the number left a moment ago", async () => {
    await talking();
    tracker.over(first);
    await leaves();
    clock.advance(1_600);
    tracker.isOut(room, first);
    clock.advance(1_500);
    await joins("$second");
    expect(await calls()).toEqual(["$second"]);
  });

  test("and rings, calls once", async () => {
    await talking();
    await leaves();
    clock.advance(2_000);
    await joins("$second");
    clock.advance(1_000);
    expect(await rings("$second")).toMatchObject([{ kind: "call.invited", matrixCallId: "$second" }]);
    expect(await calls()).toEqual([]);
  });

  test("and rings very late, calls once, also when that call is over", async () => {
    await talking();
    await leaves();
    clock.advance(2_000);
    await joins("$second");
    expect(await calls()).toEqual(["$second"]);
    expect(await rings("$second")).toEqual([]);
    tracker.over(second);
    expect(await rings("$second")).toEqual([]);
  });

  test("and leaves before a ring could have come, calls nobody", async () => {
    await talking();
    await leaves();
    clock.advance(2_000);
    await joins("$second");
    clock.advance(1_000);
    await leaves();
    expect(await calls()).toEqual([]);
  });
});

describe("no call goes out for a membership", () => {
  test("that is left over from the last call, and renewed or written again", async () => {
    await talking();
    tracker.over(first);
    clock.advance(2_000);
    await joins("$renewed", membership(ann, "PHONE", { renewed: true }));
    await joins("$again");
    expect(await calls()).toEqual([]);
  });

  test("that a client writes at once because it was thrown out of the call", async () => {
    await talking();
    await leaves();
    clock.advance(1_000);
    await joins("$second");
    expect(await calls()).toEqual([]);
  });

  test("that is of the stay that was in the last call", async () => {
    const sticky = membership(ann, "PHONE", { stay: "uuid" });
    await joins("$first", sticky);
    await rings("$first");
    tracker.meet(first, ghost, undefined);
    tracker.isIn(first);
    await leaves(sticky);
    clock.advance(2_000);
    await joins("$second", sticky);
    expect(await calls()).toEqual([]);
  });

  test("of somebody who was not in the last call", async () => {
    await talking();
    await leaves();
    clock.advance(2_000);
    await joins("$second", membership(bob));
    expect(await calls()).toEqual([]);
  });

  test("of a second device, while the first one is there", async () => {
    await talking();
    tracker.over(first);
    clock.advance(2_000);
    await joins("$second", membership(ann, "LAPTOP"));
    expect(await calls()).toEqual([]);
  });

  test("where the number has been gone so long that the client has seen it", async () => {
    await talking();
    await leaves();
    tracker.isOut(room, first);
    clock.advance(2_500);
    await joins("$second");
    expect(await calls()).toEqual([]);
  });

  test("where the number was in no call: to the client nothing was running", async () => {
    await joins("$first");
    await rings("$first", [ghost]);
    await leaves();
    clock.advance(2_000);
    await joins("$second");
    expect(await calls()).toEqual([]);
  });

  test("of a person who takes a ring too late", async () => {
    await talking();
    await leaves();
    const call = { seat: second, room, matrixCallId: matrixCallId("$second"), device: deviceId("SIP1"), ghost };
    tracker.ring({ ...call, service: undefined, state: { kind: "ringing", named: ann, notifications: [] } });
    tracker.isIn(second);
    clock.advance(2_000);
    tracker.over(second);
    await joins("$second");
    expect(await calls()).toEqual([]);
  });

  test("in a room of several people", async () => {
    isConversation = false;
    await talking();
    await leaves();
    clock.advance(2_000);
    await joins("$second");
    expect(await calls()).toEqual([]);
  });
});
