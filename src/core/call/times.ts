// The moments that a stored call and a record hold. While a call lives they are on the process's own clock, which another
// process cannot read; what is stored says them by the wall's.
import { amend } from "./model/transition.ts";
import type { CallRecord } from "./model/record.ts";
import type { StoredCall } from "./recover.ts";

/** The same record on a clock that is `byMs` ahead. */
export function recordOnClockAhead(record: CallRecord, byMs: number): CallRecord {
  return { ...record, startedAtMs: record.startedAtMs + byMs, ...courseOnClockAhead(record, byMs) };
}

/** The same call on a clock that is `byMs` ahead. */
export function callOnClockAhead(stored: StoredCall, byMs: number): StoredCall {
  const { call } = stored;
  const moved = amend(call, courseOnClockAhead(call.phase, byMs));
  return { ...stored, call: { ...moved, startedAtMs: call.startedAtMs + byMs } };
}

type Course = Pick<CallRecord, "ringingAtMs" | "answeredAtMs" | "endedAtMs">;

function courseOnClockAhead({ ringingAtMs, answeredAtMs, endedAtMs }: Course, byMs: number): Course {
  return {
    ringingAtMs: ringingAtMs === undefined ? undefined : ringingAtMs + byMs,
    answeredAtMs: answeredAtMs === undefined ? undefined : answeredAtMs + byMs,
    endedAtMs: endedAtMs + byMs,
  };
}
