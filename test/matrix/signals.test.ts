import { describe, expect, it } from "vitest";
import type { LegSignal, MatrixLeg } from "../../src/core/call/matrix-leg.ts";
import { matrixCallId, partyId, roomId, type UserId } from "../../src/core/ids.ts";
import { eventOf } from "../../src/matrix/wire/signal.ts";

const leg: MatrixLeg = {
  room: roomId("!r:example.org"),
  ghost: "@_sip_1:example.org" as UserId,
  person: "@alice:example.org" as UserId,
  matrixCallId: matrixCallId("c1"),
  personParty: partyId("DEVICE"),
  ownParty: partyId("ours"),
  version: "1",
};
const oldLeg: MatrixLeg = { ...leg, personParty: undefined, version: "0" };
const common = { call_id: "c1", version: "1", party_id: "ours" };
const oldCommon = { call_id: "c1", version: 0 };
const capabilities = { "m.call.dtmf": true, "m.call.transferee": false };

describe("a client of version 1", () => {
  it.each<[string, LegSignal, string, Record<string, unknown>]>([
    [
      "an answer",
      { kind: "answer", sdp: "s" },
      "m.call.answer",
      { answer: { type: "answer", sdp: "s" }, capabilities },
    ],
    ["declined", { kind: "reject", reason: "declined" }, "m.call.reject", {}],
    ["busy", { kind: "reject", reason: "busy" }, "m.call.reject", { reason: "user_busy" }],
    ["failed", { kind: "reject", reason: "failed" }, "m.call.reject", { reason: "unknown_error" }],
    ["hung up", { kind: "hangup", reason: "user_hangup" }, "m.call.hangup", { reason: "user_hangup" }],
    [
      "an answer to its new offer",
      { kind: "reanswer", sdp: "s" },
      "m.call.negotiate",
      { description: { type: "answer", sdp: "s" }, lifetime: 60_000 },
    ],
    [
      "a new offer",
      { kind: "reoffer", sdp: "s", lifetimeMs: 30_000 },
      "m.call.negotiate",
      { description: { type: "offer", sdp: "s" }, lifetime: 30_000 },
    ],
  ])("is told: %s", (_what, signal, type, content) => {
    expect(eventOf(leg, signal)).toEqual({ type, content: { ...common, ...content } });
  });
});

describe("a client of version 0, which knows neither parties, nor reject, nor negotiate", () => {
  it.each<[string, LegSignal, string, Record<string, unknown>]>([
    [
      "an answer",
      { kind: "answer", sdp: "s" },
      "m.call.answer",
      { answer: { type: "answer", sdp: "s" }, capabilities },
    ],
    ["declined", { kind: "reject", reason: "declined" }, "m.call.hangup", {}],
    ["busy", { kind: "reject", reason: "busy" }, "m.call.hangup", { reason: "user_busy" }],
    ["hung up", { kind: "hangup", reason: "ice_failed" }, "m.call.hangup", { reason: "ice_failed" }],
  ])("is told: %s", (_what, signal, type, content) => {
    expect(eventOf(oldLeg, signal)).toEqual({ type, content: { ...oldCommon, ...content } });
  });

  it("cannot be told of a new offer or answer", () => {
    expect(eventOf(oldLeg, { kind: "reanswer", sdp: "s" })).toBeUndefined();
    expect(eventOf(oldLeg, { kind: "reoffer", sdp: "s", lifetimeMs: 1 })).toBeUndefined();
  });
});
