// What a caller hears while it rings at the other end, for one who is in a conference already, or whose line was answered, and
// hears nothing else: 425 Hz, one second in five (ITU-T E.180 s5).
import { codecOf } from "../codec/codecs.ts";
import { clockMs } from "../base/clock.ts";
import type { OutgoingStream } from "../rtp/outgoing-stream.ts";
import type { HeardFormat } from "../trunk/dialog-media.ts";

const tone = { hertz: 425, level: 4000, soundMs: 1000, cycleMs: 5000 };
const rate = 8000;
const frameMs = 20;
/** Beyond all SSRCs and whatever is numbered by converters: one source of its own for each stream. */
const source = -1;

/** The frames of the sounding second by codec, made once. */
const frames = new Map<string, readonly Uint8Array[]>();

function framesIn(codec: string): readonly Uint8Array[] {
  const known = frames.get(codec) ?? soundFrames(codec);
  frames.set(codec, known);
  return known;
}

function soundFrames(codec: string): readonly Uint8Array[] {
  const encoder = codecOf(codec)?.encoder(rate, "");
  if (encoder === undefined) return [];
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
  readonly #format: () => HeardFormat | undefined;
  readonly #sinceMs = clockMs();
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #sequence = 0;

  /** `format`: in which it is heard now; undefined: nobody hears it yet. */
  constructor(stream: OutgoingStream, format: () => HeardFormat | undefined) {
    this.#stream = stream;
    this.#format = format;
    this.#timer = setInterval(() => this.#sound(), frameMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stream.part();
  }

  /** All that is due: timers are late now and then. */
  #sound(): void {
    const format = this.#format();
    const nowMs = clockMs();
    for (; this.#next * frameMs <= nowMs - this.#sinceMs; this.#next += 1) {
      const inCycle = (this.#next * frameMs) % tone.cycleMs;
      const frame = format && framesIn(format.name)[inCycle / frameMs];
      if (format === undefined || frame === undefined) continue;
      this.#sequence += 1;
      const outlet = { payloadType: format.payloadType, isEvent: false, toClockRate: format.clockRate };
      const timestamp = (this.#next * frameMs * format.clockRate) / 1000;
      const numbers = { ssrc: source, sequence: this.#sequence & 0xffff, timestamp, marker: inCycle === 0 };
      this.#stream.utter(numbers, frame, outlet, inCycle === 0, nowMs);
    }
  }
}
