// Parts fail in the middle of calls: who is told what, and that nothing is left behind.
import { describe, expect, test } from "vitest";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { MediaError } from "../../../src/ports/media.ts";
import { clientOffers, otherCodec, telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, ann, TestBridge } from "../test-bridge.ts";

describe("things fail", () => {
  test("no lines free: the caller is told, nothing is dialled", async () => {
    const bridge = new TestBridge();
    bridge.media.engine.refusal = new MediaError("no-capacity", "full");
    await bridge.enterRoom();
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.verbs).toEqual([]);
    expect(bridge.words).toEqual(["All lines are in use. Please try again later."]);
  });

  test("the worker with the call's media dies: both sides are told", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    bridge.media.engine.crash();
    await bridge.quiet();
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.signals).toEqual(["answer", "hangup unknown_error"]);
    expect(bridge.words).toEqual(["The call ended because of a fault in the bridge's audio."]);
  });

  test("the answer cannot be delivered to the homeserver: the callee is hung up", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    bridge.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await bridge.sip(accepted);
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "answer-lost", result: "bridge", unsettled: true }]);
  });

  test("a client that may or may not have the answer is told in both ways, once its homeserver is back", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    bridge.homeserver.hold();
    bridge.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await bridge.sip(accepted);
    bridge.homeserver.release();
    bridge.homeserver.failOnce();
    await bridge.quiet();
    expect(bridge.signals).toEqual(["reject failed", "hangup unknown_error"]);
    expect(bridge.words).toEqual(["The call was answered, but your homeserver did not pass the answer on."]);
  });

  test("the homeserver does not take the answer to a hold: people go on talking", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.take({
      ...bridge.callOf(),
      kind: "call.offered",
      video: false,
      description: clientOffers("sendonly", { direction: "sendonly" }),
      lifetimeMs: 60_000,
    });
    bridge.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("recvonly", { lines: ["a=recvonly"] }) });
    expect(bridge.trunks.verbs).toEqual(["invite", "reoffer"]);
    expect(bridge.switchboard.calls).toMatchObject([{ phase: { kind: "connected", renegotiation: { by: "nobody" } } }]);
  });

  test("the homeserver does not take an offer to the client: the trunk's re-INVITE is refused, people go on talking", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    bridge.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await bridge.sip({ kind: "sip.offered", description: otherCodec("another codec") });
    expect(bridge.trunks.orders.slice(1)).toMatchObject([{ verb: "refuseReoffer", argument: 488 }]);
    // Whether the client has heard of it is not known: it is offered what there is, a few times.
    for (let tries = 0; tries < 3; tries++) await bridge.passTime(10_000);
    expect(bridge.switchboard.calls).toMatchObject([{ phase: { kind: "connected", renegotiation: { by: "nobody" } } }]);
  });

  test("a telephone that is picked up after everybody forgot the call is hung up", async () => {
    const bridge = new TestBridge();
    const call = await bridge.ring();
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    await bridge.passTime(40_000);
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "caller-cancelled", unsettled: true }]);
    await bridge.sip(accepted, call);
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel", "bye"]);
  });

  test("facts of calls that are long gone are counted and harmless", async () => {
    const bridge = new TestBridge();
    const call = await bridge.ring();
    await bridge.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
    await bridge.sip({ kind: "sip.hungUp", q850: undefined }, call);
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    await bridge.take({ ...bridge.callOf(), kind: "call.candidates", candidates: [] });
    await bridge.take({
      ...bridge.callOf(ann, "never"),
      kind: "call.offered",
      description: "?",
      video: false,
      lifetimeMs: 1,
    });
    expect(bridge.telemetry.ignored).toEqual([
      "sip.hungUp in none",
      "matrix.hungUp in ended",
      "matrix.candidates in ended",
      "matrix.offered in none",
    ]);
  });

  test("the homeserver hangs: the callee is hung up at once, the client hears everything in order when it is back", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    bridge.homeserver.hold();
    await bridge.sip(accepted);
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);

    const other = new TestBridge();
    await other.ring();
    other.homeserver.hold();
    await other.sip(accepted);
    await other.sip({ kind: "sip.hungUp", q850: 16 });
    expect(other.signals).toEqual([]);
    await other.passTime(20_000);
    other.homeserver.release();
    await other.quiet();
    expect(other.signals).toEqual(["answer", "hangup user_hangup"]);
    expect(other.telemetry.ended).toMatchObject([{ cause: "callee-hung-up", unsettled: false }]);
  });

  test("the SIP edge throws: the person is told, and nothing waits for ever", async () => {
    const bridge = new TestBridge();
    await bridge.enterRoom();
    bridge.trunks.defect = new Error("bug");
    await bridge.take(bridge.inviteFact());
    expect(bridge.signals).toEqual(["reject failed"]);
    expect(bridge.words).toEqual(["The call ended because of a fault in the bridge."]);
    await bridge.passTime(40_000);
    expect(bridge.switchboard.calls).toEqual([]);
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "fault", unsettled: true }]);
  });

  test("the Matrix edge throws what it never should: the callee is hung up", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    bridge.homeserver.signal = async () => {
      throw new TypeError("bug");
    };
    await bridge.sip(accepted);
    expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
    expect(bridge.words).toEqual(["The call ended because of a fault in the bridge."]);
  });

  test("what goes wrong while a call ends does not keep it from ending", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    bridge.telemetry.defect = new Error("bug");
    await bridge.sip({ kind: "sip.ringing" });
    bridge.telemetry.defect = undefined;
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "caller-cancelled", unsettled: false }]);
  });
});
