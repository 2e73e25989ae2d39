// What a caller from Matrix notices of the trunks: another one is tried, early media is heard, two calls cross; and the
// line that every call leaves in the room.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { durationText } from "../../../../src/core/call/ending/room-notices.ts";
import type { OutboundRequest } from "../../../../src/core/call/outbound/outbound.ts";
import type { DialledTrunk } from "../../../../src/core/call/model/trunk-leg.ts";
import { trunkName } from "../../../../src/core/ids.ts";
import {
  accepted,
  anyLeg,
  answered,
  begin,
  connected,
  dialog,
  kinds,
  offered,
  play,
  released,
  request,
  told,
  trunk,
} from "../examples/examples.ts";
import { heardByTrunk, heardIn } from "../examples/inbound-examples.ts";

const second: DialledTrunk = { ...trunk, name: trunkName("second"), number: "00441818118181" };
const third: DialledTrunk = { ...trunk, name: trunkName("third") };
const rejected = (status: number, q850?: number): CallFact => ({ kind: "sip.rejected", status, phrase: "", q850 });
const ringing: CallFact = { kind: "sip.ringing" };
const { room } = request.leg;

describe("a trunk is out of order", () => {
  const withSecond = (changes: Partial<OutboundRequest> = {}) => begin({ alternatives: [second], ...changes });
  const trickle: CallFact = { kind: "matrix.candidates", candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }] };

  test.each([
    ["no answer at all", { kind: "sip.failed", fault: "timeout", message: "" }],
    ["no connection", { kind: "sip.failed", fault: "transport", message: "" }],
    ["401", rejected(401)],
    ["407", rejected(407)],
    ["408", rejected(408)],
    ["500", rejected(500)],
    ["502", rejected(502)],
    ["503", rejected(503)],
    ["504", rejected(504)],
    ["480 with Q.850 34", rejected(480, 34)],
    ["404 with Q.850 38", rejected(404, 38)],
    ["603 with Q.850 41", rejected(603, 41)],
    ["603 with Q.850 52", rejected(603, 52)],
  ] as const satisfies readonly (readonly [string, CallFact])[])(
    "%s: the call goes on over the next one",
    (_what, fact) => {
      const { call, orders } = play(withSecond(), trickle, offered, trickle, fact, released, offered);
      expect(heardByTrunk(orders)).toEqual(["INVITE main", "INVITE second"]);
      expect(heardIn(room, orders)).toEqual([]);
      expect(call).toMatchObject({
        phase: { kind: "inviting" },
        number: "00441818118181",
        outstanding: { releases: 0 },
      });
      expect(orders).toContainEqual({
        kind: "media.candidates",
        candidates: [
          { candidate: "c", mid: "0", mLineIndex: 0 },
          { candidate: "c", mid: "0", mLineIndex: 0 },
        ],
      });
      expect(orders.filter((order) => order.kind === "media.offer")).toEqual([
        { kind: "media.offer", from: "a", description: request.description },
        { kind: "media.offer", from: "a", description: request.description },
      ]);
    },
  );

  test.each([
    ["busy", rejected(486)],
    ["declined", rejected(603)],
    ["unknown there", rejected(404)],
    ["unknown there, which the gateway says in its own way", rejected(500, 1)],
    ["busy, whatever the Q.850 value", rejected(486, 34)],
  ] as const)("a number that is %s is not called again", (_what, fact) => {
    expect(heardByTrunk(play(withSecond(), offered, fact).orders)).toEqual(["INVITE main"]);
  });

  test("once it rang, or said something, no other is tried: a telephone would ring twice", () => {
    for (const sign of [ringing, { kind: "sip.progressed", description: undefined } as const])
      expect(heardByTrunk(play(withSecond(), offered, sign, rejected(503)).orders)).toEqual(["INVITE main"]);
  });

  test("and so is the last one: the room is told what the last one said", () => {
    const { call, orders } = play(
      begin({ alternatives: [second, third] }),
      offered,
      rejected(500),
      released,
      offered,
      rejected(503),
      released,
      offered,
      { kind: "sip.failed", fault: "transport", message: "" },
    );
    expect(heardByTrunk(orders)).toEqual(["INVITE main", "INVITE second", "INVITE third"]);
    expect(call).toMatchObject({ phase: { cause: "trunk-unreachable", trunks: [{ name: "third" }] } });
    expect(heardIn(room, orders)).toEqual([
      "reject",
      "The telephone provider cannot be reached. Please try again later.",
    ]);
  });

  describe("an admin has paused the next one meanwhile", () => {
    const paused: CallFact = { kind: "admin.paused", trunk: second.name };

    test.each([
      ["before the INVITE", [paused, offered]],
      ["after the INVITE", [offered, paused]],
    ])("%s: the one after it is tried", (_when, facts) => {
      const { orders } = play(begin({ alternatives: [second, third] }), ...facts, rejected(503), released, offered);
      expect(heardByTrunk(orders)).toEqual(["INVITE main", "INVITE third"]);
    });

    test("and there is no other: the room is told what the first one said", () => {
      const { call, orders } = play(withSecond(), offered, paused, rejected(503));
      expect(heardByTrunk(orders)).toEqual(["INVITE main"]);
      expect(call.phase.kind).toBe("ending");
    });
  });

  test("the caller gives up while the next one is tried: the session of the first is not taken for the last", () => {
    const giveUp: CallFact = { kind: "matrix.hungUp", said: undefined };
    const { call, orders } = play(withSecond(), offered, rejected(503), giveUp, released);
    expect(call.phase.kind).toBe("ending");
    expect(kinds(orders).filter((kind) => kind === "media.release")).toHaveLength(2);
    expect(play({ call, orders: [] }, offered, released).call.phase.kind).toBe("ended");
  });

  test("nobody answers in time, over all of them together", () => {
    const { orders } = play(withSecond(), offered, rejected(503), released, offered);
    expect(orders.filter((order) => order.kind === "deadline.set")).toEqual([
      { kind: "deadline.set", name: "answer", atMs: request.answerByMs },
    ]);
  });

  test("a client that never stops sending candidates does not fill the memory", () => {
    const { call } = play(withSecond(), ...Array.from({ length: 300 }, () => trickle));
    expect(call.phase.kind === "offering" && call.phase.failover?.candidates).toHaveLength(100);
  });

  test("where there is no other, nothing is kept of what the client says", () => {
    expect(play(begin(), trickle).call).toMatchObject({ phase: { failover: undefined } });
  });
});

describe("early media, where the trunk's own tones are to be heard", () => {
  const early = () => begin({ earlyMedia: "answer" });
  const progressed: CallFact = { kind: "sip.progressed", description: "early answer" };
  const toEarly = [offered, progressed, answered] as const;

  test("the client is answered with them, and the callee's answer changes nothing for it", () => {
    const { call, orders } = play(early(), ...toEarly, told("answer"), {
      ...accepted,
      description: "early answer",
    } as CallFact);
    expect(kinds(orders)).toEqual(["media.offer", "sip.invite", "media.answer", "matrix.signal"]);
    expect(call).toMatchObject({
      phase: { kind: "connected", answer: "told", trunk: { dialog, answeredAtMs: 6_000 } },
    });
    expect(orders).toContainEqual({ kind: "deadline.clear", name: "answer" });
  });

  test("a callee elsewhere than the tones came from is heard from there", () => {
    const { call, orders } = play(early(), ...toEarly, accepted, answered);
    expect(orders.filter((order) => order.kind === "media.answer")).toEqual([
      { kind: "media.answer", from: "b", description: "early answer" },
      { kind: "media.answer", from: "b", description: "trunk answer" },
    ]);
    expect(heardIn(room, orders)).toEqual(["answer"]);
    expect(call.phase.kind).toBe("connected");
  });

  test("the callee picks up before the client's answer is made: it is answered once", () => {
    for (const description of ["early answer", "trunk answer"]) {
      const { call, orders } = play(
        early(),
        offered,
        progressed,
        { ...accepted, description } as CallFact,
        answered,
        answered,
      );
      expect(heardIn(room, orders)).toEqual(["answer"]);
      expect(call.phase.kind).toBe("connected");
    }
  });

  test("tones that nobody can use: it rings as it would without", () => {
    const unusable: CallFact = { kind: "media.refused", from: "b", fault: "no-common-codec", message: "" };
    const { call, orders } = play(early(), offered, progressed, unusable, progressed, accepted, answered);
    expect(heardIn(room, orders)).toEqual(["answer"]);
    expect(call.phase.kind).toBe("connected");
  });

  test("without a description there is nothing to be heard", () => {
    expect(play(early(), offered, { kind: "sip.progressed", description: undefined }).call.phase.kind).toBe("inviting");
  });

  test.each([
    [486, "The number was busy."],
    [603, "The call was declined."],
    [404, "This number is not in service."],
  ])("the call fails with %i: the client, which believes itself answered, is hung up and told why", (status, words) => {
    const { orders } = play(early(), ...toEarly, rejected(status));
    expect(heardIn(room, orders)).toEqual(["answer", "hangup unknown_error", words]);
  });

  test("a failure before the client is answered refuses it as always", () => {
    expect(heardIn(room, play(early(), offered, progressed, rejected(486)).orders)).toEqual(["reject"]);
  });

  test("the caller hangs up: the telephone stops ringing", () => {
    const { call, orders } = play(early(), ...toEarly, { kind: "matrix.hungUp", said: undefined });
    expect(heardByTrunk(orders)).toEqual(["INVITE main", "CANCEL"]);
    expect(call).toMatchObject({ phase: { cause: "caller-cancelled" } });
    // It is their own doing, and the history is off.
    expect(heardIn(room, orders)).toEqual(["answer"]);
  });

  test("the client hands the call over as if it were answered: it is gone, and the telephone stops ringing", () => {
    const handsOver: CallFact = { kind: "matrix.replaced", order: { kind: "nowhere" } };
    const { call, orders } = play(early(), ...toEarly, handsOver);
    expect(heardByTrunk(orders)).toEqual(["INVITE main", "CANCEL"]);
    expect(heardIn(room, orders)).toEqual(["answer", "hangup unknown_error", "The call could not be transferred."]);
    expect(call).toMatchObject({ phase: { cause: "transfer-failed" } });
  });

  test("the trunk plays nothing after all: the telephone rings on", () => {
    const { call, orders } = play(early(), ...toEarly, { kind: "media.timedOut", end: "b" });
    expect(heardByTrunk(orders)).toEqual(["INVITE main"]);
    expect(call.phase.kind).toBe("early");
  });

  test("the client falls silent: the telephone stops ringing", () => {
    const { orders } = play(early(), ...toEarly, { kind: "media.timedOut", end: "a" });
    expect(heardByTrunk(orders)).toEqual(["INVITE main", "CANCEL"]);
  });

  test("nobody picks up: both are told", () => {
    const { orders } = play(early(), ...toEarly, { kind: "deadline.passed", name: "answer" });
    expect(heardByTrunk(orders)).toEqual(["INVITE main", "CANCEL"]);
    expect(heardIn(room, orders)).toEqual(["answer", "hangup invite_timeout", "Nobody answered."]);
  });

  test("the client holds before anybody is there: it has its turn when the callee is", () => {
    const { call, orders } = play(early(), ...toEarly, { kind: "matrix.offered", description: "hold" }, {
      ...accepted,
      description: "early answer",
    } as CallFact);
    expect(orders).toContainEqual({ kind: "media.offer", from: "a", description: "hold" });
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "matrix", awaiting: "media" } } });
  });

  test("and the callee's own description cannot be used: the tones' one stays, and the hold has its turn all the same", () => {
    const refused: CallFact = { kind: "media.refused", from: "b", fault: "no-common-codec", message: "" };
    const { call } = play(early(), ...toEarly, { kind: "matrix.offered", description: "hold" }, accepted, refused);
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "matrix", awaiting: "media" } } });
    const { orders } = play({ call, orders: [] }, { kind: "media.settled", from: "a", description: "held" });
    expect(heardIn(room, orders)).toEqual(["reanswer"]);
  });

  test("the homeserver does not pass the answer on: both are let go", () => {
    const lost: CallFact = { kind: "matrix.unreachable", signal: "answer", room, message: "gone" };
    const { orders } = play(early(), ...toEarly, lost);
    expect(heardByTrunk(orders)).toEqual(["INVITE main", "CANCEL"]);
    expect(heardIn(room, orders).slice(1, 3)).toEqual(["reject", "hangup unknown_error"]);
  });
});

describe("somebody else than was dialled", () => {
  const shown = { ghost: undefined, displayName: "Reception" };

  test("is shown once the call is through, whenever the trunk said so", () => {
    const identified: CallFact = { kind: "identity.resolved", shown };
    for (const facts of [
      [offered, identified, accepted, answered],
      [offered, accepted, identified, answered],
    ]) {
      const { call, orders } = play(begin(), ...facts);
      expect(orders.at(-1)).toEqual({
        kind: "matrix.signal",
        leg: anyLeg,
        signal: { kind: "identity", identity: shown },
      });
      expect(call).toMatchObject({ shown });
    }
  });

  test("the number that was dialled is nothing new", () => {
    const same: CallFact = { kind: "identity.resolved", shown: { ghost: request.leg.ghost, displayName: "+44" } };
    expect(heardIn(room, play(begin(), offered, same, accepted, answered).orders)).toEqual(["answer"]);
  });
});

describe("the number calls the person at the same moment", () => {
  test.each([
    ["before the INVITE", [], []],
    ["while it rings", [offered, ringing], ["INVITE main", "CANCEL"]],
  ] as const)("%s: this call makes way, and nobody is told anything", (_when, before, trunkHeard) => {
    const first = begin({ notices: { failures: true, history: true } });
    const { call, orders } = play(first, ...before, { kind: "call.yielded" });
    expect(heardByTrunk(orders)).toEqual(trunkHeard);
    expect(heardIn(room, orders)).toEqual([]);
    expect(call).toMatchObject({ phase: { kind: "ending", cause: "crossed" } });
  });

  test("a call that has been answered does not", () => {
    expect(kinds(play(connected(), { kind: "call.yielded" }).orders)).toEqual(["note.ignored"]);
  });
});

describe("what a client shows by itself is not written", () => {
  const history = { failures: true, history: true };
  const heard = (facts: readonly CallFact[], notices = history) =>
    heardIn(room, play(begin({ notices }), ...facts).orders).filter(
      (one) => / /.test(one) && !one.startsWith("hangup"),
    );
  const hangUp: CallFact = { kind: "matrix.hungUp", said: undefined };

  test.each([
    ["a call that was answered", [offered, accepted, answered, hangUp], []],
    ["a busy number", [offered, rejected(486)], []],
    ["a declined call", [offered, rejected(603)], []],
    ["a caller who gave up", [offered, ringing, hangUp], []],
    ["a failure with words of its own", [offered, rejected(404)], ["This number is not in service."]],
    ["a caller who left the room", [offered, { kind: "matrix.left" }], []],
    ["a call that the person's other device took", [offered, { kind: "matrix.selected", ours: false }], []],
  ] as const satisfies readonly (readonly [string, readonly CallFact[], readonly string[]])[])(
    "%s leaves one line at most",
    (_what, facts, lines) => {
      expect(heard(facts)).toEqual(lines);
    },
  );

  test("a callee who hangs up as soon as they have answered leaves none either", () => {
    const { orders } = play(begin({ notices: { failures: true, history: true } }), offered, accepted, {
      kind: "sip.hungUp",
      q850: 16,
    });
    expect(heardIn(room, orders)).toEqual(["reject"]);
  });

  test("a call with a fault in it has the fault's words, not a second line", () => {
    expect(heard([offered, accepted, answered, { kind: "media.lost" }])).toEqual([
      "The call ended because of a fault in the bridge's audio.",
    ]);
  });

  test("where it is switched off, failures alone are told", () => {
    const failures = { failures: true, history: false };
    expect(heard([offered, accepted, answered, hangUp], failures)).toEqual([]);
    expect(heard([offered, rejected(404)], failures)).toEqual(["This number is not in service."]);
    expect(heard([offered, rejected(486)], failures)).toEqual([]);
  });

  test.each([
    [0, "0 s"],
    [499, "0 s"],
    [13_000, "13 s"],
    [133_000, "2 min 13 s"],
    [120_000, "2 min"],
    [3_600_000, "1 h"],
    [3_605_000, "1 h 5 s"],
    [7_384_000, "2 h 3 min 4 s"],
    [-5_000, "0 s"],
  ])("%i ms are %s", (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text);
  });
});
