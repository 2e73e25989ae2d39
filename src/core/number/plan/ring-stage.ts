// Whom a called number rings, and in which order: what the DID table says, and what an inbound call does.
import type { RoomId, UserId } from "../../ids.ts";

/**
 * Whom an inbound call rings: one person in the room that they share with the caller's ghost, or everybody in a room.
 * `room` of a person: where they are; without it the room is found or made.
 */
export type RingTarget =
  | { readonly kind: "person"; readonly person: UserId; readonly room?: RoomId }
  | { readonly kind: "room"; readonly room: RoomId };

/** Rung together for so long; then the next stage has its turn. */
export interface RingStage {
  readonly targets: readonly RingTarget[];
  readonly ringMs: number;
}

/**
 * With people rung no longer than they want, counted from when they are rung first. A stage goes on for the others in it; where
 * nobody is left in it, the next one begins.
 */
export function shortened(
  stages: readonly RingStage[],
  longestMs: (person: UserId) => number | undefined,
): readonly RingStage[] {
  const rungMs = new Map<UserId, number>();
  const leftMs = (target: RingTarget): number => {
    const longest = target.kind === "person" ? longestMs(target.person) : undefined;
    return target.kind === "room" || longest === undefined ? Infinity : longest - (rungMs.get(target.person) ?? 0);
  };
  return stages.flatMap((stage) => {
    const parts: RingStage[] = [];
    for (let restMs = stage.ringMs; restMs > 0;) {
      const targets = stage.targets.filter((target) => leftMs(target) > 0);
      if (targets.length === 0) break;
      const ringMs = Math.min(restMs, ...targets.map(leftMs));
      for (const target of targets)
        if (target.kind === "person") rungMs.set(target.person, (rungMs.get(target.person) ?? 0) + ringMs);
      parts.push({ targets, ringMs });
      restMs -= ringMs;
    }
    return parts;
  });
}
