// Which tone is in these samples? The answer a test believes: not "packets came" but "440 Hz came".
// Works in blocks of 50 ms and adds their powers, so that a skipped or repeated packet (a jump of
// the phase) costs one block and not the whole second.

const BLOCK_MS = 50;

/** What was heard. `ratio` is the power of the tone over the power of all else (1 is 0 dB). */
export interface Heard {
  /** The strongest of the frequencies asked for, or undefined where there is (almost) silence. */
  readonly hz: number | undefined;
  readonly ratio: number;
  /** Mean power of everything, dB below a full-scale square wave; -Infinity for nothing at all. */
  readonly levelDb: number;
}

/** Below this it is line noise and codec idle noise, not a tone. */
const SILENCE_DB = -55;

function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / length));
}

/** Mean power at `hz` in one windowed block, in the units of the samples squared. */
function blockPower(block: Float64Array, weight: number, rate: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let previous = 0;
  let beforeThat = 0;
  for (const sample of block) {
    const current = sample + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = current;
  }
  const squared = previous * previous + beforeThat * beforeThat - coefficient * previous * beforeThat;
  return (2 * squared) / (weight * weight); // (2|X|/weight)^2 / 2, the mean square of that sine
}

/**
 * Listens for the given frequencies.
 * @param samples 16-bit (or equally scaled) samples; at least 50 ms, a second to be sure
 * @param rate samples per second
 * @param frequencies Hz, more than 40 Hz apart and below half the rate
 */
export function listen(samples: Int16Array | Float32Array, rate: number, frequencies: readonly number[]): Heard {
  const length = Math.round((rate * BLOCK_MS) / 1000);
  const window = hann(length);
  const weight = window.reduce((sum, value) => sum + value, 0);
  const powers = frequencies.map(() => 0);
  const block = new Float64Array(length);
  let total = 0;
  let blocks = 0;
  for (let start = 0; start + length <= samples.length; start += length, blocks += 1) {
    for (let index = 0; index < length; index += 1) {
      const sample = samples[start + index] ?? 0;
      const factor = window[index] ?? 0;
      block[index] = sample * factor;
      total += (sample * sample * factor) / weight;
    }
    for (const [index, hz] of frequencies.entries()) {
      powers[index] = (powers[index] ?? 0) + blockPower(block, weight, rate, hz);
    }
  }
  if (blocks === 0 || total === 0) return { hz: undefined, ratio: 0, levelDb: -Infinity };
  const levelDb = 10 * Math.log10(total / blocks / 32_768 ** 2);
  const strongest = powers.indexOf(Math.max(...powers));
  const power = powers[strongest] ?? 0;
  const ratio = power / Math.max(total - power, total * 1e-9);
  return { hz: levelDb < SILENCE_DB ? undefined : frequencies[strongest], ratio, levelDb };
}
