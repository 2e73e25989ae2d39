// The tones of ours that a caller hears, as samples: made once, and short.
import type { Prompt } from "../../../core/media-end.ts";

export const toneRate = 8000;
/** -15 dB below full scale: as loud as a ringing tone. */
const level = 5800;
/** Without it a tone begins and ends with a click. */
const rampMs = 10;

/** `hertz` 0: a pause. */
interface Piece {
  readonly hertz: number;
  readonly ms: number;
}

const pieces: Readonly<Record<Prompt, readonly Piece[]>> = {
  // The way to the caller opens with the answer: what is sent at once may be lost.
  enter: [
    { hertz: 0, ms: 500 },
    { hertz: 1000, ms: 300 },
  ],
  wrong: [
    { hertz: 350, ms: 200 },
    { hertz: 0, ms: 100 },
    { hertz: 350, ms: 200 },
  ],
  right: [
    { hertz: 600, ms: 150 },
    { hertz: 900, ms: 250 },
  ],
};

const made = new Map<Prompt, Int16Array>();

export function samplesOf(prompt: Prompt): Int16Array {
  const known = made.get(prompt);
  if (known !== undefined) return known;
  const samples = Int16Array.from(pieces[prompt].flatMap(sound));
  made.set(prompt, samples);
  return samples;
}

function sound({ hertz, ms }: Piece): number[] {
  const count = (ms * toneRate) / 1000;
  const ramp = (rampMs * toneRate) / 1000;
  return Array.from({ length: count }, (_, index) => {
    const envelope = Math.min(1, index / ramp, (count - index) / ramp);
    return Math.round(level * envelope * Math.sin((2 * Math.PI * hertz * index) / toneRate));
  });
}
