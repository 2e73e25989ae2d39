// A leg with nobody at its other end: what it says are tones of ours, and silence between them, so that the line stays alive.
// What comes to it ends here.
import { randomInt } from "node:crypto";
import type { Prompt } from "../../../core/media-end.ts";
import type { Crossing } from "../../../core/sdp/exchange/agreement.ts";
import { clockMs } from "../base/clock.ts";
import type { Leg, LegReports } from "../base/leg.ts";
import type { AudioEncoder } from "../codec/audio-codec.ts";
import { G711Encoder, type Law } from "../codec/g711.ts";
import { writeRtp } from "../rtp/rtp-packet.ts";
import { samplesOf, toneRate } from "./tones.ts";

const frameMs = 20;
const frameSamples = (toneRate * frameMs) / 1000;
const silence = new Int16Array(frameSamples);
/** Late timers are caught up with, but not for long: nobody wants to hear old tones in a rush. */
const mostDue = 10;

/** Its codecs, by payload type (RFC 3551 s6). */
const laws: ReadonlyMap<number, Law> = new Map([
  [0, "PCMU"],
  [8, "PCMA"],
]);

interface Speech {
  readonly payloadType: number;
  readonly encoder: AudioEncoder;
}

export class PromptLeg implements Leg {
  readonly isConnected = true;
  readonly #reports: Pick<LegReports, "rtp">;
  readonly #ssrc = randomInt(1, 0xffff_ffff);
  #speech: Speech | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextAtMs = 0;
  #count = 0;
  #tone: { readonly samples: Int16Array; from: number } | undefined;

  constructor(reports: Pick<LegReports, "rtp">) {
    this.#reports = reports;
  }

  /** What may pass from here: it speaks from now on. */
  agree(crossings: ReadonlyMap<number, Crossing>): void {
    const payloadType = [...laws.keys()].find((each) => crossings.has(each));
    const law = payloadType === undefined ? undefined : laws.get(payloadType);
    if (payloadType === undefined || law === undefined) return;
    this.#speech = { payloadType, encoder: new G711Encoder(law) };
    if (this.#timer !== undefined) return;
    this.#nextAtMs = clockMs();
    this.#timer = setInterval(() => this.#speak(), frameMs);
  }

  /** In the place of what sounds now. */
  play(prompt: Prompt): void {
    this.#tone = { samples: samplesOf(prompt), from: 0 };
  }

  /** There is nobody to hear it. */
  sendRtp(): boolean {
    return true;
  }

  sendRtcp(): void {
    // Nor to read it.
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
  }

  #speak(): void {
    const nowMs = clockMs();
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs - mostDue * frameMs);
    for (; this.#nextAtMs <= nowMs; this.#nextAtMs += frameMs) this.#frame();
  }

  #frame(): void {
    if (this.#speech === undefined) return;
    const { payloadType, encoder } = this.#speech;
    const fields = {
      payloadType,
      marker: this.#count === 0,
      sequence: this.#count & 0xffff,
      timestamp: (this.#count * frameSamples) >>> 0,
      ssrc: this.#ssrc,
    };
    this.#count += 1;
    this.#reports.rtp(writeRtp(fields, encoder.encode(this.#samples(), 0)));
  }

  #samples(): Int16Array {
    const tone = this.#tone;
    if (tone === undefined) return silence;
    const samples = new Int16Array(frameSamples);
    samples.set(tone.samples.subarray(tone.from, tone.from + frameSamples));
    tone.from += frameSamples;
    if (tone.from >= tone.samples.length) this.#tone = undefined;
    return samples;
  }
}
