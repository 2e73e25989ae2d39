// Whatever comes in, in whatever order: nothing throws, everybody gets exactly what is owed, and the end is the end.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Call } from "../../../src/core/call/call.ts";
import type { CallEffect } from "../../../src/core/call/effect.ts";
import { recover } from "../../../src/core/call/ending.ts";
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
  { kind: "sip.dialogChanged", dialog },
  { kind: "sip.hungUp", q850: 16 },
  { kind: "sip.ended" },
  { kind: "deadline.passed", name: "answer" },
  { kind: "deadline.passed", name: "duration" },
  { kind: "deadline.passed", name: "renegotiation" },
  { kind: "fault.thrown", where: "sip", message: "bug" },
  { kind: "bridge.stopped" },
  { kind: "admin.ended" },
];

const anyFact = fc.constantFrom(...facts);
const endsNothing = facts.filter(
  ({ kind }) => !/selected|left|hungUp|failed|lost|timedOut|thrown|stopped|ended/.test(kind),
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

interface Walk {
  readonly call: Call;
  readonly seen: readonly { readonly before: Call; readonly fact: CallFact; readonly effects: readonly CallEffect[] }[];
  readonly effects: readonly CallEffect[];
}

/** Plays the facts, then ends the call as the world would: a hang-up, the releases, at last the deadline. */
function walk(sequence: readonly CallFact[]): Walk {
  const first = begin();
  let call = first.call;
  const seen: { before: Call; fact: CallFact; effects: readonly CallEffect[] }[] = [];
  const effects = [...first.effects];
  const end: CallFact[] = [
    { kind: "matrix.hungUp", reason: undefined },
    released,
    { kind: "deadline.passed", name: "ending" },
  ];
  let atMs = 2_000;
  for (const fact of [...sequence, ...end]) {
    const next = step(call, { ...fact, atMs });
    seen.push({ before: call, fact, effects: next.effects });
    effects.push(...next.effects);
    call = next.call;
    atMs += 10;
  }
  return { call, seen, effects };
}

const count = (effects: readonly CallEffect[], kind: CallEffect["kind"]): number =>
  effects.filter((effect) => effect.kind === kind).length;

const walks = fc
  .tuple(
    fc.constantFrom(...stages),
    fc.array(fc.constantFrom(...endsNothing), { maxLength: 10 }),
    fc.array(anyFact, { maxLength: 15 }),
  )
  .map((parts) => parts.flat());

test("every walk ends, is written into the history once, and releases its media once", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      const { call, effects } = walk(sequence);
      expect(call.phase).toBe("ended");
      expect(count(effects, "history.write")).toBe(1);
      expect(count(effects, "media.release")).toBe(1);
    }),
    { numRuns: 2_000 },
  );
});

test("every INVITE gets exactly one CANCEL, BYE or final response", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      const { seen, effects } = walk(sequence);
      const invites = count(effects, "sip.invite");
      expect(invites).toBeLessThanOrEqual(1);
      const cancels = count(effects, "sip.cancel");
      const byes = count(effects, "sip.bye");
      // A final response counts while one is awaited, a BYE of the trunk's where there is a dialog.
      const finals = seen.filter(
        ({ before, fact }) =>
          (before.phase === "inviting" && (fact.kind === "sip.rejected" || fact.kind === "sip.failed")) ||
          ((before.phase === "answering" || before.phase === "connected") && fact.kind === "sip.hungUp"),
      ).length;
      const crossed = seen.some(({ before, fact }) => before.phase === "ending" && fact.kind === "sip.accepted");
      if (invites === 0) expect([cancels, byes]).toEqual([0, 0]);
      else if (crossed && cancels === 1 && byes === 1) expect(finals).toBe(0);
      else expect(cancels + byes + finals).toBe(1);
    }),
    { numRuns: 2_000 },
  );
});

test("the person is told of the end exactly once, unless it was the person who ended it; if the answer got lost, in both ways", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      const { seen, effects } = walk(sequence);
      const farewells = effects.filter(
        (effect) =>
          effect.kind === "matrix.signal" && (effect.signal.kind === "reject" || effect.signal.kind === "hangup"),
      ).length;
      const ending = seen.find(({ effects: orders }) => orders.some((order) => order.kind === "media.release"));
      const byPerson =
        ending !== undefined && ["matrix.hungUp", "matrix.left", "matrix.selected"].includes(ending.fact.kind);
      expect(farewells).toBe(byPerson ? 0 : ending?.fact.kind === "matrix.unreachable" ? 2 : 1);
    }),
    { numRuns: 2_000 },
  );
});

test("nothing is ordered after the end", () => {
  fc.assert(
    fc.property(walks, anyFact, (sequence, late) => {
      const { call } = walk(sequence);
      const after = step(call, { ...late, atMs: 1e9 });
      expect(after.call).toBe(call);
      expect(after.effects.map((effect) => effect.kind)).toEqual(["note.ignored"]);
    }),
  );
});

test("while a call ends, nothing but its end is ordered", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      for (const { before, effects } of walk(sequence).seen) {
        if (before.phase !== "ending") continue;
        for (const effect of effects)
          expect(["sip.bye", "history.write", "deadline.clear", "note.ignored"]).toContain(effect.kind);
      }
    }),
  );
});

test("an answer is sent to the client once, and never after a refusal", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      const signals = walk(sequence).effects.flatMap((effect) =>
        effect.kind === "matrix.signal" ? [effect.signal.kind] : [],
      );
      expect(signals.filter((kind) => kind === "answer").length).toBeLessThanOrEqual(1);
      const refused = signals.indexOf("reject");
      // Only together with a hang-up, where nobody knows whether the answer arrived.
      if (refused >= 0 && signals[refused + 1] !== "hangup") expect(signals).not.toContain("answer");
      const hungUp = signals.indexOf("hangup");
      if (hungUp >= 0) expect(signals.indexOf("answer")).toBeLessThan(hungUp);
    }),
  );
});

test("a restart at any moment leaves both sides told and nothing open", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      let call = begin().call;
      for (const fact of sequence) call = step(call, { ...fact, atMs: 5_000 }).call;
      // What the store gives back is what JSON keeps.
      const stored = JSON.parse(JSON.stringify(call)) as Call;
      const recovered = recover(stored, 9_000);
      let current = recovered.call;
      const orders = recovered.effects.map((effect) => effect.kind);
      if (stored.phase === "answering" || stored.phase === "connected") {
        expect(orders.slice(0, 2)).toEqual(["sip.resume", "sip.bye"]);
        expect(orders).toContain("matrix.signal");
      }
      if (stored.phase === "inviting" && stored.invite !== undefined) expect(orders).toContain("sip.abandon");
      const owedAWord = stored.phase === "ending" ? stored.owed.person !== "nothing" : stored.phase !== "ended";
      expect(orders.includes("matrix.signal")).toBe(owedAWord);
      expect(orders).not.toContain("media.release");
      current = step(current, { kind: "sip.ended", atMs: 9_500 }).call;
      expect(step(current, { kind: "deadline.passed", name: "ending", atMs: 60_000 }).call.phase).toBe("ended");
    }),
    { numRuns: 1_000 },
  );
});
