// What can happen to a call, in any order: the facts of which walks are made.
import fc from "fast-check";
import type { CallFact, SipFact } from "../../../../src/core/call/model/fact.ts";
import { callId, matrixCallId, deviceId, sipCallId, type UserId } from "../../../../src/core/ids.ts";
import { dialogB, on } from "../examples/bridged-examples.ts";
import { accepted, confirmedLeg, dialog, invite, released, request, told, trunk } from "../examples/examples.ts";
import {
  ann,
  annsRoom,
  answers,
  bob,
  bobsRoom,
  declines,
  found,
  glare,
  office,
  officeRoom,
} from "../examples/inbound-examples.ts";
import { answers as takesBack } from "../examples/recalled-examples.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";
import { sipUri } from "../../address/sip-uri.ts";

export const ends = ["a", "b"] as const;
const rooms = [annsRoom, bobsRoom, officeRoom, request.leg.room] as const;
const inboundSignals = ["invite", "select", "hangup"] as const;
const outboundSignals = ["answer", "reject", "hangup", "reanswer", "reoffer", "identity"] as const;

const somebodyElse = { ghost: undefined, displayName: "Reception" };
const elsewhere = { ...trunk, target: sipUri("sip:+442079460102@sip.example.org"), number: "+442079460102" };
const otherLeg = confirmedLeg(
  callId("c-9"),
  { ...trunk, number: "+442079460103" },
  { ...dialog, sipCallId: sipCallId("def@example.org") },
);
export const identity = {
  from: { displayName: undefined, uri: sipUri("sip:x@example.org"), user: "x", host: "example.org" },
  asserted: [],
  privacy: [],
  verstat: undefined,
};

const toldOrLost = (
  signals: readonly Parameters<typeof told>[0][],
  where: readonly (typeof rooms)[number][],
): CallFact[] =>
  signals.flatMap((signal) =>
    where.flatMap((room): CallFact[] => [
      told(signal, room),
      { kind: "matrix.unreachable", signal, room, message: "gone" },
    ]),
  );

/** What can happen to a call that has both sides, from whichever it came. */
export const facts: readonly CallFact[] = [
  released,
  { kind: "matrix.candidates", candidates: [{ candidate: "c", mid: "0", mLineIndex: 0 }] },
  { kind: "matrix.selected", ours: true },
  { kind: "matrix.selected", ours: false },
  { kind: "matrix.offered", description: "hold" },
  { kind: "matrix.reanswered", description: "answer" },
  { kind: "matrix.keyed", keys: "1#" },
  { kind: "matrix.hungUp", said: undefined },
  { kind: "matrix.hungUp", said: "media-failed" },
  { kind: "matrix.left" },
  ...toldOrLost(outboundSignals, [request.leg.room, annsRoom]),
  ...ends.flatMap((from): CallFact[] => [
    { kind: "media.offered", from, description: "o" },
    { kind: "media.settled", from, description: "s" },
    { kind: "media.settled", from, description: "s", untold: "sendonly" },
    { kind: "media.answered", from, description: "a" },
    { kind: "media.answered", from, description: "a", untold: "sendrecv" },
    { kind: "media.refused", from, fault: "no-common-codec", message: "none" },
    { kind: "media.timedOut", end: from },
    { kind: "media.described", end: from, description: "d" },
    { kind: "media.dtmf", from, digit: "1", durationMs: 160, relayed: false },
  ]),
  { kind: "media.connected" },
  { kind: "media.listened", unheard: ["b"] },
  { kind: "media.failed", message: "ice" },
  { kind: "media.closed" },
  { kind: "media.disconnected" },
  { kind: "media.lost" },
  { kind: "sip.offered", description: "reoffer" },
  { kind: "sip.offerWanted" },
  { kind: "sip.reanswered", description: "ra" },
  { kind: "sip.offerRefused", status: 488 },
  { kind: "sip.dialogChanged", dialog: { ...dialog, localCSeq: 7 } },
  { kind: "sip.dtmf", digit: "5", durationMs: 160 },
  { kind: "sip.identified", identity },
  { kind: "identity.resolved", shown: somebodyElse },
  { kind: "sip.hungUp", q850: 16 },
  { kind: "sip.ended" },
  ...(["answer", "keys", "stage", "duration", "renegotiation", "transfer", "audio"] as const).map((name): CallFact => ({
    kind: "deadline.passed",
    name,
  })),
  { kind: "fault.thrown", where: "sip", message: "bug" },
  { kind: "bridge.stopped" },
  { kind: "admin.ended" },
  { kind: "admin.paused", trunk: trunk.name },
  { kind: "call.yielded" },
];

export const outboundFacts: readonly CallFact[] = [
  accepted,
  { kind: "sip.sent", invite },
  { kind: "sip.trying" },
  { kind: "sip.ringing" },
  { kind: "sip.progressed", description: undefined },
  { kind: "sip.progressed", description: "trunk answer" },
  { kind: "sip.progressed", description: "early answer" },
  { kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined },
  { kind: "sip.rejected", status: 503, phrase: "Service Unavailable", q850: undefined },
  { kind: "sip.failed", fault: "timeout", message: "no response" },
];

export const inboundFacts: readonly CallFact[] = [
  { kind: "sip.cancelled", elsewhere: false },
  { kind: "sip.cancelled", elsewhere: true },
  ...toldOrLost(inboundSignals, [annsRoom, bobsRoom, officeRoom]),
  ...[ann, bob, office].map((target): CallFact => ({
    kind: "matrix.roomMissing",
    target,
    busy: target === bob,
    message: "forbidden",
  })),
  found(ann, annsRoom),
  found(bob, bobsRoom),
  found(office, officeRoom),
  answers(annsRoom, ann),
  answers(annsRoom, ann, "TABLET"),
  answers(bobsRoom, bob, null),
  answers(officeRoom, office),
  declines(annsRoom, ann),
  declines(bobsRoom, bob, "busy"),
  declines(annsRoom, ann, "no-answer"),
  declines(bobsRoom, bob, "callee-media-failed"),
  declines(officeRoom, ann),
  ...(["right", "wrong", "barred"] as const).map((verdict): CallFact => ({ kind: "pin.checked", verdict })),
  glare,
  { kind: "media.glareAnswered", a: "client answer", b: "trunk answer" },
];

/** Of the invites to whom a call is transferred. */
export const forwardedCallId = matrixCallId("zzzForwarded");

export const transferFacts: readonly CallFact[] = [
  { kind: "matrix.replaced", order: { kind: "blind", target: "@_sip_2:example.org" as UserId } },
  { kind: "matrix.replaced", order: { kind: "consult", other: otherLeg, name: "Carol", stays: false } },
  { kind: "matrix.replaced", order: { kind: "consult", other: otherLeg, name: "Carol", stays: true } },
  { kind: "matrix.replaced", order: { kind: "awaited" } },
  { kind: "transfer.planned", trunk: elsewhere, shown: somebodyElse, stays: false },
  { kind: "transfer.planned", trunk: elsewhere, shown: somebodyElse, stays: true },
  { kind: "transfer.barred", cause: "not-permitted" },
  {
    kind: "transfer.forwarded",
    person: "@bob:example.org" as UserId,
    ring: { matrixCallId: forwardedCallId, own: deviceId("bridge9"), form: legacyClient("1").form },
    announce: [],
  },
  { kind: "transfer.claimed" },
  { kind: "transfer.taken" },
  { kind: "sip.referRefused", status: 501 },
  { kind: "sip.referProgressed", status: 180 },
  { kind: "sip.referProgressed", status: 200 },
  { kind: "sip.referProgressed", status: 503 },
  { kind: "sip.referred", target: identity.from, replaces: undefined },
  { kind: "sip.replaced", description: "r", dialog: { ...dialog, localCSeq: 9 } },
  { kind: "sip.replaceFailed", status: 486 },
];

const legReports: readonly SipFact[] = [
  { kind: "sip.sent", invite },
  { kind: "sip.trying" },
  { kind: "sip.ringing" },
  { kind: "sip.progressed", description: "early answer" },
  { kind: "sip.accepted", description: "answer", dialog: dialogB },
  { kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined },
  { kind: "sip.failed", fault: "timeout", message: "no response" },
  { kind: "sip.offered", description: "reoffer" },
  { kind: "sip.offerWanted" },
  { kind: "sip.reanswered", description: "ra" },
  { kind: "sip.offerRefused", status: 488 },
  { kind: "sip.dialogChanged", dialog: { ...dialog, localCSeq: 7 } },
  { kind: "sip.dtmf", digit: "5", durationMs: 160 },
  { kind: "sip.identified", identity },
  { kind: "sip.referred", target: identity.from, replaces: undefined },
  { kind: "sip.hungUp", q850: 16 },
  { kind: "sip.ended" },
];

export const bridgedFacts: readonly CallFact[] = ends.flatMap((side) => legReports.map((report) => on(side, report)));

export const recalledFacts: readonly CallFact[] = [
  takesBack,
  ...toldOrLost(inboundSignals, [request.leg.room]),
  ...([undefined, "busy", "no-answer"] as const).map((said): CallFact => ({
    kind: "matrix.declined",
    room: request.leg.room,
    person: request.leg.person,
    said,
  })),
];

const allFacts = [...facts, ...outboundFacts, ...inboundFacts, ...transferFacts];
export const anyFact = fc.constantFrom(...allFacts);
