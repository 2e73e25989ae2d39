// The far end hands its telephone to another one by itself (INVITE with Replaces, RFC 3891): the person goes on talking.
import { expect, test } from "vitest";
import { callId, type CallId } from "../../src/core/ids.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { dialog } from "../core/call/examples.ts";
import { House } from "./house.ts";

const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;
const colleague = { identity: callerOf("+442079460999", "Colleague") };

async function takenOver(): Promise<{ house: House; call: CallId; leg: CallId }> {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  house.media.outcome = { kind: "settled", sdp: "answer to the colleague" };
  const leg = await house.arrive({ ...colleague, replaces: call });
  return { house, call, leg };
}

test("the new telephone is answered, the old one released, and the client is told who speaks now", async () => {
  const { house, call, leg } = await takenOver();
  expect(house.trunks.orders.slice(1)).toMatchObject([
    { call: leg, verb: "accept", argument: "answer to the colleague" },
    { call, verb: "bye", argument: 16 },
  ]);
  expect(house.homeserver.told.at(-1)?.signal).toMatchObject({ identity: { displayName: "Colleague" } });
  expect([house.switchboard.calls.length, house.telemetry.started]).toEqual([1, 1]);
});

test("what the old one still says means nothing; what the new one says is the call's", async () => {
  const { house, call, leg } = await takenOver();
  await house.sip({ kind: "sip.ended" }, call);
  await house.sip({ kind: "sip.hungUp", q850: 16 }, call);
  expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
  await house.sip({ kind: "sip.hungUp", q850: 16 }, leg);
  expect(house.signals.at(-1)).toBe("hangup user_hangup");
  expect([house.switchboard.calls, house.telemetry.ended.length]).toEqual([[], 1]);
});

test("the person hangs up: the new one hears it", async () => {
  const { house, leg } = await takenOver();
  await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
  expect(house.trunks.orders.at(-1)).toMatchObject({ call: leg, verb: "bye" });
  await house.sip({ kind: "sip.ended" }, leg);
  expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
});

test("it is handed on once more, by the leg that it has now", async () => {
  const { house, leg } = await takenOver();
  const third = await house.arrive({ replaces: leg });
  expect(house.trunks.orders.slice(-2)).toMatchObject([
    { call: third, verb: "accept" },
    { call: leg, verb: "bye" },
  ]);
});

test("the dialog of the new one is the call's, also for a process that comes after a crash", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  house.media.outcome = { kind: "settled", sdp: "answer to the colleague" };
  const colleagues = { ...dialog, remoteTag: "colleague" };
  house.trunks.accept = (leg) => {
    house.switchboard.takeSip(leg, { kind: "sip.dialogChanged", dialog: colleagues });
  };
  await house.arrive({ ...colleague, replaces: call });
  expect(await house.store.calls.open()).toMatchObject([{ id: call, dialog: { remoteTag: "colleague" } }]);
});

test("a telephone without an offer gets ours", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  const leg = await house.arrive({ ...colleague, replaces: call, sdp: undefined });
  await house.sip({ kind: "sip.reanswered", sdp: "in the ACK" }, leg);
  expect(house.trunks.orders.at(-2)).toMatchObject({ call: leg, verb: "accept", argument: "description" });
  expect(house.media.orders.at(-1)).toBe("answer trunk in the ACK");
});

test("one that gives up before it is answered, or offers what cannot be used, changes nothing", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  const first = await house.arrive({ ...colleague, replaces: call });
  expect(house.signals.at(-1)).toBe("reoffer");
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, first);
  await house.take({ ...house.callOf(), kind: "call.reanswered", sdp: "client agrees" });
  const second = await house.arrive({ ...colleague, replaces: call });
  await house.passTime(30_000);
  expect(house.trunks.orders.at(-1)).toMatchObject({ call: second, verb: "reject", argument: 488 });
  expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
});

test("one that gives up, and whose offer is refused then, leaves the next re-INVITE its answer", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  const leg = await house.arrive({ ...colleague, replaces: call });
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, leg);
  // The client never answers the offer that was made of it.
  await house.passTime(30_000);
  house.media.outcome = { kind: "settled", sdp: "held" };
  await house.sip({ kind: "sip.offered", sdp: "hold" }, call);
  expect(house.trunks.orders.at(-1)).toMatchObject({ call, verb: "answerReoffer", argument: "held" });
});

test("one that wanted our offer and gave up before it came leaves the call as usable as it was", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  const leg = callId("c-colleague");
  const arriving = house.arrive({ ...colleague, call: leg, replaces: call, sdp: undefined });
  house.switchboard.takeSip(leg, { kind: "sip.cancelled", elsewhere: false });
  await arriving;
  expect(house.trunks.verbs).toEqual(["invite"]);
  await house.take({ ...house.callOf(), kind: "call.offered", sdp: "sendonly", lifetimeMs: 60_000 });
  expect(house.trunks.verbs).toEqual(["invite", "reoffer"]);
});

test("two at once cannot have the same place, and nobody can have that of a call that only rings", async () => {
  const house = new House();
  const call = await house.ring();
  const early = await house.arrive({ ...colleague, replaces: call });
  expect(house.trunks.orders.at(-1)).toMatchObject({ call: early, verb: "reject", argument: 603 });
  await house.sip(accepted, call);
  await house.arrive({ ...colleague, replaces: call });
  const second = await house.arrive({ ...colleague, replaces: call });
  expect(house.trunks.orders.at(-1)).toMatchObject({ call: second, verb: "reject", argument: 603 });
});

test("a call that ends while another telephone waits for its place sends both away", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  const leg = await house.arrive({ ...colleague, replaces: call });
  await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
  expect(house.trunks.orders.slice(-2)).toMatchObject([
    { call: leg, verb: "reject", argument: 481 },
    { call, verb: "bye" },
  ]);
});

test("a far end that hangs up while another telephone waits for its place leaves nobody waiting", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  const leg = await house.arrive({ ...colleague, replaces: call });
  await house.sip({ kind: "sip.hungUp", q850: 16 }, call);
  expect(house.trunks.orders.at(-1)).toMatchObject({ call: leg, verb: "reject", argument: 481 });
  expect(house.switchboard.calls).toEqual([]);
});

test("what is over cannot be taken over", async () => {
  const house = new House();
  await house.arrive({ ...colleague, replaces: callId("c-gone") });
  expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 603 }]);
});

test("another telephone every moment is refused after some, and one line says so", async () => {
  const { house } = await takenOver();
  let leg = house.call();
  for (let n = 0; n < 40; n++) leg = await house.arrive({ replaces: leg });
  expect(house.trunks.verbs.filter((verb) => verb === "accept").length).toBe(20);
  expect(
    house.telemetry.lines.filter(({ message }) => message.includes("INVITE with Replaces that matches no call")),
  ).toHaveLength(1);
});
