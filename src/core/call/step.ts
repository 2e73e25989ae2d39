// The call's one transition function: a fact comes in, the next call and the orders go out. Never throws.
// What each phase does with a fact stands in the phase's own file.
import { stepAccepting } from "./inbound/accepting.ts";
import { stepAlerting } from "./inbound/alerting.ts";
import { isIn, type Call } from "./model/call.ts";
import { stepConnected } from "./established/connected.ts";
import { stepEarly } from "./outbound/early-media.ts";
import { stepEnding } from "./ending/ending.ts";
import type { TimedFact } from "./model/fact.ts";
import { stepWithHeldOffer } from "./established/held-offer.ts";
import { showHold } from "./established/hold.ts";
import { stepKeying } from "./inbound/keying.ts";
import { stepPickingUp } from "./inbound/picking-up.ts";
import { stepArriving } from "./inbound/arriving.ts";
import { stepJoined, stepJoining } from "./bridged/bridged.ts";
import { stepAnswering, stepInviting, stepOffering } from "./outbound/outbound.ts";
import { settleOutstanding } from "./ending/outstanding.ts";
import { limitNeared } from "./established/limit.ts";
import { stepTransferring } from "./established/transfer.ts";
import { ignored, type Step } from "./model/transition.ts";

export type { Step } from "./model/transition.ts";

/** Total over phases and facts: a fact that does not fit changes nothing and leaves one `note.ignored`. */
export function step(call: Call, fact: TimedFact): Step {
  return settleOutstanding(call, fact) ?? showHold(call, stepWithHeldOffer(call, fact, stepPhase));
}

function stepPhase(call: Call, fact: TimedFact): Step {
  if (fact.kind === "limit.neared") return limitNeared(call, fact);
  if (isIn(call, "offering")) return stepOffering(call, fact);
  if (isIn(call, "inviting")) return stepInviting(call, fact);
  if (isIn(call, "early")) return stepEarly(call, fact);
  if (isIn(call, "answering")) return stepAnswering(call, fact);
  if (isIn(call, "picking-up")) return stepPickingUp(call, fact);
  if (isIn(call, "keying")) return stepKeying(call, fact);
  if (isIn(call, "arriving")) return stepArriving(call, fact);
  if (isIn(call, "alerting")) return stepAlerting(call, fact);
  if (isIn(call, "accepting")) return stepAccepting(call, fact);
  if (isIn(call, "connected")) return stepConnected(call, fact);
  if (isIn(call, "transferring")) return stepTransferring(call, fact);
  if (isIn(call, "joining")) return stepJoining(call, fact);
  if (isIn(call, "joined")) return stepJoined(call, fact);
  if (isIn(call, "ending")) return stepEnding(call, fact);
  return ignored(call, fact);
}
