// What may have been there, where packets of a codec are missing that tells nothing of it: the last pitch period again and
// again, fading (after G.711 Appendix I), or comfort noise (RFC 3389).
import type { SampleRate } from "./audio-codec.ts";

/** At 8 kHz, in samples: the pitch periods that are looked for, and what they are compared over. */
const pitch = { shortest: 40, longest: 120, window: 160 };
/** It has faded from the one to the other. */
const fading = { from: 80, to: 480 };
/** From what was made up to what came. */
const blended = 40;

export class Concealment {
  /** Times 8 kHz. */
  readonly #times: number;
  readonly #last: Int16Array;
  /** While it makes up: the period that is repeated, and how much has been made. */
  #period: Int16Array | undefined;
  #made = 0;
  #noise: number | undefined;

  constructor(rate: SampleRate) {
    this.#times = rate / 8000;
    this.#last = new Int16Array((pitch.longest + pitch.window) * this.#times);
  }

  /** What has come, blended in place with what was made up before it. */
  heard(pcm: Int16Array): Int16Array {
    if (this.#period !== undefined) this.#blend(pcm);
    this.#noise = undefined;
    const last = this.#last;
    if (pcm.length >= last.length) last.set(pcm.subarray(pcm.length - last.length));
    else {
      last.copyWithin(0, pcm.length);
      last.set(pcm, last.length - pcm.length);
    }
    return pcm;
  }

  made(count: number): Int16Array {
    const pcm = new Int16Array(count);
    for (let index = 0; index < count; index += 1) pcm[index] = this.#next();
    return pcm;
  }

  hush(level: number): void {
    // White noise of that power: uniform between plus and minus the square root of three times it.
    this.#noise = 32_767 * 10 ** (-level / 20) * Math.sqrt(3);
  }

  #next(): number {
    if (this.#noise !== undefined) return Math.round((Math.random() * 2 - 1) * this.#noise);
    this.#period ??= this.#lastPeriod();
    const { length } = this.#period;
    const sample = this.#period[this.#made % length] ?? 0;
    const faded = (this.#made / this.#times - fading.from) / (fading.to - fading.from);
    this.#made += 1;
    return Math.round(sample * Math.max(0, Math.min(1, 1 - faded)));
  }

  #blend(pcm: Int16Array): void {
    const count = Math.min(blended * this.#times, pcm.length);
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
    const [shortest, longest] = [pitch.shortest * this.#times, pitch.longest * this.#times];
    let best = longest;
    let likeness = -1;
    for (let lag = shortest; lag <= longest; lag += 1) {
      let product = 0;
      let power = 1;
      for (let index = longest; index < last.length; index += this.#times) {
        const earlier = last[index - lag] ?? 0;
        product += (last[index] ?? 0) * earlier;
        power += earlier * earlier;
      }
      const like = product / Math.sqrt(power);
      if (like > likeness) [likeness, best] = [like, lag];
    }
    return last.slice(last.length - best);
  }
}
