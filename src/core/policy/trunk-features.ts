// What a trunk can do in a call and how it wants it, as the configuration says it. What the SIP edge alone needs is in its settings.

export interface TrunkFeatures {
  /** `auto`: as RTP events where they were negotiated, else in an INFO; otherwise always so. */
  readonly dtmf: "auto" | "rtp" | "info";
  /** `answer`: the client's call is answered when the trunk sends early media, so that its announcements are heard. */
  readonly earlyMedia: "ring" | "answer";
  /** `join`: transfers are joined in the bridge, no REFER is tried. */
  readonly transfer: "refer" | "join";
  /** The provisional response that says that a room rings. */
  readonly progress: 180 | 183;
  /** Undefined: the trunk takes and gives no texts. A text longer than `maxLength` characters goes in parts. */
  readonly messages: { readonly maxLength: number } | undefined;
}
