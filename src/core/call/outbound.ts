// A call from Matrix to the telephone, until both can talk: offering, inviting, answering.
// How it ends stands in ending.ts, what happens once it is connected in connected.ts.
import type { CallId } from "../ids.ts";
import type { Answering, Connected, Inviting, Offering } from "./call.ts";
import { causeOfMediaFault, type Cause } from "./cause.ts";
import { end, endIfOver, refuse } from "./ending.ts";
import type { CallEvent } from "./event.ts";
import type { MatrixLeg } from "./matrix-leg.ts";
import { ignored, to, type Step } from "./transition.ts";
import type { DialledTrunk } from "./trunk-side.ts";

/** Everything known when a client's invite has been judged. */
export interface OutboundRequest {
  readonly id: CallId;
  readonly leg: MatrixLeg;
  /** For history and log. */
  readonly number: string;
  readonly sdp: string;
  readonly atMs: number;
  /** When the invite's lifetime ends; nobody answers later than this. */
  readonly answerByMs: number;
  readonly notices: boolean;
}

/** The callee has picked up and hears nothing: the media engine has so long, which includes its gathering candidates. */
const mediaAnswerMs = 10_000;

/** Starts a call that policy allows. */
export function beginOutbound(request: OutboundRequest, trunk: DialledTrunk, maxDurationMs: number): Step {
  const call: Offering = {
    phase: "offering",
    id: request.id,
    direction: "outbound",
    leg: request.leg,
    trunk,
    number: request.number,
    startedAtMs: request.atMs,
    maxDurationMs,
    notices: request.notices,
  };
  return to(
    call,
    { kind: "deadline.set", name: "answer", atMs: request.answerByMs },
    { kind: "media.offer", from: "matrix", sdp: request.sdp },
  );
}

/** A call that may not be made: the client is told, history has it, nothing else is touched. */
export function refuseOutbound(request: OutboundRequest, cause: Cause): Step {
  const { id, leg, number, notices, atMs } = request;
  const call = {
    id,
    direction: "outbound",
    leg,
    trunk: undefined,
    number,
    startedAtMs: atMs,
    maxDurationMs: 0,
    notices,
  } as const;
  return refuse(call, cause, atMs);
}

export function stepOffering(call: Offering, event: CallEvent): Step {
  switch (event.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: event.candidates });
    case "media.offered": {
      const { name, target, identity } = call.trunk;
      const inviting: Inviting = {
        ...call,
        phase: "inviting",
        invite: undefined,
        progress: "none",
        ringingAtMs: undefined,
      };
      return to(inviting, { kind: "sip.invite", trunk: name, target, identity, sdp: event.sdp });
    }
    case "media.refused":
      return end(call, causeOfMediaFault(event.fault), event.atMs, {});
    case "deadline.passed":
      return event.name === "answer" ? end(call, "no-answer", event.atMs, {}) : ignored(call, event);
    default:
      return endIfOver(call, event) ?? ignored(call, event);
  }
}

export function stepInviting(call: Inviting, event: CallEvent): Step {
  switch (event.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: event.candidates });
    case "sip.sent":
      return to({ ...call, invite: event.invite });
    case "sip.trying":
      return to({ ...call, progress: call.progress === "none" ? "trying" : call.progress });
    case "sip.ringing":
      return to({ ...call, progress: "ringing", ringingAtMs: call.ringingAtMs ?? event.atMs });
    case "sip.progressed":
      // A legacy client cannot hear anything before the answer; it plays its own ringing tone.
      return to({ ...call, progress: "early" });
    case "sip.accepted": {
      const { invite: _invite, progress: _progress, ...rest } = call;
      const answering: Answering = {
        ...rest,
        phase: "answering",
        dialog: event.dialog,
        answeredAtMs: event.atMs,
      };
      return to(
        answering,
        { kind: "deadline.set", name: "answer", atMs: event.atMs + mediaAnswerMs },
        { kind: "media.answer", from: "trunk", sdp: event.sdp },
      );
    }
    case "deadline.passed":
      return event.name === "answer" ? end(call, "no-answer", event.atMs, {}) : ignored(call, event);
    default:
      return endIfOver(call, event) ?? ignored(call, event);
  }
}

export function stepAnswering(call: Answering, event: CallEvent): Step {
  switch (event.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: event.candidates });
    case "media.answered": {
      const connected: Connected = {
        ...call,
        phase: "connected",
        mediaUp: false,
        answer: "ordered",
        renegotiation: { by: "nobody" },
      };
      return to(
        connected,
        { kind: "deadline.clear", name: "answer" },
        { kind: "matrix.signal", leg: call.leg, signal: { kind: "answer", sdp: event.sdp } },
        { kind: "deadline.set", name: "duration", atMs: call.answeredAtMs + call.maxDurationMs },
      );
    }
    case "media.refused":
      return end(
        call,
        event.fault === "bad-description" ? "trunk-error" : causeOfMediaFault(event.fault),
        event.atMs,
        {},
      );
    case "deadline.passed":
      return event.name === "answer" ? end(call, "media-lost", event.atMs, {}) : ignored(call, event);
    case "sip.dialogChanged":
      return to({ ...call, dialog: event.dialog });
    case "sip.offered":
    case "sip.offerWanted":
      // Our own answer to the client is still being made (RFC 3261 s14.2).
      return to(call, { kind: "sip.refuseReoffer", status: 491 });
    default:
      return endIfOver(call, event) ?? ignored(call, event);
  }
}
