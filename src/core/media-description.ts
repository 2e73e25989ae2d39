// What an end of a call says about its media. The call and the bridge carry it from one edge to another and never look inside.

declare const ofKind: unique symbol;

/** Of an end that has no SDP: read only by the parts of the edges that know the kind of end. Plain data. */
interface EndDescription {
  readonly [ofKind]: "EndDescription";
}

/** SDP (RFC 8866) of an end that speaks it, as every trunk and every WebRTC client does. */
export type MediaDescription = string | EndDescription;

/** Throws where it is no SDP: one end was given the words of another kind of end. */
export function sdpIn(description: MediaDescription): string {
  if (typeof description === "string") return description;
  throw new Error("a description without SDP was given to an end that speaks SDP");
}
