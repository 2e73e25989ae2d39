// What the orders of admins work with. All of it goes through the front door (ports/admin), as their other tools do.
import type { Scope } from "../../../../core/policy/spending/allowance.ts";
import type { BridgeDoor } from "../../../../ports/admin/admin-door.ts";
import type { Clock } from "../../../../ports/clock.ts";
import type { NoteAction } from "../actions.ts";
import { agoText, lengthText } from "../reply.ts";

export interface AdminOrdersParts {
  readonly door: () => BridgeDoor;
  readonly noteAction: NoteAction;
  readonly clock: Pick<Clock, "wallMs">;
}

export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

export function trunkLines({ door, clock }: Omit<AdminOrdersParts, "noteAction">): readonly string[] {
  return door()
    .trunks()
    .map(({ health: { name, state, detail, sinceMs }, paused, calls }) => {
      const since = lengthText(clock.wallMs() - sinceMs);
      return `${name}: ${state}${paused ? ", paused" : ""} for ${since} (${detail}), ${countOf(calls, "call")}`;
    });
}

/** Whose calls a stop is about. */
export function whose({ kind, name }: Scope): string {
  if (kind === "bridge") return "outgoing calls";
  return kind === "user" ? `outgoing calls of ${name}` : `outgoing calls over ${name}`;
}

/** What is stopped now. */
export function stopLines({ door, clock }: Omit<AdminOrdersParts, "noteAction">): readonly string[] {
  return door()
    .spending.stops()
    .map(({ scope, inbound, who, why, atMs }) => {
      const what = inbound ? "all calls, incoming ones too," : whose(scope);
      return `stopped: ${what} by ${who}, ${agoText(clock.wallMs() - atMs)}${why === "" ? "" : `: ${why}`}`;
    });
}
