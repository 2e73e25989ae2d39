// The ids by which clients know a call that the bridge makes.
import { matrixCallId, type MatrixCallId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";

/**
 * Higher than what clients choose. Of two calls that cross, the one with the lesser id stays (Matrix spec, VoIP module,
 * glare), and that has to be the person's: ours can take theirs over, theirs cannot take ours.
 */
const highestIds = "zzz";

export function ownMatrixCallId(clock: Clock): MatrixCallId {
  return matrixCallId(highestIds + clock.newId());
}
