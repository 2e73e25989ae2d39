// Questions about a call that others ask, whatever its phase.
import type { RoomId, TrunkName, UserId } from "../../ids.ts";
import type { Call, Inbound, Phase } from "./call.ts";
import type { LegAddress, MatrixLeg, RingingLeg } from "./matrix-leg.ts";
import type { TrunkLeg } from "./trunk-leg.ts";

/** The leg of whoever is in the call. */
export function legOf(call: Call): MatrixLeg | undefined {
  return call.direction === "joined" ? undefined : chargedLegOf(call);
}

/** Whose call it is as far as limits go: who is in it, and of two telephones that were joined who had them joined. */
export function chargedTo(call: Call): UserId | undefined {
  return chargedLegOf(call)?.person;
}

/** Of a bridged call the leg by which it was transferred. */
export function chargedLegOf({ phase }: Call): MatrixLeg | undefined {
  switch (phase.kind) {
    case "picking-up":
    case "keying":
    case "arriving":
    case "alerting":
      return undefined;
    case "joining":
    case "joined":
      return phase.transferredBy;
    case "ended":
      return phase.record.leg;
    default:
      return phase.leg;
  }
}

/** How clients know the call: the leg of whoever is in it, else the first room that it rings in. */
export function addressOf({ phase }: Call): LegAddress | undefined {
  switch (phase.kind) {
    case "picking-up":
    case "keying":
    case "arriving":
      return undefined;
    case "alerting": {
      const leg = phase.legs.find(hasRoom);
      return leg && legAddress(phase, leg);
    }
    case "joining":
    case "joined":
      return phase.transferredBy;
    case "ending":
      return phase.leg ?? phase.address;
    case "ended":
      return phase.record.leg;
    default:
      return phase.leg;
  }
}

/** Our leg in one of the rooms that ring. */
export function legAddress({ ring }: Inbound, { room, ghost }: Pick<LegAddress, "room" | "ghost">): LegAddress {
  return { ...ring, room, ghost };
}

function hasRoom(leg: RingingLeg): leg is RingingLeg & { readonly room: RoomId } {
  return leg.room !== undefined;
}

/** Leg A first; none where no trunk was chosen, or the call has ended. */
export function trunkLegsOf({ phase }: Call): readonly TrunkLeg[] {
  switch (phase.kind) {
    case "joining":
    case "joined":
      return [phase.a, phase.b];
    case "ending":
      return phase.trunks;
    case "ended":
      return [];
    default:
      return [phase.trunk];
  }
}

/** Whether it would be tried over that trunk if its own failed. */
export function failsOverTo({ phase }: Call, trunk: TrunkName): boolean {
  if (phase.kind !== "offering" && phase.kind !== "inviting") return false;
  return phase.failover?.trunks.some(({ name }) => name === trunk) === true;
}

/** Whether somebody is still in it, or to be. */
export function isRunning({ phase }: Call): boolean {
  return phase.kind !== "ending" && phase.kind !== "ended";
}

/** Whether the call rings that person, or the room that they are in, or is about to. */
export function rings({ phase }: Call, person: UserId, room?: RoomId): boolean {
  if (phase.kind !== "arriving" && phase.kind !== "alerting") return false;
  const targets = phase.stages.flatMap((stage) => stage.targets);
  return targets.some((target) => (target.kind === "person" ? target.person === person : target.room === room));
}

/** When the trunk's leg was answered, of a bridged call when the two were joined. */
export function answeredAtMsOf(phase: Phase): number | undefined {
  switch (phase.kind) {
    case "joining":
      return undefined;
    case "joined":
      return phase.joinedAtMs;
    case "ending":
      return phase.answeredAtMs;
    case "ended":
      return phase.record.answeredAtMs;
    default:
      return phase.trunk.state === "confirmed" ? phase.trunk.answeredAtMs : undefined;
  }
}
