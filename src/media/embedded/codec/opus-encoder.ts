// Opus to the network (RFC 6716, RFC 7587), by @evan/opus: native code where the package has it for
// the machine, WebAssembly elsewhere. Encoders are kept for the next call, as only the garbage collector takes them back.
import { Encoder } from "@evan/opus";
import type { AudioEncoder, SampleRate } from "./audio-codec.ts";

/**
 * As PESQ measured it with speech: in narrowband 4.3 at 24 kbit/s without FEC, 4.1 at 32 with it; in wideband 3.4 at 40
 * without, and 3.1 at 32. More complexity costs twice as much CPU for 0.1 or 0.2.
 */
const bitRates: Readonly<Record<SampleRate, { readonly usual: number; readonly withFec: number }>> = {
  8000: { usual: 24_000, withFec: 32_000 },
  16_000: { usual: 40_000, withFec: 40_000 },
};
const leastBitRate = 6000;
const complexity = 1;
/** More loss than that FEC does not mend. */
const mostLoss = 20;
const mostSpare = 64;

const spare: Readonly<Record<SampleRate, Encoder[]>> = { 8000: [], 16_000: [] };

export class OpusEncoder implements AudioEncoder {
  readonly #encoder: Encoder;
  readonly #spare: Encoder[];
  readonly #bitRates: (typeof bitRates)[SampleRate];
  /** What the receiver takes, and whether it can use FEC. */
  readonly #most: number;
  readonly #takesFec: boolean;
  #lossPercent = -1;

  /** `wishes`: the receiver's `a=fmtp` (RFC 7587 s6.1). */
  constructor(rate: SampleRate, wishes: string) {
    this.#spare = spare[rate];
    const wish = (name: string): number | undefined => {
      const value = new RegExp(`(?:^|[;\\s])${name}=(\\d{1,6})(?:[;\\s]|$)`).exec(wishes)?.[1];
      return value === undefined ? undefined : Number(value);
    };
    this.#bitRates = bitRates[rate];
    this.#most = Math.max(leastBitRate, wish("maxaveragebitrate") ?? this.#bitRates.withFec);
    this.#takesFec = wish("useinbandfec") === 1;
    this.#encoder = this.#spare.pop() ?? new Encoder({ channels: 1, sample_rate: rate, application: "voip" });
    this.#encoder.reset();
    this.#encoder.vbr = wish("cbr") !== 1;
    this.#encoder.complexity = complexity;
  }

  encode(samples: Int16Array, lossPercent: number): Uint8Array {
    if (lossPercent !== this.#lossPercent) this.#prepareFor(lossPercent);
    return this.#encoder.encode(samples);
  }

  release(): void {
    if (this.#spare.length < mostSpare) this.#spare.push(this.#encoder);
  }

  #prepareFor(lossPercent: number): void {
    this.#lossPercent = lossPercent;
    const hasFec = this.#takesFec && lossPercent > 0;
    this.#encoder.inband_fec = hasFec;
    this.#encoder.packet_loss = hasFec ? Math.min(mostLoss, lossPercent) : 0;
    this.#encoder.bitrate = Math.min(this.#most, hasFec ? this.#bitRates.withFec : this.#bitRates.usual);
  }
}
