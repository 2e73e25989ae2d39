// A transfer failed and the far end is still on the line: whether it goes back to whoever handed it over, and what is
// needed to ring them. How they are rung stands in recalled.ts.
import { localpartOf } from "../../ids.ts";
import type { LiveCall } from "../model/call.ts";
import type { Cause } from "../model/cause.ts";
import type { Handover, Joining } from "../model/bridged-call.ts";
import type { ConfirmedLeg } from "../model/trunk-leg.ts";
import type { MatrixLeg } from "../model/matrix-leg.ts";

/** The far end, and whoever handed it over. */
export interface Recall extends Pick<Handover, "notices" | "endsAtMs"> {
  readonly far: ConfirmedLeg;
  /** The leg that ended with the transfer: its room rings. */
  readonly leg: MatrixLeg;
  /** Of ours the number that was called, or the person where none was. */
  readonly called: string;
}

/** Whoever ends a call for one of these does not want it to go on elsewhere. */
const finalCauses: ReadonlySet<Cause> = new Set<Cause>(["max-duration", "admin-ended", "restarted", "fault"]);

/** Undefined: nobody handed the call over, or the far end is to be let go with it. */
export function recallOf(call: LiveCall, cause: Cause, farEndIsGone: boolean): Recall | undefined {
  if (farEndIsGone || finalCauses.has(cause)) return undefined;
  switch (call.phase) {
    case "transferring":
      return cause === "transfer-failed" ? recall(call, call.leg, call.answeredAtMs) : undefined;
    case "arriving":
    case "alerting":
    case "accepting":
      if (call.transferredBy === undefined || call.acceptedAtMs === undefined) return undefined;
      return recall(call, call.transferredBy, call.acceptedAtMs);
    default:
      return undefined;
  }
}

/** The same for a far end that was being joined with another one. */
export function recallFromBridged(call: Joining, cause: Cause, farEndIsGone: boolean): Recall | undefined {
  if (farEndIsGone || finalCauses.has(cause)) return undefined;
  const { a, leg, notices, startedAtMs, maxDurationMs } = call;
  return { far: a, leg, called: localpartOf(leg.person), notices, endsAtMs: startedAtMs + maxDurationMs };
}

type HandedOver = Extract<LiveCall, { phase: "transferring" | "arriving" | "alerting" | "accepting" }>;

function recall(call: HandedOver, leg: MatrixLeg, answeredAtMs: number): Recall {
  const { id, trunk, dialog, notices, maxDurationMs } = call;
  const called = call.called ?? localpartOf(leg.person);
  return { far: { call: id, trunk, dialog }, leg, called, notices, endsAtMs: answeredAtMs + maxDurationMs };
}
