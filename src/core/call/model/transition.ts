// The shape of a step and its smallest forms, shared by the phases.
import type { Call, CallCommon, CallIn, Phase } from "./call.ts";
import type { TimedFact } from "./fact.ts";
import type { CallOrder } from "./order.ts";

export interface Step {
  readonly call: Call;
  readonly orders: readonly CallOrder[];
}

export function to(call: Call, ...orders: readonly CallOrder[]): Step {
  return { call, orders };
}

/** The fact does not fit: nothing changes, one note is left. */
export function ignored(call: Call, fact: TimedFact): Step {
  return { call, orders: [{ kind: "note.ignored", fact: fact.kind, phase: call.phase.kind }] };
}

/** The fact is expected here and needs nothing done. */
export function unchanged(call: Call): Step {
  return { call, orders: [] };
}

/** The call in another phase. */
export function enter<P extends Phase>(call: CallCommon, phase: P): CallIn<P> {
  return { ...call, phase };
}

/** The call in its phase, which changes in part. */
export function amend<P extends Phase>(call: CallIn<P>, changes: Partial<P>): CallIn<P> {
  return { ...call, phase: { ...call.phase, ...changes } };
}
