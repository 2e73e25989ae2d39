// A transfer failed and the far end is still on the line: whether it goes back to whoever handed it over. How they are rung
// stands in inbound/recalled.ts.
import { localpartOf } from "../../ids.ts";
import type { Recall } from "../model/bridged-call.ts";
import type { LiveCall } from "../model/call.ts";
import type { Cause } from "../model/cause.ts";
import type { MatrixLeg } from "../model/matrix-leg.ts";
import type { ConfirmedLeg } from "../model/trunk-leg.ts";

/** Whoever ends a call for one of these does not want it to go on elsewhere. */
const finalCauses: ReadonlySet<Cause> = new Set<Cause>([
  "max-duration",
  "limit-reached",
  "admin-ended",
  "restarted",
  "fault",
]);

/** Undefined: nobody handed the call over, or the far end is to be let go with it. */
export function recallOf(call: LiveCall, cause: Cause, farEndIsGone: boolean): Recall | undefined {
  if (farEndIsGone || finalCauses.has(cause)) return undefined;
  const { phase, notices, maxDurationMs } = call;
  const back = (leg: MatrixLeg, far: ConfirmedLeg, called: string | undefined, sinceMs: number): Recall => ({
    far,
    leg,
    called: called ?? localpartOf(leg.person),
    notices,
    endsAtMs: sinceMs + maxDurationMs,
  });
  switch (phase.kind) {
    case "transferring":
      if (cause !== "transfer-failed") return undefined;
      return back(phase.leg, phase.trunk, call.called, phase.trunk.answeredAtMs);
    case "arriving":
    case "alerting":
    case "accepting":
      if (phase.origin.kind !== "transferred" || phase.trunk.state !== "confirmed") return undefined;
      return back(phase.origin.by, phase.trunk, call.called, phase.trunk.answeredAtMs);
    case "joining":
      return back(phase.transferredBy, phase.a, undefined, call.startedAtMs);
    default:
      return undefined;
  }
}
