// The call's one transition function: a fact comes in, the next call and the orders go out. Never throws.
// What each phase does with a fact stands in the phase's own file.
import type { Call } from "./call.ts";
import { stepConnected } from "./connected.ts";
import { stepEnding } from "./ending.ts";
import type { CallEvent } from "./event.ts";
import { stepAnswering, stepInviting, stepOffering } from "./outbound.ts";
import { ignored, type Step } from "./transition.ts";

export type { Step } from "./transition.ts";

/** Total over phases and facts: a fact that does not fit changes nothing and leaves one `note.ignored`. */
export function step(call: Call, event: CallEvent): Step {
  switch (call.phase) {
    case "offering":
      return stepOffering(call, event);
    case "inviting":
      return stepInviting(call, event);
    case "answering":
      return stepAnswering(call, event);
    case "connected":
      return stepConnected(call, event);
    case "ending":
      return stepEnding(call, event);
    case "ended":
      return ignored(call, event);
  }
}
