// What still comes of parts of a call that ended before it: a media session for an earlier trunk, rooms that ring no more.
// No phase is to take it for its own.
import type { Call } from "../model/call.ts";
import type { TimedFact } from "../model/fact.ts";
import { isFarewell, settleFarewell } from "./farewell.ts";
import { to, type Step } from "../model/transition.ts";

/** Undefined: the fact is of the call as it is. */
export function settleOutstanding(call: Call, fact: TimedFact): Step | undefined {
  const { outstanding } = call;
  switch (fact.kind) {
    case "media.released":
      if (outstanding.releases === 0) return undefined;
      return to({ ...call, outstanding: { ...outstanding, releases: outstanding.releases - 1 } });
    case "matrix.told":
    case "matrix.unreachable": {
      if (!isFarewell(fact.signal)) return undefined;
      // A room that could not be told stops ringing by itself when the invite's life is over.
      const farewells = settleFarewell(outstanding.farewells, fact.room, "told");
      return farewells === undefined ? undefined : to({ ...call, outstanding: { ...outstanding, farewells } });
    }
    default:
      return undefined;
  }
}
