// G.711 as ITU-T G.191 describes it: 16-bit linear samples to and from A-law and u-law octets.
// Both directions are table lookups, so a gateway with many legs pays nothing for its audio.

const ULAW_BIAS = 0x84;
const ULAW_CLIP = 32_635;

function ulawOctet(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS;
  const exponent = 24 - Math.clz32(magnitude); // magnitude has bit 7 to 14 as its highest
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function ulawSample(octet: number): number {
  const bits = ~octet & 0xff;
  const exponent = (bits >> 4) & 7;
  const magnitude = ((((bits & 0x0f) << 3) + ULAW_BIAS) << exponent) - ULAW_BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
}

function alawOctet(sample: number): number {
  // Negative samples are ones' complemented, so that -1 falls into the smallest negative step.
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = (sample < 0 ? ~sample : sample) >> 4; // 11 bits
  const exponent = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude);
  const mantissa = exponent === 0 ? magnitude : (magnitude >> (exponent - 1)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

function alawSample(octet: number): number {
  const bits = octet ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

const encodeTable = (octet: (sample: number) => number): Uint8Array =>
  Uint8Array.from({ length: 65_536 }, (_, index) => octet((index << 16) >> 16));
const decodeTable = (sample: (octet: number) => number): Int16Array =>
  Int16Array.from({ length: 256 }, (_, octet) => sample(octet));

const ULAW_OCTETS = encodeTable(ulawOctet);
const ULAW_SAMPLES = decodeTable(ulawSample);
const ALAW_OCTETS = encodeTable(alawOctet);
const ALAW_SAMPLES = decodeTable(alawSample);

const encode = (samples: Int16Array, octets: Uint8Array): Uint8Array =>
  Uint8Array.from(samples, (sample) => octets[sample & 0xffff] ?? 0);
const decode = (payload: Uint8Array, samples: Int16Array): Int16Array =>
  Int16Array.from(payload, (octet) => samples[octet] ?? 0);

/** 16-bit samples to u-law (RTP payload type 0), one octet each. */
export const encodeUlaw = (samples: Int16Array): Uint8Array => encode(samples, ULAW_OCTETS);
/** u-law octets (RTP payload type 0) to 16-bit samples. */
export const decodeUlaw = (payload: Uint8Array): Int16Array => decode(payload, ULAW_SAMPLES);
/** 16-bit samples to A-law (RTP payload type 8), one octet each. */
export const encodeAlaw = (samples: Int16Array): Uint8Array => encode(samples, ALAW_OCTETS);
/** A-law octets (RTP payload type 8) to 16-bit samples. */
export const decodeAlaw = (payload: Uint8Array): Int16Array => decode(payload, ALAW_SAMPLES);
