// A call is saved again when a restart would do something else for it, and only then.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Call } from "../../../../src/core/call/model/call.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { endsAlike, storedFormOf } from "../../../../src/core/call/recover.ts";
import {
  accepted,
  afterRestart,
  answered,
  begin,
  invite,
  offered,
  play,
  released,
  told,
} from "../examples/examples.ts";
import { walk, walks } from "./walks.ts";

function isSavedAgain(before: Call, after: Call): boolean {
  const [one, other] = [storedFormOf(before), storedFormOf(after)];
  return one !== undefined && other !== undefined && !endsAlike(one, other);
}

test("what is not saved again is ended by a restart as what was saved before", () => {
  fc.assert(
    fc.property(walks, (one) => {
      for (const { before, after } of walk(one).seen) {
        if (storedFormOf(after) === undefined || isSavedAgain(before, after)) continue;
        expect(afterRestart(after, 9_000).orders).toEqual(afterRestart(before, 9_000).orders);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("of an outbound call are saved its INVITE, its dialog, its answer on the way and there, and its end", () => {
  const facts: readonly CallFact[] = [
    offered,
    { kind: "sip.sent", invite },
    { kind: "sip.trying" },
    { kind: "sip.ringing" },
    accepted,
    answered,
    told("answer"),
    { kind: "matrix.hungUp", said: undefined },
    released,
  ];
  const saves = facts.filter((_, index) => {
    const before = play(begin(), ...facts.slice(0, index)).call;
    const after = play(begin(), ...facts.slice(0, index + 1)).call;
    return isSavedAgain(before, after);
  });
  expect(saves.map(({ kind }) => kind)).toEqual([
    "sip.sent",
    "sip.accepted",
    "media.answered",
    "matrix.told",
    "matrix.hungUp",
  ]);
});
