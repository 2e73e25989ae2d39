// A call from Matrix to the telephone that was answered comes to its end.
import { describe, expect, test } from "vitest";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { beginOutbound } from "../../../../src/core/call/outbound/outbound.ts";
import type { Step } from "../../../../src/core/call/step.ts";
import {
  afterRestart,
  anyLeg,
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
