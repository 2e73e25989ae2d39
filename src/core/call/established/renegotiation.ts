// Changes of an established session: hold, resume, ICE restart and the trunk's re-offers, one exchange at a time
// (RFC 3264 s4).
import { clientEnd, trunkEnd } from "../../media-end.ts";
import type { MediaDescription } from "../../media-description.ts";
import type { CallIn, Connected, Renegotiation } from "../model/call.ts";
import type { CallOrder } from "../model/order.ts";
import { end } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import { amend, ignored, to, type Step } from "../model/transition.ts";

/** How long the person's client may take over an offer of ours, as the lifetime in it. */
const reofferLifetimeMs = 30_000;

const idle: Renegotiation = { by: "nobody" };
const clearDeadline: CallOrder = { kind: "deadline.clear", name: "renegotiation" };

type TrunkEmpty = Extract<Renegotiation, { by: "trunk-empty" | "trunk-first" }>;

export type RenegotiationFact = Extract<
  TimedFact,
  {
    kind:
      | "matrix.offered"
      | "matrix.reanswered"
      | "media.offered"
      | "media.settled"
      | "media.answered"
      | "media.described"
      | "media.refused"
      | "sip.offered"
      | "sip.offerWanted"
      | "sip.reanswered"
      | "sip.offerRefused";
  }
>;

export function renegotiate(call: CallIn<Connected>, fact: RenegotiationFact): Step {
  const now = call.phase.renegotiation;
  switch (fact.kind) {
    case "matrix.offered":
      if (!call.phase.leg.abilities.canRenegotiate) return ignored(call, fact);
      if (call.phase.unshown.isOvertaken) return overtakenGlare(call, fact);
      if ((now.by === "trunk" || now.by === "hold") && now.awaiting === "person") return offerGlare(call, fact);
      if (now.by !== "nobody") return awaits(call, { ...now, queued: fact.description });
      return personOffers(call, fact.description);
    case "sip.offered":
      if (isBusy(now)) return to(call, { kind: "sip.refuseReoffer", status: 491 });
      return awaits(
        overtaken(call),
        { by: "trunk", awaiting: "media", queued: queuedIn(now) },
        { kind: "media.offer", from: trunkEnd, description: fact.description },
      );
    case "sip.offerWanted":
      if (isBusy(now)) return to(call, { kind: "sip.refuseReoffer", status: 491 });
      return awaits(
        overtaken(call),
        { by: "trunk-empty", awaiting: "media", queued: queuedIn(now) },
        { kind: "media.describe", end: trunkEnd },
      );
    case "matrix.reanswered":
      if (call.phase.unshown.isOvertaken) return to(overtakenOver(call), clearDeadline);
      return exchange(call, now, fact);
    default:
      return exchange(call, now, fact);
  }
}

function exchange(call: CallIn<Connected>, now: Renegotiation, fact: RenegotiationFact): Step {
  switch (now.by) {
    case "nobody":
    case "hold":
      return ignored(call, fact);
    case "matrix":
      return personsExchange(call, now, fact);
    case "trunk":
      return trunksExchange(call, now, fact);
    case "trunk-empty":
    case "trunk-first":
      return emptyExchange(call, now, fact);
    case "referral":
      return ignored(call, fact);
  }
}

/** Whether the trunk has to wait: not for a hold that is only being shown. */
export function isBusy({ by }: Renegotiation): boolean {
  return by !== "nobody" && by !== "hold";
}

/** What the client has offered meanwhile keeps its turn. */
export function queuedIn(now: Renegotiation): MediaDescription | undefined {
  return now.by === "nobody" ? undefined : now.queued;
}

/** Something else begins. It does not wait for the client's answer to an offer of ours; the next offer does. */
export function overtaken(call: CallIn<Connected>): CallIn<Connected> {
  const { renegotiation: now, unshown } = call.phase;
  if (now.by !== "hold" || now.awaiting !== "person") return call;
  return amend(call, { unshown: { ...unshown, isOvertaken: true } });
}

/** The offer that was overtaken has been answered or has expired: what the client was told by it is not known. */
function overtakenOver(call: CallIn<Connected>): CallIn<Connected> {
  return amend(call, { unshown: { ...call.phase.unshown, isOvertaken: false } });
}

/** hold or resume: client's offer -> engine -> re-INVITE -> engine -> client's answer. */
function personsExchange(
  call: CallIn<Connected>,
  now: Extract<Renegotiation, { by: "matrix" }>,
  fact: RenegotiationFact,
): Step {
  if (now.awaiting === "media") {
    if (fact.kind === "media.settled") return reanswerPerson(call, fact.description);
    if (fact.kind === "media.offered")
      return awaits(call, { ...now, awaiting: "trunk" }, { kind: "sip.reoffer", description: fact.description });
    // The client's offer cannot be used, or cannot even be settled: the call goes on as it was.
    if (fact.kind === "media.refused" && fact.from === clientEnd) return close(call);
  }
  if (now.awaiting === "trunk") {
    if (fact.kind === "sip.reanswered") return trunkAnswers(call, now, fact.description);
    // The trunk knows no re-INVITE or dislikes this one: hold between the client and us alone.
    if (fact.kind === "sip.offerRefused")
      return awaits(call, { ...now, awaiting: "media" }, { kind: "media.settle", from: clientEnd });
  }
  if (now.awaiting === "media-answer") {
    if (fact.kind === "media.answered") return reanswerPerson(call, fact.description);
    if (fact.kind === "media.refused")
      return awaits(call, { ...now, awaiting: "media" }, { kind: "media.settle", from: clientEnd });
  }
  return ignored(call, fact);
}

/** The far end's hold, a moved media address, a session refresh; rarely something the client has to agree to. */
function trunksExchange(
  call: CallIn<Connected>,
  now: Extract<Renegotiation, { by: "trunk" }>,
  fact: RenegotiationFact,
): Step {
  if (now.awaiting === "media") {
    if (fact.kind === "media.settled") return close(call, { kind: "sip.answerReoffer", description: fact.description });
    if (fact.kind === "media.refused") return close(call, { kind: "sip.refuseReoffer", status: 488 });
    if (fact.kind === "media.offered" && !call.phase.leg.abilities.canRenegotiate)
      return close(call, { kind: "sip.refuseReoffer", status: 488 });
    // The client's own offer was under way before ours could be: the two cross all the same. And of two offers of ours it
    // would not be known which one the client answers.
    if (
      fact.kind === "media.offered" &&
      ((now.queued !== undefined && call.phase.inviter === "person") || call.phase.unshown.isOvertaken)
    )
      return close(call, { kind: "sip.refuseReoffer", status: 491 });
    if (fact.kind === "media.offered")
      return awaits(
        call,
        { ...now, awaiting: "person", queued: undefined },
        {
          kind: "matrix.signal",
          leg: call.phase.leg,
          signal: { kind: "reoffer", description: fact.description, lifetimeMs: reofferLifetimeMs },
        },
        { kind: "deadline.set", name: "renegotiation", atMs: fact.atMs + reofferLifetimeMs },
      );
  }
  if (now.awaiting === "person" && fact.kind === "matrix.reanswered")
    return awaits(
      call,
      { ...now, awaiting: "media-answer" },
      { kind: "deadline.clear", name: "renegotiation" },
      { kind: "media.answer", from: clientEnd, description: fact.description },
    );
  if (now.awaiting === "media-answer") {
    if (fact.kind === "media.answered")
      return close(call, { kind: "sip.answerReoffer", description: fact.description });
    if (fact.kind === "media.refused") return close(call, { kind: "sip.refuseReoffer", status: 488 });
  }
  return ignored(call, fact);
}

/** INVITE or re-INVITE without an offer (RFC 3261 s13.2.1, s14.2): ours goes into the 200, the answer comes with the ACK. */
function emptyExchange(call: CallIn<Connected>, now: TrunkEmpty, fact: RenegotiationFact): Step {
  if (now.awaiting === "media") {
    if (fact.kind === "media.described")
      return awaits(call, { ...now, awaiting: "trunk" }, { kind: "sip.answerReoffer", description: fact.description });
    if (fact.kind === "media.refused") return close(call, { kind: "sip.refuseReoffer", status: 488 });
  }
  if (now.awaiting === "trunk") {
    if (fact.kind === "sip.reanswered") return trunkAnswers(call, now, fact.description);
    if (fact.kind === "sip.offerRefused") return unanswered(call, now, fact.atMs);
  }
  if (now.awaiting === "media-answer" && fact.kind === "media.answered") return close(call);
  if (now.awaiting === "media-answer" && fact.kind === "media.refused") return unanswered(call, now, fact.atMs);
  return ignored(call, fact);
}

/** Of a session there was the old state serves; where the call itself began without an offer, there is none yet. */
function unanswered(call: CallIn<Connected>, { by }: TrunkEmpty, atMs: number): Step {
  return by === "trunk-first" ? end(call, "incompatible", atMs, {}) : close(call);
}

function trunkAnswers(
  call: CallIn<Connected>,
  now: TrunkEmpty | Extract<Renegotiation, { by: "matrix" }>,
  description: MediaDescription,
): Step {
  return awaits(call, { ...now, awaiting: "media-answer" }, { kind: "media.answer", from: trunkEnd, description });
}

function reanswerPerson(call: CallIn<Connected>, description: MediaDescription): Step {
  return close(call, { kind: "matrix.signal", leg: call.phase.leg, signal: { kind: "reanswer", description } });
}

function personOffers(call: CallIn<Connected>, description: MediaDescription): Step {
  return awaits(
    call,
    { by: "matrix", awaiting: "media", queued: undefined },
    { kind: "media.offer", from: clientEnd, description },
  );
}

/**
 * The client's offer crossed ours. Who was called is the polite peer (Matrix spec, m.call.negotiate). A client that was
 * called takes its own offer back and answers ours. One that called ignores ours, and we take it back: 491 has the trunk
 * offer again soon.
 */
function offerGlare(call: CallIn<Connected>, fact: Extract<TimedFact, { kind: "matrix.offered" }>): Step {
  if (call.phase.inviter === "bridge") return ignored(call, fact);
  const next = personOffers(call, fact.description);
  return to(
    next.call,
    clearDeadline,
    ...(call.phase.renegotiation.by === "trunk" ? [{ kind: "sip.refuseReoffer", status: 491 } as const] : []),
    ...next.orders,
  );
}

/** The same, where something of the trunk's has overtaken ours. It goes on. */
function overtakenGlare(call: CallIn<Connected>, fact: Extract<TimedFact, { kind: "matrix.offered" }>): Step {
  if (call.phase.inviter === "bridge") return ignored(call, fact);
  const next = renegotiate(overtakenOver(call), fact);
  return to(next.call, clearDeadline, ...next.orders);
}

/** The client never answered, or never got, an offer of ours. */
export function personSilent(call: CallIn<Connected>, fact: TimedFact): Step {
  const now = call.phase.renegotiation;
  if (call.phase.unshown.isOvertaken) return to(overtakenOver(call), clearDeadline);
  if ((now.by !== "trunk" && now.by !== "hold") || now.awaiting !== "person") return ignored(call, fact);
  return now.by === "trunk"
    ? close(call, clearDeadline, { kind: "sip.refuseReoffer", status: 488 })
    : close(call, clearDeadline);
}

/** The next that has to come of the exchange, once the orders are carried out. */
export function awaits(call: CallIn<Connected>, renegotiation: Renegotiation, ...orders: readonly CallOrder[]): Step {
  return to(amend(call, { renegotiation }), ...orders);
}

/** Ends the exchange; an offer of the client's that had to wait has its turn. */
export function close(call: CallIn<Connected>, ...orders: readonly CallOrder[]): Step {
  const now = call.phase.renegotiation;
  const settled = amend(call, { renegotiation: idle });
  if (now.by === "nobody" || now.queued === undefined) return to(settled, ...orders);
  const next = personOffers(settled, now.queued);
  return to(next.call, ...orders, ...next.orders);
}
