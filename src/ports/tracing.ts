// How long the parts of a call take, told as spans to whoever collects them (OpenTelemetry).
import type { CallRecord } from "../core/call/model/record.ts";
import type { CallId } from "../core/ids.ts";

/** One call, from its first fact to its record. */
export interface CallTrace {
  /** The call is in this phase from now on. */
  phase(kind: string): void;
  /** A fact has come in. */
  fact(kind: string): void;
  /** An order is carried out: what is asked of the homeserver for it belongs to it. */
  order<Result>(kind: string, work: () => Promise<Result>): Promise<Result>;
  ended(record: CallRecord): void;
}

export interface Tracing {
  call(id: CallId, direction: CallRecord["direction"]): CallTrace;
  /** A request to another program, by a name without ids. */
  request<Answer extends { readonly status: number }>(name: string, work: () => Promise<Answer>): Promise<Answer>;
}

const noTrace: CallTrace = {
  phase: () => undefined,
  fact: () => undefined,
  order: (_kind, work) => work(),
  ended: () => undefined,
};

export const noTracing: Tracing = { call: () => noTrace, request: (_name, work) => work() };
