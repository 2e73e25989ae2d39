// The call's one transition function: a fact comes in, the next call and the orders go out. Never throws.
// What each phase does with a fact stands in the phase's own file.
import { stepAccepting } from "./inbound/accepting.ts";
import { stepAlerting } from "./inbound/alerting.ts";
import type { Call } from "./model/call.ts";
import { stepConnected } from "./established/connected.ts";
import { stepEarly } from "./outbound/early-media.ts";
import { stepEnding } from "./ending/ending.ts";
import type { CallEvent } from "./model/fact.ts";
import { stepWithHeldOffer } from "./established/held-offer.ts";
import { showHold } from "./established/hold.ts";
import { stepArriving } from "./inbound/arriving.ts";
import { stepJoined, stepJoining } from "./bridged/bridged.ts";
import { stepAnswering, stepInviting, stepOffering } from "./outbound/outbound.ts";
import { settleOutstanding } from "./ending/outstanding.ts";
import { stepParting } from "./bridged/ending-bridged.ts";
import { stepTransferring } from "./established/transfer.ts";
import { ignored, type Step } from "./model/transition.ts";

export type { Step } from "./model/transition.ts";

/** Total over phases and facts: a fact that does not fit changes nothing and leaves one `note.ignored`. */
export function step(call: Call, event: CallEvent): Step {
  return settleOutstanding(call, event) ?? showHold(stepWithHeldOffer(call, event, stepPhase));
}

function stepPhase(call: Call, event: CallEvent): Step {
  switch (call.phase) {
    case "offering":
      return stepOffering(call, event);
    case "inviting":
      return stepInviting(call, event);
    case "early":
      return stepEarly(call, event);
    case "answering":
      return stepAnswering(call, event);
    case "arriving":
      return stepArriving(call, event);
    case "alerting":
      return stepAlerting(call, event);
    case "accepting":
      return stepAccepting(call, event);
    case "connected":
      return stepConnected(call, event);
    case "transferring":
      return stepTransferring(call, event);
    case "ending":
      return stepEnding(call, event);
    case "joining":
      return stepJoining(call, event);
    case "joined":
      return stepJoined(call, event);
    case "parting":
      return stepParting(call, event);
    case "ended":
      return ignored(call, event);
  }
}
