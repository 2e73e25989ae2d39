// Two trunk legs that talk to each other through the bridge, because a person transferred one to the other and the
// trunk takes no REFER. No Matrix leg has part in it; the person's room hears how it went.
// Leg A is end `a` of the media session, leg B end `b`.
import type { CallId } from "../../ids.ts";
import { end, endIfOver } from "../ending/ending.ts";
import { toLeg } from "../ending/farewell.ts";
import { notice } from "../ending/room-notices.ts";
import type { BridgedRenegotiation, Handover, Joined, Joining } from "../model/bridged-call.ts";
import { fresh, type CallCommon, type CallIn } from "../model/call.ts";
import { causeOfBye, causeOfFailure, causeOfMediaFault, causeOfRejection } from "../model/cause.ts";
import type { SipDialogState } from "../model/dialog-state.ts";
import type { SipFact, TimedFact } from "../model/fact.ts";
import type { MediaEnd } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { CallOrder, SipOrder } from "../model/order.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import { confirmed, inviting, unsent, type ConfirmedLeg, type LegName } from "../model/trunk-leg.ts";
import { rejoin, stepRejoining } from "./rejoining.ts";

/** Nobody is rung for longer by a transfer. */
const answerMs = 120_000;
const idle: BridgedRenegotiation = { by: "nobody" };

/** `id` is fresh; it also names leg B where that has to be called. */
export function beginBridged(id: CallId, handover: Handover, atMs: number): Step {
  const { a, target, leg, notices, endsAtMs, words } = handover;
  const b = target.kind === "dialled" ? unsent(id, target.trunk) : target.leg;
  const common: CallCommon = {
    id,
    direction: "joined",
    number: a.number,
    called: b.number,
    startedAtMs: atMs,
    maxDurationMs: Math.max(0, endsAtMs - atMs),
    notices,
    ...fresh,
  };
  return to(
    enter<Joining>(common, {
      kind: "joining",
      a,
      b,
      transferredBy: leg,
      words,
      awaiting: "offer",
      ringingAtMs: undefined,
    }),
    { kind: "deadline.set", name: "answer", atMs: atMs + answerMs },
    { kind: "deadline.set", name: "duration", atMs: endsAtMs },
    { kind: "media.describe", end: "b" },
  );
}

export function stepJoining(call: CallIn<Joining>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "leg.reported":
      return fact.side === "b" ? legBReported(call, fact.report, fact) : legAReported(call, fact.report, fact);
    case "media.described":
      return call.phase.awaiting === "offer" ? offerLegB(call, fact.description) : ignored(call, fact);
    case "media.answered":
      if (call.phase.awaiting === "a-offer" && fact.from === "b")
        return to(
          amend(call, { awaiting: "a" }),
          order(call, "a", { kind: "sip.reoffer", description: fact.description }),
        );
      if (call.phase.awaiting === "a-answer" && fact.from === "a") return joined(call, fact);
      return ignored(call, fact);
    case "media.refused":
      // Both sides are trunks.
      return end(call, causeOfMediaFault(fact.fault, "trunk"), fact.atMs, {});
    case "deadline.passed":
      if (fact.name === "answer") return end(call, "no-answer", fact.atMs, {});
      return fact.name === "duration" ? end(call, "max-duration", fact.atMs, {}) : ignored(call, fact);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

export function stepJoined(call: CallIn<Joined>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "leg.reported":
      return joinedReported(call, fact.side, fact.report, fact);
    case "media.offered":
    case "media.settled":
    case "media.answered":
    case "media.described":
    case "media.refused":
      return mediaReported(call, fact);
    case "deadline.passed":
      return fact.name === "duration" ? end(call, "max-duration", fact.atMs, {}) : ignored(call, fact);
    case "media.lost":
      return call.phase.renegotiation.by === "bridge"
        ? end(call, "media-lost", fact.atMs, {})
        : rejoin(call, call.phase.renegotiation);
    case "media.dtmf":
      return fact.relayed ? unchanged(call) : keyPressed(call, fact.from, fact.digit, fact.durationMs);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

function order(call: CallIn<Joining | Joined>, side: LegName, sip: SipOrder): CallOrder {
  return toLeg(call, call.phase[side], sip);
}

function goneSide(side: LegName): { readonly trunk?: true; readonly legB?: true } {
  return side === "a" ? { trunk: true } : { legB: true };
}

function other(side: LegName): LegName {
  return side === "a" ? "b" : "a";
}

function offerLegB(call: CallIn<Joining>, description: MediaDescription): Step {
  const { b } = call.phase;
  const toB = (next: Joining["b"], sip: SipOrder): Step =>
    to(amend(call, { awaiting: "b", b: next }), order(call, "b", sip));
  if (b.state !== "unsent") return toB(b, { kind: "sip.reoffer", description });
  const { name, target, identity } = b;
  return toB(inviting(b), { kind: "sip.invite", trunk: name, target, identity, description });
}

function legBReported(call: CallIn<Joining>, report: SipFact, fact: TimedFact): Step {
  const { b, awaiting, ringingAtMs } = call.phase;
  switch (report.kind) {
    case "sip.sent":
      return b.state === "inviting" ? to(amend(call, { b: { ...b, invite: report.invite } })) : ignored(call, fact);
    case "sip.trying":
      return unchanged(call);
    case "sip.ringing":
    case "sip.progressed":
      return to(amend(call, { ringingAtMs: ringingAtMs ?? fact.atMs }));
    case "sip.accepted":
      if (b.state !== "inviting") return ignored(call, fact);
      return offerLegA(amend(call, { b: confirmed(b, report.dialog, fact.atMs) }), report.description);
    case "sip.reanswered":
      return awaiting === "b" && b.state === "confirmed" ? offerLegA(call, report.description) : ignored(call, fact);
    case "sip.rejected": {
      if (b.state !== "inviting") return ignored(call, fact);
      const cause = causeOfRejection(report.status, report.q850, ringingAtMs !== undefined);
      return end(call, cause, fact.atMs, { legB: true }, report.status);
    }
    case "sip.failed":
      if (b.state !== "inviting") return ignored(call, fact);
      return end(call, causeOfFailure(report.fault), fact.atMs, { legB: true });
    default:
      // The rest needs a dialog: to a leg that has none a refusal cannot be sent, and it is still owed its CANCEL.
      return b.state === "confirmed" ? eitherReported(call, "b", report, fact) : ignored(call, fact);
  }
}

function offerLegA(call: CallIn<Joining>, description: MediaDescription): Step {
  return to(amend(call, { awaiting: "a-offer" }), { kind: "media.answer", from: "b", description });
}

function legAReported(call: CallIn<Joining>, report: SipFact, fact: TimedFact): Step {
  if (report.kind === "sip.reanswered" && call.phase.awaiting === "a")
    return to(amend(call, { awaiting: "a-answer" }), {
      kind: "media.answer",
      from: "a",
      description: report.description,
    });
  return eitherReported(call, "a", report, fact);
}

/** What means the same on both legs while they are brought together. */
function eitherReported(call: CallIn<Joining>, side: LegName, report: SipFact, fact: TimedFact): Step {
  switch (report.kind) {
    case "sip.dialogChanged":
      return dialogChanged(call, side, report.dialog) ?? ignored(call, fact);
    case "sip.offered":
    case "sip.offerWanted":
      return to(call, order(call, side, { kind: "sip.refuseReoffer", status: 491 }));
    case "sip.referred":
      return to(call, order(call, side, { kind: "sip.refuseRefer", status: 603 }));
    case "sip.offerRefused":
      // Another can only be of an offer that the leg's earlier call had made.
      return call.phase.awaiting === side ? end(call, "incompatible", fact.atMs, {}) : ignored(call, fact);
    case "sip.hungUp":
      return end(call, causeOfBye(report.q850, "outbound"), fact.atMs, goneSide(side));
    default:
      return ignored(call, fact);
  }
}

/** Of the other leg nothing is known that has a dialog. */
function dialogChanged(call: CallIn<Joining | Joined>, side: LegName, dialog: SipDialogState): Step | undefined {
  const leg = call.phase[side];
  if (leg.state !== "confirmed") return undefined;
  const next: ConfirmedLeg = { ...leg, dialog };
  return to(side === "a" ? amend(call, { a: next }) : amend(call, { b: next }));
}

function joined(call: CallIn<Joining>, fact: TimedFact): Step {
  const { a, b, transferredBy, words, ringingAtMs } = call.phase;
  if (b.state !== "confirmed") return ignored(call, fact);
  const { failures, history } = call.notices;
  return to(
    enter<Joined>(call, {
      kind: "joined",
      a,
      b,
      transferredBy,
      words,
      ringingAtMs,
      joinedAtMs: fact.atMs,
      renegotiation: idle,
    }),
    { kind: "deadline.clear", name: "answer" },
    ...(failures || history ? [notice(transferredBy, words)] : []),
  );
}

function joinedReported(call: CallIn<Joined>, side: LegName, report: SipFact, fact: TimedFact): Step {
  const now = call.phase.renegotiation;
  const refuse = (status: number): Step => to(call, order(call, side, { kind: "sip.refuseReoffer", status }));
  switch (report.kind) {
    case "sip.dialogChanged":
      return dialogChanged(call, side, report.dialog) ?? ignored(call, fact);
    case "sip.offered":
      if (now.by !== "nobody") return refuse(491);
      return awaits(
        call,
        { by: side, awaiting: "media" },
        { kind: "media.offer", from: side, description: report.description },
      );
    case "sip.offerWanted":
      if (now.by !== "nobody") return refuse(491);
      return awaits(call, { by: side, awaiting: "description" }, { kind: "media.describe", end: side });
    case "sip.reanswered":
      if (now.by === "bridge") return stepRejoining(call, now, fact);
      if (now.by === other(side) && now.awaiting === "other")
        return awaits(
          call,
          { by: now.by, awaiting: "media-answer" },
          { kind: "media.answer", from: side, description: report.description },
        );
      if (now.by === side && now.awaiting === "own-answer")
        return awaits(
          call,
          { by: side, awaiting: "own-media" },
          { kind: "media.answer", from: side, description: report.description },
        );
      return ignored(call, fact);
    case "sip.offerRefused":
      if (now.by === "bridge") return stepRejoining(call, now, fact);
      // The other one does not go along: the session of the one that asked is settled with us alone.
      if (now.by === other(side) && now.awaiting === "other")
        return awaits(call, { by: now.by, awaiting: "media" }, { kind: "media.settle", from: now.by });
      return now.by === side && now.awaiting === "own-answer" ? awaits(call, idle) : ignored(call, fact);
    case "sip.dtmf": {
      const { digit, durationMs } = report;
      const target = other(side);
      // As that one takes keys, not as this one gives them.
      return call.phase[target].abilities.infoDtmf
        ? to(call, order(call, target, { kind: "sip.info", digit, durationMs }))
        : to(call, { kind: "media.dtmf", to: target, digit, durationMs });
    }
    case "sip.referred":
      return to(call, order(call, side, { kind: "sip.refuseRefer", status: 603 }));
    case "sip.hungUp":
      return end(call, causeOfBye(report.q850, "outbound"), fact.atMs, goneSide(side));
    default:
      return ignored(call, fact);
  }
}

type MediaOutcome = Extract<
  TimedFact,
  { kind: "media.offered" | "media.settled" | "media.answered" | "media.described" | "media.refused" }
>;

function mediaReported(call: CallIn<Joined>, fact: MediaOutcome): Step {
  const now = call.phase.renegotiation;
  if (now.by === "nobody") return ignored(call, fact);
  if (now.by === "bridge") return stepRejoining(call, now, fact);
  const settle = (...orders: readonly CallOrder[]): Step => awaits(call, idle, ...orders);
  const answer = (description: MediaDescription): Step =>
    settle(order(call, now.by, { kind: "sip.answerReoffer", description }));
  switch (now.awaiting) {
    case "media":
      if (fact.kind === "media.settled") return answer(fact.description);
      if (fact.kind === "media.offered")
        return awaits(
          call,
          { by: now.by, awaiting: "other" },
          order(call, other(now.by), { kind: "sip.reoffer", description: fact.description }),
        );
      break;
    case "media-answer":
      if (fact.kind === "media.answered") return answer(fact.description);
      break;
    case "description":
      if (fact.kind === "media.described")
        return awaits(
          call,
          { by: now.by, awaiting: "own-answer" },
          order(call, now.by, { kind: "sip.answerReoffer", description: fact.description }),
        );
      break;
    case "own-media":
      return fact.kind === "media.answered" || fact.kind === "media.refused" ? settle() : ignored(call, fact);
    case "other":
    case "own-answer":
      return ignored(call, fact);
  }
  if (fact.kind !== "media.refused") return ignored(call, fact);
  return settle(order(call, now.by, { kind: "sip.refuseReoffer", status: 488 }));
}

/** The next that has to come of the exchange, once the orders are carried out. */
function awaits(call: CallIn<Joined>, renegotiation: BridgedRenegotiation, ...orders: readonly CallOrder[]): Step {
  return to(amend(call, { renegotiation }), ...orders);
}

/** A key that the other leg's RTP cannot carry. */
function keyPressed(call: CallIn<Joined>, from: MediaEnd, digit: string, durationMs: number): Step {
  const target = other(from);
  if (!call.phase[target].abilities.infoDtmf) return unchanged(call);
  return to(call, order(call, target, { kind: "sip.info", digit, durationMs }));
}
