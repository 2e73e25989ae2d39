// Parts fail in the middle of calls: who is told what, and that nothing is left behind.
import { describe, expect, test } from "vitest";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { MediaError } from "../../src/ports/media.ts";
import { dialog } from "../core/call/examples.ts";
import { ann, House } from "./house.ts";

const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;

describe("things fail", () => {
  test("no lines free: the caller is told, nothing is dialled", async () => {
    const house = new House();
    house.media.refusal = new MediaError("no-capacity", "full");
    await house.enterRoom();
    await house.take(house.inviteFact());
    expect(house.trunks.verbs).toEqual([]);
    expect(house.words).toEqual(["All lines are in use. Please try again later."]);
  });

  test("the worker with the call's media dies: both sides are told", async () => {
    const house = new House();
    const call = await house.ring();
    await house.sip(accepted);
    house.media.reports.get(call)?.({ kind: "media.lost" });
    await house.quiet();
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
    expect(house.signals).toEqual(["answer", "hangup unknown_error"]);
    expect(house.words).toEqual(["The call ended because of a fault in the bridge's audio."]);
  });

  test("the answer cannot be delivered to the homeserver: the callee is hung up", async () => {
    const house = new House();
    await house.ring();
    house.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await house.sip(accepted);
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ cause: "answer-lost", result: "bridge", unsettled: true }]);
  });

  test("a client that may or may not have the answer is told in both ways, once its homeserver is back", async () => {
    const house = new House();
    await house.ring();
    house.homeserver.hold();
    house.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await house.sip(accepted);
    house.homeserver.release();
    house.homeserver.failOnce();
    await house.quiet();
    expect(house.signals).toEqual(["reject failed", "hangup unknown_error"]);
    expect(house.words).toEqual(["The call was answered, but your homeserver did not pass the answer on."]);
  });

  test("the homeserver does not take the answer to a hold: people go on talking", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    await house.take({ ...house.callOf(), kind: "call.offered", sdp: "sendonly", lifetimeMs: 60_000 });
    house.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await house.sip({ kind: "sip.reanswered", sdp: "recvonly" });
    expect(house.trunks.verbs).toEqual(["invite", "reoffer"]);
    expect(house.switchboard.calls).toMatchObject([{ phase: "connected", renegotiation: { by: "nobody" } }]);
  });

  test("the homeserver does not take an offer to the client: the trunk's re-INVITE is refused, people go on talking", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    house.homeserver.failure = new HomeserverError("UNREACHABLE", "gone", true);
    await house.sip({ kind: "sip.offered", sdp: "another codec" });
    expect(house.trunks.orders.slice(1)).toMatchObject([{ verb: "refuseReoffer", argument: 488 }]);
    expect(house.switchboard.calls).toMatchObject([{ phase: "connected", renegotiation: { by: "nobody" } }]);
  });

  test("a telephone that is picked up after everybody forgot the call is hung up", async () => {
    const house = new House();
    const call = await house.ring();
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    await house.passTime(40_000);
    expect(house.telemetry.ended).toMatchObject([{ cause: "caller-cancelled", unsettled: true }]);
    await house.sip(accepted, call);
    expect(house.trunks.verbs).toEqual(["invite", "cancel", "bye"]);
  });

  test("facts of calls that are long gone are counted and harmless", async () => {
    const house = new House();
    const call = await house.ring();
    await house.sip({ kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined });
    await house.sip({ kind: "sip.hungUp", q850: undefined }, call);
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    await house.take({ ...house.callOf(), kind: "call.candidates", candidates: [] });
    await house.take({ ...house.callOf(ann, "never"), kind: "call.offered", sdp: "?", lifetimeMs: 1 });
    expect(house.telemetry.ignored).toEqual([
      "sip.hungUp in none",
      "matrix.hungUp in ended",
      "matrix.candidates in ended",
      "matrix.offered in none",
    ]);
  });

  test("the homeserver hangs: the callee is hung up at once, the client hears everything in order when it is back", async () => {
    const house = new House();
    await house.ring();
    house.homeserver.hold();
    await house.sip(accepted);
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);

    const other = new House();
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
    const house = new House();
    await house.enterRoom();
    house.trunks.defect = new Error("bug");
    await house.take(house.inviteFact());
    expect(house.signals).toEqual(["reject failed"]);
    expect(house.words).toEqual(["The call ended because of a fault in the bridge."]);
    await house.passTime(40_000);
    expect(house.switchboard.calls).toEqual([]);
    expect(house.telemetry.ended).toMatchObject([{ cause: "fault", unsettled: true }]);
  });

  test("the Matrix edge throws what it never should: the callee is hung up", async () => {
    const house = new House();
    await house.ring();
    house.homeserver.signal = async () => {
      throw new TypeError("bug");
    };
    await house.sip(accepted);
    expect(house.trunks.verbs).toEqual(["invite", "bye"]);
    expect(house.words).toEqual(["The call ended because of a fault in the bridge."]);
  });

  test("what goes wrong while a call ends does not keep it from ending", async () => {
    const house = new House();
    await house.ring();
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: undefined });
    house.telemetry.defect = new Error("bug");
    await house.sip({ kind: "sip.ringing" });
    house.telemetry.defect = undefined;
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ cause: "caller-cancelled", unsettled: false }]);
  });
});
