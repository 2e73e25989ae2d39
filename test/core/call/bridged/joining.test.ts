// Two far ends are being joined in the bridge after a transfer, each step of which may fail.
import { describe, expect, test } from "vitest";
import { beginBridged } from "../../../../src/core/call/bridged/bridged.ts";
import { step } from "../../../../src/core/call/step.ts";
import {
  bridged,
  common,
  complete,
  described,
  forLegA,
  legA,
  legAAnswered,
  legBAccepted,
  legBReanswered,
  on,
  other,
  third,
  toLeg,
  toNumber,
} from "../examples/bridged-examples.ts";
import { anyLeg, invite, kinds, play, released, request } from "../examples/examples.ts";
import { sipUri } from "../../address/sip-uri.ts";
import { toLegB, toLegA, joined } from "../examples/joined-examples.ts";

const somebody = { displayName: undefined, uri: sipUri("sip:x@example.org"), user: "x", host: "example.org" };

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
