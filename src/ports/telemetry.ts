// What the bridge tells its operators: log lines with constant messages, and counted facts.
// Values that are personal (numbers) are masked by the implementation, by field name.
import type { CallRecord } from "../core/call/model/record.ts";
import type { MediaEnd } from "../core/media-end.ts";
import type { TrunkName } from "../core/ids.ts";
import type { Tracing } from "./tracing.ts";
import type { Scope } from "../core/policy/spending/allowance.ts";
import type { Suspicion } from "../core/policy/spending/patterns.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** Message is a constant string; everything that varies is a field. */
export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

/** From everything to the gravest alone. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

export type LookupOutcome = "found" | "none" | "unauthorized" | "unknown-protocol";

/** As of calls: outbound is from Matrix to the telephone. */
export type TextDirection = "outbound" | "inbound";
export type TextOutcome = "delivered" | "failed";

export interface Telemetry {
  readonly log: Log;
  readonly tracing: Tracing;
  /** The least important lines that are written. */
  logLevel(): LogLevel;
  /** At once, for every log that was made of this one too. */
  setLogLevel(level: LogLevel): void;
  callStarted(direction: CallRecord["direction"]): void;
  /** Counts and writes the one line a call. `begunAs`: what it was counted as; a transfer may have made it another one. */
  callEnded(record: CallRecord, begunAs: CallRecord["direction"]): void;
  /** A telephone number as log lines show it: all digits but the last two hidden, unless the configuration shows numbers. */
  shownNumber(number: string): string;
  /** From the invite to the answer, in ms. */
  callAnswered(setupMs: number): void;
  /** Nothing of that end had reached the other one 10 s after the answer. */
  callUnheard(end: MediaEnd): void;
  /** A text that was to be passed on; what was refused before that, for its writer or its number, is none. */
  texted(direction: TextDirection, outcome: TextOutcome): void;
  lookedUp(protocol: string, outcome: LookupOutcome): void;
  /** A fact that did not fit the call's phase. `none`: of no call; `ended`: of one that is over; `other-party`: not its own. */
  factIgnored(fact: string, phase: string): void;
  /** How long the homeserver took for a request, by its name without ids; status 0: it did not answer. */
  homeserverAnswered(request: string, status: number, tookMs: number): void;
  /** Of a limit 80 % are used, or all of it. */
  limitTold(scope: Scope["kind"], what: "warned" | "reached"): void;
  /** Calls of a person look like fraud and are held. */
  callsHeld(shape: Suspicion["shape"]): void;
  trunkState(trunk: TrunkName, up: boolean): void;
  /** When the bridge's own certificate for a trunk ends (ms since the epoch). */
  certificateEnds(trunk: TrunkName, atMs: number): void;
  /** Events received, duplicates dropped, events waiting. */
  eventsTaken(count: number, duplicates: number): void;
  inboxDepth(events: number): void;
}
