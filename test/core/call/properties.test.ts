// Whatever comes in, in whatever order: nothing throws, everybody gets exactly what is owed, and the end is the end.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Call } from "../../../src/core/call/call.ts";
import type { CallEffect } from "../../../src/core/call/effect.ts";
import { recover } from "../../../src/core/call/ending.ts";
import { step } from "../../../src/core/call/step.ts";
import { begin } from "./examples.ts";
import { anyFact, walk, walks } from "./walks.ts";

const count = (effects: readonly CallEffect[], kind: CallEffect["kind"]): number =>
  effects.filter((effect) => effect.kind === kind).length;

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
      const owedByDialog = stored.phase === "ending" && stored.owed.trunk === "bye";
      if (owedByDialog) expect(orders.slice(0, 2)).toEqual(["sip.resume", "sip.bye"]);
      const ringing = stored.phase === "inviting" || (stored.phase === "ending" && stored.owed.trunk === "cancel");
      const wasSent = sequence.some(({ kind }) => kind === "sip.sent");
      if (ringing) expect(orders.includes("sip.abandon")).toBe(stored.invite !== undefined);
      if (ringing && stored.invite !== undefined) expect(wasSent).toBe(true);
      const owedAWord = stored.phase === "ending" ? stored.owed.person !== "nothing" : stored.phase !== "ended";
      expect(orders.includes("matrix.signal")).toBe(owedAWord);
      expect(orders).not.toContain("media.release");
      current = step(current, { kind: "sip.ended", atMs: 9_500 }).call;
      expect(step(current, { kind: "deadline.passed", name: "ending", atMs: 60_000 }).call.phase).toBe("ended");
    }),
    { numRuns: 1_000 },
  );
});
