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
  declines,
  found,
  glare,
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
const missing = (target: typeof ann): CallFact => ({
  kind: "matrix.roomMissing",
  target,
  busy: false,
  message: "forbidden",
});

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
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup user_hangup", "Answered by somebody else."]);
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
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "hangup user_hangup", "Answered by somebody else."]);
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
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup user_hangup", "Answered elsewhere."]);
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

describe("the caller wants our offer", () => {
  const late = { description: undefined } as const;
  const described: CallFact = { kind: "media.described", end: "a", description: "client offer" };
  const ringing = [described, ...annRings.slice(1)];
  const accepted = [...ringing, answers(annsRoom, ann), { ...answeredByClient, description: "our offer" } as CallFact];

  test("it stands in the 200, and what comes in the ACK completes it", () => {
    const { call, orders } = play(
      arrive(late),
      ...accepted,
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "media.answered", from: "b", description: "" },
    );
    expect(kinds(orders).filter((kind) => !kind.startsWith("matrix"))).toEqual([
      "media.describe",
      "sip.ring",
      "media.answer",
      "sip.accept",
      "media.answer",
    ]);
    expect(heardByTrunk(orders)).toEqual(["180", "200 our offer"]);
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
  });

  test("an ACK without an answer, or with one that nobody can use, ends the call: there is no session", () => {
    const refused: CallFact = { kind: "sip.offerRefused", status: 488 };
    expect(heardByTrunk(play(arrive(late), ...accepted, refused).orders).at(-1)).toBe("BYE");
    const unusable: CallFact = { kind: "media.refused", from: "b", fault: "no-common-codec", message: "" };
    const { call } = play(arrive(late), ...accepted, { kind: "sip.reanswered", description: "?" }, unusable);
    expect(call).toMatchObject({ phase: { kind: "ending", cause: "incompatible", trunks: [{ state: "confirmed" }] } });
  });

  test("and the person calls the caller at that moment: their offer goes to the caller as it is", () => {
    const { call, orders } = play(
      arrive(late),
      ...ringing,
      glare,
      released,
      { kind: "media.offered", from: "a", description: "our offer" },
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "media.answered", from: "b", description: "client answer" },
    );
    expect(kinds(orders).filter((kind) => !kind.startsWith("matrix"))).toEqual([
      "media.describe",
      "sip.ring",
      "media.handOver",
      "media.release",
      "media.offer",
      "sip.accept",
      "media.answer",
    ]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup user_hangup", "answer"]);
    expect(call).toMatchObject({ phase: { kind: "connected", leg: glare.leg }, outstanding: { releases: 0 } });
  });

  test("and changes its session right behind its ACK: it has its turn once the answer in that is worked in", () => {
    const { orders } = play(
      arrive(late),
      ...ringing,
      glare,
      released,
      { kind: "media.offered", from: "a", description: "our offer" },
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "sip.offered", description: "moved" },
      { kind: "media.answered", from: "b", description: "client answer" },
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "b", description: "moved" });
  });
});

describe("the person and the caller call each other at the same moment", () => {
  const crossed: CallFact = { kind: "media.glareAnswered", a: "client answer", b: "trunk answer" };

  test.each([
    ["while it rings", annRings, ["invite", "hangup user_hangup", "answer"]],
    ["before it rings", [], ["answer"]],
    ["while the room is being found", [offeredToRooms], ["answer"]],
  ] as const)("%s: their own call is the one that both have", (_when, before, room) => {
    const { call, orders } = play(arrive(), ...before, glare, crossed);
    expect(heardIn(annsRoom, orders)).toEqual(room);
    expect(heardByTrunk(orders).at(-1)).toBe("200 trunk answer");
    expect(call).toMatchObject({ phase: { kind: "connected", leg: glare.leg, answer: "ordered", inviter: "person" } });
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: glare.leg,
      signal: { kind: "answer", description: "client answer" },
    });
  });

  test("what was made for the rooms meanwhile is not needed any more", () => {
    const { call, orders } = play(arrive(), glare, offeredToRooms, crossed);
    expect(call.phase.kind).toBe("connected");
    expect(kinds(orders)).not.toContain("note.ignored");
  });

  test("others who rang stop ringing", () => {
    const { orders } = play(arrive(together), ...bothRing, glare);
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "hangup user_hangup", "Answered by somebody else."]);
  });

  test("and the caller's offer is one that nobody can use: the person is not told that theirs was", () => {
    const refused: CallFact = { kind: "media.refused", from: "b", fault: "bad-description", message: "" };
    const { orders } = play(arrive(), glare, refused);
    expect(heardByTrunk(orders)).toEqual(["488 (88)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["reject", "The other end cannot handle this kind of call."]);
  });

  test("and the two offers do not go together: both are refused", () => {
    const refused: CallFact = { kind: "media.refused", from: "a", fault: "no-common-codec", message: "" };
    const { orders } = play(arrive(), ...annRings, glare, refused);
    expect(heardByTrunk(orders)).toEqual(["180", "488 (88)"]);
    expect(heardIn(annsRoom, orders)).toEqual([
      "invite",
      "hangup user_hangup",
      "reject",
      "The other end cannot handle this kind of call.",
    ]);
  });

  test("a client whose call it is goes first when offers cross in it, one that was called gives way", () => {
    const asks: readonly CallFact[] = [
      { kind: "sip.offered", description: "codec" },
      { kind: "media.offered", from: "b", description: "client offer" },
      { kind: "matrix.offered", description: "hold" },
    ];
    const own = play(arrive(), glare, crossed, ...asks);
    expect(own.orders).toContainEqual({ kind: "sip.refuseReoffer", status: 491 });
    const called = play(talking(), ...asks);
    expect(kinds(called.orders).at(-1)).toBe("note.ignored");
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
    expect(heardIn(bobsRoom, afterRestart(call, 10_000).orders)).toEqual(["hangup user_hangup"]);
  });
});
