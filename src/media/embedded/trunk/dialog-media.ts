// What a trunk's dialog has been told and sent until now, as plain data: with it the next session, in whichever worker,
// goes on where the last one stopped. Neither the peer's decoder nor its SDP parser notices the change.
import type { MediaEnd } from "../../../core/call/model/media-end.ts";
import type { CryptoAttribute } from "../../../core/sdp/crypto-attribute.ts";
import type { Format } from "../../../core/sdp/format.ts";
import type { Frame, Origin } from "../../../core/sdp/writer.ts";
import type { PeerMemory } from "./peer-lock.ts";
import { beyond, type StreamMark } from "../rtp/outgoing-stream.ts";

export interface DialogMedia {
  readonly told: DialogTold;
  readonly sent: DialogSent;
}

/** Changes with each description. */
export interface DialogTold {
  readonly sdp: SdpMemory;
  readonly keys: KeyMemory | undefined;
  readonly rtp: PeerMemory;
  readonly rtcp: PeerMemory;
}

/** Changes with each packet. */
export interface DialogSent {
  readonly stream: StreamMark;
  readonly srtp: SrtpMarks | undefined;
}

/** What has been written to the peer (RFC 3264 s8). */
export interface SdpMemory {
  readonly origin: Origin;
  /** Every payload type that we have given a meaning: it keeps it as long as the dialog lives (RFC 3264 s8.3.2). */
  readonly numbers: readonly Format[];
  /** The sections of the last description: an offer may add some, but not leave any out. */
  readonly frame: Frame | undefined;
}

export interface KeyMemory {
  readonly offer: readonly CryptoAttribute[];
  /** In use. */
  readonly ours: CryptoAttribute | undefined;
  readonly theirs: CryptoAttribute | undefined;
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
