// How good the audio of each call has been, as the bridge has measured it. Pure.
import type { Quality } from "../api/types.ts";

export type Sample = Quality["samples"][number];

export type Side = "from_matrix" | "from_trunk";

export interface QualityBook {
  /** Of one call; samples that are there already are not doubled. */
  add(call: string, samples: readonly Sample[]): void;
  /** The oldest first. */
  of(call: string): readonly Sample[];
  /** Others are forgotten. */
  keep(calls: readonly string[]): void;
}

/** Ten minutes. */
const mostSamples = 120;

export function createQualityBook(): QualityBook {
  const book = new Map<string, readonly Sample[]>();
  return {
    add(call, samples) {
      const known = book.get(call) ?? [];
      const times = new Set(known.map(({ at }) => at));
      const all = [...known, ...samples.filter(({ at }) => !times.has(at))];
      book.set(call, all.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)).slice(-mostSamples));
    },
    of: (call) => book.get(call) ?? [],
    keep(calls) {
      for (const call of book.keys()) if (!calls.includes(call)) book.delete(call);
    },
  };
}

export type Grade = "good" | "fair" | "poor" | "bad";

/** As ITU-T G.109 classes what people think of a conversation. */
export function gradeOf(mos: number): Grade {
  if (mos >= 4.03) return "good";
  if (mos >= 3.6) return "fair";
  return mos >= 3.1 ? "poor" : "bad";
}

/** Of the worse direction; undefined while nothing comes. */
export function mosOf(sample: Sample | undefined): number | undefined {
  const all = [sample?.from_matrix.mos, sample?.from_trunk.mos].filter((mos) => mos !== undefined);
  return all.length === 0 ? undefined : Math.min(...all);
}
