// Pure tones as 16-bit samples: for prompts, for fake microphones and for proving where audio goes.

/** Two frequencies of each key, low group and high group in Hz (ITU-T Q.23). */
const KEY_ROWS = [697, 770, 852, 941] as const;
const KEY_COLUMNS = [1209, 1336, 1477, 1633] as const;
const KEYS = "123A456B789C*0#D";

/** A tone that goes on without a click from one block to the next. */
export interface Tone {
  /** The next `count` samples. */
  next(count: number): Int16Array;
}

/**
 * A continuous sum of sines.
 * @param hz one frequency or several, each at `amplitude` divided by their number
 * @param rate samples per second
 * @param amplitude peak of the sum, 0 to 1 of full scale
 */
export function continuousTone(hz: number | readonly number[], rate: number, amplitude = 0.4): Tone {
  const frequencies = typeof hz === "number" ? [hz] : hz;
  const peak = (amplitude * 32_767) / Math.max(1, frequencies.length);
  let position = 0;
  return {
    next(count) {
      const samples = new Int16Array(count);
      for (let index = 0; index < count; index += 1, position += 1) {
        let sum = 0;
        for (const frequency of frequencies) {
          // The fraction of a turn, taken before the sine, stays exact for hours.
          sum += Math.sin(2 * Math.PI * (((position * frequency) / rate) % 1));
        }
        samples[index] = Math.round(sum * peak);
      }
      return samples;
    },
  };
}

/** `durationMs` of a tone; see {@link continuousTone}. */
export function tone(hz: number | readonly number[], rate: number, durationMs: number, amplitude = 0.4): Int16Array {
  return continuousTone(hz, rate, amplitude).next(Math.round((rate * durationMs) / 1000));
}

/** The two frequencies (Hz) of a telephone key, or undefined for what is no key. */
export function keyFrequencies(key: string): readonly [number, number] | undefined {
  const index = key.length === 1 ? KEYS.indexOf(key.toUpperCase()) : -1;
  const low = KEY_ROWS[index >> 2];
  const high = KEY_COLUMNS[index & 3];
  return index < 0 || low === undefined || high === undefined ? undefined : [low, high];
}

/** Samples one after the other. */
export function concatenate(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
