// The tone while it rings, at either end: Matrix has no early media, so the phone makes it.

/** 425 Hz is the tone of most networks (ITU-T E.180); one second on, three off. */
const frequencyHz = 425;
const onSeconds = 1;
const periodSeconds = 4;
const loudness = 0.06;
const edgeSeconds = 0.02;

export class RingTone {
  #stop: (() => void) | undefined;

  start(context: AudioContext): void {
    if (this.#stop) return;
    const oscillator = new OscillatorNode(context, { frequency: frequencyHz });
    const gain = new GainNode(context, { gain: 0 });
    oscillator.connect(gain).connect(context.destination);
    oscillator.start();
    const ring = () => {
      const begin = context.currentTime;
      gain.gain.setTargetAtTime(loudness, begin, edgeSeconds);
      gain.gain.setTargetAtTime(0, begin + onSeconds, edgeSeconds);
    };
    ring();
    const timer = setInterval(ring, periodSeconds * 1000);
    this.#stop = () => {
      clearInterval(timer);
      oscillator.stop();
      gain.disconnect();
    };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
