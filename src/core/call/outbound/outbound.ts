// A call from Matrix to the telephone, until both can talk: offering, inviting, answering.
// Early media stands in early-media.ts, other trunks in failover.ts, how it ends in ending.ts, what comes later in connected.ts.
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { CallId } from "../../ids.ts";
import { fresh, type Answering, type CallCommon, type CallIn, type Inviting, type Offering } from "../model/call.ts";
import type { EarlyMedia } from "../model/dialling.ts";
import { causeOfMediaFault, type Cause } from "../model/cause.ts";
import { failoverTo, nextTrunk, keepCandidates, withoutTrunk } from "./failover.ts";
import { beginEarly } from "./early-media.ts";
import { end, endIfOver, refuse } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import type { MatrixLeg } from "../model/matrix-leg.ts";
import type { Notices } from "../model/notices.ts";
import { answerByTrunk, connect, noteIdentity } from "../established/connecting.ts";
import { notice, refusalNotices } from "../ending/room-notices.ts";
import { amend, enter, ignored, to, type Step } from "../model/transition.ts";
import { inviting, unsent, type DialledTrunk } from "../model/trunk-leg.ts";

/** Everything known when a client's invite has been judged. */
export interface OutboundRequest {
  readonly id: CallId;
  readonly leg: MatrixLeg;
  /** As the client said in its invite. */
  /** For history and log. */
  readonly number: string;
  readonly description: MediaDescription;
  readonly atMs: number;
  /** When the invite's lifetime ends; nobody answers later than this. */
  readonly answerByMs: number;
  readonly notices: Notices;
  /** Trunks for when the first one is out of order, in their order. */
  readonly alternatives: readonly DialledTrunk[];
  readonly earlyMedia: EarlyMedia;
}

/** Starts a call that policy allows. */
export function beginOutbound(request: OutboundRequest, trunk: DialledTrunk, maxDurationMs: number): Step {
  const { leg, earlyMedia, alternatives, description } = request;
  const call = enter<Offering>(outboundCommon(request, maxDurationMs), {
    kind: "offering",
    leg,
    trunk: unsent(request.id, trunk),
    earlyMedia,
    failover: failoverTo({ trunks: alternatives, offer: description, candidates: [] }),
  });
  return to(
    call,
    { kind: "deadline.set", name: "answer", atMs: request.answerByMs },
    { kind: "media.offer", from: clientEnd, description },
  );
}

type Refused = Pick<OutboundRequest, "id" | "leg" | "number" | "atMs" | "notices">;

/**
 * A call that may not be made: the client is told, history has it, nothing else is touched. `words`: whether the room
 * hears why, or was told so just before; or what it hears instead of the cause's words.
 */
export function refuseOutbound(
  request: Refused,
  cause: Cause,
  words: "say" | "said-before" | { readonly say: string } = "say",
): Step {
  const { leg, atMs } = request;
  const said = words === "say" ? refusalNotices(leg, cause) : words === "said-before" ? [] : [notice(leg, words.say)];
  return refuse(outboundCommon(request, 0), leg, cause, atMs, said);
}

function outboundCommon({ id, number, atMs, notices }: Refused, maxDurationMs: number): CallCommon {
  return {
    id,
    direction: "outbound",
    number,
    called: undefined,
    startedAtMs: atMs,
    maxDurationMs,
    notices,
    ...fresh,
  };
}

export function stepOffering(call: CallIn<Offering>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(keepCandidates(call, fact.candidates), { kind: "media.candidates", candidates: fact.candidates });
    case "media.offered": {
      const { leg, trunk, earlyMedia, failover } = call.phase;
      const { name, target, identity } = trunk;
      return to(
        enter<Inviting>(call, {
          kind: "inviting",
          leg,
          trunk: inviting(trunk),
          earlyMedia,
          failover,
          progress: "none",
          ringingAtMs: undefined,
        }),
        { kind: "sip.invite", trunk: name, target, identity, description: fact.description },
      );
    }
    case "media.refused":
      return end(call, causeOfMediaFault(fact.fault, "client"), fact.atMs, {});
    case "admin.paused":
      return to(amend(call, { failover: withoutTrunk(call.phase.failover, fact.trunk) }));
    case "call.yielded":
      return end(call, "crossed", fact.atMs, { person: true });
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "no-answer", fact.atMs, {}) : ignored(call, fact);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

export function stepInviting(call: CallIn<Inviting>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(keepCandidates(call, fact.candidates), { kind: "media.candidates", candidates: fact.candidates });
    case "admin.paused":
      return to(amend(call, { failover: withoutTrunk(call.phase.failover, fact.trunk) }));
    case "sip.sent":
      return to(amend(call, { trunk: { ...call.phase.trunk, invite: fact.invite } }));
    case "sip.trying":
      return to(amend(call, { progress: call.phase.progress === "none" ? "trying" : call.phase.progress }));
    case "sip.ringing":
      return to(
        amend(call, {
          progress: "ringing",
          ringingAtMs: call.phase.ringingAtMs ?? fact.atMs,
          failover: undefined,
        }),
        ...(call.phase.earlyMedia === "join" ? [{ kind: "media.ring", end: clientEnd } as const] : []),
      );
    case "sip.progressed": {
      const next = amend(call, { progress: "early", failover: undefined });
      // Otherwise the client hears nothing before the answer; it plays its own ringing tone.
      return call.phase.earlyMedia !== "ring" && fact.description !== undefined
        ? beginEarly(next, fact.description)
        : to(next);
    }
    case "sip.accepted":
      return answerByTrunk(call, fact, [{ kind: "media.answer", from: trunkEnd, description: fact.description }]);
    case "sip.rejected":
    case "sip.failed":
      return nextTrunk(call, fact) ?? endIfOver(call, fact) ?? ignored(call, fact);
    case "call.yielded":
      return end(call, "crossed", fact.atMs, { person: true });
    case "deadline.passed":
      return fact.name === "answer" ? end(call, "no-answer", fact.atMs, {}) : ignored(call, fact);
    default:
      return noteIdentity(call, fact) ?? endIfOver(call, fact) ?? ignored(call, fact);
  }
}

export function stepAnswering(call: CallIn<Answering>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.candidates":
      return to(call, { kind: "media.candidates", candidates: fact.candidates });
    case "media.answered":
      return connect(
        call,
        {
          trunk: call.phase.trunk,
          takenAtMs: call.phase.trunk.answeredAtMs,
          inviter: "person",
          answer: "ordered",
          mediaUp: false,
          untold: fact.untold,
          renegotiation: { by: "nobody" },
        },
        [{ kind: "matrix.signal", leg: call.phase.leg, signal: { kind: "answer", description: fact.description } }],
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
      return to(amend(call, { trunk: { ...call.phase.trunk, dialog: fact.dialog } }));
    case "sip.referred":
      return to(call, { kind: "sip.refuseRefer", status: 491 });
    default:
      return noteIdentity(call, fact) ?? endIfOver(call, fact) ?? ignored(call, fact);
  }
}
