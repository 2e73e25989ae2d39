// Listens to what the far side plays: the tone that is in it, not how many packets came.
import { listen } from "../../../dev/audio/goertzel.ts";
import type { HeardReport } from "./api.ts";

/** Samples per second: 32768 of them, the most an analyser keeps, are then two seconds. */
const RATE = 16_000;
const KEPT_SAMPLES = 32_768;
/** So often it is looked whether there is sound at all, and in so many of the latest samples. */
const LOOK_EVERY_MS = 5;
const LOOKED_AT_SAMPLES = 128;
/** Far above what an idle decoder puts out, far below any tone. */
const AUDIBLE = 0.01;

export class Ear {
  readonly #context = new AudioContext({ sampleRate: RATE });
  readonly #element = document.createElement("audio");
  #stream: MediaStream | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #analyser: AnalyserNode | undefined;
  #since = 0;
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.#element.autoplay = true;
    document.body.append(this.#element);
  }

  /**
   * Plays a stream as a client does, and listens to it. A stream it has already stays as it is.
   * @param audible told once, when there is something to be heard
   */
  attach(stream: MediaStream, audible: () => void): void {
    if (stream === this.#stream || stream.getAudioTracks().length === 0) return;
    this.detach();
    this.#stream = stream;
    // Chromium decodes a remote track only while a media element plays it.
    this.#element.srcObject = stream;
    void this.#context.resume();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = KEPT_SAMPLES;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
    this.#since = performance.now();
    this.#lookFor(this.#source, audible);
  }

  #lookFor(source: MediaStreamAudioSourceNode, audible: () => void): void {
    const latest = this.#context.createAnalyser();
    latest.fftSize = LOOKED_AT_SAMPLES;
    source.connect(latest);
    const samples = new Float32Array(LOOKED_AT_SAMPLES);
    this.#looking = setInterval(() => {
      latest.getFloatTimeDomainData(samples);
      if (!samples.some((sample) => Math.abs(sample) > AUDIBLE)) return;
      clearInterval(this.#looking);
      audible();
    }, LOOK_EVERY_MS);
  }

  detach(): void {
    clearInterval(this.#looking);
    this.#source?.disconnect();
    this.#source = undefined;
    this.#analyser = undefined;
    this.#stream = undefined;
    this.#element.srcObject = null;
  }

  /** Undefined while the stream is younger than `durationMs`. */
  heard(frequencies: readonly number[], durationMs: number): HeardReport | undefined {
    if (this.#analyser === undefined || performance.now() - this.#since < durationMs) return undefined;
    const samples = new Float32Array(KEPT_SAMPLES);
    this.#analyser.getFloatTimeDomainData(samples);
    const wanted = Math.min(KEPT_SAMPLES, Math.round((RATE * durationMs) / 1000));
    // From -1..1 to the scale of 16-bit samples.
    const last = samples.slice(KEPT_SAMPLES - wanted).map((sample) => sample * 32_768);
    return listen(last, RATE, frequencies);
  }
}
