// What a called number lets hear, 8,000 samples a second, made as it is needed.
import { concatenate, continuousTone, keyFrequencies, tone } from "../../audio/tone.ts";

const RATE = 8_000;

/** Sound that goes out of one leg. */
export interface Sound {
  next(count: number): Int16Array;
  /** What the caller says, as it comes in. */
  hear?(samples: Int16Array): void;
  /** A key that the caller pressed and let go. */
  press?(digit: string): void;
}

export type SoundName =
  | "silence"
  | "echo"
  | "chime"
  | "keys"
  /** The three rising tones before "not in service" (ITU-T E.180 s7, special information tone). */
  | "special-information"
  | { readonly hz: number | readonly number[] };

export function makeSound(name: SoundName): Sound {
  if (typeof name === "object") return continuousTone(name.hz, RATE);
  switch (name) {
    case "silence":
      return { next: (count) => new Int16Array(count) };
    case "echo":
      return echo();
    case "chime":
      return loop(chime());
    case "keys":
      return keys();
    case "special-information":
      return loop(concatenate([...[950, 1400, 1800].map((hz) => tone(hz, RATE, 330)), new Int16Array(RATE)]));
    default:
      return name satisfies never;
  }
}

function loop(samples: Int16Array): Sound {
  let position = 0;
  return {
    next: (count) =>
      Int16Array.from({ length: count }, () => {
        const sample = samples[position] ?? 0;
        position = (position + 1) % samples.length;
        return sample;
      }),
  };
}

/** Four bell strokes down the stairs of a major chord, and a rest. */
function chime(): Int16Array {
  const strokes = [784, 659, 523, 392].map((hz, index) => {
    const stroke = tone([hz, 2.76 * hz], RATE, index === 3 ? 1_200 : 500, 0.7);
    return stroke.map((sample, at) => Math.round(sample * Math.exp(-at / (0.25 * RATE))));
  });
  return concatenate([...strokes, new Int16Array(RATE)]);
}

/** Enough for the jitter of a busy machine, short enough not to disturb who talks. */
const ECHO_START_SAMPLES = 480;
const ECHO_LIMIT_SAMPLES = 4_000;

function echo(): Sound {
  let heard: Int16Array = new Int16Array(0);
  let playing = false;
  return {
    hear(samples) {
      heard = concatenate([heard, samples]).slice(-ECHO_LIMIT_SAMPLES);
      playing ||= heard.length >= ECHO_START_SAMPLES;
    },
    next(count) {
      const samples = new Int16Array(count);
      if (!playing) return samples;
      samples.set(heard.subarray(0, count));
      heard = heard.slice(count);
      playing = heard.length > 0;
      return samples;
    },
  };
}

const KEY_TONE_MS = 250;
const KEY_PAUSE_MS = 80;

/** Says each key that was pressed with its own two tones. */
function keys(): Sound {
  let waiting: Int16Array = new Int16Array(0);
  return {
    press(digit) {
      const pause = new Int16Array((RATE * KEY_PAUSE_MS) / 1000);
      waiting = concatenate([waiting, tone(keyFrequencies(digit) ?? [], RATE, KEY_TONE_MS), pause]);
    },
    next(count) {
      const samples = new Int16Array(count);
      samples.set(waiting.subarray(0, count));
      waiting = waiting.slice(count);
      return samples;
    },
  };
}
