// The codecs by name.
import type { AudioDecoder, AudioEncoder } from "./audio-codec.ts";
import { G711Decoder, G711Encoder } from "./g711.ts";
import { OpusDecoder } from "./opus-decoder.ts";
import { OpusEncoder } from "./opus-encoder.ts";

interface Codec {
  readonly decoder: () => AudioDecoder;
  /** `wishes`: the receiver's `a=fmtp`. */
  readonly encoder: (wishes: string) => AudioEncoder;
  /** What a packet may last, ms. */
  readonly frames: readonly number[];
}

const g711Frames = [10, 20, 30, 40, 50, 60];

const codecs: Readonly<Record<string, Codec>> = {
  PCMA: { decoder: () => new G711Decoder("PCMA"), encoder: () => new G711Encoder("PCMA"), frames: g711Frames },
  PCMU: { decoder: () => new G711Decoder("PCMU"), encoder: () => new G711Encoder("PCMU"), frames: g711Frames },
  opus: { decoder: () => new OpusDecoder(), encoder: (wishes) => new OpusEncoder(wishes), frames: [10, 20, 40, 60] },
};

export function codecOf(name: string): Codec | undefined {
  return codecs[name];
}
