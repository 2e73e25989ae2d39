// How the audio of each call has been: what came between two looks at its counters. Pure.
import type { Call, Heard } from "../api/types.ts";

export interface Sample {
  /** ms since the epoch. */
  readonly atMs: number;
  /** Part of what should have come. */
  readonly loss: number;
  readonly jitterMs: number;
}

export type Side = "from_matrix" | "from_trunk";

export interface QualityHistory {
  add(calls: readonly Call[], atMs: number): void;
  of(call: string, side: Side): readonly Sample[];
}

const mostSamples = 150;

interface Seen {
  readonly last: Readonly<Record<Side, Heard>>;
  readonly samples: Readonly<Record<Side, readonly Sample[]>>;
}

export function createHistory(): QualityHistory {
  const seen = new Map<string, Seen>();
  return {
    add(calls, atMs) {
      for (const { id, media } of calls) {
        if (media === undefined) continue;
        const before = seen.get(id);
        const after = (side: Side): readonly Sample[] => {
          const samples = before?.samples[side] ?? [];
          const sample = sampleOf(before?.last[side], media[side], atMs);
          return sample === undefined ? samples : [...samples, sample].slice(-mostSamples);
        };
        const samples = { from_matrix: after("from_matrix"), from_trunk: after("from_trunk") };
        seen.set(id, { last: media, samples });
      }
      const live = new Set(calls.map(({ id }) => id));
      for (const id of seen.keys()) if (!live.has(id)) seen.delete(id);
    },
    of: (call, side) => seen.get(call)?.samples[side] ?? [],
  };
}

/** Undefined while nothing comes. */
function sampleOf(before: Heard | undefined, now: Heard, atMs: number): Sample | undefined {
  if (before === undefined) return undefined;
  const came = now.packets - before.packets;
  const lost = Math.max(0, now.lost - before.lost);
  if (came <= 0 && lost === 0) return undefined;
  return { atMs, loss: lost / (came + lost), jitterMs: now.jitter_ms };
}
