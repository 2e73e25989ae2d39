// What a call keeps track of, over random walks: deadlines, the offers it has been made, and what its record says.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Call } from "../../../src/core/call/call.ts";
import type { DeadlineName } from "../../../src/core/call/event.ts";

import { begin, dialog } from "./examples.ts";
import { walk, walks } from "./walks.ts";

/** The deadlines that have to be running. */
function deadlinesOf(call: Call): readonly DeadlineName[] {
  switch (call.phase) {
    case "offering":
    case "inviting":
    case "answering":
      return ["answer"];
    case "connected":
      return call.renegotiation.by === "trunk" && call.renegotiation.awaiting === "person"
        ? ["duration", "renegotiation"]
        : ["duration"];
    case "ending":
      return ["ending"];
    case "ended":
      return [];
  }
}

test("in every phase its own deadlines run, and no others", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      const running = new Set<DeadlineName>();
      const follow = (effects: ReturnType<typeof walk>["effects"]): void => {
        for (const effect of effects) {
          if (effect.kind === "deadline.set") running.add(effect.name);
          if (effect.kind === "deadline.clear") running.delete(effect.name);
        }
      };
      follow(begin().effects);
      for (const { before, fact, effects, after } of walk(sequence).seen) {
        // One that does not run cannot pass: it must not do anything.
        const isStray = fact.kind === "deadline.passed" && !running.has(fact.name);
        if (isStray) expect([after, effects.map(({ kind }) => kind)]).toEqual([before, ["note.ignored"]]);
        else if (fact.kind === "deadline.passed") running.delete(fact.name);
        follow(effects);
        expect([...running].toSorted()).toEqual(deadlinesOf(after));
      }
    }),
    { numRuns: 2_000 },
  );
});

/** Whether the trunk waits for a final response to a re-INVITE. */
function owesTrunkAnAnswer(call: Call): boolean {
  if (call.phase !== "connected") return false;
  const { renegotiation } = call;
  return renegotiation.by === "trunk" || (renegotiation.by === "trunk-empty" && renegotiation.awaiting === "media");
}

test("every offer of the trunk's is answered or refused once, unless the call ends", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      let open = 0;
      for (const { before, fact, effects, after } of walk(sequence).seen) {
        const talks = before.phase === "answering" || before.phase === "connected";
        if (talks && (fact.kind === "sip.offered" || fact.kind === "sip.offerWanted")) open += 1;
        open -= effects.filter(({ kind }) => kind === "sip.answerReoffer" || kind === "sip.refuseReoffer").length;
        if (after.phase !== "connected" && after.phase !== "answering") return;
        expect(open).toBe(owesTrunkAnAnswer(after) ? 1 : 0);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("an offer of the client's has its turn, the last one where there are several", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      let waiting: string | undefined;
      let count = 0;
      const numbered = sequence.map((fact) =>
        fact.kind === "matrix.offered" ? { ...fact, sdp: `offer ${(count += 1)}` } : fact,
      );
      for (const { before, fact, effects, after } of walk(numbered).seen) {
        if (before.phase === "connected" && fact.kind === "matrix.offered") waiting = fact.sdp;
        const taken = effects.find((effect) => effect.kind === "media.offer" && effect.from === "matrix");
        if (taken?.kind === "media.offer" && before.phase === "connected") {
          expect(taken.sdp).toBe(waiting);
          waiting = undefined;
        }
        if (after.phase !== "connected") continue;
        const { renegotiation } = after;
        expect(renegotiation.by === "nobody" ? undefined : renegotiation.queued).toBe(waiting);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("what is saved of the dialog is the newest there is", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      let newest: unknown;
      for (const { before, fact, after } of walk(sequence).seen) {
        const awaited = before.phase === "inviting" || (before.phase === "ending" && before.owed.trunk === "cancel");
        if (awaited && fact.kind === "sip.accepted") newest = dialog;
        const talks = before.phase === "answering" || before.phase === "connected";
        if (talks && fact.kind === "sip.dialogChanged") newest = fact.dialog;
        if ("dialog" in after) expect(after.dialog).toEqual(newest);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("the record tells what happened, and when", () => {
  fc.assert(
    fc.property(walks, (sequence) => {
      const { call, seen } = walk(sequence);
      if (call.phase !== "ended") throw new Error("the walk did not end");
      const end = seen.find(({ after }) => after.phase === "ending");
      const timeOf = (found: (one: (typeof seen)[number]) => boolean): number | undefined => seen.find(found)?.atMs;
      const media = seen.find(({ before, fact }) => before.phase === "ending" && fact.kind === "media.released")?.fact;
      const wasSent = seen.some(
        ({ before, fact }) => fact.kind === "sip.sent" && (before.phase === "inviting" || before.phase === "ending"),
      );
      const answeredAtMs = timeOf(({ before, fact }) => before.phase === "inviting" && fact.kind === "sip.accepted");
      const crossed = seen.some(
        ({ before, fact }) =>
          before.phase === "ending" && before.owed.trunk === "cancel" && fact.kind === "sip.accepted",
      );
      expect(call.record).toMatchObject({
        startedAtMs: 1_000,
        endedAtMs: end?.atMs,
        answeredAtMs,
        ringingAtMs: timeOf(({ before, fact }) => before.phase === "inviting" && fact.kind === "sip.ringing"),
        sipStatus: end?.fact.kind === "sip.rejected" ? end.fact.status : undefined,
        sipCallId: wasSent || answeredAtMs !== undefined || crossed ? dialog.sipCallId : undefined,
        media: media?.kind === "media.released" ? media.stats : expect.anything(),
      });
    }),
    { numRuns: 2_000 },
  );
});
