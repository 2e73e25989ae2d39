// A call from the telephone to Matrix, until somebody has taken it: arriving. The rooms ring in alerting.ts, who takes
// the call is connected in accepting.ts.
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { OwnSide } from "../model/matrix-leg.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { CallId, UserId } from "../../ids.ts";
import { takeGlare } from "./accepting.ts";
import { beginAlerting } from "./alerting.ts";
import { fresh, type Arriving, type CallCommon, type CallIn } from "../model/call.ts";
import { causeOfMediaFault } from "../model/cause.ts";
import { mediaAnswerMs } from "../established/connecting.ts";
import type { SipDialogState, SipIncomingState } from "../model/dialog-state.ts";
import { offersLate, stepEarlyDialog } from "./early-dialog.ts";
import { end } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import type { CallOrder } from "../model/order.ts";
import type { RingStage } from "../../number/plan/ring-stage.ts";
import type { CallerBadge } from "../../policy/caller-badge.ts";
import type { Notices } from "../model/notices.ts";
import { enter, ignored, type Step } from "../model/transition.ts";
import type { TrunkSide } from "../model/trunk-leg.ts";

/** Everything known when the DID table has said whom a trunk's INVITE is for. */
export interface InboundRequest {
  readonly id: CallId;
  readonly trunk: TrunkSide;
  /** Who calls, as people see it. */
  readonly ghost: UserId;
  readonly ring: OwnSide;
  /** The caller's, for history and log. */
  readonly number: string;
  readonly called: string;
  readonly badge?: CallerBadge | undefined;
  readonly dialog: SipDialogState;
  readonly incoming: SipIncomingState;
  /** Undefined: the caller wants our offer. */
  readonly description: MediaDescription | undefined;
  readonly stages: readonly RingStage[];
  readonly atMs: number;
  readonly maxDurationMs: number;
  readonly notices: Notices;
  /** Lines for each room that rings: over whom the call came, what is known of the caller. */
  readonly announce: readonly string[];
  /** 183 at once, for trunks that give up on a silent callee while the rooms are being found. */
  readonly earlyProgress: boolean;
}

interface FirstStep extends Step {
  readonly call: CallIn<Arriving>;
}

/** What is true of the call in every phase. */
export function inboundCommon(request: InboundRequest): CallCommon {
  const { id, number, called, badge, atMs, maxDurationMs, notices } = request;
  return { id, direction: "inbound", number, called, badge, startedAtMs: atMs, maxDurationMs, notices, ...fresh };
}

export function beginInbound(request: InboundRequest): FirstStep {
  const { id, atMs, description, earlyProgress, trunk } = request;
  const { ghost, ring, dialog, incoming, stages, announce } = request;
  const call = enter<Arriving>(inboundCommon(request), {
    kind: "arriving",
    origin: { kind: "invite", lateOffer: description === undefined },
    trunk: { ...trunk, state: "incoming", id, dialog, incoming },
    ghost,
    ring,
    stages,
    announce,
  });
  const orders: readonly CallOrder[] = [
    ...(earlyProgress ? [{ kind: "sip.ring", status: 183 } as const] : []),
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    description === undefined
      ? { kind: "media.describe", end: clientEnd }
      : { kind: "media.offer", from: trunkEnd, description },
  ];
  return { call, orders };
}

export function stepArriving(call: CallIn<Arriving>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "media.offered":
      return offersLate(call.phase.origin) ? ignored(call, fact) : beginAlerting(call, fact.description, fact.atMs);
    case "media.described":
      return offersLate(call.phase.origin) ? beginAlerting(call, fact.description, fact.atMs) : ignored(call, fact);
    case "media.refused":
      return end(call, causeOfMediaFault(fact.fault, "trunk"), fact.atMs, {});
    case "matrix.glareDetected":
      return takeGlare(call, fact);
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "media-lost", fact.atMs, {}) : ignored(call, fact);
    default:
      return stepEarlyDialog(call, fact);
  }
}
