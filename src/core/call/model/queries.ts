// Questions about a call that others ask, whatever its phase.
import type { RoomId, UserId } from "../../ids.ts";
import type { Call } from "./call.ts";
import type { MatrixLeg } from "./matrix-leg.ts";

/** The leg of whoever is in the call. */
export function legOf(call: Call): MatrixLeg | undefined {
  return "leg" in call && call.direction !== "joined" ? call.leg : undefined;
}

/** Whose call it is as far as limits go: who is in it, and of two telephones that were joined who had them joined. */
export function chargedTo(call: Call): UserId | undefined {
  return "leg" in call ? call.leg?.person : undefined;
}

/** Whether somebody is still in it, or to be. */
export function isRunning({ phase }: Call): boolean {
  return phase !== "ending" && phase !== "parting" && phase !== "ended";
}

/** Whether the call rings that person, or the room that they are in, or is about to. */
export function rings(call: Call, person: UserId, room?: RoomId): boolean {
  if (call.phase !== "arriving" && call.phase !== "alerting") return false;
  const targets = call.stages.flatMap((stage) => stage.targets);
  return targets.some((target) => (target.kind === "person" ? target.person === person : target.room === room));
}
