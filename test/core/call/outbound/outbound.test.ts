// Ladders of a call from Matrix to the telephone, named by what the people see.
import { describe, expect, test } from "vitest";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import type { MediaFault } from "../../../../src/core/media-end.ts";
import { beginOutbound, refuseOutbound } from "../../../../src/core/call/outbound/outbound.ts";
import type { Step } from "../../../../src/core/call/step.ts";
import {
  afterRestart,
  accepted,
  anyLeg,
  answered,
  begin,
  connected,
  dialog,
  invite,
  kinds,
  maxDurationMs,
  offered,
  play,
  released,
  request,
  told,
  trunk,
} from "../examples/examples.ts";

/** As `connected`, in a room that keeps the history. */
function chronicled(): Step {
  const { call, orders } = connected();
  return { call: { ...call, notices: { failures: true, history: true } }, orders };
}

/** What the person reads in the room. */
function noticesIn(orders: readonly CallOrder[]): readonly string[] {
  return orders.filter((order) => order.kind === "matrix.notice").map(({ text }) => text);
}

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

describe("a connected call ends", () => {
  test("the callee hangs up: the client is hung up, the trunk is owed nothing", () => {
    const { call, orders } = play(connected(), { kind: "sip.hungUp", q850: 16 }, released, told("hangup"));
    expect(kinds(orders)).toEqual(["matrix.signal", "media.release", "history.write"]);
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "hangup", cause: "callee-hung-up" },
    });
    expect(call.phase.kind === "ended" && call.phase.record).toMatchObject({
      cause: "callee-hung-up",
      result: "success",
    });
  });

  test("the network cuts the call off: the client and the room are told so, not that somebody hung up", () => {
    const { call, orders } = play(connected(), { kind: "sip.hungUp", q850: 41 }, released, told("hangup"));
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "hangup", cause: "cut-off" },
    });
    expect(orders).toContainEqual({
      kind: "matrix.notice",
      leg: { room: request.leg.room, ghost: request.leg.ghost },
      text: "The call was cut off by the telephone network.",
    });
    expect(call.phase.kind === "ended" && call.phase.record).toMatchObject({ cause: "cut-off", result: "upstream" });
  });

  test("until the BYE is answered, no other word of the trunk's settles it", () => {
    const { call } = play(connected(), { kind: "matrix.hungUp", said: undefined }, released, rejected(486), {
      kind: "sip.failed",
      fault: "timeout",
      message: "",
    });
    expect(call.phase.kind).toBe("ending");
  });

  test("the caller hangs up: BYE with cause 16", () => {
    const { orders } = play(connected(), { kind: "matrix.hungUp", said: undefined });
    expect(orders).toContainEqual({ kind: "sip.bye", q850: 16 });
  });

  test("the client closes its connection and its hang-up is lost: the call ends as if the person had hung up", () => {
    const done = play(chronicled(), { kind: "media.connected" }, { kind: "media.closed" });
    expect(done.orders).toContainEqual({ kind: "sip.bye", q850: 16 });
    expect(done.orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "hangup", cause: "caller-hung-up" },
    });
    expect(done.call).toMatchObject({ phase: { kind: "ending", cause: "caller-hung-up" } });
    expect(noticesIn(done.orders)).toEqual([]);
  });

  test("the connection to the client is lost in mid-call: the room reads so, and how long the call was", () => {
    const lost = [
      [{ kind: "media.connected" }, { kind: "media.disconnected" }],
      // The client notices before the bridge does.
      [{ kind: "media.connected" }, { kind: "matrix.hungUp", said: "media-failed" }],
    ] as const;
    for (const facts of lost) {
      const done = play(chronicled(), ...facts);
      expect(done.call).toMatchObject({ phase: { kind: "ending", cause: "connection-lost" } });
      expect(noticesIn(done.orders)).toEqual([
        expect.stringMatching(/^The connection to your client was lost\. Call ended after \d+ s\.$/),
      ]);
    }
  });

  test.each([
    [["b"], "No audio has come from the telephone since the call was answered 10 seconds ago."],
    [["a"], "No audio has come from your client since the call was answered 10 seconds ago."],
    [["a", "b"], "No audio has come from either side since the call was answered 10 seconds ago."],
  ] as const)(
    "10 s after the answer nothing was heard of %s: the person reads which side, and the call goes on",
    (unheard, words) => {
      const asked = { kind: "deadline.passed", name: "audio" } as const;
      expect(play(connected(), asked).orders).toEqual([{ kind: "media.listen" }]);
      const done = play(connected(), asked, { kind: "media.listened", unheard });
      expect(noticesIn(done.orders)).toEqual([words]);
      expect(done.orders.filter(({ kind }) => kind === "note.unheard")).toHaveLength(unheard.length);
      expect(done.call.phase.kind).toBe("connected");
      const heard = play(connected(), asked, { kind: "media.listened", unheard: [] });
      expect(noticesIn(heard.orders)).toEqual([]);
    },
  );

  test("a connection that never came up could not be made", () => {
    const done = play(connected(), { kind: "matrix.hungUp", said: "media-failed" });
    expect(noticesIn(done.orders)).toEqual(["The audio connection to your client could not be made."]);
  });

  test("the client's audio connection fails: both sides are told", () => {
    const { orders } = play(connected(), { kind: "media.failed", message: "ice" });
    expect(kinds(orders)).toEqual(["sip.bye", "matrix.signal", "matrix.notice", "media.release"]);
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "hangup", cause: "media-failed" },
    });
  });

  test("it has lasted as long as it may", () => {
    const { orders } = play(connected(), { kind: "deadline.passed", name: "duration" });
    expect(kinds(orders)).toEqual(["sip.bye", "matrix.signal", "matrix.notice", "media.release"]);
  });

  test("the client chose another party's answer: the trunk is hung up, the client is left alone", () => {
    const { orders } = play(connected(), { kind: "matrix.selected", ours: false });
    expect(kinds(orders)).toEqual(["sip.bye", "media.release"]);
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

describe("after a restart", () => {
  test("a connected call is hung up on both sides", () => {
    const { orders } = afterRestart(play(connected(), told("answer")).call, 10_000);
    expect(orders).toEqual([
      { kind: "sip.resume", dialog },
      { kind: "sip.bye", q850: 41 },
      { kind: "matrix.signal", leg: anyLeg, signal: { kind: "hangup", cause: "restarted" } },
      { kind: "matrix.notice", leg: anyLeg, text: "The call ended because the bridge restarted." },
      { kind: "deadline.set", name: "ending", atMs: 50_000 },
    ]);
  });

  test("a telephone that still rings stops ringing", () => {
    const ringing = play(begin(), offered, { kind: "sip.sent", invite }, { kind: "sip.ringing" }).call;
    expect(afterRestart(ringing, 10_000).orders.slice(0, 2)).toEqual([
      { kind: "sip.abandon", invite },
      { kind: "matrix.signal", leg: anyLeg, signal: { kind: "reject", cause: "restarted" } },
    ]);
  });

  test("a call whose INVITE was never sent is over once the person is told", () => {
    const first = afterRestart(beginOutbound(request, trunk, maxDurationMs).call, 10_000);
    expect(kinds(first.orders)).toEqual(["matrix.signal", "matrix.notice"]);
    expect(play(first, told("reject")).call.phase.kind).toBe("ended");
  });
});
