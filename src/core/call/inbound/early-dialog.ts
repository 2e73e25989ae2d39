// What happens on the trunk's dialog while nobody has taken its call yet, in whatever phase.
import type { Accepting, Alerting, Arriving, CallIn, Keying, Origin, PickingUp } from "../model/call.ts";
import { endIfOver } from "../ending/ending.ts";
import { noteIdentity } from "../established/connecting.ts";
import type { TimedFact } from "../model/fact.ts";
import { amend, ignored, to, unchanged, type Step } from "../model/transition.ts";

export function stepEarlyDialog(
  call: CallIn<PickingUp | Keying | Arriving | Alerting | Accepting>,
  fact: TimedFact,
): Step {
  switch (fact.kind) {
    case "sip.dialogChanged":
      return to(amend(call, { trunk: { ...call.phase.trunk, dialog: fact.dialog } }));
    case "sip.offered":
    case "sip.offerWanted":
      // An UPDATE before the INVITE's own offer is answered (RFC 3311 s5.2); of an answered leg, while ours is being made.
      return to(call, { kind: "sip.refuseReoffer", status: call.phase.trunk.state === "confirmed" ? 491 : 500 });
    case "sip.referred":
      // Of a leg that was answered for somebody else: whom the trunk wants connected is not there yet.
      return to(call, { kind: "sip.refuseRefer", status: 491 });
    case "matrix.told":
      return unchanged(call);
    default:
      return noteIdentity(call, fact) ?? endIfOver(call, fact) ?? ignored(call, fact);
  }
}

/** The trunk has offered nothing yet: our offer to it is the first of its session. */
export function offersLate(origin: Origin): boolean {
  return origin.kind !== "invite" || origin.lateOffer;
}
