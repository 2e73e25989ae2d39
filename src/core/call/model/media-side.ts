// The two sides of a call's media, and what can be wrong with a description one of them gives.

/** `matrix` speaks WebRTC, `trunk` speaks RTP or SDES-SRTP. */
export type MediaSide = "matrix" | "trunk";

export function otherSide(side: MediaSide): MediaSide {
  return side === "matrix" ? "trunk" : "matrix";
}

/** Why the media engine could not use a description or open a session. */
export type MediaFault =
  /** Not SDP, or no usable audio section in it. */
  | "bad-description"
  | "no-common-codec"
  /** SRTP asked for and not offered, or the other way round. */
  | "encryption-mismatch"
  | "no-ports"
  | "no-capacity"
  | "engine";
