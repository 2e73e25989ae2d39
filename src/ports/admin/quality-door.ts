// How good the audio of calls is while they are up, for admins' tools.
import type { CallId } from "../../core/ids.ts";
import type { CallQuality } from "../../core/quality/direction-quality.ts";
import type { Listener, Overrun } from "./bridge-event.ts";

/** Between two measurements of a call. */
export const measuredEveryMs = 5_000;

export interface QualitySample {
  /** ms since the epoch. */
  readonly atMs: number;
  /** Since the sample before, by the end that speaks. */
  readonly quality: CallQuality;
}

export interface CallMeasured extends QualitySample {
  readonly kind: "call.measured";
  readonly call: CallId;
}

export interface QualityDoor {
  /** The last ten minutes of a call that is up, the oldest first; undefined: there is no such call, or it was not answered. */
  of(call: CallId): readonly QualitySample[] | undefined;
  /** Tells each measurement of each call, until the function that it gives is called. Nobody waits for a slow listener. */
  subscribe(listener: Listener<CallMeasured | Overrun>): () => void;
}
