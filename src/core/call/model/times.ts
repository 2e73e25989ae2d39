// The moments that a call and its record hold. While it lives they are on the process's own clock, which another process
// cannot read; what is stored says them by the wall's.
import type { Call } from "./call.ts";
import type { CallRecord } from "./record.ts";

const moments = ["startedAtMs", "ringingAtMs", "acceptedAtMs", "answeredAtMs", "takenAtMs", "endedAtMs"] as const;

/** The same call or record on a clock that is `byMs` ahead. */
export function onClockAhead<T extends Call | CallRecord>(timed: T, byMs: number): T {
  if (byMs === 0) return timed;
  const moved: Record<string, unknown> = {};
  const fields = timed as unknown as Readonly<Record<string, unknown>>;
  for (const name of moments) {
    const atMs = fields[name];
    if (typeof atMs === "number") moved[name] = atMs + byMs;
  }
  return { ...timed, ...moved };
}
