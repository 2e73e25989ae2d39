// Several voices in one stream: decoded, added, and encoded again, one packet every 20 ms. To whoever listens it is one more
// source, with an SSRC of its own.
import { randomInt } from "node:crypto";
import { clockMs } from "../base/clock.ts";
import type { AudioEncoder, SampleRate } from "../codec/audio-codec.ts";
import { codecOf } from "../codec/codecs.ts";
import { writeRtp, type RtpHeader } from "../rtp/rtp-packet.ts";
import { heardAt, opusFormat } from "./track-formats.ts";
import { Voice } from "./voice.ts";

/** What telephones carry at most. */
const rate: SampleRate = 16_000;
const frameMs = 20;
const ticksPerFrame = (opusFormat.clockRate * frameMs) / 1000;
/** A worker that was held up for longer does not make up for it. */
const mostLateMs = 200;

export class Mixer {
  readonly #emit: (packet: Buffer) => void;
  readonly #encoder: AudioEncoder | undefined = codecOf(opusFormat.name)?.encoder(rate, "");
  readonly #voices = new Map<number, Voice>();
  readonly #sum = new Int32Array((rate * frameMs) / 1000);
  readonly #ssrc = randomInt(1, 0xffff_ffff);
  #sequence = randomInt(0x8000);
  #timestamp = randomInt(0xffff_ffff);
  #dueAtMs: number;
  #timer: NodeJS.Timeout;

  constructor(emit: (packet: Buffer) => void) {
    this.#emit = emit;
    this.#dueAtMs = clockMs() + frameMs;
    this.#timer = setTimeout(() => this.#tick(), frameMs);
  }

  say({ ssrc: source, sequence, payloadType }: RtpHeader, frame: Uint8Array, nowMs: number): void {
    const voice = this.#voiceOf(source, heardAt(payloadType)?.name);
    voice?.say(sequence, frame, nowMs);
  }

  /** It has not been heard for long. */
  forget(source: number): void {
    this.#voices.get(source)?.release();
    this.#voices.delete(source);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const source of this.#voices.keys()) this.forget(source);
    this.#encoder?.release();
  }

  #voiceOf(source: number, codec: string | undefined): Voice | undefined {
    const known = this.#voices.get(source);
    if (codec === undefined || known?.codec === codec) return known;
    this.forget(source);
    const voice = Voice.of(codec, rate);
    if (voice !== undefined) this.#voices.set(source, voice);
    return voice;
  }

  #tick(): void {
    const nowMs = clockMs();
    if (nowMs - this.#dueAtMs > mostLateMs) this.#dueAtMs = nowMs;
    for (; this.#dueAtMs <= nowMs; this.#dueAtMs += frameMs) this.#mix(this.#dueAtMs);
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, this.#dueAtMs - nowMs));
  }

  #mix(nowMs: number): void {
    this.#sum.fill(0);
    for (const voice of this.#voices.values()) voice.addTo(this.#sum, nowMs);
    const mixed = Int16Array.from(this.#sum, (sample) => Math.max(-32_768, Math.min(32_767, sample)));
    const frame = this.#encoder?.encode(mixed, 0);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + ticksPerFrame) >>> 0;
    if (frame === undefined) return;
    const { payloadType } = opusFormat;
    const [ssrc, sequence, timestamp] = [this.#ssrc, this.#sequence, this.#timestamp];
    this.#emit(writeRtp({ payloadType, marker: false, ssrc, sequence, timestamp }, frame));
  }
}
