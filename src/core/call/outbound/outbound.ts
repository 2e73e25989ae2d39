// A call from Matrix to the telephone, until both can talk: offering, inviting, answering.
// Early media stands in early-media.ts, other trunks in failover.ts, how it ends in ending.ts, what comes later in connected.ts.
import type { CallId } from "../../ids.ts";
import type { Answering, Inviting, Offering } from "../model/call.ts";
import { causeOfMediaFault, type Cause } from "../model/cause.ts";
import { failoverTo, nextTrunk, withCandidates } from "./failover.ts";
import { beginEarly } from "./early-media.ts";
import { common, end, endIfOver, refuse } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import type { LegAbilities, MatrixLeg } from "../model/matrix-leg.ts";
import { clientEnd, trunkEnd } from "../model/media-end.ts";
import type { Notices } from "../model/notices.ts";
import { answerByTrunk, connect } from "../established/connecting.ts";
import { refusalNotices } from "../ending/room-notices.ts";
import { ignored, to, type Step } from "../model/transition.ts";
import type { DialledTrunk } from "../model/trunk-leg.ts";

/** Everything known when a client's invite has been judged. */
export interface OutboundRequest {
  readonly id: CallId;
  readonly leg: MatrixLeg;
  /** As the client said in its invite. */
  readonly abilities: LegAbilities;
  /** For history and log. */
  readonly number: string;
  readonly sdp: string;
  readonly atMs: number;
  /** When the invite's lifetime ends; nobody answers later than this. */
  readonly answerByMs: number;
  readonly notices: Notices;
  /** Trunks for when the first one is out of order, in their order. */
  readonly alternatives: readonly DialledTrunk[];
  /** Whether the trunk's early media is passed on by answering the client with it. */
  readonly earlyMedia: "ring" | "answer";
}

/** Starts a call that policy allows. */
export function beginOutbound(request: OutboundRequest, trunk: DialledTrunk, maxDurationMs: number): Step {
  const { leg, abilities, earlyMedia, alternatives, sdp } = request;
  const call: Offering = {
    ...outboundCommon(request, maxDurationMs),
    phase: "offering",
    leg,
    abilities,
    trunk,
    earlyMedia,
    failover: failoverTo(alternatives, sdp),
  };
  return to(
    call,
    { kind: "deadline.set", name: "answer", atMs: request.answerByMs },
    { kind: "media.offer", from: clientEnd, sdp },
  );
}

type Refused = Pick<OutboundRequest, "id" | "leg" | "number" | "atMs" | "notices">;

/**
 * A call that may not be made: the client is told, history has it, nothing else is touched. `words`: whether the room
 * hears why, or was told so just before.
 */
export function refuseOutbound(request: Refused, cause: Cause, words: "say" | "said-before" = "say"): Step {
  const { leg, atMs } = request;
  const said = words === "say" ? refusalNotices(leg, cause) : [];
  return refuse({ ...outboundCommon(request, 0), trunk: undefined }, leg, cause, atMs, said);
}

function outboundCommon({ id, number, atMs, notices }: Refused, maxDurationMs: number) {
  return {
    id,
    direction: "outbound",
    number,
    called: undefined,
    startedAtMs: atMs,
    maxDurationMs,
    notices,
    shown: undefined,
    outstanding: { releases: 0, farewells: [] },
  } as const;
}

export function stepOffering(call: Offering, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(
        call.failover === undefined ? call : { ...call, failover: withCandidates(call.failover, fact.candidates) },
        {
          kind: "media.candidates",
          candidates: fact.candidates,
        },
      );
    case "media.offered": {
      const { leg, abilities, trunk, earlyMedia, failover } = call;
      const { name, target, identity } = trunk;
      const inviting: Inviting = {
        ...common(call),
        phase: "inviting",
        leg,
        abilities,
        trunk,
        earlyMedia,
        failover,
        invite: undefined,
        progress: "none",
        ringingAtMs: undefined,
      };
      return to(inviting, { kind: "sip.invite", trunk: name, target, identity, sdp: fact.sdp });
    }
    case "media.refused":
      return end(call, causeOfMediaFault(fact.fault, "client"), fact.atMs, {});
    case "call.yielded":
      return end(call, "crossed", fact.atMs, { person: true });
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "no-answer", fact.atMs, {}) : ignored(call, fact);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

export function stepInviting(call: Inviting, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(
        call.failover === undefined ? call : { ...call, failover: withCandidates(call.failover, fact.candidates) },
        {
          kind: "media.candidates",
          candidates: fact.candidates,
        },
      );
    case "sip.sent":
      return to({ ...call, invite: fact.invite });
    case "sip.trying":
      return to({ ...call, progress: call.progress === "none" ? "trying" : call.progress });
    case "sip.ringing":
      return to({
        ...call,
        progress: "ringing",
        ringingAtMs: call.ringingAtMs ?? fact.atMs,
        failover: undefined,
      });
    case "sip.progressed": {
      const next: Inviting = { ...call, progress: "early", failover: undefined };
      // Otherwise the client hears nothing before the answer; it plays its own ringing tone.
      return call.earlyMedia === "answer" && fact.sdp !== undefined ? beginEarly(next, fact.sdp) : to(next);
    }
    case "sip.identified":
      return to(call, { kind: "identity.resolve", trunk: call.trunk.name, identity: fact.identity });
    case "identity.resolved":
      return to({ ...call, shown: fact.shown });
    case "sip.accepted":
      return answerByTrunk(call, fact, [{ kind: "media.answer", from: trunkEnd, sdp: fact.sdp }]);
    case "sip.rejected":
    case "sip.failed":
      return nextTrunk(call, fact) ?? endIfOver(call, fact) ?? ignored(call, fact);
    case "call.yielded":
      return end(call, "crossed", fact.atMs, { person: true });
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "no-answer", fact.atMs, {}) : ignored(call, fact);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

export function stepAnswering(call: Answering, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: fact.candidates });
    case "media.answered":
      return connect(
        call,
        {
          dialog: call.dialog,
          answeredAtMs: call.answeredAtMs,
          takenAtMs: call.answeredAtMs,
          inviter: "person",
          answer: "ordered",
          mediaUp: false,
          untold: fact.untold,
          renegotiation: { by: "nobody" },
        },
        [{ kind: "matrix.signal", leg: call.leg, signal: { kind: "answer", sdp: fact.sdp } }],
      );
    case "media.refused":
      return end(
        call,
        fact.fault === "bad-description" ? "trunk-error" : causeOfMediaFault(fact.fault, "trunk"),
        fact.atMs,
        {},
      );
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "media-lost", fact.atMs, {}) : ignored(call, fact);
    case "sip.dialogChanged":
      return to({ ...call, dialog: fact.dialog });
    case "sip.identified":
      return to(call, { kind: "identity.resolve", trunk: call.trunk.name, identity: fact.identity });
    case "identity.resolved":
      return to({ ...call, shown: fact.shown });
    case "sip.referred":
      return to(call, { kind: "sip.refuseRefer", status: 491 });
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}
