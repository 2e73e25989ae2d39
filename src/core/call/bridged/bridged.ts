// Two trunk legs that talk to each other through the bridge, because a person transferred one to the other and the
// trunk takes no REFER. No Matrix leg has part in it; the person's room hears how it went.
// Of the media session the `trunk` side is the right leg, the `matrix` side the left one.
import type { CallId } from "../../ids.ts";
import { causeOfBye, causeOfFailure, causeOfMediaFault, causeOfRejection, type Cause } from "../model/cause.ts";
import type { CallEffect, SipOrder } from "../model/order.ts";
import type { CallEvent, SipFact } from "../model/fact.ts";
import type { Handover, Joined, Joining, JointRenegotiation, JointSide, RightLeg } from "../model/bridged-call.ts";
import { notice } from "../ending/room-notices.ts";
import type { MediaSide } from "../model/media-side.ts";
import { part } from "./ending-bridged.ts";
import { rejoin, stepRejoining } from "./rejoining.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";

/** Nobody is rung for longer by a transfer. */
const answerMs = 120_000;
const idle: JointRenegotiation = { by: "nobody" };

/** `id` is fresh; it also names the right leg where that has to be called. */
export function beginJoint(id: CallId, handover: Handover, atMs: number): Step {
  const { left, target, leg, notices, endsAtMs, words } = handover;
  const right: RightLeg =
    target.kind === "dialled"
      ? { call: id, trunk: target.trunk, dialled: target.trunk, invite: undefined, dialog: undefined }
      : { ...target.leg, dialled: undefined, invite: undefined };
  const joining: Joining = {
    phase: "joining",
    id,
    direction: "joined",
    left,
    right,
    leg,
    trunk: left.trunk,
    number: left.trunk.number,
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
    { kind: "media.describe", side: "trunk" },
  );
}

export function stepJoining(call: Joining, event: CallEvent): Step {
  switch (event.kind) {
    case "leg.reported":
      return event.side === "right" ? rightReported(call, event.fact, event) : leftReported(call, event.fact, event);
    case "media.described":
      return call.awaiting === "offer" ? offerRight(call, event.sdp) : ignored(call, event);
    case "media.answered":
      if (call.awaiting === "left-offer" && event.from === "trunk")
        return to({ ...call, awaiting: "left" }, order(call, "left", { kind: "sip.reoffer", sdp: event.sdp }));
      if (call.awaiting === "left-answer" && event.from === "matrix") return joined(call, event);
      return ignored(call, event);
    case "media.refused":
      // Both sides are trunks.
      return part(call, causeOfMediaFault(event.fault, "trunk"), event.atMs, {});
    case "deadline.passed":
      if (event.name === "answer") return part(call, "no-answer", event.atMs, {});
      return event.name === "duration" ? part(call, "max-duration", event.atMs, {}) : ignored(call, event);
    default:
      return partIfOver(call, event) ?? ignored(call, event);
  }
}

export function stepJoined(call: Joined, event: CallEvent): Step {
  switch (event.kind) {
    case "leg.reported":
      return joinedReported(call, event.side, event.fact, event);
    case "media.offered":
    case "media.settled":
    case "media.answered":
    case "media.described":
    case "media.refused":
      return mediaReported(call, event);
    case "deadline.passed":
      return event.name === "duration" ? part(call, "max-duration", event.atMs, {}) : ignored(call, event);
    case "media.lost":
      return call.renegotiation.by === "bridge"
        ? part(call, "media-lost", event.atMs, {})
        : rejoin(call, call.renegotiation);
    case "media.released":
      return unchanged(call);
    case "media.dtmf":
      return event.relayed ? unchanged(call) : keyPressed(call, event.from, event.digit, event.durationMs);
    default:
      return partIfOver(call, event) ?? ignored(call, event);
  }
}

function order(
  call: { readonly left: { readonly call: CallId }; readonly right: { readonly call: CallId } },
  side: JointSide,
  sip: SipOrder,
): CallEffect {
  return { kind: "leg.order", call: call[side].call, order: sip };
}

function mediaSideOf(side: JointSide): MediaSide {
  return side === "right" ? "trunk" : "matrix";
}

function other(side: JointSide): JointSide {
  return side === "left" ? "right" : "left";
}

function offerRight(call: Joining, sdp: string): Step {
  const { dialled } = call.right;
  const offer: SipOrder =
    dialled === undefined
      ? { kind: "sip.reoffer", sdp }
      : { kind: "sip.invite", trunk: dialled.name, target: dialled.target, identity: dialled.identity, sdp };
  return to({ ...call, awaiting: "right" }, order(call, "right", offer));
}

function rightReported(call: Joining, fact: SipFact, event: CallEvent): Step {
  const { right } = call;
  switch (fact.kind) {
    case "sip.sent":
      return to({ ...call, right: { ...right, invite: fact.invite } });
    case "sip.trying":
      return unchanged(call);
    case "sip.ringing":
    case "sip.progressed":
      return to({ ...call, ringingAtMs: call.ringingAtMs ?? event.atMs });
    case "sip.accepted":
    case "sip.reanswered":
      if (call.awaiting !== "right") return ignored(call, event);
      return to(
        {
          ...call,
          awaiting: "left-offer",
          right: { ...right, dialog: fact.kind === "sip.accepted" ? fact.dialog : right.dialog },
        },
        { kind: "media.answer", from: "trunk", sdp: fact.sdp },
      );
    case "sip.rejected": {
      const cause = causeOfRejection(fact.status, fact.q850, call.ringingAtMs !== undefined);
      return part(call, cause, event.atMs, { right: true }, fact.status);
    }
    case "sip.failed":
      return part(call, causeOfFailure(fact.fault), event.atMs, { right: true });
    default:
      return eitherReported(call, "right", fact, event);
  }
}

function leftReported(call: Joining, fact: SipFact, event: CallEvent): Step {
  if (fact.kind === "sip.reanswered" && call.awaiting === "left")
    return to({ ...call, awaiting: "left-answer" }, { kind: "media.answer", from: "matrix", sdp: fact.sdp });
  return eitherReported(call, "left", fact, event);
}

/** What means the same on both legs while they are brought together. */
function eitherReported(call: Joining, side: JointSide, fact: SipFact, event: CallEvent): Step {
  switch (fact.kind) {
    case "sip.dialogChanged":
      return side === "left"
        ? to({ ...call, left: { ...call.left, dialog: fact.dialog } })
        : to({ ...call, right: { ...call.right, dialog: fact.dialog } });
    case "sip.offered":
    case "sip.offerWanted":
      return to(call, order(call, side, { kind: "sip.refuseReoffer", status: 491 }));
    case "sip.referred":
      return to(call, order(call, side, { kind: "sip.refuseRefer", status: 603 }));
    case "sip.offerRefused":
      return part(call, "incompatible", event.atMs, {});
    case "sip.hungUp":
      return part(call, causeOfBye(fact.q850, "outbound"), event.atMs, { [side]: true });
    default:
      return ignored(call, event);
  }
}

function joined(call: Joining, event: CallEvent): Step {
  const { awaiting: _awaiting, right, ...rest } = call;
  if (right.dialog === undefined) return ignored(call, event);
  const { call: rightCall, trunk, dialog } = right;
  const next: Joined = {
    ...rest,
    phase: "joined",
    right: { call: rightCall, trunk, dialog },
    answeredAtMs: event.atMs,
    renegotiation: idle,
  };
  const { notices, leg, words } = call;
  const said = notices.failures || notices.history ? [notice(leg, words)] : [];
  return to(next, { kind: "deadline.clear", name: "answer" }, ...said);
}

function joinedReported(call: Joined, side: JointSide, fact: SipFact, event: CallEvent): Step {
  const now = call.renegotiation;
  const refuse = (status: number): Step => to(call, order(call, side, { kind: "sip.refuseReoffer", status }));
  switch (fact.kind) {
    case "sip.dialogChanged":
      return to({ ...call, [side]: { ...call[side], dialog: fact.dialog } });
    case "sip.offered":
      if (now.by !== "nobody") return refuse(491);
      return to(
        { ...call, renegotiation: { by: side, awaiting: "media" } },
        { kind: "media.offer", from: mediaSideOf(side), sdp: fact.sdp },
      );
    case "sip.offerWanted":
      if (now.by !== "nobody") return refuse(491);
      return to(
        { ...call, renegotiation: { by: side, awaiting: "description" } },
        { kind: "media.describe", side: mediaSideOf(side) },
      );
    case "sip.reanswered":
      if (now.by === "bridge") return stepRejoining(call, now, event);
      if (now.by === other(side) && now.awaiting === "other")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "media-answer" } },
          { kind: "media.answer", from: mediaSideOf(side), sdp: fact.sdp },
        );
      if (now.by === side && now.awaiting === "own-answer")
        return to(
          { ...call, renegotiation: { by: side, awaiting: "own-media" } },
          { kind: "media.answer", from: mediaSideOf(side), sdp: fact.sdp },
        );
      return ignored(call, event);
    case "sip.offerRefused":
      if (now.by === "bridge") return stepRejoining(call, now, event);
      // The other one does not go along: the session of the one that asked is settled with us alone.
      if (now.by === other(side) && now.awaiting === "other")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "media" } },
          { kind: "media.settle", from: mediaSideOf(now.by) },
        );
      return now.by === side && now.awaiting === "own-answer" ? idleAgain(call) : ignored(call, event);
    case "sip.dtmf": {
      const { digit, durationMs } = fact;
      const target = other(side);
      // As that one takes keys, not as this one gives them.
      return call[target].trunk.abilities.infoDtmf
        ? to(call, order(call, target, { kind: "sip.info", digit, durationMs }))
        : to(call, { kind: "media.dtmf", to: mediaSideOf(target), digit, durationMs });
    }
    case "sip.referred":
      return to(call, order(call, side, { kind: "sip.refuseRefer", status: 603 }));
    case "sip.hungUp":
      return part(call, causeOfBye(fact.q850, "outbound"), event.atMs, { [side]: true });
    default:
      return ignored(call, event);
  }
}

type MediaEvent = Extract<
  CallEvent,
  { kind: "media.offered" | "media.settled" | "media.answered" | "media.described" | "media.refused" }
>;

function mediaReported(call: Joined, event: MediaEvent): Step {
  const now = call.renegotiation;
  if (now.by === "nobody") return ignored(call, event);
  if (now.by === "bridge") return stepRejoining(call, now, event);
  const settle = (...orders: readonly CallEffect[]): Step => to({ ...call, renegotiation: idle }, ...orders);
  const answer = (sdp: string): Step => settle(order(call, now.by, { kind: "sip.answerReoffer", sdp }));
  switch (now.awaiting) {
    case "media":
      if (event.kind === "media.settled") return answer(event.sdp);
      if (event.kind === "media.offered")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "other" } },
          order(call, other(now.by), { kind: "sip.reoffer", sdp: event.sdp }),
        );
      break;
    case "media-answer":
      if (event.kind === "media.answered") return answer(event.sdp);
      break;
    case "description":
      if (event.kind === "media.described")
        return to(
          { ...call, renegotiation: { by: now.by, awaiting: "own-answer" } },
          order(call, now.by, { kind: "sip.answerReoffer", sdp: event.sdp }),
        );
      break;
    case "own-media":
      return event.kind === "media.answered" || event.kind === "media.refused" ? settle() : ignored(call, event);
    case "other":
    case "own-answer":
      return ignored(call, event);
  }
  if (event.kind !== "media.refused") return ignored(call, event);
  return settle(order(call, now.by, { kind: "sip.refuseReoffer", status: 488 }));
}

function idleAgain(call: Joined): Step {
  return to({ ...call, renegotiation: idle });
}

/** A key that the other leg's RTP cannot carry. */
function keyPressed(call: Joined, from: MediaSide, digit: string, durationMs: number): Step {
  const target: JointSide = from === "trunk" ? "left" : "right";
  if (!call[target].trunk.abilities.infoDtmf) return unchanged(call);
  return to(call, order(call, target, { kind: "sip.info", digit, durationMs }));
}

function partIfOver(call: Joining | Joined, event: CallEvent): Step | undefined {
  const cause = causes[event.kind];
  return cause === undefined ? undefined : part(call, cause, event.atMs, {});
}

const causes: Partial<Record<CallEvent["kind"], Cause>> = {
  "media.failed": "media-failed",
  "media.timedOut": "media-silent",
  "media.lost": "media-lost",
  "fault.thrown": "fault",
  "bridge.stopped": "restarted",
  "admin.ended": "admin-ended",
};
