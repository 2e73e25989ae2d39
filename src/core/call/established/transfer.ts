// The person has handed the call over and is gone (MSC2747): the far end is sent to somebody else by REFER, or, where
// that fails, its leg is joined with another one in the bridge (bridged.ts). A far end that nobody takes goes back to the
// person (inbound/recalled.ts).
import { clientEnd, trunkEnd } from "../../media-end.ts";
import { localpartOf, type UserId } from "../../ids.ts";
import type { Arriving, CallCommon, CallIn, Connected, Transferring } from "../model/call.ts";
import { causeOfRejection, type Cause } from "../model/cause.ts";
import type { CallOrder } from "../model/order.ts";
import { mediaAnswerMs } from "./connecting.ts";
import { end, endIfOver } from "../ending/ending.ts";
import type { TimedFact, TransferOrder } from "../model/fact.ts";
import { farewell, farewellSignals, owing } from "../ending/farewell.ts";
import type { Handover, TransferTarget } from "../model/bridged-call.ts";
import { endNotices, transferFailedLine, transferredLine } from "../ending/room-notices.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";

/** A target rings for no longer; a trunk that says nothing about its REFER is not waited for either. */
const referMs = 120_000;
/** The client tells both calls of a consult transfer at once. */
const otherCallMs = 10_000;
/** The other half has come, and may have to be carried out in two ways, one after the other. */
const claimedMs = 2 * referMs;
/** A person to whom a call is transferred is rung as long as an invite of ours lives at least. */
const forwardedRingMs = 90_000;

/**
 * The client's order, in a connected call. The client has ended its leg with it and says no hang-up, so that ours is what
 * tells its room, and its other devices, that the call is over.
 */
export function beginTransfer(call: CallIn<Connected>, order: TransferOrder, atMs: number): Step {
  const { phase } = call;
  const { leg, inviter, trunk, ringingAtMs, takenAtMs } = phase;
  const goodbye = farewell(leg, "hangup", "transferred");
  const transferring = enter<Transferring>(owing(call, [goodbye]), {
    kind: "transferring",
    leg,
    inviter,
    trunk,
    ringingAtMs,
    takenAtMs,
    awaiting: "plan",
    target: undefined,
    to: undefined,
    rang: false,
    offered: false,
  });
  const first: readonly CallOrder[] = [
    { kind: "deadline.clear", name: "renegotiation" },
    { kind: "deadline.clear", name: "audio" },
    ...brokenOff(call.phase.renegotiation),
    ...farewellSignals(goodbye),
  ];
  switch (order.kind) {
    case "blind":
      return to(transferring, ...first, planFor(order.target, call));
    case "consult": {
      const target: TransferTarget = { kind: "leg", leg: order.other };
      const next = amend(transferring, { to: order.name, target });
      return order.stays ? join(next, atMs, ...first) : refer(next, target, atMs, ...first);
    }
    case "nowhere":
      return failed(transferring, "transfer-failed", atMs, ...first);
    case "awaited":
      return to(amend(transferring, { awaiting: "other" }), ...first, {
        kind: "deadline.set",
        name: "transfer",
        atMs: atMs + otherCallMs,
      });
  }
}

export function stepTransferring(call: CallIn<Transferring>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "transfer.planned":
      if (call.phase.awaiting !== "plan") return ignored(call, fact);
      return planned(call, fact);
    case "transfer.claimed":
      if (call.phase.awaiting !== "other") return ignored(call, fact);
      return to(call, { kind: "deadline.set", name: "transfer", atMs: fact.atMs + claimedMs });
    case "transfer.forwarded":
      return call.phase.awaiting === "plan" ? forward(call, fact) : ignored(call, fact);
    case "transfer.barred":
      return call.phase.awaiting === "plan" ? failed(call, fact.cause, fact.atMs) : ignored(call, fact);
    case "transfer.taken":
      return handedOver(end(call, "transferred", fact.atMs, { person: true, trunk: true }));
    case "sip.referRefused":
      return call.phase.awaiting === "refer" ? join(call, fact.atMs) : ignored(call, fact);
    case "sip.referProgressed":
      if (call.phase.awaiting !== "refer") return ignored(call, fact);
      return referProgressed(call, fact.status, fact.atMs);
    case "sip.hungUp":
      if (call.phase.awaiting === "plan") return endIfOver(call, fact) ?? ignored(call, fact);
      // Many telephones hang up as soon as they call the other number, and tell nothing any more.
      return end(call, "transferred", fact.atMs, { person: true, trunk: true });
    case "deadline.passed":
      if (fact.name === "transfer" && call.phase.awaiting === "refer") return referFailed(call, "no-answer", fact.atMs);
      if (fact.name === "transfer" && call.phase.awaiting === "other")
        return failed(call, "transfer-failed", fact.atMs);
      if (fact.name === "duration") return end(call, "max-duration", fact.atMs, { person: true });
      return ignored(call, fact);
    case "sip.dialogChanged":
      return to(amend(call, { trunk: { ...call.phase.trunk, dialog: fact.dialog } }));
    case "sip.offered":
    case "sip.offerWanted":
    case "media.offered":
    case "media.settled":
    case "media.described":
    case "media.refused":
      return answerTrunk(call, fact);
    case "sip.referred":
      // One transfer at a time; nobody would hear the other one's end.
      return to(call, { kind: "sip.refuseRefer", status: 491 });
    case "sip.replaced":
      // What the trunk had wanted before the person did: the far end is another one.
      return to(amend(call, { trunk: { ...call.phase.trunk, dialog: fact.dialog } }), {
        kind: "media.answer",
        from: trunkEnd,
        description: fact.description,
      });
    case "sip.reanswered":
      return to(call, { kind: "media.answer", from: trunkEnd, description: fact.description });
    case "media.answered":
    case "media.timedOut":
    case "media.failed":
    case "media.closed":
    case "media.disconnected":
    case "media.lost":
    case "matrix.hungUp":
    case "matrix.left":
    case "matrix.told":
    case "matrix.unreachable":
      // The client closed its side with the order; what still comes of it means nothing.
      return unchanged(call);
    default:
      return endIfOver(call, fact) ?? ignored(call, fact);
  }
}

function planned(call: CallIn<Transferring>, fact: Extract<TimedFact, { kind: "transfer.planned" }>): Step {
  const target: TransferTarget = { kind: "dialled", trunk: fact.trunk };
  const next = amend(call, { to: fact.shown.displayName, target });
  return fact.stays ? join(next, fact.atMs) : refer(next, target, fact.atMs);
}

type TrunkOffer = Extract<
  TimedFact,
  { kind: "sip.offered" | "sip.offerWanted" | "media.offered" | "media.settled" | "media.described" | "media.refused" }
>;

/** Mostly the far end's hold while it calls the other number: nobody is left to ask. */
function answerTrunk(call: CallIn<Transferring>, fact: TrunkOffer): Step {
  const asked = amend(call, { offered: true });
  const answered = amend(call, { offered: false });
  if (fact.kind === "sip.offered" || fact.kind === "sip.offerWanted") {
    if (call.phase.offered) return to(call, again);
    return fact.kind === "sip.offered"
      ? to(asked, { kind: "media.offer", from: trunkEnd, description: fact.description })
      : to(asked, { kind: "media.describe", end: trunkEnd });
  }
  // Of an exchange that the transfer broke off.
  const isTrunks = fact.kind === "media.described" ? fact.end === trunkEnd : fact.from === trunkEnd;
  if (!call.phase.offered || !isTrunks) return unchanged(call);
  switch (fact.kind) {
    case "media.offered":
      return to(call, { kind: "media.settle", from: trunkEnd });
    case "media.settled":
    case "media.described":
      return to(answered, { kind: "sip.answerReoffer", description: fact.description });
    case "media.refused":
      return to(answered, { kind: "sip.refuseReoffer", status: 488 });
  }
}

/** The trunk's exchange cannot be brought to its end: it is to come again, to whoever has its leg then (RFC 3261 s14.2). */
const again: CallOrder = { kind: "sip.refuseReoffer", status: 491 };

function brokenOff(now: Connected["renegotiation"]): readonly CallOrder[] {
  switch (now.by) {
    case "trunk":
      return [again];
    case "trunk-empty":
      return now.awaiting === "media" ? [again] : [];
    case "referral":
      return now.awaiting === "plan" || now.awaiting === "offer" ? [{ kind: "sip.refuseRefer", status: 491 }] : [];
    default:
      return [];
  }
}

function planFor(target: UserId, call: CallIn<Connected>) {
  return { kind: "transfer.plan", to: target, person: call.phase.leg.person } as const;
}

/** By REFER where both legs are of one trunk that takes it (RFC 3515, RFC 3891), else joined here. */
function refer(call: CallIn<Transferring>, target: TransferTarget, atMs: number, ...before: Step["orders"]): Step {
  const { name } = target.kind === "dialled" ? target.trunk : target.leg;
  const { trunk } = call.phase;
  if (!trunk.abilities.refer || name !== trunk.name) return join(amend(call, { target }), atMs, ...before);
  return to(
    amend(call, { awaiting: "refer", target }),
    ...before,
    { kind: "deadline.set", name: "transfer", atMs: atMs + referMs },
    {
      kind: "sip.refer",
      target:
        target.kind === "dialled"
          ? { kind: "address", uri: target.trunk.target }
          : { kind: "dialog", dialog: target.leg.dialog },
    },
  );
}

/** The trunk's leg is another call's from here on; of this one the record is left. */
function join(call: CallIn<Transferring>, atMs: number, ...before: Step["orders"]): Step {
  const { phase, notices } = call;
  const { target, leg, trunk } = phase;
  if (target === undefined) return failed(call, "transfer-failed", atMs);
  const handover: Handover = {
    a: trunk,
    target,
    leg,
    notices,
    endsAtMs: trunk.answeredAtMs + call.maxDurationMs,
    words: transferredLine(phase, notices, atMs),
  };
  const ended = handedOver(end(call, "transferred", atMs, { person: true, trunk: true, on: true }));
  const owed = call.phase.offered ? [again] : [];
  return to(ended.call, ...before, ...owed, ...ended.orders, { kind: "transfer.join", handover });
}

/** The trunk's leg lives on in another call, and what it hears is still the same stream. */
function handedOver({ call, orders }: Step): Step {
  return to(call, { kind: "media.handOver", end: trunkEnd }, ...orders);
}

/** The far end's telephone stays where it is; who is rung for it is somebody else, with a session of their own. */
function forward(call: CallIn<Transferring>, fact: Extract<TimedFact, { kind: "transfer.forwarded" }>): Step {
  const { person, ring, announce, atMs } = fact;
  const { outstanding } = call;
  const { leg, trunk } = call.phase;
  const next: CallCommon = {
    ...call,
    direction: "inbound",
    called: call.called ?? localpartOf(leg.person),
    outstanding: { ...outstanding, releases: outstanding.releases + 1 },
  };
  const arriving = enter<Arriving>(next, {
    kind: "arriving",
    origin: { kind: "transferred", by: leg },
    trunk,
    ghost: leg.ghost,
    ring,
    stages: [{ targets: [{ kind: "person", person }], ringMs: forwardedRingMs }],
    announce,
  });
  return to(
    arriving,
    ...(call.phase.offered ? [again] : []),
    ...endNotices(amend(call, { to: person }), "transferred", atMs),
    { kind: "deadline.clear", name: "duration" },
    { kind: "media.handOver", end: trunkEnd },
    { kind: "media.release" },
    { kind: "deadline.set", name: "answer", atMs: atMs + mediaAnswerMs },
    { kind: "media.describe", end: clientEnd },
  );
}

function referProgressed(call: CallIn<Transferring>, status: number, atMs: number): Step {
  if (status < 180) return unchanged(call);
  if (status < 200) return to(amend(call, { rang: true }));
  if (status < 300) return end(call, "transferred", atMs, { person: true });
  return referFailed(call, causeOfRejection(status, undefined, call.phase.rang), atMs);
}

/**
 * Many switches accept a REFER and then cannot carry it out: of a queue, a menu or a conference, say. Where nothing rang
 * the number is called from here. One that rang and was not answered would ring a second time.
 */
function referFailed(call: CallIn<Transferring>, why: Cause, atMs: number): Step {
  return call.phase.rang ? failed(call, why, atMs) : join(call, atMs);
}

/** The far end goes back to the person, who is told in one line, with the reason if there is one. */
function failed(call: CallIn<Transferring>, why: Cause, atMs: number, ...before: Step["orders"]): Step {
  const { call: ending, orders } = end(call, "transfer-failed", atMs, { person: true });
  const owed = call.phase.offered ? [again] : [];
  const explained = (order: CallOrder): CallOrder =>
    order.kind === "matrix.notice" && why !== "transfer-failed" ? { ...order, text: transferFailedLine(why) } : order;
  return to(ending, ...before, ...owed, ...orders.map(explained));
}
