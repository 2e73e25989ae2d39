import { describe, expect, it } from "vitest";
import { allCauses, describeCause } from "../../src/core/call/model/cause.ts";
import type { LegSignal, MatrixLeg } from "../../src/core/call/model/matrix-leg.ts";
import { matrixCallId, deviceId, roomId, type UserId } from "../../src/core/ids.ts";
import { legacyEvents } from "../../src/matrix/legs/legacy-events.ts";
import { legacyClient } from "../../src/matrix/legs/legacy-form.ts";

const leg: MatrixLeg = {
  room: roomId("!r:example.org"),
  ghost: "@_sip_1:example.org" as UserId,
  person: "@alice:example.org" as UserId,
  matrixCallId: matrixCallId("c1"),
  device: deviceId("DEVICE"),
  own: deviceId("ours"),
  ...legacyClient("1"),
};
const oldLeg: MatrixLeg = { ...leg, device: undefined, ...legacyClient("0") };
const common = { call_id: "c1", version: "1", party_id: "ours" };
const oldCommon = { call_id: "c1", version: 0 };
const capabilities = { "m.call.dtmf": true, "m.call.transferee": true };

describe("a client of version 1", () => {
  it.each<[string, LegSignal, string, Record<string, unknown>]>([
    [
      "an answer",
      { kind: "answer", description: "s" },
      "m.call.answer",
      { answer: { type: "answer", sdp: "s" }, capabilities },
    ],
    ["declined", { kind: "reject", cause: "declined" }, "m.call.reject", {}],
    ["busy", { kind: "reject", cause: "busy" }, "m.call.reject", { reason: "user_busy" }],
    ["failed", { kind: "reject", cause: "no-route" }, "m.call.reject", { reason: "unknown_error" }],
    ["hung up", { kind: "hangup", cause: "callee-hung-up" }, "m.call.hangup", { reason: "user_hangup" }],
    [
      "an answer to its new offer",
      { kind: "reanswer", description: "s" },
      "m.call.negotiate",
      { description: { type: "answer", sdp: "s" }, lifetime: 60_000 },
    ],
    [
      "a new offer",
      { kind: "reoffer", description: "s", lifetimeMs: 30_000 },
      "m.call.negotiate",
      { description: { type: "offer", sdp: "s" }, lifetime: 30_000 },
    ],
    [
      "that it is called",
      { kind: "invite", description: "s", lifetimeMs: 90_000, invitee: leg.person },
      "m.call.invite",
      { offer: { type: "offer", sdp: "s" }, lifetime: 90_000, capabilities, invitee: leg.person },
    ],
    [
      "that everybody in the room is called",
      { kind: "invite", description: "s", lifetimeMs: 90_000, invitee: undefined },
      "m.call.invite",
      { offer: { type: "offer", sdp: "s" }, lifetime: 90_000, capabilities },
    ],
    [
      "whose answer was the first",
      { kind: "select", device: deviceId("DEVICE") },
      "m.call.select_answer",
      { selected_party_id: "DEVICE" },
    ],
    [
      "that somebody elsewhere has answered, so that it shows no missed call",
      { kind: "hangup", cause: "answered-elsewhere" },
      "m.call.hangup",
      { reason: "answered_elsewhere" },
    ],
    ["that it rang too long", { kind: "hangup", cause: "no-answer" }, "m.call.hangup", { reason: "invite_timeout" }],
  ])("is told: %s", (_what, signal, type, content) => {
    expect(legacyEvents(leg, signal)).toEqual([{ type, content: { ...common, ...content } }]);
  });
});

describe("why a call was refused", () => {
  it("is told in words of the room where a client can only say that it failed", () => {
    // Nobody in Matrix hears of callers who get no further than the PIN, the block list or its like.
    for (const cause of allCauses.filter((each) => !/^(?:pin-|blocked|anonymous-|spam-|do-not-disturb)/.test(each))) {
      const [event] = legacyEvents(leg, { kind: "reject", cause }) ?? [];
      const { words, result } = describeCause(cause);
      if (event?.content["reason"] === "unknown_error" && result !== "success")
        expect(words, cause).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe("who is at the telephone now", () => {
  it.each([
    ["with the number's user", leg.ghost, { id: leg.ghost, display_name: "Bob" }],
    ["by name alone where the number is withheld", undefined, { display_name: "Bob" }],
  ])("is said under both names, %s", (_what, ghost, asserted_identity) => {
    expect(legacyEvents(leg, { kind: "identity", identity: { ghost, displayName: "Bob" } })).toEqual(
      ["m.call.asserted_identity", "org.matrix.call.asserted_identity"].map((type) => ({
        type,
        content: { ...common, asserted_identity },
      })),
    );
  });
});

describe("a client of version 0, which knows neither parties, nor reject, nor negotiate", () => {
  it.each<[string, LegSignal, string, Record<string, unknown>]>([
    [
      "an answer",
      { kind: "answer", description: "s" },
      "m.call.answer",
      { answer: { type: "answer", sdp: "s" }, capabilities },
    ],
    ["declined", { kind: "reject", cause: "declined" }, "m.call.hangup", {}],
    ["busy", { kind: "reject", cause: "busy" }, "m.call.hangup", { reason: "user_busy" }],
    ["hung up", { kind: "hangup", cause: "media-failed" }, "m.call.hangup", { reason: "ice_failed" }],
  ])("is told: %s", (_what, signal, type, content) => {
    expect(legacyEvents(oldLeg, signal)).toEqual([{ type, content: { ...oldCommon, ...content } }]);
  });

  it("need not be told who is there, nor whose answer it was", () => {
    expect(legacyEvents(oldLeg, { kind: "identity", identity: { ghost: undefined, displayName: "Bob" } })).toEqual([]);
    expect(legacyEvents(oldLeg, { kind: "select", device: deviceId("DEVICE") })).toEqual([]);
  });

  it("cannot be told of a new offer or answer", () => {
    expect(legacyEvents(oldLeg, { kind: "reanswer", description: "s" })).toBeUndefined();
    expect(legacyEvents(oldLeg, { kind: "reoffer", description: "s", lifetimeMs: 1 })).toBeUndefined();
  });
});
