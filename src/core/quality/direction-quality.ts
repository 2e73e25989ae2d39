// How good the audio of a call is, in each direction, between two moments at which it was counted.
import type { EndStats, MediaStats } from "../call/model/media-stats.ts";
import { mediaEnds, otherEnd, type MediaEnd } from "../media-end.ts";
import { opinionOf, ratingOf } from "./e-model.ts";

/** What one end says and the other one hears. */
export interface DirectionQuality {
  /** That came to the bridge between the two moments. */
  readonly packets: number;
  /** That should have come and did not, percent. */
  readonly lostPercent: number;
  readonly jitterMs: number;
  /** What the other end misses and how it comes there, as it says itself; undefined: it does not say. */
  readonly onwardLostPercent: number | undefined;
  readonly onwardJitterMs: number | undefined;
  /** To the end that speaks and back; undefined: not known. */
  readonly roundTripMs: number | undefined;
  /** How loud it is, in dBov; undefined: not known for its codec. */
  readonly levelDbov: number | undefined;
  /** From mouth to ear, as far as it can be told. */
  readonly delayMs: number;
  /** Of the E-model, from 1 to 4.5; undefined: nothing came. */
  readonly opinion: number | undefined;
}

export type CallQuality = Readonly<Record<MediaEnd, DirectionQuality>>;

/** A packet's audio, and what the speaker's own machine takes. */
const packetMs = 40;
/** A playout buffer holds about so many times the jitter. */
const bufferedJitters = 2;

/** By the end that speaks. `before`: counted earlier, or `noMediaStats`. */
export function qualityBetween(before: MediaStats, now: MediaStats): CallQuality {
  const [a, b] = mediaEnds.map((end) => directionBetween(before[end], now[end], now[otherEnd(end)], now.codec));
  if (a === undefined || b === undefined) throw new Error("a call has two ends");
  return { a, b };
}

function directionBetween(
  before: EndStats,
  now: EndStats,
  listener: EndStats,
  codec: string | undefined,
): DirectionQuality {
  const packets = Math.max(0, now.packets - before.packets);
  const lost = Math.max(0, now.lost - before.lost);
  const lostPercent = packets + lost === 0 ? 0 : (100 * lost) / (packets + lost);
  const { lostPercent: onwardLostPercent, jitterMs: onwardJitterMs } = listener.hears ?? {};
  const trips = (now.hears?.roundTripMs ?? 0) + (listener.hears?.roundTripMs ?? 0);
  const delayMs = trips / 2 + packetMs + bufferedJitters * (now.jitterMs + (onwardJitterMs ?? 0));
  const arriving = (1 - lostPercent / 100) * (1 - (onwardLostPercent ?? 0) / 100);
  const transmission = { codec, lostPercent: 100 * (1 - arriving), delayMs };
  return {
    packets,
    lostPercent,
    jitterMs: now.jitterMs,
    onwardLostPercent,
    onwardJitterMs,
    roundTripMs: now.hears?.roundTripMs,
    levelDbov: now.levelDbov,
    delayMs,
    opinion: packets === 0 ? undefined : opinionOf(ratingOf(transmission)),
  };
}
