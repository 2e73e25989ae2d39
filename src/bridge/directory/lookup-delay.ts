// When to tell a client about a number that was looked up: at once, unless it has to be there first. Where numbers have keys
// ahead, a call that is placed before they are there cannot be read. Where the person is in a call, it could be transferred
// to the number: clients ask for a target's profile before that (matrix-js-sdk), and give up if there is none yet.
import type { Call } from "../../core/call/model/call.ts";
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Ghosts } from "../rooms/ghosts.ts";

export interface LookupDelayParts {
  readonly ghosts: Pick<Ghosts, "ensure">;
  readonly homeserver: Pick<Homeserver, "givesKeysAhead" | "giveKeys">;
  readonly calls: () => readonly Call[];
  readonly clock: Clock;
}

/** A person waits for the dial pad's answer: a homeserver that takes longer is not waited for. */
const patienceMs = 1_000;

/** As `ApplicationServiceQueries.lookupDelay`. */
export function lookupDelay(ghost: UserId, parts: LookupDelayParts): Promise<void> | undefined {
  const { ghosts, homeserver, calls, clock } = parts;
  const needsKeys = homeserver.givesKeysAhead;
  if (!needsKeys && !calls().some(({ phase }) => phase.kind === "connected")) return undefined;
  const prepared = ghosts.ensure(ghost).then(() => (needsKeys ? homeserver.giveKeys(ghost) : undefined));
  // Whether it could be made is told elsewhere: it is prepared in the background too.
  const settled = prepared.catch(() => {});
  return doneWithin(patienceMs, settled, clock).then(() => {});
}
