// Early media by config: the client is answered with what the trunk plays before the callee picks up, so that the caller
// hears the network's own tones and announcements. Only then has a legacy client any audio.
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { CallIn, Early, Inviting } from "../model/call.ts";
import type { CallOrder } from "../model/order.ts";
import { end, endIfOver } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import { answerByTrunk, connect, noteIdentity } from "../established/connecting.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import { confirmed } from "../model/trunk-leg.ts";

export function beginEarly(call: CallIn<Inviting>, description: MediaDescription): Step {
  const { leg, trunk, ringingAtMs } = call.phase;
  const early = enter<Early>(call, {
    kind: "early",
    leg,
    trunk,
    ringingAtMs,
    description,
    answer: "none",
    mediaUp: false,
    queued: undefined,
    untold: undefined,
  });
  return to(early, { kind: "media.answer", from: trunkEnd, description });
}

export function stepEarly(call: CallIn<Early>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: fact.candidates });
    case "media.answered":
      if (call.phase.answer !== "none" || fact.from !== trunkEnd) return ignored(call, fact);
      return to(amend(call, { answer: "ordered", untold: fact.untold }), {
        kind: "matrix.signal",
        leg: call.phase.leg,
        signal: { kind: "answer", description: fact.description },
      });
    case "media.refused":
      return call.phase.answer === "none" ? ringOnly(call) : ignored(call, fact);
    case "media.connected":
      return to(amend(call, { mediaUp: true }));
    case "matrix.told":
      return fact.signal === "answer" ? to(amend(call, { answer: "told" })) : unchanged(call);
    case "matrix.unreachable":
      if (fact.signal !== "answer") return ignored(call, fact);
      return end(call, "answer-lost", fact.atMs, { answer: true });
    case "matrix.selected":
      return endIfOver(call, fact) ?? unchanged(call);
    case "matrix.offered":
      // Hold, or an ICE restart: there is nobody yet to hold, and the dialog takes no offer of ours before its answer.
      if (call.phase.answer === "none" || !call.phase.leg.abilities.canRenegotiate) return ignored(call, fact);
      return to(amend(call, { queued: fact.description }));
    case "media.timedOut":
      // Not every trunk that announces early media plays any; the callee may pick up all the same.
      return fact.end === trunkEnd ? unchanged(call) : (endIfOver(call, fact) ?? ignored(call, fact));
    case "media.dtmf":
    case "sip.trying":
    case "sip.progressed":
      // Another fork's announcement may be another one: the client keeps what it has.
      return unchanged(call);
    case "sip.sent":
      return to(amend(call, { trunk: { ...call.phase.trunk, invite: fact.invite } }));
    case "sip.ringing":
      return to(amend(call, { ringingAtMs: call.phase.ringingAtMs ?? fact.atMs }));
    case "sip.accepted":
      return accepted(call, fact);
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "no-answer", fact.atMs, {}) : ignored(call, fact);
    default:
      return noteIdentity(call, fact) ?? endIfOver(call, fact) ?? ignored(call, fact);
  }
}

/** The early description cannot be used; the callee's own may. Until then the client rings as it would without. */
function ringOnly(call: CallIn<Early>): Step {
  const { leg, trunk, ringingAtMs } = call.phase;
  return to(
    enter<Inviting>(call, {
      kind: "inviting",
      leg,
      trunk,
      ringingAtMs,
      earlyMedia: "ring",
      progress: "early",
      failover: undefined,
    }),
  );
}

function accepted(call: CallIn<Early>, fact: Extract<TimedFact, { kind: "sip.accepted" }>): Step {
  // The same description in the 200 is a repetition (RFC 3261 s13.2.1). Another one moves the trunk's end; the client's
  // answer stays, as it can have one only.
  const moved: readonly CallOrder[] =
    fact.description === call.phase.description
      ? []
      : [{ kind: "media.answer", from: trunkEnd, description: fact.description }];
  if (call.phase.answer === "none") return answerByTrunk(call, fact, moved);
  const { queued } = call.phase;
  return connect(
    call,
    {
      trunk: confirmed(call.phase.trunk, fact.dialog, fact.atMs),
      takenAtMs: fact.atMs,
      inviter: "person",
      answer: call.phase.answer,
      mediaUp: call.phase.mediaUp,
      untold: call.phase.untold,
      renegotiation: queued === undefined ? { by: "nobody" } : { by: "matrix", awaiting: "media", queued: undefined },
    },
    queued === undefined ? moved : [...moved, { kind: "media.offer", from: clientEnd, description: queued }],
  );
}
