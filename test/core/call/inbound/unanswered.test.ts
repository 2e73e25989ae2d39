// A call from the telephone that nobody takes: nobody answers, somebody declines, nobody can be reached, the caller gives up.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { play, released, told } from "../examples/examples.ts";
import {
  ann,
  annRings,
  annsRoom,
  answers,
  arrive,
  bob,
  bobsRoom,
  bothRing,
  declines,
  found,
  heardByTrunk,
  heardIn,
  inboundRequest,
  office,
  officeRoom,
  offeredToRooms,
  stageOver,
  together,
  toldRinging,
} from "../examples/inbound-examples.ts";

const cancelled: CallFact = { kind: "sip.cancelled", elsewhere: false };

const missing = (target: typeof ann): CallFact => ({
  kind: "matrix.roomMissing",
  target,
  busy: false,
  message: "forbidden",
});

describe("nobody answers", () => {
  test("the room stops ringing, the caller hears so, and the call counts as missed", () => {
    const { call, orders } = play(arrive(), ...annRings, stageOver);
    expect(heardByTrunk(orders)).toEqual(["180", "480 (19)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup invite_timeout"]);
    expect(call).toMatchObject({
      phase: { kind: "ending", cause: "no-answer", sipStatus: 480, person: "@ann:example.org" },
    });
  });

  test("the next in line is rung, and everybody who was has missed the call", () => {
    const stages = [
      { targets: [ann], ringMs: 20_000 },
      { targets: [bob], ringMs: 40_000 },
    ];
    const { orders } = play(
      arrive({ stages }),
      ...annRings,
      stageOver,
      found(bob, bobsRoom),
      toldRinging(bobsRoom),
      stageOver,
    );
    expect(heardByTrunk(orders)).toEqual(["180", "480 (19)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup invite_timeout", "Missed call."]);
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "hangup invite_timeout", "Missed call."]);
    const stageDeadlines = orders.filter((order) => order.kind === "deadline.set" && order.name === "stage");
    expect(stageDeadlines).toEqual([
      { kind: "deadline.set", name: "stage", atMs: 22_000 },
      { kind: "deadline.set", name: "stage", atMs: 45_000 },
    ]);
  });

  test("but the next in line does: whoever was rung before is told that somebody else answered", () => {
    const stages = [
      { targets: [ann], ringMs: 20_000 },
      { targets: [bob], ringMs: 40_000 },
    ];
    const { orders } = play(arrive({ stages }), ...annRings, stageOver, found(bob, bobsRoom), answers(bobsRoom, bob));
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup invite_timeout", "Answered by somebody else."]);
  });

  test("whoever is in the next stage too goes on ringing, without a break", () => {
    const stages = [
      { targets: [ann], ringMs: 20_000 },
      { targets: [ann, bob], ringMs: 40_000 },
    ];
    const { orders } = play(arrive({ stages }), ...annRings, stageOver, found(bob, bobsRoom), toldRinging(bobsRoom));
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
    expect(heardIn(bobsRoom, orders)).toEqual(["invite"]);
  });

  test("a room that is found when its stage is over is not rung any more", () => {
    const stages = [
      { targets: [ann], ringMs: 20_000 },
      { targets: [bob], ringMs: 40_000 },
    ];
    const { orders } = play(arrive({ stages }), offeredToRooms, stageOver, found(ann, annsRoom));
    expect(heardIn(annsRoom, orders)).toEqual([]);
  });

  test("and the room stays silent where the history is switched off", () => {
    const notices = { failures: true, history: false };
    expect(heardIn(annsRoom, play(arrive({ notices }), ...annRings, stageOver).orders)).toEqual([
      "invite",
      "hangup invite_timeout",
    ]);
  });
});

describe("somebody declines", () => {
  test("the caller is declined at once, and nothing is written", () => {
    const { orders } = play(arrive(), ...annRings, declines(annsRoom, ann));
    expect(heardByTrunk(orders)).toEqual(["180", "603 (21)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
  });

  test("as they are on another call: the caller hears busy", () => {
    const { orders } = play(arrive(), ...annRings, declines(annsRoom, ann, "busy"));
    expect(heardByTrunk(orders)).toEqual(["180", "486 (17)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
  });

  test("because their microphone is not to be had: they read so, and have declined nothing", () => {
    const { orders } = play(arrive(), ...annRings, declines(annsRoom, ann, "callee-media-failed"));
    expect(heardByTrunk(orders)).toEqual(["180", "480 (16)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "Your client could not use its microphone."]);
  });

  test("no: one of their devices has rung long enough, and another may still answer", () => {
    const { call, orders } = play(arrive(), ...annRings, declines(annsRoom, ann, "no-answer"));
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
    expect(play({ call, orders: [] }, answers(annsRoom, ann)).call.phase.kind).toBe("accepting");
    const over = play({ call, orders: [] }, stageOver);
    expect(heardByTrunk(over.orders)).toEqual(["480 (19)"]);
    expect(heardIn(annsRoom, over.orders)).toEqual(["hangup invite_timeout"]);
  });

  test("but somebody else still rings", () => {
    const { call, orders } = play(arrive(together), ...bothRing, declines(annsRoom, ann));
    expect(call.phase.kind).toBe("alerting");
    expect(heardIn(bobsRoom, orders)).toEqual(["invite"]);
    const last = play({ call, orders: [] }, declines(bobsRoom, bob, "busy"));
    expect(heardByTrunk(last.orders)).toEqual(["603 (21)"]);
  });

  test("and the other one does not answer: the caller hears that nobody did", () => {
    const { orders } = play(arrive(together), ...bothRing, declines(annsRoom, ann), stageOver);
    expect(heardByTrunk(orders)).toEqual(["180", "480 (19)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
  });

  test("and the next in line is rung at once", () => {
    const stages = [
      { targets: [ann], ringMs: 20_000 },
      { targets: [bob], ringMs: 40_000 },
    ];
    const { orders } = play(arrive({ stages }), ...annRings, declines(annsRoom, ann));
    expect(orders.at(-1)).toEqual({ kind: "matrix.findRoom", target: bob, ghost: inboundRequest.ghost });
  });

  test("for themselves only, in a room in which anybody may answer", () => {
    const { call, orders } = play(
      arrive({ stages: [{ targets: [office], ringMs: 20_000 }] }),
      offeredToRooms,
      found(office, officeRoom),
      toldRinging(officeRoom),
      declines(officeRoom, ann),
    );
    expect(call.phase.kind).toBe("alerting");
    expect(heardIn(officeRoom, orders)).toEqual(["invite"]);
  });
});

describe("nobody can be reached", () => {
  test("the caller hears so at once", () => {
    const { call, orders } = play(arrive(together), offeredToRooms, missing(ann), missing(bob));
    expect(heardByTrunk(orders)).toEqual(["480 (20)"]);
    expect(call).toMatchObject({ phase: { cause: "unavailable", person: "@ann:example.org", address: undefined } });
  });

  test("because every room has a running call: the caller hears that they are busy", () => {
    const busy: CallFact = { kind: "matrix.roomMissing", target: ann, busy: true, message: "busy" };
    expect(heardByTrunk(play(arrive(together), offeredToRooms, busy, missing(bob)).orders)).toEqual(["486 (17)"]);
  });

  test("where no room is to be rung: the same", () => {
    expect(heardByTrunk(play(arrive({ stages: [] }), offeredToRooms).orders)).toEqual(["480 (20)"]);
  });

  test("and the next in line is rung at once", () => {
    const stages = [
      { targets: [ann], ringMs: 20_000 },
      { targets: [bob], ringMs: 40_000 },
    ];
    const { orders } = play(arrive({ stages }), offeredToRooms, missing(ann));
    expect(orders.at(-1)).toEqual({ kind: "matrix.findRoom", target: bob, ghost: inboundRequest.ghost });
  });

  test("two names for one room ring it once", () => {
    const { call, orders } = play(arrive(together), offeredToRooms, found(ann, annsRoom), found(bob, annsRoom));
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
    expect(play({ call, orders: [] }, declines(annsRoom, ann)).call.phase.kind).toBe("ending");
  });
});

describe("the caller gives up", () => {
  test("all rooms stop ringing and say that a call was missed; the trunk has had its 487", () => {
    const { call, orders } = play(arrive(together), ...bothRing, cancelled, released, told("hangup", annsRoom));
    expect(heardByTrunk(orders)).toEqual(["180"]);
    for (const room of [annsRoom, bobsRoom])
      expect(heardIn(room, orders)).toEqual(["invite", "hangup user_hangup", "Missed call."]);
    expect(call.phase.kind).toBe("ending");
    const { call: ended } = play({ call, orders: [] }, told("hangup", bobsRoom));
    expect(ended.phase.kind === "ended" && ended.phase.record).toMatchObject({
      direction: "inbound",
      cause: "missed",
      result: "caller",
      sipStatus: 487,
      leg: undefined,
      room: annsRoom,
      person: "@ann:example.org",
      matrixCallId: "zzzCall",
      called: "+441818118181",
      number: "+15558675309",
      unsettled: false,
    });
  });

  test("because somebody outside answered: that is no missed call", () => {
    const { orders } = play(arrive(), ...annRings, { kind: "sip.cancelled", elsewhere: true });
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup answered_elsewhere", "Answered elsewhere."]);
  });

  test("by hanging up the early dialog: the same", () => {
    const { orders } = play(arrive(), ...annRings, { kind: "sip.hungUp", q850: undefined });
    expect(heardByTrunk(orders)).toEqual(["180"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup user_hangup"]);
  });

  test("before any room was found: nothing rings", () => {
    const { orders } = play(arrive(), offeredToRooms, cancelled, found(ann, annsRoom));
    expect(heardIn(annsRoom, orders)).toEqual([]);
    expect(heardByTrunk(orders)).toEqual([]);
  });

  test("as we refuse the call: one of the two settles it", () => {
    const { call } = play(arrive(), ...annRings, declines(annsRoom, ann), released, cancelled);
    expect(call.phase.kind).toBe("ended");
  });

  test("and a room that cannot be told is given up, which the record says", () => {
    const lost: CallFact = { kind: "matrix.unreachable", signal: "hangup", room: annsRoom, message: "gone" };
    const { call } = play(arrive(), ...annRings, cancelled, released, lost);
    expect(call.phase.kind === "ended" && call.phase.record.unsettled).toBe(true);
  });
});
