// The shape of a step and its smallest forms, shared by the phases.
import type { Call } from "./call.ts";
import type { CallOrder } from "./order.ts";
import type { TimedFact } from "./fact.ts";

export interface Step {
  readonly call: Call;
  readonly orders: readonly CallOrder[];
}

export function to(call: Call, ...orders: readonly CallOrder[]): Step {
  return { call, orders };
}

/** The fact does not fit: nothing changes, one note is left. */
export function ignored(call: Call, fact: TimedFact): Step {
  return { call, orders: [{ kind: "note.ignored", fact: fact.kind, phase: call.phase }] };
}

/** The fact is expected here and needs nothing done. */
export function unchanged(call: Call): Step {
  return { call, orders: [] };
}
