// The call's one transition function: a fact comes in, the next call and the orders go out. Never throws.
// What each phase does with a fact stands in the phase's own file.
import { stepAccepting } from "./accepting.ts";
import { stepAlerting } from "./alerting.ts";
import type { Call } from "./call.ts";
import { stepConnected } from "./connected.ts";
import { stepEarly } from "./early.ts";
import { stepEnding } from "./ending.ts";
import type { CallEvent } from "./event.ts";
import { stepWithHeldOffer } from "./held-offer.ts";
import { stepArriving } from "./inbound.ts";
import { stepJoined, stepJoining } from "./joined.ts";
import { stepAnswering, stepInviting, stepOffering } from "./outbound.ts";
import { settleOutstanding } from "./outstanding.ts";
import { stepParting } from "./parting.ts";
import { stepTransferring } from "./transfer.ts";
import { ignored, type Step } from "./transition.ts";

export type { Step } from "./transition.ts";

/** Total over phases and facts: a fact that does not fit changes nothing and leaves one `note.ignored`. */
export function step(call: Call, event: CallEvent): Step {
  return settleOutstanding(call, event) ?? stepWithHeldOffer(call, event, stepPhase);
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
