// What a client is told again after a restart, when it is not known whether our answer had reached it.
import { expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { afterRestart, accepted, answered, begin, offered, play, request, told } from "../examples/examples.ts";
import { heardIn } from "../examples/inbound-examples.ts";

/** The call ends while our answer is on its way, and the process dies before the hang-up is out. */
function saidAgain(...meanwhile: readonly CallFact[]): readonly string[] {
  const { call } = play(begin(), offered, accepted, answered, { kind: "admin.ended" }, ...meanwhile);
  return heardIn(request.leg.room, afterRestart(call, 9_000).orders);
}

test("a client that may not have our answer is told in both ways", () => {
  expect(saidAgain()).toEqual(["reject", "hangup unknown_error"]);
});

test("a client that has our answer is told by hang-up alone", () => {
  expect(saidAgain(told("answer"))).toEqual(["hangup unknown_error"]);
});
