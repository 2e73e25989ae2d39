// G.711 (ITU-T G.711, G.191): 16-bit samples to and from A-law and u-law octets, by tables.
import type { AudioDecoder, AudioEncoder } from "./audio-codec.ts";
import { Concealment } from "./concealment.ts";

export type Law = "PCMA" | "PCMU";

const ulaw = { bias: 0x84, most: 32_635 };

function ulawOctet(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), ulaw.most) + ulaw.bias;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function ulawSample(octet: number): number {
  const bits = ~octet & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + ulaw.bias) << ((bits >> 4) & 7)) - ulaw.bias;
  return bits >= 0x80 ? -magnitude : magnitude;
}

function alawOctet(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const exponent = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude);
  const mantissa = (exponent === 0 ? magnitude : magnitude >> (exponent - 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
}

function alawSample(octet: number): number {
  const bits = octet ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1);
  return bits >= 0x80 ? magnitude : -magnitude;
}

const octets: Readonly<Record<Law, Uint8Array>> = {
  PCMA: Uint8Array.from({ length: 65_536 }, (_, index) => alawOctet((index << 16) >> 16)),
  PCMU: Uint8Array.from({ length: 65_536 }, (_, index) => ulawOctet((index << 16) >> 16)),
};
const samples: Readonly<Record<Law, Int16Array>> = {
  PCMA: Int16Array.from({ length: 256 }, (_, octet) => alawSample(octet)),
  PCMU: Int16Array.from({ length: 256 }, (_, octet) => ulawSample(octet)),
};

/** The sample of each octet. */
export function lawSamples(law: Law): Int16Array {
  return samples[law];
}

export class G711Encoder implements AudioEncoder {
  readonly #octets: Uint8Array;

  constructor(law: Law) {
    this.#octets = octets[law];
  }

  encode(pcm: Int16Array): Uint8Array {
    const payload = new Uint8Array(pcm.length);
    for (let index = 0; index < pcm.length; index += 1) payload[index] = this.#octets[(pcm[index] ?? 0) & 0xffff] ?? 0;
    return payload;
  }

  release(): void {
    // Nothing is kept.
  }
}

/** Longest packet that is believed: 200 ms. */
const mostOctets = 1600;

export class G711Decoder implements AudioDecoder {
  readonly #samples: Int16Array;
  readonly #concealment = new Concealment(8000);

  constructor(law: Law) {
    this.#samples = samples[law];
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (payload.length > mostOctets) return undefined;
    const pcm = new Int16Array(payload.length);
    for (let index = 0; index < pcm.length; index += 1) pcm[index] = this.#samples[payload[index] ?? 0] ?? 0;
    return this.#concealment.heard(pcm);
  }

  conceal(count: number): Int16Array {
    return this.#concealment.made(count);
  }

  isPause(): boolean {
    return false;
  }

  hush(level: number): void {
    this.#concealment.hush(level);
  }

  release(): void {
    // Nothing is kept.
  }
}
