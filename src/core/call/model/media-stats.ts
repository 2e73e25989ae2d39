// What a call's media came to: one record per end, written to the log and the history when the call ends.
import type { MediaEnd } from "../../media-end.ts";

/** Counted at the bridge for packets that came from one end. */
export interface EndStats {
  readonly packets: number;
  readonly bytes: number;
  /** Expected less received, never below zero (RFC 3550 s6.4.1). */
  readonly lost: number;
  /** Interarrival jitter in ms (RFC 3550 s6.4.1). */
  readonly jitterMs: number;
  /** ms since the epoch of the last packet; undefined if none came. */
  readonly lastHeardAtMs: number | undefined;
  /** How loud it was in the last seconds, in dBov (RFC 6464): 0 is the loudest, -127 silence. Undefined: not measured. */
  readonly levelDbov?: number | undefined;
  /** What the end has said last of how it hears us; undefined: nothing. */
  readonly hears?: HeardByEnd | undefined;
}

/** A report of the end about our stream (RFC 3550 s6.4.1). */
export interface HeardByEnd {
  /** Since its report before. */
  readonly lostPercent: number;
  readonly jitterMs: number;
  /** To the end and back; undefined while it has had no report of ours. */
  readonly roundTripMs: number | undefined;
}

export interface MediaStats extends Readonly<Record<MediaEnd, EndStats>> {
  /** What is spoken at end `b`, and at `a` where the two are not converted. */
  readonly codec: string | undefined;
  readonly converted?: Converted | undefined;
}

/** The codec at each end, where the bridge turns one into the other. */
interface Converted extends Readonly<Record<MediaEnd, string>> {
  /** What comes from that end alone is turned; undefined: both directions are. */
  readonly only?: MediaEnd | undefined;
}

const nothing: EndStats = { packets: 0, bytes: 0, lost: 0, jitterMs: 0, lastHeardAtMs: undefined };

/** Of a session that never carried anything, or whose engine died with its counters. */
export const noMediaStats: MediaStats = { codec: undefined, a: nothing, b: nothing };
