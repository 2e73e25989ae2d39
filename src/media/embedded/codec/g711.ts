// G.711 (ITU-T G.711, G.191): 16-bit samples to and from A-law and u-law octets, by tables. What is missing is filled by
// repeating the last pitch period, fading (after G.711 Appendix I), or with comfort noise (RFC 3389).
import type { AudioDecoder, AudioEncoder } from "./audio-codec.ts";

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

/** Pitch periods that are looked for, and what is remembered for it, in samples. */
const pitch = { shortest: 40, longest: 120, window: 160 };
const remembered = pitch.longest + pitch.window;
/** Concealment is silent after so many. */
const fadedAfter = 480;
/** From what was made up to what came. */
const blended = 40;
/** Longest packet that is believed: 200 ms. */
const mostOctets = 1600;

export class G711Decoder implements AudioDecoder {
  readonly #samples: Int16Array;
  #last = new Int16Array(remembered);
  /** While it makes up: the period that is repeated, and how much has been made. */
  #period: Int16Array | undefined;
  #made = 0;
  #noise: number | undefined;

  constructor(law: Law) {
    this.#samples = samples[law];
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (payload.length > mostOctets) return undefined;
    const pcm = new Int16Array(payload.length);
    for (let index = 0; index < pcm.length; index += 1) pcm[index] = this.#samples[payload[index] ?? 0] ?? 0;
    if (this.#period !== undefined) this.#blend(pcm);
    this.#noise = undefined;
    if (pcm.length >= remembered) this.#last.set(pcm.subarray(pcm.length - remembered));
    else {
      this.#last.copyWithin(0, pcm.length);
      this.#last.set(pcm, remembered - pcm.length);
    }
    return pcm;
  }

  conceal(count: number): Int16Array {
    const pcm = new Int16Array(count);
    for (let index = 0; index < count; index += 1) pcm[index] = this.#next();
    return pcm;
  }

  isPause(): boolean {
    return false;
  }

  hush(level: number): void {
    // White noise of that power: uniform between plus and minus the square root of three times it.
    this.#noise = 32_767 * 10 ** (-level / 20) * Math.sqrt(3);
  }

  release(): void {
    // Nothing is kept.
  }

  #next(): number {
    if (this.#noise !== undefined) return Math.round((Math.random() * 2 - 1) * this.#noise);
    this.#period ??= this.#lastPeriod();
    const { length } = this.#period;
    const sample = this.#period[this.#made % length] ?? 0;
    // At full strength for 10 ms.
    const strength = Math.max(0, Math.min(1, 1 - (this.#made - 80) / (fadedAfter - 80)));
    this.#made += 1;
    return Math.round(sample * strength);
  }

  #blend(pcm: Int16Array): void {
    const count = Math.min(blended, pcm.length);
    for (let index = 0; index < count; index += 1) {
      const share = (index + 1) / (count + 1);
      pcm[index] = Math.round((pcm[index] ?? 0) * share + this.#next() * (1 - share));
    }
    this.#period = undefined;
    this.#made = 0;
  }

  /** The lag at which what was heard last is most like itself. */
  #lastPeriod(): Int16Array {
    const last = this.#last;
    let best = pitch.longest;
    let likeness = -1;
    for (let lag = pitch.shortest; lag <= pitch.longest; lag += 1) {
      let product = 0;
      let power = 1;
      for (let index = remembered - pitch.window; index < remembered; index += 1) {
        const earlier = last[index - lag] ?? 0;
        product += (last[index] ?? 0) * earlier;
        power += earlier * earlier;
      }
      const like = product / Math.sqrt(power);
      if (like > likeness) [likeness, best] = [like, lag];
    }
    return last.slice(remembered - best);
  }
}
