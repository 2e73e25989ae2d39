// A limit of minutes or money nearly ends a call: whoever is charged for it reads so. How it ends stands in ending.ts.
import { isLive, type Call } from "../model/call.ts";
import type { TimedFact } from "../model/fact.ts";
import { chargedLegOf } from "../model/queries.ts";
import { notice } from "../ending/room-notices.ts";
import { ignored, to, type Step } from "../model/transition.ts";

export function limitNeared(call: Call, fact: Extract<TimedFact, { kind: "limit.neared" | "limit.reached" }>): Step {
  const leg = chargedLegOf(call);
  return leg !== undefined && isLive(call) ? to(call, notice(leg, fact.words)) : ignored(call, fact);
}
