// A codec as the converter uses it: packets to linear samples and back, one object for each direction of a call.

/** Hz between the two codecs: that of telephones, or the double where both are wideband. */
export type SampleRate = 8000 | 16_000;

export interface AudioDecoder {
  /** Undefined: it is no packet of that codec. */
  decode(payload: Uint8Array): Int16Array | undefined;
  /** What may have been there, where packets are missing. `next`: the one after them, which may tell of the last. */
  conceal(samples: number, next?: Uint8Array): Int16Array;
  /** The source is silent until its next packet, which comes late (DTX). */
  isPause(payload: Uint8Array): boolean;
  /** Comfort noise at so many dB below full scale takes the place of what is missing, until the next packet. */
  hush(level: number): void;
  /** It is not used any more. */
  release(): void;
}

export interface AudioEncoder {
  /** `lossPercent`: what of the packets does not reach the receiver, which may be told in the next ones. */
  encode(samples: Int16Array, lossPercent: number): Uint8Array;
  release(): void;
}
