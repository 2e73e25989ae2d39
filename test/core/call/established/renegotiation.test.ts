// Changes inside a connected call: the client's hold and resume, the trunk's re-INVITEs, and both at once.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { answered, anyLeg, begin, connected, dialog, kinds, play, request } from "../examples/examples.ts";
import { talking } from "../examples/inbound-examples.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";

describe("hold and resume", () => {
  const hold: CallFact = { kind: "matrix.offered", description: "sendonly" };
  const refused: CallFact = { kind: "media.refused", from: "a", fault: "bad-description", message: "" };
  const settled: CallFact = { kind: "media.settled", from: "a", description: "held" };
  const fromMatrix: Extract<CallFact, { kind: "media.offered" }> = {
    kind: "media.offered",
    from: "a",
    description: "trunk sendonly",
  };

  test("the client holds: re-INVITE, and its answer answers the client", () => {
    const { orders } = play(
      connected(),
      hold,
      fromMatrix,
      { kind: "sip.reanswered", description: "recvonly" },
      answered,
    );
    expect(orders).toEqual([
      { kind: "media.offer", from: "a", description: "sendonly" },
      { kind: "sip.reoffer", description: "trunk sendonly" },
      { kind: "media.answer", from: "b", description: "recvonly" },
      { kind: "matrix.signal", leg: anyLeg, signal: { kind: "reanswer", description: "client answer" } },
    ]);
  });

  test("a trunk that refuses the re-INVITE: the client is answered all the same", () => {
    const { orders } = play(
      connected(),
      hold,
      fromMatrix,
      { kind: "sip.offerRefused", status: 488 },
      { kind: "media.settled", from: "a", description: "local" },
    );
    expect(kinds(orders)).toEqual(["media.offer", "sip.reoffer", "media.settle", "matrix.signal"]);
  });

  test.each([
    ["the client's offer cannot be used", [hold, refused], ["media.offer"]],
    [
      "the trunk's answer to it cannot be used: hold between the client and us alone",
      [hold, fromMatrix, { kind: "sip.reanswered", description: "?" }, refused, settled],
      ["media.offer", "sip.reoffer", "media.answer", "media.settle", "matrix.signal"],
    ],
    [
      "the trunk's offer cannot be used: 488",
      [{ kind: "sip.offered", description: "?" }, refused],
      ["media.offer", "sip.refuseReoffer"],
    ],
    [
      "the client's answer to the trunk's offer cannot be used: 488",
      [
        { kind: "sip.offered", description: "codec" },
        { ...fromMatrix, from: "b" },
        { kind: "matrix.reanswered", description: "?" },
        refused,
      ],
      ["media.offer", "matrix.signal", "media.answer", "sip.refuseReoffer"],
    ],
    [
      "nothing can be described for the trunk: 488",
      [{ kind: "sip.offerWanted" }, refused],
      ["media.describe", "sip.refuseReoffer"],
    ],
    [
      "the ACK holds no answer",
      [
        { kind: "sip.offerWanted" },
        { kind: "media.described", end: "b", description: "ours" },
        { kind: "sip.offerRefused", status: 488 },
      ],
      ["media.describe", "sip.answerReoffer"],
    ],
  ] as const satisfies readonly (readonly [string, readonly CallFact[], readonly string[]])[])(
    "the call goes on as it was where %s",
    (_what, facts, expected) => {
      const { call, orders } = play(connected(), ...facts);
      expect(kinds(orders)).toEqual(expected);
      expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
    },
  );

  test("an answer of the client's that nobody waits for changes nothing", () => {
    const { orders } = play(
      connected(),
      { kind: "sip.offered", description: "moved" },
      { kind: "matrix.reanswered", description: "late" },
    );
    expect(kinds(orders)).toEqual(["media.offer", "note.ignored"]);
  });

  test("an ICE restart is answered without the trunk", () => {
    const { orders } = play(connected(), hold, { kind: "media.settled", from: "a", description: "new ufrag" });
    expect(kinds(orders)).toEqual(["media.offer", "matrix.signal"]);
  });

  test("the trunk offers while the client's hold is under way: 491", () => {
    const { orders } = play(connected(), hold, { kind: "sip.offered", description: "x" });
    expect(orders).toContainEqual({ kind: "sip.refuseReoffer", status: 491 });
  });

  test("the trunk offers right after the ACK to its answer: it has its turn once that answer is worked in", () => {
    const { call, orders } = play(
      connected(),
      hold,
      fromMatrix,
      { kind: "sip.reanswered", description: "recvonly" },
      { kind: "sip.offered", description: "moved" },
      answered,
      { kind: "media.settled", from: "b", description: "ours" },
    );
    expect(kinds(orders)).toEqual([
      "media.offer",
      "sip.reoffer",
      "media.answer",
      "matrix.signal",
      "media.offer",
      "sip.answerReoffer",
    ]);
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
  });

  test("the client offers while the trunk's is under way: it has its turn afterwards", () => {
    const { orders } = play(connected(), { kind: "sip.offered", description: "moved" }, hold, {
      kind: "media.settled",
      from: "b",
      description: "ok",
    });
    expect(orders).toEqual([
      { kind: "media.offer", from: "b", description: "moved" },
      { kind: "sip.answerReoffer", description: "ok" },
      { kind: "media.offer", from: "a", description: "sendonly" },
    ]);
  });

  test("the trunk's re-INVITE without an offer gets ours, and its ACK is taken", () => {
    const { call, orders } = play(
      connected(),
      { kind: "sip.offerWanted" },
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.reanswered", description: "theirs" },
      answered,
    );
    expect(kinds(orders)).toEqual(["media.describe", "sip.answerReoffer", "media.answer"]);
    expect(call.phase.kind === "connected" && call.phase.renegotiation).toEqual({ by: "nobody" });
  });

  test("a re-offer the client must agree to and does not: 488 after its lifetime", () => {
    const { orders } = play(
      connected(),
      { kind: "sip.offered", description: "other codec" },
      { kind: "media.offered", from: "b", description: "client offer" },
      { kind: "deadline.passed", name: "renegotiation" },
    );
    expect(orders).toContainEqual({ kind: "sip.refuseReoffer", status: 488 });
  });
});

describe("both offer at once", () => {
  const asked = play(
    connected(),
    { kind: "sip.offered", description: "other codec" },
    { kind: "media.offered", from: "b", description: "client offer" },
  ).call;

  test("the client goes first, as it ignores an offer that crosses its own; the trunk is asked to come again", () => {
    const { call, orders } = play({ call: asked, orders: [] }, { kind: "matrix.offered", description: "sendonly" });
    expect(orders).toEqual([
      { kind: "deadline.clear", name: "renegotiation" },
      { kind: "sip.refuseReoffer", status: 491 },
      { kind: "media.offer", from: "a", description: "sendonly" },
    ]);
    expect(call).toMatchObject({ phase: { renegotiation: { by: "matrix", awaiting: "media" } } });
  });

  test("the client's offer comes while ours is being made: the same", () => {
    const { call, orders } = play(
      connected(),
      { kind: "sip.offered", description: "other codec" },
      { kind: "matrix.offered", description: "sendonly" },
      { kind: "media.offered", from: "b", description: "client offer" },
    );
    expect(orders.slice(1)).toEqual([
      { kind: "sip.refuseReoffer", status: 491 },
      { kind: "media.offer", from: "a", description: "sendonly" },
    ]);
    expect(call).toMatchObject({ phase: { renegotiation: { by: "matrix", awaiting: "media", queued: undefined } } });
  });

  test("a client that was called takes that offer back when it gets ours: it is not used any more", () => {
    const { call, orders } = play(
      talking(),
      { kind: "sip.offered", description: "other codec" },
      { kind: "matrix.offered", description: "sendonly" },
      { kind: "media.offered", from: "b", description: "client offer" },
      { kind: "matrix.reanswered", description: "ok" },
      { kind: "media.answered", from: "a", description: "trunk answer" },
    );
    expect(kinds(orders)).toEqual(["media.offer", "matrix.signal", "media.answer", "sip.answerReoffer"]);
    expect(call).toMatchObject({ phase: { renegotiation: { by: "nobody" } } });
  });

  test("an answer of the client's that came before its own offer is used", () => {
    const { orders } = play(
      { call: asked, orders: [] },
      { kind: "matrix.reanswered", description: "ok" },
      { kind: "matrix.offered", description: "sendonly" },
      { kind: "media.answered", from: "a", description: "trunk answer" },
    );
    expect(kinds(orders)).toEqual(["media.answer", "sip.answerReoffer", "media.offer"]);
  });
});

describe("a version 0 client, which knows no offers inside a call", () => {
  const old = play(
    begin({ leg: { ...request.leg, ...legacyClient("0"), device: undefined } }),
    { kind: "media.offered", from: "a", description: "trunk offer" },
    { kind: "sip.accepted", description: "trunk answer", dialog },
    answered,
  ).call;

  test("is not offered one: the trunk's re-INVITE is refused, the call goes on", () => {
    const { call, orders } = play(
      { call: old, orders: [] },
      { kind: "sip.offered", description: "other codec" },
      { kind: "media.offered", from: "b", description: "client offer" },
    );
    expect(kinds(orders)).toEqual(["media.offer", "sip.refuseReoffer"]);
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
  });

  test("makes none that could be answered", () => {
    const { orders } = play({ call: old, orders: [] }, { kind: "matrix.offered", description: "sendonly" });
    expect(kinds(orders)).toEqual(["note.ignored"]);
  });
});
