// STUN and TURN servers for a call: the configured ones and those that the homeserver gives its users.
import type { UserId } from "../../core/ids.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { IceServer } from "../../ports/media.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Ghosts } from "../rooms/ghosts.ts";

export interface IceDirectory {
  readonly homeserver: Pick<Homeserver, "bot" | "iceServers">;
  /** One who calls for the first time is nobody yet that the homeserver would lend anything. */
  readonly ghosts: Pick<Ghosts, "isKnown">;
  readonly configured: () => readonly IceServer[];
  /** Whether the homeserver's TURN servers are asked for. */
  readonly askHomeserver: () => boolean;
}

/** Never throws: without TURN most calls still connect, and the log says what was missing. */
export async function iceServersFor(ghost: UserId, ice: IceDirectory, log: Log): Promise<readonly IceServer[]> {
  if (!ice.askHomeserver()) return ice.configured();
  try {
    // Each in their own name where that can be: TURN servers limit what one user may have at once.
    const asked = (await ice.ghosts.isKnown(ghost)) ? ghost : ice.homeserver.bot;
    return [...ice.configured(), ...(await ice.homeserver.iceServers(asked))];
  } catch (error) {
    log.warn("homeserver gave no TURN servers", { error });
    return ice.configured();
  }
}
