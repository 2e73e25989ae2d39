// Walks: facts in random order, from every phase and from the middle of every exchange, to the end of the call.
import fc from "fast-check";
import type { Call } from "../../../src/core/call/call.ts";
import type { CallEffect } from "../../../src/core/call/effect.ts";
import type { CallFact } from "../../../src/core/call/event.ts";
import { step } from "../../../src/core/call/step.ts";
import { accepted, answered, begin, dialog, invite, offered, released, told } from "./examples.ts";

const sides = ["matrix", "trunk"] as const;
const signals = ["answer", "reject", "hangup", "reanswer", "reoffer"] as const;

const facts: readonly CallFact[] = [
  accepted,
  released,
  { kind: "matrix.candidates", candidates: [] },
  { kind: "matrix.selected", ours: true },
  { kind: "matrix.selected", ours: false },
  { kind: "matrix.offered", sdp: "hold" },
  { kind: "matrix.reanswered", sdp: "answer" },
  { kind: "matrix.hungUp", reason: undefined },
  { kind: "matrix.hungUp", reason: "ice_failed" },
  { kind: "matrix.left" },
  ...signals.flatMap((signal): CallFact[] => [
    { kind: "matrix.told", signal },
    { kind: "matrix.unreachable", signal, message: "gone" },
  ]),
  ...sides.flatMap((from): CallFact[] => [
    { kind: "media.offered", from, sdp: "o" },
    { kind: "media.settled", from, sdp: "s" },
    { kind: "media.answered", from, sdp: "a" },
    { kind: "media.refused", from, fault: "no-common-codec", message: "none" },
    { kind: "media.timedOut", side: from },
  ]),
  { kind: "media.described", sdp: "d" },
  { kind: "media.connected" },
  { kind: "media.failed", message: "ice" },
  { kind: "media.lost" },
  { kind: "media.dtmf", from: "matrix", digit: "1", durationMs: 160 },
  { kind: "sip.sent", invite },
  { kind: "sip.trying" },
  { kind: "sip.ringing" },
  { kind: "sip.progressed", sdp: undefined },
  { kind: "sip.rejected", status: 486, phrase: "Busy Here", q850: undefined },
  { kind: "sip.failed", fault: "timeout", message: "no response" },
  { kind: "sip.offered", sdp: "reoffer" },
  { kind: "sip.offerWanted" },
  { kind: "sip.reanswered", sdp: "ra" },
  { kind: "sip.offerRefused", status: 488 },
  { kind: "sip.dialogChanged", dialog: { ...dialog, localCSeq: 7 } },
  { kind: "sip.hungUp", q850: 16 },
  { kind: "sip.ended" },
  { kind: "deadline.passed", name: "answer" },
  { kind: "deadline.passed", name: "duration" },
  { kind: "deadline.passed", name: "renegotiation" },
  { kind: "fault.thrown", where: "sip", message: "bug" },
  { kind: "bridge.stopped" },
  { kind: "admin.ended" },
];

export const anyFact = fc.constantFrom(...facts);
const endsNothing = facts.filter(
  ({ kind }) => !/selected|left|hungUp|rejected|failed|lost|timedOut|thrown|stopped|ended/.test(kind),
);

/** How far a walk has come before chance takes over: every phase, and the middle of every exchange. */
const stages: readonly (readonly CallFact[])[] = [
  [],
  [offered],
  [offered, { kind: "sip.sent", invite }, { kind: "sip.ringing" }],
  [offered, accepted],
  [offered, accepted, answered],
  [offered, accepted, answered, told("answer")],
  [offered, accepted, answered, told("answer"), { kind: "matrix.offered", sdp: "hold" }],
  [offered, accepted, answered, told("answer"), { kind: "matrix.offered", sdp: "hold" }, offered],
  [offered, accepted, answered, told("answer"), { kind: "sip.offered", sdp: "moved" }],
  [offered, accepted, answered, told("answer"), { kind: "sip.offered", sdp: "codec" }, { ...offered, from: "trunk" }],
  [offered, accepted, answered, told("answer"), { kind: "sip.offerWanted" }],
  [offered, { kind: "sip.sent", invite }, { kind: "matrix.hungUp", reason: undefined }],
  [offered, accepted, answered, { kind: "bridge.stopped" }],
];

interface Seen {
  readonly before: Call;
  readonly fact: CallFact;
  readonly atMs: number;
  readonly effects: readonly CallEffect[];
  readonly after: Call;
}

export interface Walk {
  readonly call: Call;
  readonly seen: readonly Seen[];
  readonly effects: readonly CallEffect[];
}

/** Plays the facts, then ends the call as the world would: a hang-up, the releases, at last the deadline. */
export function walk(sequence: readonly CallFact[]): Walk {
  const first = begin();
  let call = first.call;
  const seen: Seen[] = [];
  const effects = [...first.effects];
  const end: CallFact[] = [
    { kind: "matrix.hungUp", reason: undefined },
    released,
    { kind: "deadline.passed", name: "ending" },
  ];
  let atMs = 2_000;
  for (const fact of [...sequence, ...end]) {
    const next = step(call, { ...fact, atMs });
    seen.push({ before: call, fact, atMs, effects: next.effects, after: next.call });
    effects.push(...next.effects);
    call = next.call;
    atMs += 10;
  }
  return { call, seen, effects };
}

export const walks = fc
  .tuple(
    fc.constantFrom(...stages),
    fc.array(fc.constantFrom(...endsNothing), { maxLength: 10 }),
    fc.array(anyFact, { maxLength: 15 }),
  )
  .map((parts) => parts.flat());
