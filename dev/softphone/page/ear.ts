// What is heard: plays the other side and measures it, so that a person sees the level
// and a test can ask which tone comes in.

const fftSize = 2048;
/** Below this the level shows nothing; 0 dB is full scale. */
const floorDb = -60;

export class Ear {
  readonly #player = new Audio();
  #context: AudioContext | undefined;
  #analyser: AnalyserNode | undefined;
  #source: MediaStreamAudioSourceNode | undefined;

  constructor() {
    this.#player.autoplay = true;
  }

  /** To be called from a click or a key: browsers keep sound back until then. */
  async wake(): Promise<AudioContext> {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") await this.#context.resume();
    return this.#context;
  }

  /** Listens to this stream from now on. The same stream again changes nothing. */
  listenTo(stream: MediaStream): void {
    if (this.#player.srcObject === stream || stream.getAudioTracks().length === 0) return;
    this.stop();
    // Chromium feeds a remote stream to Web Audio only if an element plays it as well.
    this.#player.srcObject = stream;
    this.#player.play().catch((error: unknown) => console.warn("The browser does not play the call", error));
    this.#context ??= new AudioContext();
    this.#analyser = new AnalyserNode(this.#context, { fftSize, smoothingTimeConstant: 0.5 });
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  stop(): void {
    this.#source?.disconnect();
    this.#source = undefined;
    this.#analyser = undefined;
    this.#player.srcObject = null;
  }

  /** 0 for silence to 1 for full scale, on a scale of decibels. */
  level(): number {
    if (!this.#analyser) return 0;
    const samples = new Float32Array(fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibels = power > 0 ? 10 * Math.log10(power) : floorDb;
    return Math.min(1, Math.max(0, 1 - decibels / floorDb));
  }

  /** The loudest frequency and how far it stands above the median of all, in dB. */
  loudestTone(): { readonly frequencyHz: number; readonly aboveMedianDb: number } | undefined {
    const analyser = this.#analyser;
    if (!analyser || !this.#context || this.level() === 0) return undefined;
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.reduce((best, value, index) => (value > (bins[best] ?? 0) ? index : best), 0);
    const median = bins.toSorted()[bins.length >> 1] ?? 0;
    return {
      frequencyHz: (loudest * this.#context.sampleRate) / fftSize,
      aboveMedianDb: (bins[loudest] ?? 0) - median,
    };
  }
}
