// The colour of a number: always the same for one number, and one of a few that people can tell apart.
import type { NumberKey } from "../../ids.ts";

const hues = [4, 28, 45, 95, 140, 168, 190, 212, 238, 268, 300, 332] as const;

/** In degrees. */
export function hueOf(number: NumberKey): number {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const unit of number) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hues[hash % hues.length] ?? 0;
}
