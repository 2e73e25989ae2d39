// How like the original is what is heard? Segmental SNR: the mean over the 20 ms frames with speech of the ratio of the speech
// to its difference from the original, each between -10 and 35 dB. It compares waveforms, so it knows nothing of what people
// notice, and punishes a codec that keeps the sound and not the wave; it is for comparing versions, not codecs.
import { readFileSync } from "node:fs";
import { decodeUlaw } from "../../../dev/audio/g711.ts";

const rate = 8000;

/** 5 s of a synthetic voice (espeak-ng), at 16 kHz. */
export function speech(): Int16Array {
  return decodeUlaw(readFileSync(new URL("../rtp/speech-16khz.ulaw", import.meta.url)));
}

/** At another rate, by a windowed sinc. */
export function resampled(samples: Int16Array, from: number, to: number): Int16Array {
  const reach = 32 * Math.max(1, from / to);
  const cut = Math.min(1, to / from) * 0.92;
  return Int16Array.from({ length: Math.floor((samples.length * to) / from) }, (_, index) => {
    const place = (index * from) / to;
    let sum = 0;
    for (let at = Math.ceil(place - reach); at <= place + reach; at += 1) {
      const turn = Math.PI * (place - at);
      const sinc = turn === 0 ? cut : Math.sin(turn * cut) / turn;
      sum += (samples[at] ?? 0) * sinc * (0.5 + 0.5 * Math.cos(turn / reach));
    }
    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  });
}

export interface Fidelity {
  readonly segmentalSnrDb: number;
  /** How much louder it is. */
  readonly gainDb: number;
  readonly delayMs: number;
}

function power(samples: Int16Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 1);
}

/** Of what was heard at 8 kHz, wherever in it the original begins, up to 80 ms late. */
export function fidelityOf(original: Int16Array, heard: Int16Array): Fidelity {
  let best = 0;
  let likeness = -Infinity;
  for (let delay = 0; delay <= 640; delay += 1) {
    let product = 0;
    for (let index = 0; index < original.length; index += 3)
      product += (original[index] ?? 0) * (heard[index + delay] ?? 0);
    if (product > likeness) [likeness, best] = [product, delay];
  }
  const late = heard.subarray(best, best + original.length);
  const frame = rate / 50;
  const loud = power(original) / original.length / 100;
  const ratios: number[] = [];
  for (let start = 0; start + frame <= late.length; start += frame) {
    const own = original.subarray(start, start + frame);
    const difference = own.map((sample, index) =>
      Math.max(-32_768, Math.min(32_767, sample - (late[start + index] ?? 0))),
    );
    if (power(own) / frame < loud) continue;
    ratios.push(Math.max(-10, Math.min(35, 10 * Math.log10(power(own) / power(difference)))));
  }
  return {
    segmentalSnrDb: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
    gainDb: 10 * Math.log10(power(late) / power(original.subarray(0, late.length))),
    delayMs: (best * 1000) / rate,
  };
}
