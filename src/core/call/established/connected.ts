// A connected call: keys, who is at the other end, and what leads to other rooms: changes of the session
// (renegotiation.ts), transfers (transfer.ts, referral.ts), the end (ending.ts).
import type { Connected } from "../model/call.ts";
import { end, endIfOver } from "../ending/ending.ts";
import type { CallEvent } from "../model/fact.ts";
import type { ShownIdentity } from "../model/matrix-leg.ts";
import { stepReferral } from "./referral.ts";
import { isShowing, learn, stepHold } from "./hold.ts";
import { personSilent, renegotiate } from "./renegotiation.ts";
import { beginTransfer } from "./transfer.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";
import { listen, listened } from "./unheard.ts";

export function stepConnected(call: Connected, event: CallEvent): Step {
  switch (event.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: event.candidates });
    case "matrix.selected":
      return endIfOver(call, event) ?? unchanged(call);
    case "matrix.told":
      return event.signal === "answer" ? to({ ...call, answer: "told" }) : unchanged(call);
    case "matrix.unreachable":
      return signalLost(call, event);
    case "media.connected":
      return to({ ...call, mediaUp: true });
    case "media.listened":
      return listened(call, event);
    case "media.dtmf":
      // A trunk that takes keys in INFO only (RFC 6086) would hear nothing else of this one.
      if (event.from !== "matrix" || event.relayed || !call.trunk.abilities.infoDtmf) return unchanged(call);
      return to(call, { kind: "sip.info", digit: event.digit, durationMs: event.durationMs });
    case "sip.dtmf":
      return to(call, { kind: "media.dtmf", to: "matrix", digit: event.digit, durationMs: event.durationMs });
    case "sip.identified":
      return to(call, { kind: "identity.resolve", trunk: call.trunk.name, identity: event.identity });
    case "identity.resolved":
      return identified(call, event.shown);
    case "matrix.replaced":
      return beginTransfer(call, event.order, event.atMs);
    case "sip.dialogChanged":
      return to({ ...call, dialog: event.dialog });
    case "deadline.passed":
      if (event.name === "duration") return end(call, "max-duration", event.atMs, {});
      if (event.name === "renegotiation") return personSilent(call, event);
      if (event.name === "audio") return listen(call, event);
      return ignored(call, event);
    case "sip.referred":
    case "transfer.planned":
    case "transfer.barred":
    case "sip.replaced":
    case "sip.replaceFailed":
      return stepReferral(call, event);
    case "media.described":
    case "media.answered":
      return answerCame(learn(call, event), event);
    case "media.refused":
    case "matrix.reanswered":
      return answerCame(call, event);
    case "media.offered":
    case "media.settled":
      return renegotiate(learn(call, event), event);
    case "matrix.offered":
    case "sip.offered":
    case "sip.offerWanted":
    case "sip.reanswered":
    case "sip.offerRefused":
      return renegotiate(call, event);
    default:
      return endIfOver(call, event) ?? ignored(call, event);
  }
}

type Answer = Extract<
  CallEvent,
  { kind: "media.described" | "media.answered" | "media.refused" | "matrix.reanswered" }
>;

/** It belongs to whatever is being settled now. */
function answerCame(call: Connected, event: Answer): Step {
  const now = call.renegotiation;
  if (now.by === "hold") return stepHold(call, now, event);
  if (now.by === "referral" && event.kind !== "matrix.reanswered") return stepReferral(call, event);
  return renegotiate(call, event);
}

/** Who is at the telephone has changed, or is somebody else than was dialled (MSC3086). */
function identified(call: Connected, shown: ShownIdentity): Step {
  const known = call.shown ?? { ghost: call.leg.ghost };
  if (known.ghost === shown.ghost && (call.shown === undefined || call.shown.displayName === shown.displayName))
    return unchanged(call);
  return to(
    { ...call, shown },
    { kind: "matrix.signal", leg: call.leg, signal: { kind: "identity", identity: shown } },
  );
}

/** Without our answer there is no call. Of what changes one, the old state serves: people are talking. */
function signalLost(call: Connected, event: Extract<CallEvent, { kind: "matrix.unreachable" }>): Step {
  if (event.signal === "answer") return end(call, "answer-lost", event.atMs, { answer: true });
  // One that shows a hold is made again when it has expired.
  if (event.signal === "reoffer") return isShowing(call) ? unchanged(call) : personSilent(call, event);
  return event.signal === "reanswer" ? unchanged(call) : ignored(call, event);
}
