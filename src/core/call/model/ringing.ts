// What the state of a room that an inbound call rings in means.
import type { RoomId } from "../../ids.ts";
import type { RingingLeg } from "./matrix-leg.ts";
import type { RingTarget } from "../../number/plan/ring-stage.ts";

type InvitedLeg = RingingLeg & { readonly room: RoomId };

/** It can still be answered in: our invite is there or on its way. */
export function isRinging(leg: RingingLeg): leg is InvitedLeg {
  return leg.room !== undefined && (leg.state === "inviting" || leg.state === "ringing");
}

/** Somebody may still come to answer in it. */
export function isOpen(leg: RingingLeg): boolean {
  return leg.state === "finding" || isRinging(leg);
}

/** It rings, or rang in vain: for its people the call is one that they missed. */
export function wasRung(leg: RingingLeg): leg is InvitedLeg {
  return isRinging(leg) || (leg.room !== undefined && leg.state === "stopped");
}

export function sameTarget(one: RingTarget, other: RingTarget): boolean {
  if (one.kind === "person") return other.kind === "person" && one.person === other.person;
  return other.kind === "room" && one.room === other.room;
}
