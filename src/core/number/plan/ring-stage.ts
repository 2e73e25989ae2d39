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
