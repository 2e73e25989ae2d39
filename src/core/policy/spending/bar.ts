// Calls that may not go out whatever they cost: an admin has stopped them, or they looked like fraud and are held until an admin
// allows them.
import { scopeKey, type Scope } from "./allowance.ts";

export interface Bar {
  /** `allowed`: what was held, and is not to be held again for a while. */
  readonly kind: "stopped" | "held" | "allowed";
  /** Whose calls: all, those of a person, or those over a trunk. */
  readonly scope: Scope;
  /** Only to numbers that begin so (E.164 digits); empty: to all. */
  readonly prefix: string;
  /** Incoming calls too. */
  readonly inbound: boolean;
  /** Which admin; of what is held, the bridge. */
  readonly who: string;
  readonly why: string;
  /** ms since the epoch. */
  readonly atMs: number;
  readonly untilMs: number | undefined;
}

export function barKey({ kind, scope, prefix }: Pick<Bar, "kind" | "scope" | "prefix">): string {
  return `${kind} ${scopeKey(scope)} ${prefix}`;
}
