// Ladders of a call from Matrix to the telephone, named by what the people see.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import type { MediaFault } from "../../../../src/core/media-end.ts";
import { refuseOutbound } from "../../../../src/core/call/outbound/outbound.ts";
import {
  accepted,
  anyLeg,
  answered,
  begin,
  connected,
  kinds,
  maxDurationMs,
  offered,
  play,
  released,
  request,
  told,
  trunk,
} from "../examples/examples.ts";

const rejected = (status: number, q850?: number): CallFact => ({ kind: "sip.rejected", status, phrase: "", q850 });

/** What the client and the room heard at the end. */
function heard(facts: readonly CallFact[], first = begin()): { signal: unknown; notice: string | undefined } {
  const { orders } = play(first, ...facts);
  const signal = orders.flatMap((order) => (order.kind === "matrix.signal" ? [order.signal] : [])).at(-1);
  const notice = orders.flatMap((order) => (order.kind === "matrix.notice" ? [order.text] : [])).at(-1);
  return { signal, notice };
}

describe("the call is set up", () => {
  test("the offer goes to the media engine, its offer to the trunk, the answers back", () => {
    const { call, orders } = play(
      begin(),
      offered,
      { kind: "sip.trying" },
      { kind: "sip.ringing" },
      accepted,
      answered,
    );
    expect(kinds(orders)).toEqual(["media.offer", "sip.invite", "media.answer", "matrix.signal"]);
    expect(orders).toContainEqual({
      kind: "sip.invite",
      trunk: trunk.name,
      target: trunk.target,
      identity: trunk.identity,
      description: "trunk offer",
    });
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "answer", description: "client answer" },
    });
    expect(call.phase.kind).toBe("connected");
  });

  test("the callee is not kept waiting for ever while the client's answer is made", () => {
    const { call, orders } = play(begin(), offered, accepted);
    expect(orders).toContainEqual({ kind: "deadline.set", name: "answer", atMs: 13_000 });
    const late = play({ call, orders: [] }, { kind: "deadline.passed", name: "answer" });
    expect(kinds(late.orders)).toEqual(["sip.bye", "matrix.signal", "matrix.notice", "media.release"]);
    expect(late.call).toMatchObject({ phase: { cause: "media-lost" } });
    const { orders: inTime } = play({ call, orders: [] }, answered);
    expect(inTime).toContainEqual({ kind: "deadline.clear", name: "answer" });
  });

  test("the longest duration counts from the answer", () => {
    const { orders } = play(begin(), offered, accepted, answered);
    expect(orders).toContainEqual({ kind: "deadline.set", name: "duration", atMs: 3_000 + maxDurationMs });
    expect(orders).toContainEqual({ kind: "deadline.clear", name: "answer" });
  });

  test("candidates reach the media engine in every phase before the end", () => {
    const trickle: CallFact = { kind: "matrix.candidates", candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }] };
    const { orders } = play(begin(), trickle, offered, trickle, accepted, trickle, answered, trickle);
    expect(orders.filter((order) => order.kind === "media.candidates")).toHaveLength(4);
  });
});

describe("the call is not answered", () => {
  test("the caller hears busy", () => {
    expect(heard([offered, rejected(486)])).toEqual({ signal: { kind: "reject", cause: "busy" }, notice: undefined });
  });

  test("the caller sees that the callee declined", () => {
    expect(heard([offered, rejected(603)])).toEqual({
      signal: { kind: "reject", cause: "declined" },
      notice: undefined,
    });
  });

  test.each([
    [404, undefined, "This number is not in service."],
    [404, 22, "This number has changed."],
    [480, 19, "Nobody answered."],
    [484, undefined, "This number is incomplete or not valid."],
    [503, undefined, "The telephone network is busy. Please try again later."],
    [500, 1, "This number is not in service."],
    [403, undefined, "The telephone provider does not allow calls to this number."],
    [299 + 99, undefined, "The telephone provider could not place the call."],
  ])("the room is told why after %i (Q.850 %s)", (status, q850, notice) => {
    expect(heard([offered, rejected(status, q850)])).toMatchObject({ signal: { kind: "reject" }, notice });
  });

  test("a telephone that rang and was not picked up is not an unreachable one", () => {
    expect(heard([offered, { kind: "sip.ringing" }, rejected(480)]).notice).toBe("Nobody answered.");
    expect(heard([offered, rejected(480)]).notice).toBe("The person you called cannot be reached at the moment.");
  });

  test("early media is not yet a ringing telephone", () => {
    const early: CallFact = { kind: "sip.progressed", description: "early" };
    expect(heard([offered, early, rejected(480)]).notice).toBe(
      "The person you called cannot be reached at the moment.",
    );
  });

  test("the room stays silent where notices are switched off", () => {
    expect(
      heard([offered, rejected(404)], begin({ notices: { failures: false, history: false } })).notice,
    ).toBeUndefined();
  });

  test("nobody answers within the invite's lifetime: the telephone stops ringing", () => {
    const { orders } = play(begin(), offered, { kind: "sip.ringing" }, { kind: "deadline.passed", name: "answer" });
    expect(kinds(orders)).toEqual([
      "media.offer",
      "sip.invite",
      "sip.cancel",
      "matrix.signal",
      "matrix.notice",
      "media.release",
    ]);
  });

  test("the trunk cannot be reached: the room is told", () => {
    expect(heard([offered, { kind: "sip.failed", fault: "transport", message: "ECONNREFUSED" }]).notice).toBe(
      "The telephone provider cannot be reached. Please try again later.",
    );
  });

  test("the client's offer has no codec for the trunk: no INVITE is sent", () => {
    const { orders } = play(begin(), { kind: "media.refused", from: "a", fault: "no-common-codec", message: "" });
    expect(kinds(orders)).toEqual(["media.offer", "matrix.signal", "matrix.notice", "media.release"]);
  });
});

describe("the callee has picked up", () => {
  test("with a description that nobody can use: that is the trunk's fault, not the client's", () => {
    const refused = (fault: MediaFault): CallFact => ({ kind: "media.refused", from: "b", fault, message: "" });
    expect(play(begin(), offered, accepted, refused("bad-description")).call).toMatchObject({
      phase: { cause: "trunk-error" },
    });
    expect(play(begin(), offered, accepted, refused("no-common-codec")).call).toMatchObject({
      phase: { cause: "incompatible" },
    });
  });

  test.each([
    [
      { kind: "sip.offered", description: "moved" },
      { kind: "media.offer", from: "b", description: "moved" },
    ],
    [{ kind: "sip.offerWanted" }, { kind: "media.describe", end: "b" }],
  ] as const)("and changes the session before the client has its answer: %j has its turn then", (fact, order) => {
    const { call, orders } = play(begin(), offered, accepted, fact);
    expect(kinds(orders).at(-1)).toBe("media.answer");
    const next = play({ call, orders: [] }, answered);
    expect(next.orders.find(({ kind }) => kind === "matrix.signal")).toBeDefined();
    expect(next.orders.at(-1)).toEqual(order);
    expect(next.call).toMatchObject({ phase: { kind: "connected", renegotiation: { awaiting: "media" } } });
  });

  test("and changes the session, but the call ends before its turn: nobody offers anything any more", () => {
    const { orders } = play(
      begin(),
      offered,
      accepted,
      { kind: "sip.offered", description: "moved" },
      { kind: "matrix.left" },
    );
    expect(
      orders.filter(({ kind }) => kind === "sip.bye" || kind === "sip.refuseReoffer").map(({ kind }) => kind),
    ).toEqual(["sip.bye"]);
  });

  test("a caller who leaves the room before that gave up, one who leaves later hung up", () => {
    const left: CallFact = { kind: "matrix.left" };
    expect(play(begin(), offered, accepted, left).call).toMatchObject({ phase: { cause: "caller-left" } });
    expect(play(connected(), left).call).toMatchObject({ phase: { cause: "caller-hung-up" } });
  });

  test("the client's audio connection is a fact of its own", () => {
    expect(connected().call).toMatchObject({ phase: { mediaUp: false } });
    expect(play(connected(), { kind: "media.connected" }).call).toMatchObject({ phase: { mediaUp: true } });
  });
});

describe("the client is told of the end", () => {
  test("and until it is, the call is not forgotten", () => {
    const { call } = play(begin(), offered, rejected(486), released);
    expect(call.phase.kind).toBe("ending");
    const { call: ended } = play({ call, orders: [] }, told("reject"));
    expect(ended.phase.kind === "ended" && ended.phase.record.unsettled).toBe(false);
  });

  test("or cannot be: the call is forgotten all the same, and marked", () => {
    const lost: CallFact = { kind: "matrix.unreachable", signal: "reject", room: request.leg.room, message: "gone" };
    const { call } = play(begin(), offered, rejected(486), released, lost);
    expect(call.phase.kind === "ended" && call.phase.record.unsettled).toBe(true);
  });
});

describe("the caller gives up", () => {
  const giveUp: CallFact = { kind: "matrix.hungUp", said: undefined };

  test("before the INVITE: the telephone never rings", () => {
    const { call, orders } = play(begin(), giveUp, offered);
    expect(kinds(orders)).not.toContain("sip.invite");
    expect(call.phase.kind).toBe("ending");
  });

  test("while it rings: CANCEL, and 487 ends it", () => {
    const { call, orders } = play(begin(), offered, { kind: "sip.ringing" }, giveUp, { kind: "sip.ended" }, released);
    expect(kinds(orders)).toEqual(["media.offer", "sip.invite", "sip.cancel", "media.release", "history.write"]);
    expect(call.phase.kind === "ended" && call.phase.record).toMatchObject({
      cause: "caller-cancelled",
      result: "caller",
      unsettled: false,
      number: "+441818118181",
    });
  });

  test("as the callee picks up: the answer that crossed the CANCEL is ended with BYE", () => {
    const { orders } = play(begin(), offered, giveUp, accepted, { kind: "sip.ended" }, released);
    expect(kinds(orders)).toEqual([
      "media.offer",
      "sip.invite",
      "sip.cancel",
      "media.release",
      "sip.bye",
      "history.write",
    ]);
  });

  test("while our answer is being made: BYE", () => {
    const { orders } = play(begin(), offered, accepted, giveUp, answered);
    expect(kinds(orders)).toEqual([
      "media.offer",
      "sip.invite",
      "media.answer",
      "sip.bye",
      "media.release",
      "note.ignored",
    ]);
  });

  test("by leaving the room", () => {
    const { orders } = play(begin(), offered, { kind: "matrix.left" });
    expect(kinds(orders)).toEqual(["media.offer", "sip.invite", "sip.cancel", "media.release"]);
  });

  test("by taking somebody else's answer: the telephone stops ringing, in whatever phase", () => {
    const elsewhere: CallFact = { kind: "matrix.selected", ours: false };
    expect(kinds(play(begin(), elsewhere).orders)).toEqual(["media.offer", "media.release"]);
    const ringing = play(begin(), offered, { kind: "sip.ringing" }, elsewhere);
    expect(kinds(ringing.orders)).toEqual(["media.offer", "sip.invite", "sip.cancel", "media.release"]);
    expect(ringing.call).toMatchObject({ phase: { cause: "answered-elsewhere" } });
    expect(ringing.orders).toContainEqual({ kind: "sip.cancel", q850: 26 });
    const pickedUp = play(begin(), offered, accepted, elsewhere);
    expect(kinds(pickedUp.orders)).toEqual(["media.offer", "sip.invite", "media.answer", "sip.bye", "media.release"]);
  });

  test("and the trunk never says another word: the call is forgotten all the same, and marked", () => {
    const { call } = play(begin(), offered, giveUp, released, { kind: "deadline.passed", name: "ending" });
    expect(call.phase.kind === "ended" && call.phase.record.unsettled).toBe(true);
  });
});

describe("who may not call", () => {
  test("is told why in the room, even where notices are off, and nothing is dialled", () => {
    const first = refuseOutbound({ ...request, notices: { failures: false, history: false } }, "premium-barred");
    expect(first.orders).toEqual([
      { kind: "matrix.signal", leg: anyLeg, signal: { kind: "reject", cause: "premium-barred" } },
      { kind: "matrix.notice", leg: anyLeg, text: "Calls to premium-rate numbers are not allowed here." },
      { kind: "deadline.set", name: "ending", atMs: 41_000 },
    ]);
    const { call } = play(first, told("reject"));
    expect(call.phase.kind === "ended" && call.phase.record).toMatchObject({
      cause: "premium-barred",
      unsettled: false,
    });
  });
});
