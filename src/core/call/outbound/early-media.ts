// Early media by config: the client is answered with what the trunk plays before the callee picks up, so that the caller
// hears the network's own tones and announcements. Only then has a legacy client any audio.
import type { Early, Inviting } from "../model/call.ts";
import type { CallEffect } from "../model/order.ts";
import { common, end, endIfOver } from "../ending/ending.ts";
import type { CallEvent } from "../model/fact.ts";
import { canRenegotiate } from "../model/matrix-leg.ts";
import { answerByTrunk, connect } from "../established/connecting.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";

export function beginEarly(call: Inviting, sdp: string): Step {
  const { leg, abilities, trunk, invite, ringingAtMs } = call;
  const early: Early = {
    ...common(call),
    phase: "early",
    leg,
    abilities,
    trunk,
    invite,
    ringingAtMs,
    sdp,
    answer: "none",
    mediaUp: false,
    queued: undefined,
    untold: undefined,
  };
  return to(early, { kind: "media.answer", from: "trunk", sdp });
}

export function stepEarly(call: Early, event: CallEvent): Step {
  switch (event.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: event.candidates });
    case "media.answered":
      if (call.answer !== "none" || event.from !== "trunk") return ignored(call, event);
      return to(
        { ...call, answer: "ordered", untold: event.untold },
        { kind: "matrix.signal", leg: call.leg, signal: { kind: "answer", sdp: event.sdp } },
      );
    case "media.refused":
      return call.answer === "none" ? ringOnly(call) : ignored(call, event);
    case "media.connected":
      return to({ ...call, mediaUp: true });
    case "matrix.told":
      return event.signal === "answer" ? to({ ...call, answer: "told" }) : unchanged(call);
    case "matrix.unreachable":
      if (event.signal !== "answer") return ignored(call, event);
      return end(call, "answer-lost", event.atMs, { answer: true });
    case "matrix.selected":
      return endIfOver(call, event) ?? unchanged(call);
    case "matrix.offered":
      // Hold, or an ICE restart: there is nobody yet to hold, and the dialog takes no offer of ours before its answer.
      if (call.answer === "none" || !canRenegotiate(call.leg)) return ignored(call, event);
      return to({ ...call, queued: event.sdp });
    case "media.timedOut":
      // Not every trunk that announces early media plays any; the callee may pick up all the same.
      return event.side === "trunk" ? unchanged(call) : (endIfOver(call, event) ?? ignored(call, event));
    case "media.dtmf":
    case "sip.trying":
    case "sip.progressed":
      // Another fork's announcement may be another one: the client keeps what it has.
      return unchanged(call);
    case "sip.sent":
      return to({ ...call, invite: event.invite });
    case "sip.ringing":
      return to({ ...call, ringingAtMs: call.ringingAtMs ?? event.atMs });
    case "sip.identified":
      return to(call, { kind: "identity.resolve", trunk: call.trunk.name, identity: event.identity });
    case "identity.resolved":
      return to({ ...call, shown: event.shown });
    case "sip.accepted":
      return accepted(call, event);
    case "deadline.passed":
      return event.name === "answer" ? end(call, "no-answer", event.atMs, {}) : ignored(call, event);
    default:
      return endIfOver(call, event) ?? ignored(call, event);
  }
}

/** The early description cannot be used; the callee's own may. Until then the client rings as it would without. */
function ringOnly(call: Early): Step {
  const { leg, abilities, trunk, invite, ringingAtMs } = call;
  const inviting: Inviting = {
    ...common(call),
    phase: "inviting",
    leg,
    abilities,
    trunk,
    invite,
    ringingAtMs,
    earlyMedia: "ring",
    progress: "early",
    detour: undefined,
  };
  return to(inviting);
}

function accepted(call: Early, event: Extract<CallEvent, { kind: "sip.accepted" }>): Step {
  // The same description in the 200 is a repetition (RFC 3261 s13.2.1). Another one moves the trunk's end; the client's
  // answer stays, as it can have one only.
  const moved: readonly CallEffect[] =
    event.sdp === call.sdp ? [] : [{ kind: "media.answer", from: "trunk", sdp: event.sdp }];
  if (call.answer === "none") return answerByTrunk(call, event, moved);
  const { queued } = call;
  return connect(
    call,
    {
      dialog: event.dialog,
      answeredAtMs: event.atMs,
      takenAtMs: event.atMs,
      inviter: "person",
      answer: call.answer,
      mediaUp: call.mediaUp,
      untold: call.untold,
      renegotiation: queued === undefined ? { by: "nobody" } : { by: "matrix", awaiting: "media", queued: undefined },
    },
    queued === undefined ? moved : [...moved, { kind: "media.offer", from: "matrix", sdp: queued }],
  );
}
