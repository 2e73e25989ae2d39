// What stays of a call when it is over: the history, the log line and the metrics are written from this alone.
import type { CallId, SipCallId, TrunkName } from "../ids.ts";
import type { CallResult, Cause } from "./cause.ts";
import type { MatrixLeg } from "./matrix-leg.ts";
import type { MediaStats } from "./media-stats.ts";

export interface CallRecord {
  readonly id: CallId;
  readonly direction: "outbound";
  readonly leg: MatrixLeg;
  readonly trunk: TrunkName | undefined;
  readonly sipCallId: SipCallId | undefined;
  /** As sent to the trunk. */
  readonly number: string;
  readonly cause: Cause;
  readonly result: CallResult;
  /** The trunk's final status to our INVITE, where one came. */
  readonly sipStatus: number | undefined;
  /** All in ms since the epoch. */
  readonly startedAtMs: number;
  readonly ringingAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly media: MediaStats;
  /** Something was still owed to a side when the call was given up. */
  readonly unsettled: boolean;
}
