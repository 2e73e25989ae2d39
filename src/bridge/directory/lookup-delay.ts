// When to tell a client about a number that was looked up: at once, unless the person is in a call that could be
// transferred to it. Clients ask for a target's profile before they transfer to it (matrix-js-sdk), and give up if
// there is none yet.
import type { Call } from "../../core/call/model/call.ts";
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";
import type { Ghosts } from "../rooms/ghosts.ts";

export interface LookupDelayParts {
  readonly ghosts: Pick<Ghosts, "ensure">;
  readonly calls: () => readonly Call[];
  readonly clock: Clock;
}

/** A person waits for the dial pad's answer: a homeserver that takes longer is not waited for. */
const patienceMs = 1_000;

/** As `ApplicationServiceQueries.lookupDelay`. */
export function lookupDelay(ghost: UserId, { ghosts, calls, clock }: LookupDelayParts): Promise<void> | undefined {
  if (!calls().some(({ phase }) => phase.kind === "connected")) return undefined;
  // Whether it could be made is told elsewhere: it is prepared in the background too.
  const prepared = ghosts.ensure(ghost).catch(() => {});
  return doneWithin(patienceMs, prepared, clock).then(() => {});
}
