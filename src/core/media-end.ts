// The two ends of a call's media, and what can be wrong with a description that one of them gives.

/** What stands at an end, a client or a trunk say, is said when the media session is opened. */
export type MediaEnd = "a" | "b";

export const mediaEnds: readonly MediaEnd[] = ["a", "b"];

/** Where a client and a trunk are joined, these are their ends. */
export const clientEnd = "a";
export const trunkEnd = "b";

/** What logs and metrics call them, whatever stands there. */
export const sideNames: Readonly<Record<MediaEnd, string>> = { a: "matrix", b: "trunk" };

export function otherEnd(end: MediaEnd): MediaEnd {
  return end === "a" ? "b" : "a";
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
  /** Where they meet, we are not let in. */
  | "no-admission"
  | "engine";

/** Tones that a caller understands without words: enter something, that was wrong, that was right. */
export type Prompt = "enter" | "wrong" | "right";
