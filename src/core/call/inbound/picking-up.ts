// A call to a number with a PIN begins: we pick up, so that the caller hears our tones and we their keys. Nobody in Matrix
// knows of the call yet. What they enter stands in keying.ts.
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { PinTerms } from "../../pin-entry.ts";
import { inboundCommon, type InboundRequest } from "./arriving.ts";
import { stepEarlyDialog } from "./early-dialog.ts";
import { beginKeying } from "./keying.ts";
import { end } from "../ending/ending.ts";
import { mediaAnswerMs } from "../established/connecting.ts";
import type { CallIn, PickingUp } from "../model/call.ts";
import { causeOfMediaFault } from "../model/cause.ts";
import type { TimedFact } from "../model/fact.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import { confirmed } from "../model/trunk-leg.ts";

export function beginPickingUp(request: InboundRequest, pin: PinTerms): Step {
  const { id, trunk, ghost, ring, dialog, incoming, description, stages, announce, atMs } = request;
  const call = enter<PickingUp>(inboundCommon(request), {
    kind: "picking-up",
    lateOffer: description === undefined,
    trunk: { ...trunk, state: "incoming", id, dialog, incoming },
    ghost,
    ring,
    stages,
    announce,
    pin,
  });
  return to(
    call,
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    description === undefined
      ? { kind: "media.describe", end: trunkEnd }
      : { kind: "media.offer", from: trunkEnd, description },
  );
}

export function stepPickingUp(call: CallIn<PickingUp>, fact: TimedFact): Step {
  const { trunk, lateOffer } = call.phase;
  switch (fact.kind) {
    case "media.offered":
      return fact.from === trunkEnd ? answerOurselves(call, fact) : ignored(call, fact);
    case "media.described": {
      if (!lateOffer || trunk.state !== "incoming") return ignored(call, fact);
      return to(
        amend(call, { trunk: confirmed(trunk, trunk.dialog, fact.atMs) }),
        { kind: "deadline.set", name: "answer", atMs: fact.atMs + mediaAnswerMs },
        { kind: "sip.accept", description: fact.description },
      );
    }
    case "sip.reanswered":
      if (trunk.state !== "confirmed") return ignored(call, fact);
      return to(call, { kind: "media.answer", from: trunkEnd, description: fact.description });
    case "sip.offerRefused":
      return trunk.state === "confirmed" ? end(call, "incompatible", fact.atMs, {}) : ignored(call, fact);
    case "media.answered":
      return fact.from === trunkEnd ? answerOurselves(call, fact) : pickUp(call, fact);
    case "media.connected":
      return unchanged(call);
    case "media.refused":
      return end(call, causeOfMediaFault(fact.fault, "trunk"), fact.atMs, {});
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "media-lost", fact.atMs, {}) : ignored(call, fact);
    default:
      return stepEarlyDialog(call, fact);
  }
}

/** What the trunk said has come to the end where our tones are: nobody is there to be asked. */
function answerOurselves(
  call: CallIn<PickingUp>,
  { description }: Extract<TimedFact, { kind: "media.offered" | "media.answered" }>,
): Step {
  return to(call, { kind: "media.answer", from: clientEnd, description });
}

function pickUp(call: CallIn<PickingUp>, fact: Extract<TimedFact, { kind: "media.answered" }>): Step {
  const { trunk } = call.phase;
  if (trunk.state === "confirmed") return beginKeying(call, trunk, fact.atMs, []);
  return beginKeying(call, confirmed(trunk, trunk.dialog, fact.atMs), fact.atMs, [
    { kind: "sip.accept", description: fact.description },
  ]);
}
