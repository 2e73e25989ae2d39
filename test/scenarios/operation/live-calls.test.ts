// What an admin's tools see of the calls of the moment, and that they can end one.
import { expect, test } from "vitest";
import { callId } from "../../../src/core/ids.ts";
import { accepted, ann, made1, room, TestBridge, trunk } from "../test-bridge.ts";

test("a call is shown with who is in it, how far it is and since when, and what its media has come to", async () => {
  const bridge = new TestBridge();
  const beganAtMs = bridge.clock.wallMs();
  const call = await bridge.ring();
  const seen = { id: call, direction: "outbound", person: ann, room, number: "+441818118181", trunk };
  expect(await bridge.door.calls()).toMatchObject([{ ...seen, phase: "beginning", sinceMs: beganAtMs }]);
  await bridge.passTime(2_000);
  await bridge.sip({ kind: "sip.ringing" });
  expect(await bridge.door.calls()).toMatchObject([{ ...seen, phase: "ringing", sinceMs: beganAtMs + 2_000 }]);
  await bridge.passTime(3_000);
  await bridge.sip(accepted);
  expect(await bridge.door.calls()).toMatchObject([
    {
      ...seen,
      phase: "connected",
      sinceMs: beganAtMs + 5_000,
      startedAtMs: beganAtMs,
      answeredAtMs: beganAtMs + 5_000,
      media: { codec: "PCMU" },
    },
  ]);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(await bridge.door.calls()).toEqual([]);
});

test("its times are those of the wall's clock, which may have been set meanwhile", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  bridge.clock.setWall(3_600_000);
  expect(await bridge.door.calls()).toMatchObject([{ startedAtMs: bridge.clock.wallMs() }]);
});

test("the numbers of a call are shown as the log shows them", async () => {
  const bridge = new TestBridge();
  bridge.telemetry.masksNumbers = true;
  await bridge.arrive();
  const [call] = await bridge.door.calls();
  expect(call).toMatchObject({ direction: "inbound", person: undefined, room: made1, phase: "ringing" });
  expect(JSON.stringify(call)).not.toMatch(/7946|632960/);
});

test("a call whose media engine does not say how it goes is shown without", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  const [session] = bridge.media.engine.opened;
  if (session !== undefined) session.stats = () => Promise.reject(new Error("the session is gone"));
  expect(await bridge.door.calls()).toMatchObject([{ phase: "beginning", media: undefined }]);
});

test("one that an admin ends is hung up on both sides, the person reads so, and the log says why", async () => {
  const bridge = new TestBridge();
  const call = await bridge.ring();
  await bridge.sip(accepted);
  expect(bridge.door.end(call, "toll fraud")).toBe(true);
  await bridge.quiet();
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  expect(bridge.words).toEqual(["An administrator ended the call."]);
  expect(bridge.telemetry.lines).toContainEqual(
    expect.objectContaining({ level: "info", fields: expect.objectContaining({ call, reason: "toll fraud" }) }),
  );
  expect(bridge.door.end(call, "again")).toBe(false);
  expect(bridge.door.end(callId("c-none"), "nobody's")).toBe(false);
});

test("one that still rings is taken back where it rings", async () => {
  const bridge = new TestBridge();
  const call = await bridge.arrive();
  bridge.door.end(call, "test");
  await bridge.quiet();
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 480 });
  expect(bridge.in(made1).at(-1)).toMatch(/^hangup/);
});
