// G.722 (ITU-T G.722, 64 kbit/s): two bands of 8 kHz, each in adaptive differences: 6 bits of the lower and 2 of the higher.
// At 8 kHz the lower band alone is what is heard, and nothing has to be resampled. Blocks have the Recommendation's names.
import type { AudioDecoder, AudioEncoder, SampleRate } from "./audio-codec.ts";
import { Concealment } from "./concealment.ts";

/** The filter between the bands, every other coefficient; the others are the same, from the end. */
const qmf = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
const taps = 2 * qmf.length;

/** Steps of the quantizers, as shares of the scale in 1/32768: of the lower band with 6 bits and 4, and of the higher. */
const positive = [
  24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
  4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728,
];
const negative = positive.map((step) => -step);
const qm6 = Int16Array.from([-136, -136, -136, -136, ...negative, ...positive, 432, 136, -432, -136]);
const positive4 = [20_456, 12_896, 8968, 6288, 4240, 2584, 1200];
const qm4 = Int16Array.from([0, ...positive4.map((step) => -step), ...positive4, 0]);
const qm2 = Int16Array.from([-7408, -1616, 7408, 1616]);
/** How each step moves the logarithm of the scale. */
const lowerMoves = [3042, 1198, 538, 334, 172, 58, -30];
const wl4 = Int16Array.from([-60, ...lowerMoves, ...lowerMoves, -60]);
const wh2 = Int16Array.from([798, -214, 798, -214]);
/** Powers of two in 32 steps. */
const ilb = Int16Array.from([
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
]);
/** From which share of the scale, in 1/4096, each level of the lower band begins, and from which the outer one of the higher. */
const q6 = Int16Array.from([
  35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458,
  1612, 1765, 1980, 2195, 2557, 2919,
]);
const q2 = 564;

/** What a difference may be, in 15 bits, and in 16. */
const limit15 = (value: number): number => (value > 16_383 ? 16_383 : value < -16_384 ? -16_384 : value);
const limit16 = (value: number): number => (value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value);

interface BandKind {
  readonly moves: Int16Array;
  readonly most: number;
  readonly shift: number;
  readonly scale: number;
}
const lower: BandKind = { moves: wl4, most: 18_432, shift: 8, scale: 32 };
const higher: BandKind = { moves: wh2, most: 22_528, shift: 10, scale: 8 };

/** What both ends of a band know of it: its scale, and what comes next by its last samples (two poles and six zeros). */
class Band {
  readonly #kind: BandKind;
  /** DET: the scale of the differences, NB: its logarithm, S: the prediction. */
  scale: number;
  prediction = 0;
  #log = 0;
  #zeros = 0;
  readonly #b = new Int32Array(6);
  readonly #d = new Int32Array(6);
  #a1 = 0;
  #a2 = 0;
  #r1 = 0;
  #p1 = 0;
  #p2 = 0;

  constructor(kind: BandKind) {
    this.#kind = kind;
    this.scale = kind.scale;
  }

  /** The next difference, `step` of the scale; `code` moves the scale. */
  adapt(step: number, code: number): void {
    const { moves, most, shift } = this.#kind;
    const d = (this.scale * step) >> 15;
    // LOGSCL, SCALEL.
    const log = ((this.#log * 127) >> 7) + (moves[code] ?? 0);
    this.#log = log < 0 ? 0 : log > most ? most : log;
    const right = shift - (this.#log >> 11);
    const power = ilb[(this.#log >> 6) & 31] ?? 0;
    this.scale = (right < 0 ? power << -right : power >> right) << 2;
    // RECONS, PARREC.
    const r = limit16(this.prediction + d);
    const p = limit16(this.#zeros + d);
    // UPPOL2, UPPOL1: by the signs of the last samples.
    const isSame1 = p < 0 === this.#p1 < 0;
    const wide = limit16(this.#a1 << 2);
    const turned = isSame1 ? -wide : wide;
    let a2 = ((turned > 32_767 ? 32_767 : turned) >> 7) + (p < 0 === this.#p2 < 0 ? 128 : -128);
    a2 += (this.#a2 * 32_512) >> 15;
    a2 = a2 > 12_288 ? 12_288 : a2 < -12_288 ? -12_288 : a2;
    const most1 = 15_360 - a2;
    const a1 = (isSame1 ? 192 : -192) + ((this.#a1 * 32_640) >> 15);
    this.#a1 = a1 > most1 ? most1 : a1 < -most1 ? -most1 : a1;
    this.#a2 = a2;
    // UPZERO, DELAYA, FILTEZ.
    const b = this.#b;
    const last = this.#d;
    const nudge = d === 0 ? 0 : 128;
    let zeros = 0;
    for (let index = 5; index >= 0; index -= 1) {
      const before = last[index] ?? 0;
      const zero = limit16((before < 0 === d < 0 ? nudge : -nudge) + (((b[index] ?? 0) * 32_640) >> 15));
      b[index] = zero;
      const now = index === 0 ? d : (last[index - 1] ?? 0);
      last[index] = now;
      zeros += (zero * limit16(now * 2)) >> 15;
    }
    this.#zeros = limit16(zeros);
    // FILTEP, PREDIC.
    const poles = ((this.#a1 * limit16(r * 2)) >> 15) + ((a2 * limit16(this.#r1 * 2)) >> 15);
    this.prediction = limit16(limit16(poles) + this.#zeros);
    this.#r1 = r;
    this.#p2 = this.#p1;
    this.#p1 = p;
  }
}

/** Longest packet that is believed: 200 ms. */
const mostOctets = 1600;

export class G722Decoder implements AudioDecoder {
  readonly #isWide: boolean;
  readonly #lower = new Band(lower);
  readonly #higher = new Band(higher);
  readonly #history = new Int32Array(taps);
  readonly #concealment: Concealment;

  constructor(rate: SampleRate) {
    this.#isWide = rate === 16_000;
    this.#concealment = new Concealment(rate);
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (payload.length > mostOctets) return undefined;
    const pcm = new Int16Array(this.#isWide ? 2 * payload.length : payload.length);
    for (let index = 0; index < payload.length; index += 1) {
      const octet = payload[index] ?? 0;
      const { scale, prediction } = this.#lower;
      const low = limit15(prediction + ((scale * (qm6[octet & 63] ?? 0)) >> 15));
      const code = (octet & 63) >> 2;
      this.#lower.adapt(qm4[code] ?? 0, code);
      if (this.#isWide) this.#join(low, octet >> 6, pcm, 2 * index);
      else pcm[index] = 2 * low;
    }
    return this.#concealment.heard(pcm);
  }

  conceal(samples: number): Int16Array {
    return this.#concealment.made(samples);
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

  #join(low: number, code: number, pcm: Int16Array, at: number): void {
    const step = qm2[code] ?? 0;
    const { scale, prediction } = this.#higher;
    const high = limit15(prediction + ((scale * step) >> 15));
    this.#higher.adapt(step, code);
    const history = this.#history;
    history.copyWithin(0, 2);
    history[taps - 2] = low + high;
    history[taps - 1] = low - high;
    let [one, other] = [0, 0];
    for (let index = 0; index < qmf.length; index += 1) {
      other += (history[2 * index] ?? 0) * (qmf[index] ?? 0);
      one += (history[2 * index + 1] ?? 0) * (qmf[qmf.length - 1 - index] ?? 0);
    }
    pcm[at] = limit16(one >> 11);
    pcm[at + 1] = limit16(other >> 11);
  }
}

export class G722Encoder implements AudioEncoder {
  readonly #isWide: boolean;
  readonly #lower = new Band(lower);
  readonly #higher = new Band(higher);
  readonly #history = new Int32Array(taps);

  constructor(rate: SampleRate) {
    this.#isWide = rate === 16_000;
  }

  encode(pcm: Int16Array): Uint8Array {
    const payload = new Uint8Array(this.#isWide ? pcm.length >> 1 : pcm.length);
    for (let index = 0; index < payload.length; index += 1)
      payload[index] = this.#isWide
        ? this.#split(pcm[2 * index] ?? 0, pcm[2 * index + 1] ?? 0)
        : this.#octet((pcm[index] ?? 0) >> 1, 0);
    return payload;
  }

  release(): void {
    // Nothing is kept.
  }

  #split(one: number, two: number): number {
    const history = this.#history;
    history.copyWithin(0, 2);
    history[taps - 2] = one;
    history[taps - 1] = two;
    let [odd, even] = [0, 0];
    for (let index = 0; index < qmf.length; index += 1) {
      odd += (history[2 * index] ?? 0) * (qmf[index] ?? 0);
      even += (history[2 * index + 1] ?? 0) * (qmf[qmf.length - 1 - index] ?? 0);
    }
    return this.#octet(limit15((even + odd) >> 14), limit15((even - odd) >> 14));
  }

  #octet(low: number, high: number): number {
    const lowCode = this.#quantized(limit16(low - this.#lower.prediction));
    const code = lowCode >> 2;
    this.#lower.adapt(qm4[code] ?? 0, code);
    const difference = limit16(high - this.#higher.prediction);
    const isOuter = (difference < 0 ? ~difference : difference) >= (q2 * this.#higher.scale) >> 12;
    const highCode = (difference < 0 ? 1 : 3) - (isOuter ? 1 : 0);
    this.#higher.adapt(qm2[highCode] ?? 0, highCode);
    return (highCode << 6) | lowCode;
  }

  /** QUANTL: the level, the smallest of which have codes of their own. */
  #quantized(difference: number): number {
    const size = difference < 0 ? ~difference : difference;
    const { scale } = this.#lower;
    let [least, most] = [0, q6.length];
    while (least < most) {
      const middle = (least + most) >> 1;
      if (size < ((q6[middle] ?? 0) * scale) >> 12) most = middle;
      else least = middle + 1;
    }
    if (difference >= 0) return 61 - least;
    return least < 2 ? 63 - least : 33 - least;
  }
}
