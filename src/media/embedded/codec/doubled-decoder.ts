// A narrowband codec as one that gives twice as many samples, so that it can be mixed with wideband ones. A filter of half the band
// keeps the mirror of the voice above 4 kHz out.
import type { AudioDecoder } from "./audio-codec.ts";

/** Of the samples in between: a windowed sine cardinal. Those that there are stay as they are. */
const reach = 8;
const taps = Float64Array.from({ length: 2 * reach }, (_, index) => {
  const distance = index - reach + 0.5;
  const window = 0.5 * (1 + Math.cos((Math.PI * distance) / reach));
  return (window * Math.sin(Math.PI * distance)) / (Math.PI * distance);
});

export class DoubledDecoder implements AudioDecoder {
  readonly #decoder: AudioDecoder;
  /** The last samples, which the next ones are joined to: they come by half the filter later. */
  #before = new Int16Array(taps.length);

  constructor(decoder: AudioDecoder) {
    this.#decoder = decoder;
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    const samples = this.#decoder.decode(payload);
    return samples && this.#double(samples);
  }

  conceal(samples: number, next?: Uint8Array): Int16Array {
    return this.#double(this.#decoder.conceal(Math.round(samples / 2), next));
  }

  isPause(payload: Uint8Array): boolean {
    return this.#decoder.isPause(payload);
  }

  hush(level: number): void {
    this.#decoder.hush(level);
  }

  release(): void {
    this.#decoder.release();
  }

  #double(samples: Int16Array): Int16Array {
    const all = new Int16Array(this.#before.length + samples.length);
    all.set(this.#before);
    all.set(samples, this.#before.length);
    const doubled = new Int16Array(2 * samples.length);
    for (let index = 0; index < samples.length; index += 1) {
      let between = 0;
      for (let tap = 0; tap < taps.length; tap += 1) between += (taps[tap] ?? 0) * (all[index + tap + 1] ?? 0);
      doubled[2 * index] = all[index + reach] ?? 0;
      doubled[2 * index + 1] = Math.max(-32_768, Math.min(32_767, Math.round(between)));
    }
    this.#before = all.slice(-this.#before.length);
    return doubled;
  }
}
