// What stays of a call when it is over: the history, the log line and the metrics are written from this alone.
import type { CallId, MatrixCallId, RoomId, SipCallId, TrunkName, UserId } from "../../ids.ts";
import type { CallerBadge } from "../../policy/caller-badge.ts";
import type { CallResult, Cause } from "./cause.ts";
import type { MatrixLeg } from "./matrix-leg.ts";
import type { MediaStats } from "./media-stats.ts";

export interface CallRecord {
  readonly id: CallId;
  readonly direction: "outbound" | "inbound" | "joined";
  /** Undefined for an inbound call that nobody took. */
  readonly leg: MatrixLeg | undefined;
  /** Of the leg; of an inbound call that nobody took the first room that rang, and whom that, or the call, was for. */
  readonly room: RoomId | undefined;
  readonly person: UserId | undefined;
  readonly matrixCallId: MatrixCallId | undefined;
  readonly trunk: TrunkName | undefined;
  readonly sipCallId: SipCallId | undefined;
  /** The far end's, as sent to the trunk or said by it. */
  readonly number: string;
  /** Inbound: the number that was called. Joined: the second far end's. */
  readonly called: string | undefined;
  /** Inbound: what the network knew of the caller, if anything. */
  readonly badge?: CallerBadge | undefined;
  readonly cause: Cause;
  readonly result: CallResult;
  /** The final status of the trunk to our INVITE, or ours to the trunk's, where there was one. */
  readonly sipStatus: number | undefined;
  /** In ms since the epoch once it is stored, before that by the process's clock. */
  readonly startedAtMs: number;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly media: MediaStats;
  /** Something was still owed to a side when the call was given up. */
  readonly unsettled: boolean;
}
