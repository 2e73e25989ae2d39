// Two far ends joined in the bridge after a transfer: both hear each other, and nobody stays on the line alone.
import { describe, expect, test } from "vitest";
import { beginBridged } from "../../../../src/core/call/bridged/bridged.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { noMediaStats } from "../../../../src/core/call/model/media-stats.ts";
import {
  bridged,
  complete,
  described,
  dialogB,
  forLegA,
  legA,
  legAAnswered,
  legBAccepted,
  legBReanswered,
  on,
  toNumber,
} from "../examples/bridged-examples.ts";
import { afterRestart, dialog, kinds, play, released, request } from "../examples/examples.ts";
import { toLegB, toLegA, joined } from "../examples/joined-examples.ts";

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
