// A connected call: keys, who is at the other end, and what leads to other rooms: changes of the session
// (renegotiation.ts), transfers (transfer.ts, referral.ts), the end (ending.ts).
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { CallIn, Connected } from "../model/call.ts";
import { end, endIfOver } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import type { ShownIdentity } from "../model/matrix-leg.ts";
import type { CallOrder } from "../model/order.ts";
import { stepReferral } from "./referral.ts";
import { isShowing, learn, stepHold } from "./hold.ts";
import { personSilent, renegotiate } from "./renegotiation.ts";
import { beginTransfer } from "./transfer.ts";
import { amend, ignored, to, unchanged, type Step } from "../model/transition.ts";
import { listen, listened } from "./unheard.ts";

export function stepConnected(call: CallIn<Connected>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: fact.candidates });
    case "matrix.selected":
      return endIfOver(call, fact) ?? unchanged(call);
    case "matrix.told":
      return fact.signal === "answer" ? to(amend(call, { answer: "told" })) : unchanged(call);
    case "matrix.unreachable":
      return signalLost(call, fact);
    case "media.connected":
      return to(amend(call, { mediaUp: true }));
    case "media.listened":
      return listened(call, fact);
    case "media.dtmf":
      // A trunk that takes keys in INFO only (RFC 6086) would hear nothing else of this one.
      if (fact.from !== clientEnd || fact.relayed || !call.phase.trunk.abilities.infoDtmf) return unchanged(call);
      return to(call, { kind: "sip.info", digit: fact.digit, durationMs: fact.durationMs });
    case "matrix.keyed":
      return to(call, ...Array.from(fact.keys, pressed));
    case "sip.dtmf":
      return to(call, { kind: "media.dtmf", to: clientEnd, digit: fact.digit, durationMs: fact.durationMs });
    case "sip.identified":
      return to(call, { kind: "identity.resolve", trunk: call.phase.trunk.name, identity: fact.identity });
    case "identity.resolved":
      return identified(call, fact.shown);
    case "matrix.replaced":
      return beginTransfer(call, fact.order, fact.atMs);
    case "sip.dialogChanged":
      return to(amend(call, { trunk: { ...call.phase.trunk, dialog: fact.dialog } }));
    case "deadline.passed":
      if (fact.name === "duration") return end(call, "max-duration", fact.atMs, {});
      if (fact.name === "renegotiation") return personSilent(call, fact);
      if (fact.name === "audio") return listen(call, fact);
      return ignored(call, fact);
    case "sip.referred":
    case "transfer.planned":
    case "transfer.barred":
    case "sip.replaced":
    case "sip.replaceFailed":
      return stepReferral(call, fact);
    case "media.described":
    case "media.answered":
      return answerCame(learn(call, fact), fact);
    case "media.refused":
    case "matrix.reanswered":
      return answerCame(call, fact);
    case "media.offered":
    case "media.settled":
      return renegotiate(learn(call, fact), fact);
    case "matrix.offered":
    case "sip.offered":
    case "sip.offerWanted":
    case "sip.reanswered":
    case "sip.offerRefused":
      return renegotiate(call, fact);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

/** As long as a person presses it. */
const keyMs = 160;

function pressed(digit: string): CallOrder {
  return { kind: "media.dtmf", to: trunkEnd, digit, durationMs: keyMs };
}

type Answer = Extract<
  TimedFact,
  { kind: "media.described" | "media.answered" | "media.refused" | "matrix.reanswered" }
>;

/** It belongs to whatever is being settled now. */
function answerCame(call: CallIn<Connected>, fact: Answer): Step {
  const now = call.phase.renegotiation;
  if (now.by === "hold") return stepHold(call, now, fact);
  if (now.by === "referral" && fact.kind !== "matrix.reanswered") return stepReferral(call, fact);
  return renegotiate(call, fact);
}

/** Who is at the telephone has changed, or is somebody else than was dialled (MSC3086). */
function identified(call: CallIn<Connected>, shown: ShownIdentity): Step {
  const known = call.shown ?? { ghost: call.phase.leg.ghost };
  if (known.ghost === shown.ghost && (call.shown === undefined || call.shown.displayName === shown.displayName))
    return unchanged(call);
  return to(
    { ...call, shown },
    { kind: "matrix.signal", leg: call.phase.leg, signal: { kind: "identity", identity: shown } },
  );
}

/** Without our answer there is no call. Of what changes one, the old state serves: people are talking. */
function signalLost(call: CallIn<Connected>, fact: Extract<TimedFact, { kind: "matrix.unreachable" }>): Step {
  if (fact.signal === "answer") return end(call, "answer-lost", fact.atMs, { answer: true });
  // One that shows a hold is made again when it has expired.
  if (fact.signal === "reoffer") return isShowing(call) ? unchanged(call) : personSilent(call, fact);
  return fact.signal === "reanswer" ? unchanged(call) : ignored(call, fact);
}
