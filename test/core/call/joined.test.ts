// Two far ends joined in the bridge after a transfer: both hear each other, and nobody stays on the line alone.
import { describe, expect, test } from "vitest";
import type { SipFact } from "../../../src/core/call/model/fact.ts";
import { beginJoint } from "../../../src/core/call/bridged/bridged.ts";
import type { Handover, JointSide } from "../../../src/core/call/model/bridged-call.ts";
import { recoverJoint } from "../../../src/core/call/bridged/ending-bridged.ts";
import type { Step } from "../../../src/core/call/step.ts";
import { callId, sipCallId } from "../../../src/core/ids.ts";
import { anyLeg, dialog, invite, kinds, play, released, request, trunk } from "./examples.ts";

const joint = callId("c-joint");
const left = { call: request.id, trunk, dialog };
const rightDialog = { ...dialog, sipCallId: sipCallId("def@example.org") };
const other = { call: callId("c-2"), trunk: { ...trunk, number: "+442079460103" }, dialog: rightDialog };
const common = {
  left,
  leg: request.leg,
  notices: { failures: true, history: true },
  endsAtMs: 3_600_000,
  words: "Transferred.",
};
const third = { ...trunk, number: "+442079460102", target: "sip:+442079460102@sip.example.org" };
const toNumber: Handover = { ...common, target: { kind: "dialled", trunk: third } };
const toLeg: Handover = { ...common, target: { kind: "leg", leg: other } };

const on = (side: JointSide, fact: SipFact) => ({ kind: "leg.reported", side, fact }) as const;
const described = { kind: "media.described", side: "trunk", sdp: "for the right" } as const;
const rightAccepted = on("right", { kind: "sip.accepted", sdp: "right's", dialog: rightDialog });
const forLeft = { kind: "media.answered", from: "trunk", sdp: "for the left" } as const;
const leftAnswered = on("left", { kind: "sip.reanswered", sdp: "left's" });
const complete = { kind: "media.answered", from: "matrix", sdp: "not needed" } as const;
const toTheRight = (order: unknown) => ({ kind: "leg.order", call: joint, order });
const toTheLeft = (order: unknown) => ({ kind: "leg.order", call: left.call, order });

function joined(): Step {
  const { call } = play(beginJoint(joint, toNumber, 1_000), described, rightAccepted, forLeft, leftAnswered, complete);
  expect(call.phase).toBe("joined");
  return { call, effects: [] };
}

describe("joining", () => {
  test("a number is called, and what it answers is offered to the one who was transferred", () => {
    const { effects } = play(beginJoint(joint, toNumber, 1_000), described, rightAccepted, forLeft, leftAnswered);
    expect(effects).toContainEqual(
      toTheRight({
        kind: "sip.invite",
        trunk: third.name,
        target: third.target,
        identity: third.identity,
        sdp: "for the right",
      }),
    );
    expect(effects).toContainEqual({ kind: "media.answer", from: "trunk", sdp: "right's" });
    expect(effects).toContainEqual(toTheLeft({ kind: "sip.reoffer", sdp: "for the left" }));
    expect(effects).toContainEqual({ kind: "media.answer", from: "matrix", sdp: "left's" });
    expect(joined().call.phase).toBe("joined");
  });

  test("the far end of another call is offered a new session in its own dialog", () => {
    const { call, effects } = play(
      beginJoint(joint, toLeg, 1_000),
      described,
      on("right", { kind: "sip.reanswered", sdp: "right's" }),
      forLeft,
      leftAnswered,
      complete,
    );
    expect(effects).toContainEqual({
      kind: "leg.order",
      call: other.call,
      order: { kind: "sip.reoffer", sdp: "for the right" },
    });
    expect(call.phase).toBe("joined");
  });

  const recalled = {
    kind: "transfer.recall",
    recall: { far: left, leg: request.leg, called: "ann", notices: common.notices, endsAtMs: common.endsAtMs },
  };
  const rejected = (status: number) => on("right", { kind: "sip.rejected", status, phrase: "", q850: undefined });

  test.each([
    ["is busy", [described, rejected(486)], "The number was busy."],
    ["does not answer", [described, { kind: "deadline.passed", name: "answer" }], "Nobody answered."],
    [
      "has a gateway that is down",
      [described, on("right", { kind: "sip.failed", fault: "transport", message: "refused" })],
      "The telephone provider cannot be reached. Please try again later.",
    ],
    [
      "answers what cannot be used",
      [
        described,
        rightAccepted,
        { kind: "media.refused", from: "trunk", fault: "no-common-codec", message: "" } as const,
      ],
      "The other end cannot handle this kind of call.",
    ],
    [
      "hangs up as soon as it has answered",
      [described, rightAccepted, on("right", { kind: "sip.hungUp", q850: 16 })],
      "The call was declined.",
    ],
    [
      "has audio that breaks down",
      [described, rightAccepted, { kind: "media.lost" } as const],
      "The call ended because of a fault in the bridge's audio.",
    ],
  ] as const)(
    "a number that %s: the far end goes back to whoever handed it over, who reads why",
    (_how, facts, why) => {
      const { effects } = play(beginJoint(joint, toNumber, 1_000), ...facts);
      expect(effects).toContainEqual(recalled);
      expect(effects).not.toContainEqual(toTheLeft(expect.objectContaining({ kind: "sip.bye" })));
      expect(effects).toContainEqual({ kind: "matrix.notice", leg: anyLeg, text: `The transfer failed: ${why}` });
    },
  );

  test("the far end refuses the new session: it goes back, and the number is hung up", () => {
    const { effects } = play(
      beginJoint(joint, toNumber, 1_000),
      described,
      rightAccepted,
      forLeft,
      on("left", { kind: "sip.offerRefused", status: 488 }),
    );
    expect(effects).toContainEqual(recalled);
    expect(effects).toContainEqual(toTheRight(expect.objectContaining({ kind: "sip.bye" })));
  });

  test.each([
    ["hangs up", on("left", { kind: "sip.hungUp", q850: 16 })],
    ["has talked for as long as is allowed", { kind: "deadline.passed", name: "duration" } as const],
    ["is ended by an administrator", { kind: "admin.ended" } as const],
    ["is cut off by a stop of the bridge", { kind: "bridge.stopped" } as const],
  ])("a far end that %s does not come back", (_how, fact) => {
    const { effects } = play(beginJoint(joint, toNumber, 1_000), described, fact);
    expect(kinds(effects)).not.toContain("transfer.recall");
  });

  test("over before the number was called: nothing is cancelled, and the call ends", () => {
    const { call, effects } = play(
      beginJoint(joint, toNumber, 1_000),
      on("left", { kind: "sip.hungUp", q850: 16 }),
      released,
    );
    expect(kinds(effects)).not.toContain("leg.order");
    expect(call).toMatchObject({ phase: "ended", record: { unsettled: false } });
  });

  test("who was transferred hangs up while it rings: the call to the number is cancelled", () => {
    const { effects } = play(
      beginJoint(joint, toNumber, 1_000),
      described,
      on("right", { kind: "sip.sent", invite }),
      on("right", { kind: "sip.ringing" }),
      on("left", { kind: "sip.hungUp", q850: 16 }),
    );
    expect(effects).toContainEqual(toTheRight({ kind: "sip.cancel", q850: 16 }));
    expect(effects).not.toContainEqual(toTheLeft(expect.objectContaining({ kind: "sip.bye" })));
  });

  test("an answer that crosses the CANCEL is hung up", () => {
    const { call, effects } = play(
      beginJoint(joint, toNumber, 1_000),
      described,
      on("left", { kind: "sip.hungUp", q850: 16 }),
      rightAccepted,
      on("right", { kind: "sip.ended" }),
      released,
    );
    expect(effects).toContainEqual(toTheRight({ kind: "sip.bye", q850: 16 }));
    expect(call.phase).toBe("ended");
  });

  test("a description that nobody can use: the room is not told that its client's was", () => {
    const refused = { kind: "media.refused", from: "matrix", fault: "bad-description", message: "" } as const;
    const { effects } = play(beginJoint(joint, toNumber, 1_000), described, rightAccepted, refused);
    expect(effects).toContainEqual({
      kind: "matrix.notice",
      leg: anyLeg,
      text: "The transfer failed: The other end cannot handle this kind of call.",
    });
  });

  test("nobody is rung for ever", () => {
    const { effects } = play(beginJoint(joint, toNumber, 1_000), described, {
      kind: "deadline.passed",
      name: "answer",
    });
    expect(effects).toContainEqual(toTheRight({ kind: "sip.cancel", q850: 19 }));
  });
});

describe("two who are joined", () => {
  test.each(["left", "right"] as const)(
    "the %s one hangs up, the other is let go, and the record is written",
    (side) => {
      const otherSide = side === "left" ? "right" : "left";
      const { call, effects } = play(
        joined(),
        on(side, { kind: "sip.hungUp", q850: 16 }),
        on(otherSide, { kind: "sip.ended" }),
        released,
      );
      const byes = effects.filter((effect) => effect.kind === "leg.order" && effect.order.kind === "sip.bye");
      expect(byes).toEqual([expect.objectContaining({ call: side === "left" ? joint : left.call })]);
      expect(call).toMatchObject({
        phase: "ended",
        record: { direction: "joined", cause: "callee-hung-up", unsettled: false },
      });
      expect(kinds(effects)).not.toContain("matrix.notice");
    },
  );

  test("are told of in the room of whoever handed the call over, and nobody reads it before", () => {
    const before = play(beginJoint(joint, toNumber, 1_000), described, rightAccepted, forLeft, leftAnswered);
    expect(kinds(before.effects)).not.toContain("matrix.notice");
    const { effects } = play(before, complete);
    expect(effects).toContainEqual({
      kind: "matrix.notice",
      leg: { room: request.leg.room, ghost: request.leg.ghost },
      text: "Transferred.",
    });
  });

  test("hold by one of them reaches the other", () => {
    const { effects } = play(
      joined(),
      on("left", { kind: "sip.offered", sdp: "hold" }),
      { kind: "media.offered", from: "matrix", sdp: "hold for the right" },
      on("right", { kind: "sip.reanswered", sdp: "held" }),
      { kind: "media.answered", from: "trunk", sdp: "held for the left" },
    );
    expect(effects).toContainEqual(toTheRight({ kind: "sip.reoffer", sdp: "hold for the right" }));
    expect(effects).toContainEqual(toTheLeft({ kind: "sip.answerReoffer", sdp: "held for the left" }));
  });

  test("one that refuses to be held is left in peace, and the other one's hold is settled here", () => {
    const { call, effects } = play(
      joined(),
      on("left", { kind: "sip.offered", sdp: "hold" }),
      { kind: "media.offered", from: "matrix", sdp: "hold for the right" },
      on("right", { kind: "sip.offerRefused", status: 488 }),
      { kind: "media.settled", from: "matrix", sdp: "held by us" },
    );
    expect(effects).toContainEqual(toTheLeft({ kind: "sip.answerReoffer", sdp: "held by us" }));
    expect(call).toMatchObject({ phase: "joined", renegotiation: { by: "nobody" } });
  });

  test("two offers at once: the second one has to wait", () => {
    const { effects } = play(
      joined(),
      on("left", { kind: "sip.offered", sdp: "hold" }),
      on("right", { kind: "sip.offered", sdp: "hold" }),
    );
    expect(effects).toContainEqual(toTheRight({ kind: "sip.refuseReoffer", status: 491 }));
  });

  test("the other side offers right after our ACK to its answer: it has its turn, and no 491", () => {
    const { call, effects } = play(
      joined(),
      on("left", { kind: "sip.offered", sdp: "hold" }),
      { kind: "media.offered", from: "matrix", sdp: "hold for the right" },
      on("right", { kind: "sip.reanswered", sdp: "held" }),
      on("right", { kind: "sip.offered", sdp: "moved" }),
      { kind: "media.answered", from: "trunk", sdp: "held by the right" },
      { kind: "media.settled", from: "trunk", sdp: "ours" },
    );
    expect(effects).toContainEqual(toTheLeft({ kind: "sip.answerReoffer", sdp: "held by the right" }));
    expect(effects).toContainEqual(toTheRight({ kind: "sip.answerReoffer", sdp: "ours" }));
    expect(call).toMatchObject({ phase: "joined", renegotiation: { by: "nobody" } });
  });

  test("while the two are being joined, one that has answered offers again: it has its turn once they are", () => {
    const { effects } = play(
      beginJoint(joint, toNumber, 1_000),
      described,
      rightAccepted,
      on("right", { kind: "sip.offered", sdp: "moved" }),
      forLeft,
      leftAnswered,
      complete,
    );
    expect(effects.at(-1)).toEqual({ kind: "media.offer", from: "trunk", sdp: "moved" });
  });

  test("an INVITE without an offer is answered with ours", () => {
    const { call, effects } = play(
      joined(),
      on("right", { kind: "sip.offerWanted" }),
      { kind: "media.described", side: "trunk", sdp: "ours" },
      on("right", { kind: "sip.reanswered", sdp: "theirs" }),
      { kind: "media.answered", from: "trunk", sdp: "not needed" },
    );
    expect(effects).toContainEqual(toTheRight({ kind: "sip.answerReoffer", sdp: "ours" }));
    expect(effects).toContainEqual({ kind: "media.answer", from: "trunk", sdp: "theirs" });
    expect(call).toMatchObject({ renegotiation: { by: "nobody" } });
  });

  test("one that had asked for our offer, and offers right behind its answer to that, has its turn", () => {
    const { effects } = play(
      joined(),
      on("right", { kind: "sip.offerWanted" }),
      { kind: "media.described", side: "trunk", sdp: "ours" },
      on("right", { kind: "sip.reanswered", sdp: "theirs" }),
      on("right", { kind: "sip.offered", sdp: "moved" }),
      { kind: "media.answered", from: "trunk", sdp: "not needed" },
    );
    expect(effects.at(-1)).toEqual({ kind: "media.offer", from: "trunk", sdp: "moved" });
  });

  describe("their media worker dies", () => {
    const lost = { kind: "media.lost" } as const;
    const rightAnswers = on("right", { kind: "sip.reanswered", sdp: "right's" });

    test("both are offered a new session, one after the other, and talk on; nothing is said of it", () => {
      const { call, effects } = play(
        joined(),
        lost,
        released,
        described,
        rightAnswers,
        forLeft,
        leftAnswered,
        complete,
      );
      expect(effects).toEqual([
        { kind: "media.release" },
        { kind: "media.describe", side: "trunk" },
        toTheRight({ kind: "sip.reoffer", sdp: "for the right" }),
        { kind: "media.answer", from: "trunk", sdp: "right's" },
        toTheLeft({ kind: "sip.reoffer", sdp: "for the left" }),
        { kind: "media.answer", from: "matrix", sdp: "left's" },
      ]);
      expect(call).toEqual(joined().call);
    });

    test("while one of them changes the session: it is to ask again", () => {
      const { effects } = play(joined(), on("left", { kind: "sip.offered", sdp: "hold" }), lost);
      expect(effects.slice(1)).toEqual([
        toTheLeft({ kind: "sip.refuseReoffer", status: 491 }),
        { kind: "media.release" },
        { kind: "media.describe", side: "trunk" },
      ]);
    });

    test("one that asks for a change meanwhile has its turn", () => {
      const { effects } = play(
        joined(),
        lost,
        described,
        on("left", { kind: "sip.offered", sdp: "hold" }),
        rightAnswers,
        forLeft,
        leftAnswered,
        complete,
      );
      expect(effects.at(-1)).toEqual({ kind: "media.offer", from: "matrix", sdp: "hold" });
    });

    test.each([
      ["no worker is left", { kind: "media.refused", from: "trunk", fault: "no-capacity", message: "full" } as const],
      ["the next one dies as well", lost],
      ["the right one refuses", on("right", { kind: "sip.offerRefused", status: 488 })],
    ])("and %s: both are hung up", (_why, fact) => {
      const before = fact.kind === "leg.reported" ? [lost, described] : [lost];
      const { call, effects } = play(joined(), ...before, fact);
      expect(call).toMatchObject({ phase: "parting", cause: "media-lost" });
      const bye = { kind: "sip.bye", q850: 41 } as const;
      expect(effects).toEqual(expect.arrayContaining([toTheLeft(bye), toTheRight(bye)]));
    });
  });

  test("a key that one sends in INFO reaches the other as that one takes keys", () => {
    const key = on("left", { kind: "sip.dtmf", digit: "7", durationMs: 200 });
    const inRtp = play(joined(), key);
    expect(inRtp.effects).toEqual([{ kind: "media.dtmf", to: "trunk", digit: "7", durationMs: 200 }]);
    const { call } = joined();
    if (call.phase !== "joined") throw new Error("not joined");
    const abilities = { ...call.right.trunk.abilities, infoDtmf: true };
    const right = { ...call.right, trunk: { ...call.right.trunk, abilities } };
    const { effects } = play({ call: { ...call, right }, effects: [] }, key);
    expect(effects).toEqual([toTheRight({ kind: "sip.info", digit: "7", durationMs: 200 })]);
  });

  test("they talk no longer than the call could have lasted", () => {
    const { effects } = play(joined(), { kind: "deadline.passed", name: "duration" });
    expect(effects.filter((effect) => effect.kind === "leg.order")).toHaveLength(2);
  });

  test("after a restart both dialogs are built again and ended", () => {
    const { call } = joined();
    if (call.phase !== "joined") throw new Error("not joined");
    const { effects } = recoverJoint(call, 9_000);
    expect(effects).toContainEqual(toTheLeft({ kind: "sip.resume", dialog }));
    expect(effects).toContainEqual(toTheLeft(expect.objectContaining({ kind: "sip.bye" })));
    expect(effects).toContainEqual(toTheRight({ kind: "sip.resume", dialog: rightDialog }));
    expect(effects).toContainEqual(toTheRight(expect.objectContaining({ kind: "sip.bye" })));
  });
});
