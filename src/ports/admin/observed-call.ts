// A call as an admin's tools see it: data of one moment, in words that do not change with the phases of core/call.
import type { MediaStats } from "../../core/call/model/media-stats.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import type { CallId, RoomId, TrunkName, UserId } from "../../core/ids.ts";

/** `beginning`: nobody hears anything ring yet. */
export type LivePhase = "beginning" | "ringing" | "connected" | "transferring" | "ending";

export interface LiveCall {
  readonly id: CallId;
  readonly direction: CallRecord["direction"];
  /** Who is in it, or (joined) who joined the two; undefined while nobody has taken it. */
  readonly person: UserId | undefined;
  /** Of the person; of a call that nobody has taken, the first room that rings. */
  readonly room: RoomId | undefined;
  /** The far end's, masked as in the log. */
  readonly number: string;
  /** Inbound: the number that was called, masked likewise. */
  readonly called: string | undefined;
  readonly trunk: TrunkName | undefined;
  readonly phase: LivePhase;
  /** When it came into that phase (ms since the epoch). */
  readonly sinceMs: number;
  readonly startedAtMs: number;
  readonly answeredAtMs: number | undefined;
}

/** With what its media has come to, where it has any. */
export interface MeasuredCall extends LiveCall {
  readonly media: MediaStats | undefined;
}

/** What is left of a call that has ended; its numbers are masked as in the log, unless whole ones were asked for. */
export type EndedCall = CallRecord & { readonly leg: undefined };
