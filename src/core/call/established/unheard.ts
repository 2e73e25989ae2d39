// A call in which one side hears nothing: the person is told which, as most hang up and blame the telephone. It goes on, as
// audio may still come.
import type { CallIn, Connected } from "../model/call.ts";
import type { TimedFact } from "../model/fact.ts";
import { notice } from "../ending/room-notices.ts";
import { trunkEnd } from "../../media-end.ts";
import { amend, ignored, to, type Step } from "../model/transition.ts";

/** After the answer. */
export const silenceMs = 10_000;

const trunkUnheard = "No audio has come from the telephone since the call was answered 10 seconds ago.";
const clientUnheard = "No audio has come from your client since the call was answered 10 seconds ago.";
const bothUnheard = "No audio has come from either side since the call was answered 10 seconds ago.";

export function listen(call: CallIn<Connected>, fact: TimedFact): Step {
  if (call.phase.hearing !== "awaited") return ignored(call, fact);
  return to(amend(call, { hearing: "asked" }), { kind: "media.listen" });
}

export function listened(call: CallIn<Connected>, fact: Extract<TimedFact, { kind: "media.listened" }>): Step {
  if (call.phase.hearing !== "asked") return ignored(call, fact);
  const known = amend(call, { hearing: "known" });
  const { unheard } = fact;
  if (unheard.length === 0) return to(known);
  const { failures, history } = call.notices;
  const text = unheard.length > 1 ? bothUnheard : unheard[0] === trunkEnd ? trunkUnheard : clientUnheard;
  return to(
    known,
    ...unheard.map((end) => ({ kind: "note.unheard", end }) as const),
    ...(failures || history ? [notice(call.phase.leg, text)] : []),
  );
}
