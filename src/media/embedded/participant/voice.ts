// What one of several participants says, as samples: in order, and ready when they are to be heard together with the others.
import type { AudioDecoder, SampleRate } from "../codec/audio-codec.ts";
import { codecOf } from "../codec/codecs.ts";
import { DoubledDecoder } from "../codec/doubled-decoder.ts";
import { ReorderBuffer } from "../rtp/reorder-buffer.ts";

/** The sound of a network is uneven: so long the first packet after a pause waits, and so much is kept at most. */
const waitMs = 40;
const mostMs = 200;
/** The longest hole that is filled by guessing. */
const mostConcealedMs = 100;

export class Voice {
  readonly codec: string;
  readonly #decoder: AudioDecoder;
  readonly #rate: SampleRate;
  readonly #order = new ReorderBuffer<Uint8Array>((frame, lost) => this.#decode(frame, lost));
  #samples: Int16Array[] = [];
  #count = 0;
  #usual: number;
  /** When what is said next may be heard; undefined: nothing is said. */
  #readyAtMs: number | undefined;
  #nowMs = 0;

  /** Undefined: it cannot be decoded. */
  static of(name: string, rate: SampleRate): Voice | undefined {
    const codec = codecOf(name);
    if (codec === undefined) return undefined;
    const decoder = codec.rate < rate ? new DoubledDecoder(codec.decoder(codec.rate)) : codec.decoder(rate);
    return new Voice(name, decoder, rate);
  }

  private constructor(codec: string, decoder: AudioDecoder, rate: SampleRate) {
    this.codec = codec;
    this.#decoder = decoder;
    this.#rate = rate;
    this.#usual = rate / 50;
  }

  say(sequence: number, frame: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#order.push(sequence, frame);
  }

  /** Adds the next samples to `sum`, if there are any now. */
  addTo(sum: Int32Array, nowMs: number): void {
    if (this.#readyAtMs === undefined || nowMs < this.#readyAtMs) return;
    for (let filled = 0; filled < sum.length;) {
      const [first] = this.#samples;
      if (first === undefined) {
        this.#readyAtMs = undefined;
        return;
      }
      const part = first.subarray(0, sum.length - filled);
      for (const [index, sample] of part.entries()) sum[filled + index] = (sum[filled + index] ?? 0) + sample;
      filled += part.length;
      this.#count -= part.length;
      if (part.length === first.length) this.#samples.shift();
      else this.#samples[0] = first.subarray(part.length);
    }
  }

  release(): void {
    this.#order.clear();
    this.#decoder.release();
  }

  #decode(frame: Uint8Array, lost: number): void {
    const most = (this.#rate * mostConcealedMs) / 1000;
    if (lost > 0) this.#append(this.#decoder.conceal(Math.min(most, lost * this.#usual), frame));
    const samples = this.#decoder.decode(frame) ?? this.#decoder.conceal(this.#usual);
    this.#usual = samples.length;
    this.#append(samples);
  }

  #append(samples: Int16Array): void {
    this.#readyAtMs ??= this.#nowMs + waitMs;
    this.#samples.push(samples);
    this.#count += samples.length;
    // Their clock is faster than ours, or many packets came at once: the oldest are given up.
    while (this.#count > (this.#rate * mostMs) / 1000) this.#count -= this.#samples.shift()?.length ?? this.#count;
  }
}
