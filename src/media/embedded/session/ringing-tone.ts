// What a caller hears while the other telephone rings, for one who is in a conference already and hears nothing else: 425 Hz,
// one second in five (ITU-T E.180 s5).
import { OpusEncoder } from "../codec/opus-encoder.ts";
import { clockMs } from "../base/clock.ts";
import type { OutgoingStream } from "../rtp/outgoing-stream.ts";

const tone = { hertz: 425, level: 4000, soundMs: 1000, cycleMs: 5000 };
const rate = 8000;
const frameMs = 20;
/** As conferences know it. */
const outlet = { payloadType: 111, isEvent: false, toClockRate: 48_000 };
/** Beyond all SSRCs and whatever is numbered by converters: one source of its own for each stream. */
const source = -1;

/** The frames of the sounding second, made once. */
let frames: readonly Uint8Array[] | undefined;

function soundFrames(): readonly Uint8Array[] {
  const encoder = new OpusEncoder(rate, "");
  const samples = (rate * frameMs) / 1000;
  const made = Array.from({ length: tone.soundMs / frameMs }, (_, frame) =>
    encoder.encode(
      Int16Array.from({ length: samples }, (_, index) =>
        Math.round(tone.level * Math.sin((2 * Math.PI * tone.hertz * (frame * samples + index)) / rate)),
      ),
      0,
    ),
  );
  encoder.release();
  return made;
}

export class RingingTone {
  readonly #stream: OutgoingStream;
  readonly #sinceMs = clockMs();
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #sequence = 0;

  constructor(stream: OutgoingStream) {
    this.#stream = stream;
    this.#timer = setInterval(() => this.#sound(), frameMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stream.part();
  }

  /** All that is due: timers are late now and then. */
  #sound(): void {
    frames ??= soundFrames();
    const nowMs = clockMs();
    for (; this.#next * frameMs <= nowMs - this.#sinceMs; this.#next += 1) {
      const inCycle = (this.#next * frameMs) % tone.cycleMs;
      const frame = frames[inCycle / frameMs];
      if (frame === undefined) continue;
      this.#sequence += 1;
      const timestamp = (this.#next * frameMs * outlet.toClockRate) / 1000;
      const numbers = { ssrc: source, sequence: this.#sequence & 0xffff, timestamp, marker: inCycle === 0 };
      this.#stream.utter(numbers, frame, outlet, inCycle === 0, nowMs);
    }
  }
}
