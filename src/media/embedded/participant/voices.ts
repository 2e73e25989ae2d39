// The participants who are heard: one passes as it is, and several are mixed while they speak at the same time.
import { clockMs } from "../base/clock.ts";
import { writeRtp, type RtpHeader } from "../rtp/rtp-packet.ts";
import { Mixer } from "./mixer.ts";

/** Longer than a packet and its jitter: who has said nothing for so long is silent, as clients send nothing then (DTX). */
const silentMs = 300;
/** Since when only one has spoken, before the mixing ends: mixing is a delay of 40 ms that should not come and go. */
const aloneMs = 3000;

/** Each has a decoder: as many as there are sections to hear them in, whatever sources a server makes up. */
const mostTogether = 24;

export class Voices {
  readonly #emit: (packet: Buffer) => void;
  /** When each source was heard last. */
  readonly #heardAtMs = new Map<number, number>();
  #mixer: Mixer | undefined;
  #togetherAtMs = 0;

  /** `emit`: RTP of one source after the other. */
  constructor(emit: (packet: Buffer) => void) {
    this.#emit = emit;
  }

  /** `frame`: the payload, decrypted. */
  hear(header: RtpHeader, frame: Uint8Array): void {
    const nowMs = clockMs();
    for (const [source, atMs] of this.#heardAtMs)
      if (source !== header.ssrc && nowMs - atMs > silentMs) this.#forget(source);
    if (!this.#heardAtMs.has(header.ssrc) && this.#heardAtMs.size >= mostTogether) return;
    this.#heardAtMs.set(header.ssrc, nowMs);
    if (this.#heardAtMs.size > 1) this.#togetherAtMs = nowMs;
    else if (nowMs - this.#togetherAtMs > aloneMs) this.close();
    if (this.#heardAtMs.size > 1) this.#mixer ??= new Mixer(this.#emit);
    if (this.#mixer === undefined) this.#emit(writeRtp(header, frame));
    else if (frame.length > 0) this.#mixer.say(header, frame, nowMs);
  }

  close(): void {
    this.#mixer?.close();
    this.#mixer = undefined;
  }

  #forget(source: number): void {
    this.#heardAtMs.delete(source);
    this.#mixer?.forget(source);
  }
}
