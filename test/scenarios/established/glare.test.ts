// Two who call each other at the same moment: one call remains, and both have it, whatever the person's client makes of
// an invite that comes while it is calling.
import { describe, expect, test } from "vitest";
import { matrixCallId, type UserId } from "../../../src/core/ids.ts";
import { invite } from "../../core/call/examples/examples.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, ann, bob, caller, ghost, TestBridge, made1, room } from "../test-bridge.ts";
import { examplePolicy } from "../settings.ts";

const candidate = { candidate: "c", mid: "0", mLineIndex: 0 };
/** Of the number that Ann dials as 01818118181. */
const dialled = { identity: callerOf("+441818118181") };

function invitation(user: UserId) {
  return { kind: "member.invited", user, direct: true, encrypted: false, public: false } as const;
}

describe("a number rings a person who calls it that very moment, with a client that ignores our invite", () => {
  async function crossed(): Promise<TestBridge> {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({ ...bridge.origin(ann, made1), ...invitation(caller) });
    await bridge.take(bridge.inviteFact({ room: made1, matrixCallId: matrixCallId("anns") }));
    return bridge;
  }

  test("their own call is answered, our invite is taken back, the telephone is answered, and nothing is dialled", async () => {
    const bridge = await crossed();
    expect(bridge.homeserver.told.map(({ leg, signal }) => [leg.matrixCallId === "anns", signal.kind])).toEqual([
      [false, "invite"],
      [false, "hangup"],
      [true, "answer"],
    ]);
    expect(bridge.trunks.orders).toMatchObject([
      { verb: "ring" },
      { verb: "accept", argument: expect.stringContaining("RTP/AVP 0 101") },
    ]);
    expect(bridge.media.orders).toEqual(["offer b trunk offers", "cross a client offer"]);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
  });

  test("what their client says of it from then on reaches the call that remains", async () => {
    const bridge = await crossed();
    const anns = { ...bridge.callOf(ann, "anns"), room: made1 };
    await bridge.take({ ...anns, kind: "call.candidates", candidates: [candidate] });
    expect(bridge.media.orders.at(-1)).toBe("candidates 1");
    await bridge.take({ ...anns, ...bridge.origin(ann, made1), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["ring", "accept", "bye"]);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ direction: "inbound", matrixCallId: "anns", person: ann }]);
    await bridge.take({ ...anns, ...bridge.origin(ann, made1), kind: "call.hungUp", said: undefined });
    expect(bridge.telemetry.ignored.at(-1)).toBe("matrix.hungUp in ended");
  });

  test("and a client that keeps its own call, and hangs up ours, has it", async () => {
    const bridge = await crossed();
    const ours = bridge.homeserver.told[0]?.leg.matrixCallId;
    await bridge.take({ ...bridge.callOf(ann, `${ours}`), room: made1, kind: "call.hungUp", said: undefined });
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("candidates that overtook their invite are used", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({ ...bridge.origin(ann, made1), ...invitation(caller) });
    await bridge.take({ ...bridge.callOf(ann, "anns"), room: made1, kind: "call.candidates", candidates: [candidate] });
    await bridge.take(bridge.inviteFact({ room: made1, matrixCallId: matrixCallId("anns") }));
    expect(bridge.media.orders).toEqual(["offer b trunk offers", "cross a client offer", "candidates 1"]);
  });

  test("others who were rung stop ringing", async () => {
    const bridge = new TestBridge();
    await bridge.arrive({ called: "+441632960002" });
    await bridge.take({ ...bridge.origin(ann, made1), ...invitation(caller) });
    await bridge.take(bridge.inviteFact({ room: made1, matrixCallId: matrixCallId("anns") }));
    expect(bridge.signals.filter((signal) => signal.startsWith("hangup"))).toHaveLength(2);
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("somebody who is not rung calls the number as always, and finds it busy or not", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({ ...bridge.origin(bob, room), ...invitation(caller) });
    await bridge.take(bridge.inviteFact({ sender: bob, matrixCallId: matrixCallId("bobs") }));
    expect(bridge.trunks.verbs).toEqual(["ring", "invite"]);
  });

  test("another number is dialled as always", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.ring();
    expect(bridge.trunks.verbs).toEqual(["ring", "invite"]);
  });
});

describe("a person calls a number that rings them that very moment", () => {
  test("their call goes on and is answered; what was dialled is taken back; nothing is said to them about it", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip({ kind: "sip.sent", invite });
    await bridge.take({ ...bridge.callOf(), kind: "call.candidates", candidates: [candidate] });
    await bridge.arrive(dialled);
    expect(bridge.signals).toEqual(["answer"]);
    expect(bridge.homeserver.told[0]?.leg).toMatchObject({ room, ghost, matrixCallId: "call1" });
    expect(bridge.trunks.verbs.toSorted()).toEqual(["accept", "cancel", "invite"]);
    expect(bridge.media.orders).toEqual([
      "offer a client offer",
      "candidates 1",
      "close",
      "offer b trunk offers",
      "cross a client offer",
      "candidates 1",
    ]);
    expect(bridge.words).toEqual([]);
  });

  test("when they hang up, the telephone that called hears it, and both calls are over", async () => {
    const bridge = new TestBridge();
    const outbound = await bridge.ring();
    const inbound = await bridge.arrive(dialled);
    await bridge.sip({ kind: "sip.ended" }, outbound);
    expect(bridge.telemetry.ended).toMatchObject([{ direction: "outbound", cause: "crossed" }]);
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    await bridge.sip({ kind: "sip.ended" }, inbound);
    expect(bridge.telemetry.ended).toMatchObject([
      { cause: "crossed" },
      { direction: "inbound", cause: "callee-hung-up" },
    ]);
    expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
  });

  test("also where they may have one call only", async () => {
    const bridge = new TestBridge({ policy: { ...examplePolicy, callsPerUser: 1 } });
    await bridge.ring();
    await bridge.arrive(dialled);
    expect(bridge.signals).toEqual(["answer"]);
  });

  test("a call that was answered meanwhile is not given up: the second one rings beside it", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.arrive(dialled);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected", "alerting"]);
  });

  test("where the caller is gone again at once, they are not left waiting", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    const arriving = bridge.arrive({ ...dialled });
    const inbound = bridge.switchboard.calls.find(({ direction }) => direction === "inbound");
    if (inbound === undefined) throw new Error("nothing came");
    bridge.switchboard.takeSip(inbound.id, { kind: "sip.cancelled", elsewhere: false });
    await arriving;
    expect(bridge.signals).toEqual(["reject failed"]);
  });

  test("an offer that the trunk left to us changes nothing for them", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.arrive({ ...dialled, sdp: undefined });
    expect(bridge.trunks.verbs.toSorted()).toEqual(["accept", "cancel", "invite"]);
    await bridge.sip(
      { kind: "sip.reanswered", description: telephoneSays("in the ACK") },
      bridge.switchboard.calls.at(-1)?.id,
    );
    expect(bridge.signals).toEqual(["answer"]);
  });
});

test("a person's call that is answered in the moment in which the number calls goes on; the other one rings by itself", async () => {
  const bridge = new TestBridge();
  const calling = await bridge.ring();
  bridge.switchboard.takeSip(calling, accepted);
  const arriving = await bridge.arrive(dialled);
  expect(bridge.switchboard.calls.map(({ id, phase }) => [id, phase.kind])).toEqual([
    [calling, "connected"],
    [arriving, "alerting"],
  ]);
  expect(bridge.in(room)).toEqual(["answer"]);
  expect(bridge.trunks.verbs).not.toContain("accept");
});
