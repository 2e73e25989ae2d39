// The trunk wants the call handed over.
import { describe, expect, test } from "vitest";
import { sipCallId } from "../../../../src/core/ids.ts";
import { accepted, answered, anyLeg, begin, connected, dialog, offered, play } from "../examples/examples.ts";
import { third, shown, planned, ending } from "../examples/transfer-examples.ts";

describe("a transfer that the trunk wants", () => {
  const referred = {
    kind: "sip.referred",
    target: { displayName: undefined, uri: third.target, user: "+442079460102", host: "sip.example.org" },
    replaces: "xyz;to-tag=1;from-tag=2",
  } as const;
  const newDialog = { ...dialog, sipCallId: sipCallId("new@example.org") };

  test("the person is connected to the other number and reads to whom", () => {
    const { call, orders } = play(
      play(begin({ notices: { failures: true, history: true } }), offered, accepted, answered),
      referred,
      planned,
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.replaced", description: "theirs", dialog: newDialog },
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders).toContainEqual({
      kind: "sip.replace",
      trunk: third.name,
      target: third.target,
      identity: third.identity,
      description: "ours",
      replaces: referred.replaces,
    });
    expect(orders).toContainEqual({ kind: "media.answer", from: "b", description: "theirs" });
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "identity", identity: shown },
    });
    expect(orders).toContainEqual({
      kind: "matrix.notice",
      leg: anyLeg,
      text: "You are now connected to +44 20 7946 0102.",
    });
    expect(call).toMatchObject({
      phase: {
        kind: "connected",
        trunk: { dialog: newDialog, number: "+442079460102" },
        renegotiation: { by: "nobody" },
      },
    });
  });

  test("a number that the person may not call is refused, and the call goes on", () => {
    const { call, orders } = play(connected(), referred, { kind: "transfer.barred", cause: "premium-barred" });
    expect(orders).toContainEqual({ kind: "sip.refuseRefer", status: 603 });
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
  });

  test("what the other number answers with cannot be used: the old far end is gone, and the person is told", () => {
    const { call, orders } = play(
      connected(),
      referred,
      planned,
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.replaced", description: "video only", dialog: newDialog },
      { kind: "media.refused", from: "b", fault: "bad-description", message: "" },
    );
    expect(ending({ call, orders })).toEqual({ cause: "incompatible", trunk: "bye" });
  });

  test("a number that does not answer leaves the call as it was", () => {
    const { call } = play(
      connected(),
      referred,
      planned,
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.replaceFailed", status: 486 },
    );
    expect(call).toMatchObject({ phase: { kind: "connected", trunk: { dialog }, renegotiation: { by: "nobody" } } });
  });

  test("it waits its turn while the person changes the session", () => {
    const { orders } = play(connected(), { kind: "matrix.offered", description: "hold" }, referred);
    expect(orders).toContainEqual({ kind: "sip.refuseRefer", status: 491 });
  });

  test("an offer of the person's meanwhile has its turn afterwards", () => {
    const { orders } = play(
      connected(),
      referred,
      { kind: "matrix.offered", description: "hold" },
      { kind: "transfer.barred", cause: "no-route" },
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "a", description: "hold" });
  });
});
