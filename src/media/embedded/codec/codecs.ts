// The codecs by name.
import type { AudioDecoder, AudioEncoder, SampleRate } from "./audio-codec.ts";
import { G711Decoder, G711Encoder, type Law } from "./g711.ts";
import { G722Decoder, G722Encoder } from "./g722.ts";
import { OpusDecoder } from "./opus-decoder.ts";
import { OpusEncoder } from "./opus-encoder.ts";

interface Codec {
  /** What it carries at most. Wideband ones do narrowband as well. */
  readonly rate: SampleRate;
  readonly decoder: (rate: SampleRate) => AudioDecoder;
  /** `wishes`: the receiver's `a=fmtp`. */
  readonly encoder: (rate: SampleRate, wishes: string) => AudioEncoder;
  /** What a packet may last, ms. */
  readonly frames: readonly number[];
}

const frames = [10, 20, 30, 40, 50, 60];
const g711 = (law: Law): Codec => ({
  rate: 8000,
  decoder: () => new G711Decoder(law),
  encoder: () => new G711Encoder(law),
  frames,
});

const codecs: Readonly<Record<string, Codec>> = {
  PCMA: g711("PCMA"),
  PCMU: g711("PCMU"),
  G722: {
    rate: 16_000,
    decoder: (rate) => new G722Decoder(rate),
    encoder: (rate) => new G722Encoder(rate),
    frames,
  },
  opus: {
    rate: 16_000,
    decoder: (rate) => new OpusDecoder(rate),
    encoder: (rate, wishes) => new OpusEncoder(rate, wishes),
    frames: [10, 20, 40, 60],
  },
};

export function codecOf(name: string): Codec | undefined {
  return codecs[name];
}
