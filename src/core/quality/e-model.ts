// How well people understand each other, rated by the E-model (ITU-T G.107, 2015), with its default values for everything that
// the bridge cannot know: the telephones, the rooms, the echo.
import { packetCodecs } from "./packet-codecs.ts";

export interface Transmission {
  /** Undefined: judged as G.711. */
  readonly codec: string | undefined;
  /** Packets that nobody hears, percent; lost at random. */
  readonly lostPercent: number;
  /** From mouth to ear. */
  readonly delayMs: number;
}

/** R without delay, loss and coding: Ro - Is + A with all default values. */
const ideal = 93.2;

/** The rating factor R, from 0 to 93.2. */
export function ratingOf({ codec, lostPercent, delayMs }: Transmission): number {
  const rating = ideal - delayImpairment(delayMs) - lossImpairment(codec, lostPercent);
  return Math.min(ideal, Math.max(0, rating));
}

/** Idd: what a delay spoils without any echo (G.107, 7-27). */
export function delayImpairment(delayMs: number): number {
  if (!(delayMs > 100)) return 0;
  const x = Math.log2(delayMs / 100);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Ie,eff: what coding and loss spoil (G.107, 7-29, with BurstR = 1). */
export function lossImpairment(codec: string | undefined, lostPercent: number): number {
  const { impairment, robustness } = packetCodecs[codec ?? "PCMU"] ?? { impairment: 0, robustness: 25.1 };
  const lost = Math.min(100, Math.max(0, lostPercent));
  return lost === 0 ? impairment : impairment + ((95 - impairment) * lost) / (lost + robustness);
}

/** The mean opinion score that people would give, from 1 to 4.5 (G.107, Annex B). */
export function opinionOf(rating: number): number {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}
