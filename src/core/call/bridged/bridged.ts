// Two trunk legs that talk to each other through the bridge, because a person transferred one to the other and the
// trunk takes no REFER. No Matrix leg has part in it; the person's room hears how it went.
// Of the media session the `trunk` side is leg B, the `matrix` side leg A.
import type { CallId } from "../../ids.ts";
import { causeOfBye, causeOfFailure, causeOfMediaFault, causeOfRejection, type Cause } from "../model/cause.ts";
import type { CallOrder, SipOrder } from "../model/order.ts";
import type { TimedFact, SipFact } from "../model/fact.ts";
import type { Handover, Joined, Joining, BridgedRenegotiation, LegB } from "../model/bridged-call.ts";
import type { LegName } from "../model/trunk-leg.ts";
import { notice } from "../ending/room-notices.ts";
import type { MediaEnd } from "../model/media-end.ts";
import { part } from "./ending-bridged.ts";
import { rejoin, stepRejoining } from "./rejoining.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";

/** Nobody is rung for longer by a transfer. */
const answerMs = 120_000;
const idle: BridgedRenegotiation = { by: "nobody" };

/** `id` is fresh; it also names leg B where that has to be called. */
export function beginBridged(id: CallId, handover: Handover, atMs: number): Step {
  const { a, target, leg, notices, endsAtMs, words } = handover;
  const b: LegB =
    target.kind === "dialled"
      ? { call: id, trunk: target.trunk, dialled: target.trunk, invite: undefined, dialog: undefined }
      : { ...target.leg, dialled: undefined, invite: undefined };
  const joining: Joining = {
    phase: "joining",
    id,
    direction: "joined",
    a,
    b,
    leg,
    trunk: a.trunk,
    number: a.trunk.number,
    startedAtMs: atMs,
    maxDurationMs: Math.max(0, endsAtMs - atMs),
    notices,
    words,
    awaiting: "offer",
    ringingAtMs: undefined,
  };
  return to(
    joining,
    { kind: "deadline.set", name: "answer", atMs: atMs + answerMs },
    { kind: "deadline.set", name: "duration", atMs: endsAtMs },
    { kind: "media.describe", end: "b" },
  );
}

export function stepJoining(call: Joining, fact: TimedFact): Step {
  switch (fact.kind) {
    case "leg.reported":
      return fact.side === "b" ? legBReported(call, fact.report, fact) : legAReported(call, fact.report, fact);
    case "media.described":
      return call.awaiting === "offer" ? offerLegB(call, fact.sdp) : ignored(call, fact);
    case "media.answered":
      if (call.awaiting === "a-offer" && fact.from === "b")
        return to({ ...call, awaiting: "a" }, toLeg(call, "a", { kind: "sip.reoffer", sdp: fact.sdp }));
      if (call.awaiting === "a-answer" && fact.from === "a") return joined(call, fact);
      return ignored(call, fact);
    case "media.refused":
      // Both sides are trunks.
      return part(call, causeOfMediaFault(fact.fault, "trunk"), fact.atMs, {});
    case "deadline.passed":
      if (fact.name === "answer") return part(call, "no-answer", fact.atMs, {});
      return fact.name === "duration" ? part(call, "max-duration", fact.atMs, {}) : ignored(call, fact);
    default:
      return partIfOver(call, fact) ?? ignored(call, fact);
  }
}

export function stepJoined(call: Joined, fact: TimedFact): Step {
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
      return fact.name === "duration" ? part(call, "max-duration", fact.atMs, {}) : ignored(call, fact);
    case "media.lost":
      return call.renegotiation.by === "bridge"
        ? part(call, "media-lost", fact.atMs, {})
        : rejoin(call, call.renegotiation);
    case "media.released":
      return unchanged(call);
    case "media.dtmf":
      return fact.relayed ? unchanged(call) : keyPressed(call, fact.from, fact.digit, fact.durationMs);
    default:
      return partIfOver(call, fact) ?? ignored(call, fact);
  }
}

function toLeg(
  call: { readonly a: { readonly call: CallId }; readonly b: { readonly call: CallId } },
  side: LegName,
  sip: SipOrder,
): CallOrder {
  return { kind: "leg.order", call: call[side].call, order: sip };
}

function other(side: LegName): LegName {
  return side === "a" ? "b" : "a";
}

function offerLegB(call: Joining, sdp: string): Step {
  const { dialled } = call.b;
  const offer: SipOrder =
    dialled === undefined
      ? { kind: "sip.reoffer", sdp }
      : { kind: "sip.invite", trunk: dialled.name, target: dialled.target, identity: dialled.identity, sdp };
  return to({ ...call, awaiting: "b" }, toLeg(call, "b", offer));
}

function legBReported(call: Joining, report: SipFact, fact: TimedFact): Step {
  const { b } = call;
  switch (report.kind) {
    case "sip.sent":
      return to({ ...call, b: { ...b, invite: report.invite } });
    case "sip.trying":
      return unchanged(call);
    case "sip.ringing":
    case "sip.progressed":
      return to({ ...call, ringingAtMs: call.ringingAtMs ?? fact.atMs });
    case "sip.accepted":
    case "sip.reanswered":
      if (call.awaiting !== "b") return ignored(call, fact);
      return to(
        {
          ...call,
          awaiting: "a-offer",
          b: { ...b, dialog: report.kind === "sip.accepted" ? report.dialog : b.dialog },
        },
        { kind: "media.answer", from: "b", sdp: report.sdp },
      );
    case "sip.rejected": {
      const cause = causeOfRejection(report.status, report.q850, call.ringingAtMs !== undefined);
      return part(call, cause, fact.atMs, { b: true }, report.status);
    }
    case "sip.failed":
      return part(call, causeOfFailure(report.fault), fact.atMs, { b: true });
    default:
      return eitherReported(call, "b", report, fact);
  }
}

function legAReported(call: Joining, report: SipFact, fact: TimedFact): Step {
  if (report.kind === "sip.reanswered" && call.awaiting === "a")
    return to({ ...call, awaiting: "a-answer" }, { kind: "media.answer", from: "a", sdp: report.sdp });
  return eitherReported(call, "a", report, fact);
}

/** What means the same on both legs while they are brought together. */
function eitherReported(call: Joining, side: LegName, report: SipFact, fact: TimedFact): Step {
  switch (report.kind) {
    case "sip.dialogChanged":
      return side === "a"
        ? to({ ...call, a: { ...call.a, dialog: report.dialog } })
        : to({ ...call, b: { ...call.b, dialog: report.dialog } });
    case "sip.offered":
    case "sip.offerWanted":
      return to(call, toLeg(call, side, { kind: "sip.refuseReoffer", status: 491 }));
    case "sip.referred":
      return to(call, toLeg(call, side, { kind: "sip.refuseRefer", status: 603 }));
    case "sip.offerRefused":
      return part(call, "incompatible", fact.atMs, {});
    case "sip.hungUp":
      return part(call, causeOfBye(report.q850, "outbound"), fact.atMs, { [side]: true });
    default:
      return ignored(call, fact);
  }
}

function joined(call: Joining, fact: TimedFact): Step {
  const { awaiting: _awaiting, b, ...rest } = call;
  if (b.dialog === undefined) return ignored(call, fact);
  const { call: callB, trunk, dialog } = b;
  const next: Joined = {
    ...rest,
    phase: "joined",
    b: { call: callB, trunk, dialog },
    answeredAtMs: fact.atMs,
    renegotiation: idle,
  };
  const { notices, leg, words } = call;
  const said = notices.failures || notices.history ? [notice(leg, words)] : [];
  return to(next, { kind: "deadline.clear", name: "answer" }, ...said);
}

function joinedReported(call: Joined, side: LegName, report: SipFact, fact: TimedFact): Step {
  const now = call.renegotiation;
  const refuse = (status: number): Step => to(call, toLeg(call, side, { kind: "sip.refuseReoffer", status }));
  switch (report.kind) {
    case "sip.dialogChanged":
      return to({ ...call, [side]: { ...call[side], dialog: report.dialog } });
    case "sip.offered":
      if (now.by !== "nobody") return refuse(491);
      return to(
        { ...call, renegotiation: { by: side, awaiting: "media" } },
        { kind: "media.offer", from: side, sdp: report.sdp },
      );
    case "sip.offerWanted":
      if (now.by !== "nobody") return refuse(491);
      return to(
        { ...call, renegotiation: { by: side, awaiting: "description" } },
        { kind: "media.describe", end: side },
      );
    case "sip.reanswered":
      if (now.by === "bridge") return stepRejoining(call, now, fact);
      if (now.by === other(side) && now.awaiting === "other")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "media-answer" } },
          { kind: "media.answer", from: side, sdp: report.sdp },
        );
      if (now.by === side && now.awaiting === "own-answer")
        return to(
          { ...call, renegotiation: { by: side, awaiting: "own-media" } },
          { kind: "media.answer", from: side, sdp: report.sdp },
        );
      return ignored(call, fact);
    case "sip.offerRefused":
      if (now.by === "bridge") return stepRejoining(call, now, fact);
      // The other one does not go along: the session of the one that asked is settled with us alone.
      if (now.by === other(side) && now.awaiting === "other")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "media" } },
          { kind: "media.settle", from: now.by },
        );
      return now.by === side && now.awaiting === "own-answer" ? idleAgain(call) : ignored(call, fact);
    case "sip.dtmf": {
      const { digit, durationMs } = report;
      const target = other(side);
      // As that one takes keys, not as this one gives them.
      return call[target].trunk.abilities.infoDtmf
        ? to(call, toLeg(call, target, { kind: "sip.info", digit, durationMs }))
        : to(call, { kind: "media.dtmf", to: target, digit, durationMs });
    }
    case "sip.referred":
      return to(call, toLeg(call, side, { kind: "sip.refuseRefer", status: 603 }));
    case "sip.hungUp":
      return part(call, causeOfBye(report.q850, "outbound"), fact.atMs, { [side]: true });
    default:
      return ignored(call, fact);
  }
}

type MediaOutcome = Extract<
  TimedFact,
  { kind: "media.offered" | "media.settled" | "media.answered" | "media.described" | "media.refused" }
>;

function mediaReported(call: Joined, fact: MediaOutcome): Step {
  const now = call.renegotiation;
  if (now.by === "nobody") return ignored(call, fact);
  if (now.by === "bridge") return stepRejoining(call, now, fact);
  const settle = (...orders: readonly CallOrder[]): Step => to({ ...call, renegotiation: idle }, ...orders);
  const answer = (sdp: string): Step => settle(toLeg(call, now.by, { kind: "sip.answerReoffer", sdp }));
  switch (now.awaiting) {
    case "media":
      if (fact.kind === "media.settled") return answer(fact.sdp);
      if (fact.kind === "media.offered")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "other" } },
          toLeg(call, other(now.by), { kind: "sip.reoffer", sdp: fact.sdp }),
        );
      break;
    case "media-answer":
      if (fact.kind === "media.answered") return answer(fact.sdp);
      break;
    case "description":
      if (fact.kind === "media.described")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "own-answer" } },
          toLeg(call, now.by, { kind: "sip.answerReoffer", sdp: fact.sdp }),
        );
      break;
    case "own-media":
      return fact.kind === "media.answered" || fact.kind === "media.refused" ? settle() : ignored(call, fact);
    case "other":
    case "own-answer":
      return ignored(call, fact);
  }
  if (fact.kind !== "media.refused") return ignored(call, fact);
  return settle(toLeg(call, now.by, { kind: "sip.refuseReoffer", status: 488 }));
}

function idleAgain(call: Joined): Step {
  return to({ ...call, renegotiation: idle });
}

/** A key that the other leg's RTP cannot carry. */
function keyPressed(call: Joined, from: MediaEnd, digit: string, durationMs: number): Step {
  const target = other(from);
  if (!call[target].trunk.abilities.infoDtmf) return unchanged(call);
  return to(call, toLeg(call, target, { kind: "sip.info", digit, durationMs }));
}

function partIfOver(call: Joining | Joined, fact: TimedFact): Step | undefined {
  const cause = causes[fact.kind];
  return cause === undefined ? undefined : part(call, cause, fact.atMs, {});
}

const causes: Partial<Record<TimedFact["kind"], Cause>> = {
  "media.failed": "media-failed",
  "media.timedOut": "media-silent",
  "media.lost": "media-lost",
  "fault.thrown": "fault",
  "bridge.stopped": "restarted",
  "admin.ended": "admin-ended",
};
