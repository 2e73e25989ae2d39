// The far end hands its telephone to another one by itself (INVITE with Replaces, RFC 3891): the person goes on talking.
import { expect, test } from "vitest";
import { callId, type CallId } from "../../../src/core/ids.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { dialog } from "../../core/call/examples/examples.ts";
import { clientAnswers, clientOffers, otherCodec, telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, TestBridge } from "../test-bridge.ts";

const colleague = { identity: callerOf("+442079460999", "Colleague") };
/** The client is asked before it is answered. */
const strange = { ...colleague, sdp: otherCodec("colleague offers") };

async function takenOver(): Promise<{ bridge: TestBridge; call: CallId; leg: CallId }> {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const leg = await bridge.arrive({ ...colleague, replaces: call });
  return { bridge, call, leg };
}

test("the new telephone is answered, the old one released, and the client is told who speaks now", async () => {
  const { bridge, call, leg } = await takenOver();
  expect(bridge.trunks.orders.slice(1)).toMatchObject([
    { call: leg, verb: "accept", argument: expect.stringContaining("RTP/AVP 0 101") },
    { call, verb: "bye", argument: 16 },
  ]);
  expect(bridge.homeserver.told.at(-1)?.signal).toMatchObject({ identity: { displayName: "Colleague" } });
  expect([bridge.switchboard.calls.length, bridge.telemetry.started]).toEqual([1, 1]);
});

test("what the old one still says means nothing; what the new one says is the call's", async () => {
  const { bridge, call, leg } = await takenOver();
  await bridge.sip({ kind: "sip.ended" }, call);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 }, call);
  expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 }, leg);
  expect(bridge.signals.at(-1)).toBe("hangup user_hangup");
  expect([bridge.switchboard.calls, bridge.telemetry.ended.length]).toEqual([[], 1]);
});

test("the person hangs up: the new one hears it", async () => {
  const { bridge, leg } = await takenOver();
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: leg, verb: "bye" });
  await bridge.sip({ kind: "sip.ended" }, leg);
  expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
});

test("it is handed on once more, by the leg that it has now", async () => {
  const { bridge, leg } = await takenOver();
  const third = await bridge.arrive({ replaces: leg });
  expect(bridge.trunks.orders.slice(-2)).toMatchObject([
    { call: third, verb: "accept" },
    { call: leg, verb: "bye" },
  ]);
});

test("the dialog of the new one is the call's, also for a process that comes after a crash", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const colleagues = { ...dialog, remoteTag: "colleague" };
  bridge.trunks.accept = (leg) => {
    bridge.switchboard.takeSip(leg, { kind: "sip.dialogChanged", dialog: colleagues });
  };
  await bridge.arrive({ ...colleague, replaces: call });
  expect(await bridge.store.calls.open()).toMatchObject([
    { call: { id: call, phase: { trunks: [{ dialog: { remoteTag: "colleague" } }] } } },
  ]);
});

test("a telephone without an offer gets ours", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const leg = await bridge.arrive({ ...colleague, replaces: call, sdp: undefined });
  await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("in the ACK") }, leg);
  expect(bridge.trunks.orders.at(-2)).toMatchObject({
    call: leg,
    verb: "accept",
    argument: expect.stringContaining("RTP/AVP 0 101"),
  });
  expect(bridge.media.orders.at(-1)).toBe("answer b in the ACK");
});

test("one that gives up before it is answered, or offers what cannot be used, changes nothing", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const first = await bridge.arrive({ ...strange, replaces: call });
  expect(bridge.signals.at(-1)).toBe("reoffer");
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, first);
  await bridge.take({ ...bridge.callOf(), kind: "call.reanswered", description: clientAnswers("client agrees") });
  const second = await bridge.arrive({ ...colleague, replaces: call });
  await bridge.passTime(30_000);
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: second, verb: "reject", argument: 488 });
  expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
});

test("one that gives up, and whose offer is refused then, leaves the next re-INVITE its answer", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const leg = await bridge.arrive({ ...strange, replaces: call });
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, leg);
  // The client never answers the offer that was made of it.
  await bridge.passTime(30_000);
  await bridge.sip({ kind: "sip.offered", description: telephoneSays("hold", { lines: ["a=sendonly"] }) }, call);
  expect(bridge.trunks.orders.at(-1)).toMatchObject({
    call,
    verb: "answerReoffer",
    argument: expect.stringContaining("a=recvonly"),
  });
});

test("one that wanted our offer and gave up before it came leaves the call as usable as it was", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const leg = callId("c-colleague");
  const arriving = bridge.arrive({ ...colleague, call: leg, replaces: call, sdp: undefined });
  bridge.switchboard.takeSip(leg, { kind: "sip.cancelled", elsewhere: false });
  await arriving;
  expect(bridge.trunks.verbs).toEqual(["invite"]);
  await bridge.take({
    ...bridge.callOf(),
    kind: "call.offered",
    video: false,
    description: clientOffers("sendonly", { direction: "sendonly" }),
    lifetimeMs: 60_000,
  });
  expect(bridge.trunks.verbs).toEqual(["invite", "reoffer"]);
});

test("two at once cannot have the same place, and nobody can have that of a call that only rings", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  const early = await bridge.arrive({ ...strange, replaces: call });
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: early, verb: "reject", argument: 603 });
  await bridge.sip(accepted, call);
  await bridge.arrive({ ...strange, replaces: call });
  const second = await bridge.arrive({ ...strange, replaces: call });
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: second, verb: "reject", argument: 603 });
});

test("a call that ends while another telephone waits for its place sends both away", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const leg = await bridge.arrive({ ...strange, replaces: call });
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  expect(bridge.trunks.orders.slice(-2)).toMatchObject([
    { call: leg, verb: "reject", argument: 481 },
    { call, verb: "bye" },
  ]);
});

test("a far end that hangs up while another telephone waits for its place leaves nobody waiting", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  const leg = await bridge.arrive({ ...strange, replaces: call });
  await bridge.sip({ kind: "sip.hungUp", q850: 16 }, call);
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ call: leg, verb: "reject", argument: 481 });
  expect(bridge.switchboard.calls).toEqual([]);
});

test("what is over cannot be taken over", async () => {
  const bridge = new TestBridge();
  await bridge.arrive({ ...colleague, replaces: callId("c-gone") });
  expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 603 }]);
});

test("another telephone every moment is refused after some, and one line says so", async () => {
  const { bridge } = await takenOver();
  let leg = bridge.call();
  for (let n = 0; n < 40; n++) leg = await bridge.arrive({ replaces: leg });
  expect(bridge.trunks.verbs.filter((verb) => verb === "accept").length).toBe(20);
  expect(
    bridge.telemetry.lines.filter(({ message }) => message.includes("INVITE with Replaces that matches no call")),
  ).toHaveLength(1);
});
