// The beat of all audio in this process: every 20 ms by the monotonic clock, so that a timer that fires late
// makes a packet late and never the stream slow.

const FRAME_MS = 20;
/** Someone who was away for longer (a suspended machine) goes on from now. */
const LONGEST_CATCH_UP_FRAMES = 25;

const beats = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;
let nextAtMs = 0;

function tick(): void {
  timer = undefined;
  let frames = Math.floor((performance.now() - nextAtMs) / FRAME_MS) + 1;
  if (frames > LONGEST_CATCH_UP_FRAMES) {
    nextAtMs = performance.now();
    frames = 1;
  }
  for (let frame = 0; frame < frames; frame += 1) {
    nextAtMs += FRAME_MS;
    for (const beat of beats) beat();
  }
  schedule();
}

function schedule(): void {
  if (timer !== undefined || beats.size === 0) return;
  timer = setTimeout(tick, Math.max(0, nextAtMs - performance.now()));
}

/** Calls `beat` once for each 20 ms from now on, until the returned function is called. */
export function everyFrame(beat: () => void): () => void {
  if (beats.size === 0) nextAtMs = performance.now() + FRAME_MS;
  beats.add(beat);
  schedule();
  return () => {
    beats.delete(beat);
    if (beats.size > 0) return;
    clearTimeout(timer);
    timer = undefined;
  };
}
