// The shape of a step and its smallest forms, shared by the phases.
import type { Call } from "./call.ts";
import type { CallEffect } from "./order.ts";
import type { CallEvent } from "./fact.ts";

export interface Step {
  readonly call: Call;
  readonly effects: readonly CallEffect[];
}

export function to(call: Call, ...effects: readonly CallEffect[]): Step {
  return { call, effects };
}

/** The fact does not fit: nothing changes, one note is left. */
export function ignored(call: Call, event: CallEvent): Step {
  return { call, effects: [{ kind: "note.ignored", fact: event.kind, phase: call.phase }] };
}

/** The fact is expected here and needs nothing done. */
export function unchanged(call: Call): Step {
  return { call, effects: [] };
}
