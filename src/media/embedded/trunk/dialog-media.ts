// Where a trunk's dialog was heard and what it was sent until now, as plain data: with it the next session, in whichever
// worker, goes on where the last one stopped. The peer's decoder does not notice the change.
import type { MediaEnd } from "../../../core/media-end.ts";
import type { Format } from "../../../core/sdp/format.ts";
import type { RemoteTrunk, SdesKeyPair } from "../../../ports/media-engine.ts";
import type { PeerMemory } from "./peer-lock.ts";
import { beyond, type StreamMark } from "../rtp/outgoing-stream.ts";

export interface DialogMedia {
  readonly place: DialogPlace;
  readonly sent: DialogSent;
}

/** In what a peer is spoken to. */
export type HeardFormat = Pick<Format, "payloadType" | "name" | "clockRate">;

/** Changes with each description. */
export interface DialogPlace {
  /** As its last description has it; undefined before the first. */
  readonly peer: Omit<RemoteTrunk, "keys"> | undefined;
  /** Undefined before anything was agreed. */
  readonly heard: HeardFormat | undefined;
  /** In use; undefined: plain RTP. */
  readonly keys: SdesKeyPair | undefined;
  readonly rtp: PeerMemory;
  readonly rtcp: PeerMemory;
}

/** Changes with each packet. */
export interface DialogSent {
  readonly stream: StreamMark;
  readonly srtp: SrtpMarks | undefined;
}

/** Highest packet index by SSRC, RTCP's index (RFC 3711 s3.2.1, s3.4). */
export interface SrtpMark {
  readonly rtp: readonly (readonly [ssrc: number, index: number])[];
  readonly rtcp: readonly (readonly [ssrc: number, index: number])[];
  readonly sentRtcp: number;
}

export interface SrtpMarks {
  readonly outbound: SrtpMark;
  readonly inbound: SrtpMark;
}

/** Of a session's ends, those that are trunks. */
export type EndMarks = Partial<Record<MediaEnd, DialogSent>>;

/** More reports than a worker sends between two marks. */
const rtcpSteps = 100;

/** As `beyond`, for what went out in all. */
export function sentBeyond({ stream, srtp }: DialogSent, ageMs: number): DialogSent {
  const outbound = srtp && { ...srtp.outbound, sentRtcp: srtp.outbound.sentRtcp + rtcpSteps };
  return {
    stream: beyond(stream, ageMs),
    srtp: srtp && outbound && { ...srtp, outbound },
  };
}
