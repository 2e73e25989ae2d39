// Two far ends joined in the bridge after a transfer: both hear each other, and nobody stays on the line alone.
import { describe, expect, test } from "vitest";
import { beginBridged } from "../../../../src/core/call/bridged/bridged.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { noMediaStats } from "../../../../src/core/call/model/media-stats.ts";
import { step, type Step } from "../../../../src/core/call/step.ts";
import {
  bridged,
  common,
  complete,
  described,
  dialogB,
  forLegA,
  legA,
  legAAnswered,
  legBAccepted,
  legBReanswered,
  numberJoined,
  on,
  other,
  third,
  toLeg,
  toNumber,
} from "../examples/bridged-examples.ts";
import { afterRestart, anyLeg, dialog, invite, kinds, play, released, request } from "../examples/examples.ts";
import { sipUri } from "../../address/sip-uri.ts";

const somebody = { displayName: undefined, uri: sipUri("sip:x@example.org"), user: "x", host: "example.org" };
const toLegB = (order: unknown) => ({ kind: "leg.order", call: bridged, order });
const toLegA = (order: unknown) => ({ kind: "leg.order", call: legA.id, order });

function joined(): Step {
  const { call } = play(beginBridged(bridged, toNumber, 1_000), ...numberJoined);
  expect(call.phase.kind).toBe("joined");
  return { call, orders: [] };
}

describe("joining", () => {
  test("a number is called, and what it answers is offered to the one who was transferred", () => {
    const { orders } = play(beginBridged(bridged, toNumber, 1_000), described, legBAccepted, forLegA, legAAnswered);
    expect(orders).toContainEqual(
      toLegB({
        kind: "sip.invite",
        trunk: third.name,
        target: third.target,
        identity: third.identity,
        description: "for leg B",
      }),
    );
    expect(orders).toContainEqual({ kind: "media.answer", from: "b", description: "B's" });
    expect(orders).toContainEqual(toLegA({ kind: "sip.reoffer", description: "for leg A" }));
    expect(orders).toContainEqual({ kind: "media.answer", from: "a", description: "A's" });
    expect(joined().call.phase.kind).toBe("joined");
  });

  test("the far end of another call is offered a new session in its own dialog", () => {
    const { call, orders } = play(
      beginBridged(bridged, toLeg, 1_000),
      described,
      legBReanswered,
      forLegA,
      legAAnswered,
      complete,
    );
    expect(orders).toContainEqual({
      kind: "leg.order",
      call: other.id,
      order: { kind: "sip.reoffer", description: "for leg B" },
    });
    expect(call.phase.kind).toBe("joined");
  });

  const recalled = {
    kind: "transfer.recall",
    recall: { far: legA, leg: request.leg, called: "ann", notices: common.notices, endsAtMs: common.endsAtMs },
  };
  const rejected = (status: number) => on("b", { kind: "sip.rejected", status, phrase: "", q850: undefined });

  test.each([
    ["is busy", [described, rejected(486)], "The number was busy."],
    ["does not answer", [described, { kind: "deadline.passed", name: "answer" }], "Nobody answered."],
    [
      "has a gateway that is down",
      [described, on("b", { kind: "sip.failed", fault: "transport", message: "refused" })],
      "The telephone provider cannot be reached. Please try again later.",
    ],
    [
      "answers what cannot be used",
      [described, legBAccepted, { kind: "media.refused", from: "b", fault: "no-common-codec", message: "" } as const],
      "The other end cannot handle this kind of call.",
    ],
    [
      "hangs up as soon as it has answered",
      [described, legBAccepted, on("b", { kind: "sip.hungUp", q850: 16 })],
      "The call was declined.",
    ],
    [
      "has audio that breaks down",
      [described, legBAccepted, { kind: "media.lost" } as const],
      "The call ended because of a fault in the bridge's audio.",
    ],
  ] as const)(
    "a number that %s: the far end goes back to whoever handed it over, who reads why",
    (_how, facts, why) => {
      const { orders } = play(beginBridged(bridged, toNumber, 1_000), ...facts);
      expect(orders).toContainEqual(recalled);
      expect(orders).not.toContainEqual(toLegA(expect.objectContaining({ kind: "sip.bye" })));
      expect(orders).toContainEqual({ kind: "matrix.notice", leg: anyLeg, text: `The transfer failed: ${why}` });
    },
  );

  test("the far end refuses the new session: it goes back, and the number is hung up", () => {
    const { orders } = play(
      beginBridged(bridged, toNumber, 1_000),
      described,
      legBAccepted,
      forLegA,
      on("a", { kind: "sip.offerRefused", status: 488 }),
    );
    expect(orders).toContainEqual(recalled);
    expect(orders).toContainEqual(toLegB(expect.objectContaining({ kind: "sip.bye" })));
  });

  test("the far end offers as the last step of joining fails: it is to ask again where it goes", () => {
    const { orders } = play(
      beginBridged(bridged, toNumber, 1_000),
      described,
      legBAccepted,
      forLegA,
      legAAnswered,
      on("a", { kind: "sip.offered", description: "moved" }),
      { kind: "media.refused", from: "a", fault: "no-common-codec", message: "" },
    );
    const refused = orders.findIndex((order) => order.kind === "leg.order" && order.order.kind === "sip.refuseReoffer");
    expect(orders[refused]).toEqual(toLegA({ kind: "sip.refuseReoffer", status: 491 }));
    expect(orders.slice(refused)).toContainEqual(recalled);
  });

  test.each([
    ["hangs up", on("a", { kind: "sip.hungUp", q850: 16 })],
    ["has talked for as long as is allowed", { kind: "deadline.passed", name: "duration" } as const],
    ["is ended by an administrator", { kind: "admin.ended" } as const],
    ["is cut off by a stop of the bridge", { kind: "bridge.stopped" } as const],
  ])("a far end that %s does not come back", (_how, fact) => {
    const { orders } = play(beginBridged(bridged, toNumber, 1_000), described, fact);
    expect(kinds(orders)).not.toContain("transfer.recall");
  });

  test("over before the number was called: nothing is cancelled, and the call ends", () => {
    const { call, orders } = play(
      beginBridged(bridged, toNumber, 1_000),
      on("a", { kind: "sip.hungUp", q850: 16 }),
      released,
    );
    expect(kinds(orders)).not.toContain("leg.order");
    expect(call).toMatchObject({ phase: { kind: "ended", record: { unsettled: false } } });
  });

  test.each([
    ["hung up", { kind: "sip.hungUp", q850: 16 }],
    ["offered", { kind: "sip.offered", description: "early" }],
    ["asked for an offer", { kind: "sip.offerWanted" }],
    ["referred", { kind: "sip.referred", target: somebody, replaces: undefined }],
    ["refused an offer", { kind: "sip.offerRefused", status: 488 }],
  ] as const)("a number that has not answered cannot have %s: it rings on", (_what, report) => {
    const before = play(beginBridged(bridged, toNumber, 1_000), described, on("b", { kind: "sip.ringing" }));
    const { call, orders } = step(before.call, { ...on("b", report), atMs: 9_000 });
    expect(call).toEqual(before.call);
    expect(kinds(orders)).toEqual(["note.ignored"]);
  });

  test("the far end refuses what its earlier call had offered: the number rings on", () => {
    const before = play(beginBridged(bridged, toNumber, 1_000), described, on("b", { kind: "sip.ringing" }));
    const { call } = step(before.call, { ...on("a", { kind: "sip.offerRefused", status: 491 }), atMs: 9_000 });
    expect(call).toEqual(before.call);
  });

  test("who was transferred hangs up while it rings: the call to the number is cancelled", () => {
    const { orders } = play(
      beginBridged(bridged, toNumber, 1_000),
      described,
      on("b", { kind: "sip.sent", invite }),
      on("b", { kind: "sip.ringing" }),
      on("a", { kind: "sip.hungUp", q850: 16 }),
    );
    expect(orders).toContainEqual(toLegB({ kind: "sip.cancel", q850: 16 }));
    expect(orders).not.toContainEqual(toLegA(expect.objectContaining({ kind: "sip.bye" })));
  });

  test("an answer that crosses the CANCEL is hung up", () => {
    const { call, orders } = play(
      beginBridged(bridged, toNumber, 1_000),
      described,
      on("a", { kind: "sip.hungUp", q850: 16 }),
      legBAccepted,
      on("b", { kind: "sip.ended" }),
      released,
    );
    expect(orders).toContainEqual(toLegB({ kind: "sip.bye", q850: 16 }));
    expect(call.phase.kind).toBe("ended");
  });

  test("a description that nobody can use: the room is not told that its client's was", () => {
    const refused = { kind: "media.refused", from: "a", fault: "bad-description", message: "" } as const;
    const { orders } = play(beginBridged(bridged, toNumber, 1_000), described, legBAccepted, refused);
    expect(orders).toContainEqual({
      kind: "matrix.notice",
      leg: anyLeg,
      text: "The transfer failed: The other end cannot handle this kind of call.",
    });
  });

  test("nobody is rung for ever", () => {
    const { orders } = play(beginBridged(bridged, toNumber, 1_000), described, {
      kind: "deadline.passed",
      name: "answer",
    });
    expect(orders).toContainEqual(toLegB({ kind: "sip.cancel", q850: 19 }));
  });
});

describe("two who are joined", () => {
  test.each(["a", "b"] as const)("the %s one hangs up, the other is let go, and the record is written", (side) => {
    const otherSide = side === "a" ? "b" : "a";
    const { call, orders } = play(
      joined(),
      on(side, { kind: "sip.hungUp", q850: 16 }),
      on(otherSide, { kind: "sip.ended" }),
      released,
    );
    const byes = orders.filter((order) => order.kind === "leg.order" && order.order.kind === "sip.bye");
    expect(byes).toEqual([expect.objectContaining({ call: side === "a" ? bridged : legA.id })]);
    expect(call).toMatchObject({
      phase: { kind: "ended", record: { direction: "joined", cause: "callee-hung-up", unsettled: false } },
    });
    expect(kinds(orders)).not.toContain("matrix.notice");
  });

  test("are told of in the room of whoever handed the call over, and nobody reads it before", () => {
    const before = play(beginBridged(bridged, toNumber, 1_000), described, legBAccepted, forLegA, legAAnswered);
    expect(kinds(before.orders)).not.toContain("matrix.notice");
    const { orders } = play(before, complete);
    expect(orders).toContainEqual({
      kind: "matrix.notice",
      leg: { room: request.leg.room, ghost: request.leg.ghost },
      text: "Transferred.",
    });
  });

  test("hold by one of them reaches the other", () => {
    const { orders } = play(
      joined(),
      on("a", { kind: "sip.offered", description: "hold" }),
      { kind: "media.offered", from: "a", description: "hold for leg B" },
      on("b", { kind: "sip.reanswered", description: "held" }),
      { kind: "media.answered", from: "b", description: "held for leg A" },
    );
    expect(orders).toContainEqual(toLegB({ kind: "sip.reoffer", description: "hold for leg B" }));
    expect(orders).toContainEqual(toLegA({ kind: "sip.answerReoffer", description: "held for leg A" }));
  });

  test("one that refuses to be held is left in peace, and the other one's hold is settled here", () => {
    const { call, orders } = play(
      joined(),
      on("a", { kind: "sip.offered", description: "hold" }),
      { kind: "media.offered", from: "a", description: "hold for leg B" },
      on("b", { kind: "sip.offerRefused", status: 488 }),
      { kind: "media.settled", from: "a", description: "held by us" },
    );
    expect(orders).toContainEqual(toLegA({ kind: "sip.answerReoffer", description: "held by us" }));
    expect(call).toMatchObject({ phase: { kind: "joined", renegotiation: { by: "nobody" } } });
  });

  test("two offers at once: the second one has to wait", () => {
    const { orders } = play(
      joined(),
      on("a", { kind: "sip.offered", description: "hold" }),
      on("b", { kind: "sip.offered", description: "hold" }),
    );
    expect(orders).toContainEqual(toLegB({ kind: "sip.refuseReoffer", status: 491 }));
  });

  test("the other side offers right after our ACK to its answer: it has its turn, and no 491", () => {
    const { call, orders } = play(
      joined(),
      on("a", { kind: "sip.offered", description: "hold" }),
      { kind: "media.offered", from: "a", description: "hold for leg B" },
      on("b", { kind: "sip.reanswered", description: "held" }),
      on("b", { kind: "sip.offered", description: "moved" }),
      { kind: "media.answered", from: "b", description: "held by leg B" },
      { kind: "media.settled", from: "b", description: "ours" },
    );
    expect(orders).toContainEqual(toLegA({ kind: "sip.answerReoffer", description: "held by leg B" }));
    expect(orders).toContainEqual(toLegB({ kind: "sip.answerReoffer", description: "ours" }));
    expect(call).toMatchObject({ phase: { kind: "joined", renegotiation: { by: "nobody" } } });
  });

  test("while the two are being joined, one that has answered offers again: it has its turn once they are", () => {
    const { orders } = play(
      beginBridged(bridged, toNumber, 1_000),
      described,
      legBAccepted,
      on("b", { kind: "sip.offered", description: "moved" }),
      forLegA,
      legAAnswered,
      complete,
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "b", description: "moved" });
  });

  test("both offer while the session is being settled: the first has its turn, the second has to wait", () => {
    const { orders } = play(
      joined(),
      on("b", { kind: "sip.offerWanted" }),
      { kind: "media.described", end: "b", description: "ours" },
      on("b", { kind: "sip.reanswered", description: "theirs" }),
      on("a", { kind: "sip.offered", description: "hold" }),
      on("b", { kind: "sip.offered", description: "moved" }),
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders.slice(-2)).toEqual([
      toLegB({ kind: "sip.refuseReoffer", status: 491 }),
      { kind: "media.offer", from: "a", description: "hold" },
    ]);
  });

  test("an INVITE without an offer is answered with ours", () => {
    const { call, orders } = play(
      joined(),
      on("b", { kind: "sip.offerWanted" }),
      { kind: "media.described", end: "b", description: "ours" },
      on("b", { kind: "sip.reanswered", description: "theirs" }),
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders).toContainEqual(toLegB({ kind: "sip.answerReoffer", description: "ours" }));
    expect(orders).toContainEqual({ kind: "media.answer", from: "b", description: "theirs" });
    expect(call).toMatchObject({ phase: { renegotiation: { by: "nobody" } } });
  });

  test("one that had asked for our offer, and offers right behind its answer to that, has its turn", () => {
    const { orders } = play(
      joined(),
      on("b", { kind: "sip.offerWanted" }),
      { kind: "media.described", end: "b", description: "ours" },
      on("b", { kind: "sip.reanswered", description: "theirs" }),
      on("b", { kind: "sip.offered", description: "moved" }),
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "b", description: "moved" });
  });

  describe("their media worker dies", () => {
    const lost = { kind: "media.lost" } as const;
    test("both are offered a new session, one after the other, and talk on; nothing is said of it", () => {
      const { call, orders } = play(
        joined(),
        lost,
        released,
        described,
        legBReanswered,
        forLegA,
        legAAnswered,
        complete,
      );
      expect(orders).toEqual([
        { kind: "media.release" },
        { kind: "media.describe", end: "b" },
        toLegB({ kind: "sip.reoffer", description: "for leg B" }),
        { kind: "media.answer", from: "b", description: "B's" },
        toLegA({ kind: "sip.reoffer", description: "for leg A" }),
        { kind: "media.answer", from: "a", description: "A's" },
      ]);
      expect(call).toEqual(joined().call);
    });

    test("and one hangs up: the record is of the new session, and waits for its release", () => {
      const over: readonly CallFact[] = [on("a", { kind: "sip.hungUp", q850: 16 }), on("b", { kind: "sip.ended" })];
      const first: CallFact = { kind: "media.released", stats: noMediaStats };
      const before = play(joined(), lost, described, ...over, first);
      expect(before.call.phase.kind).toBe("ending");
      const { call } = play(before, released);
      expect(call).toMatchObject({ phase: { kind: "ended", record: { media: { codec: "PCMU" }, unsettled: false } } });
    });

    test("while one of them changes the session: it is to ask again", () => {
      const { orders } = play(joined(), on("a", { kind: "sip.offered", description: "hold" }), lost);
      expect(orders.slice(1)).toEqual([
        toLegA({ kind: "sip.refuseReoffer", status: 491 }),
        { kind: "media.release" },
        { kind: "media.describe", end: "b" },
      ]);
    });

    test("one that asks for a change meanwhile has its turn", () => {
      const { orders } = play(
        joined(),
        lost,
        described,
        on("a", { kind: "sip.offered", description: "hold" }),
        legBReanswered,
        forLegA,
        legAAnswered,
        complete,
      );
      expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "a", description: "hold" });
    });

    test.each([
      ["no worker is left", { kind: "media.refused", from: "b", fault: "no-capacity", message: "full" } as const],
      ["the next one dies as well", lost],
      ["leg B refuses", on("b", { kind: "sip.offerRefused", status: 488 })],
    ])("and %s: both are hung up", (_why, fact) => {
      const before = fact.kind === "leg.reported" ? [lost, described] : [lost];
      const { call, orders } = play(joined(), ...before, fact);
      expect(call).toMatchObject({ phase: { kind: "ending", cause: "media-lost" } });
      const bye = { kind: "sip.bye", q850: 41 } as const;
      expect(orders).toEqual(expect.arrayContaining([toLegA(bye), toLegB(bye)]));
    });
  });

  test("a key that one sends in INFO reaches the other as that one takes keys", () => {
    const key = on("a", { kind: "sip.dtmf", digit: "7", durationMs: 200 });
    const inRtp = play(joined(), key);
    expect(inRtp.orders).toEqual([{ kind: "media.dtmf", to: "b", digit: "7", durationMs: 200 }]);
    const { call } = joined();
    if (call.phase.kind !== "joined") throw new Error("not joined");
    const { phase } = call;
    const b = { ...phase.b, abilities: { ...phase.b.abilities, infoDtmf: true } };
    const { orders } = play({ call: { ...call, phase: { ...phase, b } }, orders: [] }, key);
    expect(orders).toEqual([toLegB({ kind: "sip.info", digit: "7", durationMs: 200 })]);
  });

  test("they talk no longer than the call could have lasted", () => {
    const { orders } = play(joined(), { kind: "deadline.passed", name: "duration" });
    expect(orders.filter((order) => order.kind === "leg.order")).toHaveLength(2);
  });

  test("after a restart both dialogs are built again and ended", () => {
    const { call } = joined();
    const { orders } = afterRestart(call, 9_000);
    expect(orders).toContainEqual(toLegA({ kind: "sip.resume", dialog }));
    expect(orders).toContainEqual(toLegA(expect.objectContaining({ kind: "sip.bye" })));
    expect(orders).toContainEqual(toLegB({ kind: "sip.resume", dialog: dialogB }));
    expect(orders).toContainEqual(toLegB(expect.objectContaining({ kind: "sip.bye" })));
  });
});
