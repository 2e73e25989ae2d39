// What the softphone says: the line of each state, and how a call ended.
import { expect, test } from "vitest";
import type { CallEnd, PhoneState } from "../../dev/softphone/page/phone-state.ts";
import { clock, endingOf, statusLine, statusWords } from "../../dev/softphone/page/phone-state.ts";

const talking: Extract<PhoneState, { phase: "talking" }> = {
  phase: "talking",
  peer: "01818118181",
  since: 1_000_000,
  isMuted: false,
  isHeld: false,
  isHeldByPeer: false,
  takesDigits: true,
  digits: "",
  canBeTransferred: true,
  transferProblem: "",
};

test.each<[PhoneState, string]>([
  [{ phase: "starting" }, "Signing in…"],
  [{ phase: "broken", problem: "No server" }, "No server"],
  [{ phase: "idle" }, "Ready"],
  [{ phase: "idle", peer: "1", ending: { words: "Busy", isFailure: true } }, "Busy"],
  [{ phase: "looking-up", peer: "0181" }, "Looking up 0181…"],
  [{ phase: "preparing", peer: "0181" }, "Calling…"],
  [{ phase: "ringing", peer: "0181" }, "Ringing…"],
  [{ phase: "incoming", peer: "Bob" }, "Incoming call"],
  [{ phase: "connecting", peer: "0181" }, "Connecting…"],
  [talking, "In call 00:12"],
  [{ ...talking, isHeld: true }, "On hold 00:12"],
  [{ ...talking, isHeldByPeer: true }, "Held by the other side 00:12"],
])("%j reads %j", (state, line) => {
  expect(statusLine(state, 1_012_999)).toBe(line);
});

test("a screen reader is not told the clock", () => {
  expect(statusWords(talking)).toBe("In call");
});

test.each([
  [0, "00:00"],
  [59_999, "00:59"],
  [60_000, "01:00"],
  [3_600_000, "1:00:00"],
  [-5, "00:00"],
])("%d ms reads %s on the clock", (durationMs, text) => {
  expect(clock(durationMs)).toBe(text);
});

const outbound: CallEnd = { by: "them", reason: undefined, talkedMs: undefined, isOutbound: true };

test.each<[string, CallEnd, string, boolean]>([
  ["refused without a reason", outbound, "Declined", true],
  ["busy", { ...outbound, reason: "user_busy" }, "Busy", true],
  ["refused for another reason", { ...outbound, reason: "unknown_error" }, "Call failed", true],
  ["never answered", { ...outbound, by: "us", reason: "invite_timeout" }, "No answer", true],
  ["given up", { ...outbound, by: "us", reason: "user_hangup" }, "Cancelled", false],
  [
    "without a microphone",
    { ...outbound, by: "us", reason: "no_user_media" },
    "No microphone, or it was not allowed",
    true,
  ],
  ["ended by the other side", { ...outbound, reason: "user_hangup", talkedMs: 61_000 }, "Ended after 01:01", false],
  ["without a way for audio", { ...outbound, reason: "ice_failed", talkedMs: 61_000 }, "No audio connection", true],
  ["broken in the middle", { ...outbound, reason: "unknown_error", talkedMs: 61_000 }, "Call broken off", true],
  [
    "sent on to somebody else",
    { ...outbound, by: "us", reason: "transferred", talkedMs: 61_000 },
    "Transferred",
    false,
  ],
  ["missed", { ...outbound, reason: "user_hangup", isOutbound: false }, "Missed call", false],
  ["declined by us", { ...outbound, by: "us", isOutbound: false }, "Declined", false],
  [
    "answered on another device",
    { ...outbound, reason: "answered_elsewhere", isOutbound: false },
    "Answered elsewhere",
    false,
  ],
])("a call %s is told as such", (_name, end, words, isFailure) => {
  expect(endingOf(end)).toEqual({ words, isFailure });
});
