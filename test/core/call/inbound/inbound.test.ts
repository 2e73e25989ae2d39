// Ladders of a call from the telephone to Matrix, named by what the people and the caller see.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { afterRestart, anyLeg, dialog, kinds, maxDurationMs, play, released, told } from "../examples/examples.ts";
import {
  ann,
  annRings,
  annsRoom,
  answeredByClient,
  answers,
  arrive,
  bob,
  bobsRoom,
  bothRing,
  found,
  heardByTrunk,
  heardIn,
  inboundRequest,
  incoming,
  office,
  officeRoom,
  offeredToRooms,
  stageOver,
  talking,
  together,
  toldRinging,
} from "../examples/inbound-examples.ts";

const cancelled: CallFact = { kind: "sip.cancelled", elsewhere: false };

describe("somebody calls", () => {
  test.each([
    ["no room is found", [offeredToRooms]],
    ["the invite does not get through", [offeredToRooms, found(ann, annsRoom)]],
  ] as const)("and %s in five seconds: 503, and the trunk knows when to come again", (_why, facts) => {
    const waiting = play(arrive(), ...facts);
    expect(waiting.orders).toContainEqual({ kind: "deadline.set", name: "answer", atMs: 6_000 });
    const { call, orders } = play({ ...waiting, orders: [] }, { kind: "deadline.passed", name: "answer" });
    expect(orders).toContainEqual({ kind: "sip.reject", status: 503, q850: 38, retryAfterS: 5 });
    expect(call).toMatchObject({ phase: { kind: "ending", cause: "homeserver-away" } });
  });

  test("the person's room rings, and only then the caller hears it ring", () => {
    const { orders } = play(arrive(), ...annRings);
    expect(orders.map(({ kind }) => kind)).toEqual([
      "deadline.set",
      "media.offer",
      "deadline.set",
      "deadline.set",
      "matrix.findRoom",
      "matrix.signal",
      "sip.ring",
      "deadline.clear",
    ]);
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: {
        room: annsRoom,
        ghost: inboundRequest.ghost,
        ...inboundRequest.ring,
      },
      signal: { kind: "invite", description: "client offer", lifetimeMs: 90_000, invitee: "@ann:example.org" },
    });
    expect(orders.at(-2)).toEqual({ kind: "sip.ring", status: 180 });
  });

  test("a caller whose trunk does not like silence hears 183 while the rooms are looked for", () => {
    expect(heardByTrunk(play(arrive({ earlyProgress: true }), ...annRings).orders)).toEqual(["183", "180"]);
  });

  test("the caller hears ringing once, however many rooms ring", () => {
    expect(heardByTrunk(play(arrive(together), ...bothRing).orders)).toEqual(["180"]);
  });

  test("an invite lives as long as it may be rung, over all stages that follow on each other", () => {
    const stages = [
      { targets: [ann], ringMs: 60_000 },
      { targets: [bob, ann], ringMs: 70_000 },
      { targets: [bob], ringMs: 20_000 },
    ];
    const { orders } = play(arrive({ stages }), offeredToRooms, found(ann, annsRoom), stageOver, found(bob, bobsRoom));
    const lifetimes = orders.flatMap((order) =>
      order.kind === "matrix.signal" && order.signal.kind === "invite" ? [order.signal.lifetimeMs] : [],
    );
    expect(lifetimes).toEqual([130_000, 90_000]);
  });

  test("a room is invited as a whole", () => {
    const { orders } = play(
      arrive({ stages: [{ targets: [office], ringMs: 20_000 }] }),
      offeredToRooms,
      found(office, officeRoom),
    );
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "invite", description: "client offer", lifetimeMs: 90_000, invitee: undefined },
    });
  });

  test("a room that rings is told over whom the call came, one that does not is not", () => {
    const announce = ["Forwarded from +44 20 7946 0000.", "The caller's number is verified."];
    const { orders } = play(
      arrive({ ...together, announce }),
      offeredToRooms,
      found(ann, annsRoom),
      found(bob, bobsRoom),
      toldRinging(annsRoom),
      { kind: "matrix.unreachable", signal: "invite", room: bobsRoom, message: "gone" },
    );
    expect(heardIn(annsRoom, orders)).toEqual(["invite", ...announce]);
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "hangup unknown_error"]);
  });

  test.each([
    ["bad-description", "488 (88)"],
    ["no-common-codec", "488 (88)"],
    ["encryption-mismatch", "488 (88)"],
    ["no-ports", "503 (42)"],
    ["no-capacity", "503 (42)"],
    ["engine", "503 (41)"],
  ] as const)("an offer that meets %s is refused with %s, and nobody is rung", (fault, status) => {
    const { orders } = play(arrive(), { kind: "media.refused", from: "b", fault, message: "" });
    expect(heardByTrunk(orders)).toEqual([status]);
    expect(kinds(orders)).toEqual(["media.offer", "sip.reject", "media.release"]);
  });

  test("a media engine that never answers does not keep the caller waiting", () => {
    const { call, orders } = play(arrive(), { kind: "deadline.passed", name: "answer" });
    expect(heardByTrunk(orders)).toEqual(["503 (41)"]);
    expect(call).toMatchObject({ phase: { cause: "media-lost" } });
  });

  test("an UPDATE before the answer has to wait for it", () => {
    const { orders } = play(arrive(), ...annRings, { kind: "sip.offered", description: "x" });
    expect(orders.at(-1)).toEqual({ kind: "sip.refuseReoffer", status: 500 });
  });
});

describe("somebody answers", () => {
  test("they are told that they have the call, the trunk gets its answer, and both talk", () => {
    const { call, orders } = play(arrive(), ...annRings, answers(annsRoom, ann), answeredByClient);
    expect(heardByTrunk(orders)).toEqual(["180", "200 trunk answer"]);
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "select", device: "PHONE" },
    });
    expect(call).toMatchObject({
      direction: "inbound",
      phase: {
        kind: "connected",
        inviter: "bridge",
        answer: "told",
        leg: { room: annsRoom, person: "@ann:example.org", device: "PHONE" },
        trunk: { answeredAtMs: 6_000, dialog },
      },
    });
    expect(orders).toContainEqual({ kind: "deadline.set", name: "duration", atMs: 6_000 + maxDurationMs });
    expect(orders).toContainEqual({ kind: "deadline.clear", name: "answer" });
  });

  test("faster than the homeserver tells us that their room rings", () => {
    const { call, orders } = play(arrive(), offeredToRooms, found(ann, annsRoom), answers(annsRoom, ann));
    expect(call.phase.kind).toBe("accepting");
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "select"]);
  });

  test("a client that does not tell its devices apart is not told that it was selected", () => {
    const { call, orders } = play(arrive(), ...annRings, answers(annsRoom, ann, null), answeredByClient);
    expect(heardIn(annsRoom, orders)).toEqual(["invite"]);
    expect(call).toMatchObject({ phase: { kind: "connected", leg: { device: undefined } } });
  });

  test("the others stop ringing, and their rooms say why", () => {
    const { orders } = play(arrive(together), ...bothRing, answers(bobsRoom, bob), answeredByClient);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup answered_elsewhere", "Answered by somebody else."]);
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "select"]);
  });

  test("a room whose invite is still on its way is hung up after it", () => {
    const { orders } = play(
      arrive(together),
      offeredToRooms,
      found(ann, annsRoom),
      toldRinging(annsRoom),
      found(bob, bobsRoom),
      answers(annsRoom, ann),
      toldRinging(bobsRoom),
      answeredByClient,
    );
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "hangup answered_elsewhere", "Answered by somebody else."]);
  });

  test("a room that is found only afterwards is not rung at all", () => {
    const { orders } = play(
      arrive(together),
      offeredToRooms,
      found(ann, annsRoom),
      answers(annsRoom, ann),
      found(bob, bobsRoom),
    );
    expect(heardIn(bobsRoom, orders)).toEqual([]);
  });

  test("the second device, or the second person, is too late", () => {
    const second = play(
      arrive(together),
      ...bothRing,
      answers(annsRoom, ann),
      answers(annsRoom, ann, "TABLET"),
      answers(bobsRoom, bob),
      answeredByClient,
      answers(bobsRoom, bob),
    );
    expect(second.call).toMatchObject({ phase: { kind: "connected", leg: { device: "PHONE" } } });
    expect(kinds(second.orders).filter((kind) => kind === "note.ignored")).toHaveLength(3);
    expect(kinds(second.orders).filter((kind) => kind === "media.answer")).toHaveLength(1);
  });

  test("for somebody else, in the room the caller shares with them: that does not count", () => {
    const { call } = play(arrive(), ...annRings, answers(annsRoom, bob));
    expect(call.phase.kind).toBe("alerting");
  });

  test("in a room whoever is first has the call", () => {
    const { call } = play(
      arrive({ stages: [{ targets: [office], ringMs: 20_000 }] }),
      offeredToRooms,
      found(office, officeRoom),
      answers(officeRoom, office),
    );
    expect(call).toMatchObject({
      phase: { kind: "accepting", leg: { person: "@cleo:example.org", room: officeRoom } },
    });
  });

  test("their candidates reach the media engine at once", () => {
    const trickle: CallFact = { kind: "matrix.candidates", candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }] };
    const facts = [...annRings, answers(annsRoom, ann), trickle, answeredByClient, trickle];
    expect(kinds(play(arrive(), ...facts).orders).filter((kind) => kind === "media.candidates")).toHaveLength(2);
  });

  test("with a description that nobody can use: they are hung up and told, the caller gets 488", () => {
    const refused: CallFact = { kind: "media.refused", from: "a", fault: "bad-description", message: "" };
    const { orders } = play(arrive(), ...annRings, answers(annsRoom, ann), refused);
    expect(heardByTrunk(orders)).toEqual(["180", "488 (16)"]);
    expect(heardIn(annsRoom, orders)).toEqual([
      "invite",
      "select",
      "hangup unknown_error",
      "Your client offered audio that cannot be used for a telephone call.",
    ]);
  });

  test("and the media engine never does: both are let go", () => {
    const { orders } = play(arrive(), ...annRings, answers(annsRoom, ann), {
      kind: "deadline.passed",
      name: "answer",
    });
    expect(heardByTrunk(orders)).toEqual(["180", "503 (41)"]);
    expect(heardIn(annsRoom, orders).slice(2, 3)).toEqual(["hangup unknown_error"]);
  });

  test("and hangs up again before the caller is through: the caller is declined", () => {
    const { orders } = play(arrive(), ...annRings, answers(annsRoom, ann), {
      kind: "matrix.hungUp",
      said: undefined,
    });
    expect(heardByTrunk(orders)).toEqual(["180", "603 (21)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "select"]);
  });

  test("as the caller gives up: they are hung up", () => {
    const { orders } = play(arrive(), ...annRings, answers(annsRoom, ann), cancelled);
    expect(heardByTrunk(orders)).toEqual(["180"]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "select", "hangup user_hangup"]);
  });
});

describe("a call that was answered ends", () => {
  test("the caller hangs up: nothing is written", () => {
    const { call, orders } = play(talking(), { kind: "sip.hungUp", q850: 16 }, released, told("hangup", annsRoom));
    expect(heardIn(annsRoom, orders)).toEqual(["hangup user_hangup"]);
    expect(call.phase.kind === "ended" && call.phase.record).toMatchObject({
      cause: "caller-hung-up",
      result: "success",
      leg: { room: annsRoom },
    });
  });

  test("the person hangs up: BYE", () => {
    const { call, orders } = play(talking(), { kind: "matrix.hungUp", said: undefined });
    expect(heardByTrunk(orders)).toEqual(["BYE"]);
    expect(call).toMatchObject({ phase: { cause: "callee-hung-up" } });
  });

  test("the person's client cannot use its microphone: both are told", () => {
    const { orders } = play(talking(), { kind: "matrix.hungUp", said: "callee-media-failed" });
    expect(heardIn(annsRoom, orders)).toEqual(["Your client could not use its microphone."]);
  });

  test("a room that rang and could not be told in time does not hold it up", () => {
    const { call } = play(
      arrive(together),
      ...bothRing,
      answers(annsRoom, ann),
      answeredByClient,
      told("hangup", bobsRoom),
      { kind: "sip.hungUp", q850: 16 },
      released,
      told("hangup", annsRoom),
    );
    expect(call.phase.kind).toBe("ended");
  });
});

describe("after a restart", () => {
  test("a caller who still hears ringing is sent elsewhere, the rooms stop ringing and have missed a call", () => {
    const { orders } = afterRestart(play(arrive(together), ...bothRing).call, 10_000);
    expect(orders[0]).toEqual({ kind: "sip.dismiss", incoming, status: 503 });
    for (const room of [annsRoom, bobsRoom])
      expect(heardIn(room, orders)).toEqual(["hangup unknown_error", "Missed call."]);
    const settled = play({ call: afterRestart(play(arrive()).call, 10_000).call, orders: [] }, { kind: "sip.ended" });
    expect(settled.call.phase.kind).toBe("ended");
  });

  test("a call that was answered is hung up on both sides", () => {
    const { orders } = afterRestart(talking().call, 10_000);
    expect(kinds(orders)).toEqual(["sip.resume", "sip.bye", "matrix.signal", "matrix.notice"]);
    expect(heardIn(annsRoom, orders)).toEqual(["hangup unknown_error", "The call ended because the bridge restarted."]);
  });

  test("a room that had to stop ringing and was not told yet is told then", () => {
    const { call } = play(arrive(together), ...bothRing, answers(annsRoom, ann), answeredByClient);
    expect(heardIn(bobsRoom, afterRestart(call, 10_000).orders)).toEqual(["hangup answered_elsewhere"]);
  });
});
