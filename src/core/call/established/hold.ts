// The telephone's hold, or its end, as the client is shown it: an offer of ours to the client, after the trunk has had its
// answer. The trunk never waits for it, and whatever the trunk wants meanwhile goes first.
// What is to be shown is a state of the call and no fact: a call in which nothing else is being settled shows it.
// A client that has to be offered the call once more, to say its digits aright, is offered it in the same way.
import { clientEnd } from "../../media-end.ts";
import { notice } from "../ending/room-notices.ts";
import { isIn, type Call, type CallIn, type Connected, type Renegotiation } from "../model/call.ts";
import type { TimedFact, Untold } from "../model/fact.ts";
import { awaits, close } from "./renegotiation.ts";
import { amend, ignored, to, type Step } from "../model/transition.ts";

/** A client answers within a second or two, or not at all. */
const showLifetimeMs = 10_000;
const mostTries = 3;

/** Every outcome of the media engine that carries a description says what the client has not been told since. */
export function learn(call: CallIn<Connected>, { untold }: Untold): CallIn<Connected> {
  if (untold === call.phase.unshown.untold) return call;
  return amend(call, { unshown: { ...call.phase.unshown, untold, tries: 0 } });
}

/** What the client has yet to be told, once nothing else is being settled and no offer of ours may still be answered. */
export function showHold(before: Call, step: Step): Step {
  const { call, orders } = step;
  if (!isIn(call, "connected")) return step;
  if (!call.phase.leg.abilities.canRenegotiate) return inWords(before, call, orders);
  if (call.phase.renegotiation.by !== "nobody") return step;
  const { untold, tries, isOvertaken } = call.phase.unshown;
  if (untold === undefined || isOvertaken || tries >= mostTries) return step;
  return to(
    amend(call, {
      renegotiation: { by: "hold", awaiting: "media", queued: undefined },
      unshown: { ...call.phase.unshown, tries: tries + 1 },
    }),
    ...orders,
    { kind: "media.describe", end: clientEnd },
  );
}

/** To a client that cannot be shown it. */
function inWords(before: Call, call: CallIn<Connected>, orders: Step["orders"]): Step {
  const wasHeld = isIn(before, "connected") && saysHold(before.phase.unshown);
  const isHeld = saysHold(call.phase.unshown);
  if (isHeld === wasHeld || !call.notices.history) return { call, orders };
  return to(call, ...orders, notice(call.phase.leg, isHeld ? "You have been put on hold." : "The call goes on."));
}

function saysHold({ untold }: Untold): boolean {
  return untold !== undefined && untold !== "sendrecv";
}

/** Whether the client may answer an offer that shows it a hold. */
export function isShowing({ phase: { renegotiation, unshown } }: CallIn<Connected>): boolean {
  return renegotiation.by === "hold" || unshown.isOvertaken;
}

export function stepHold(call: CallIn<Connected>, now: Extract<Renegotiation, { by: "hold" }>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "media.described":
      if (now.awaiting !== "media" || fact.end !== clientEnd) return ignored(call, fact);
      // A client that called ignores an offer that crosses its own. One that was called takes its own back.
      if (now.queued !== undefined && call.phase.inviter === "person") return close(call);
      return awaits(
        call,
        { by: "hold", awaiting: "person", queued: undefined },
        {
          kind: "matrix.signal",
          leg: call.phase.leg,
          signal: { kind: "reoffer", description: fact.description, lifetimeMs: showLifetimeMs },
        },
        { kind: "deadline.set", name: "renegotiation", atMs: fact.atMs + showLifetimeMs },
      );
    case "matrix.reanswered":
      if (now.awaiting !== "person") return ignored(call, fact);
      return awaits(
        call,
        { ...now, awaiting: "media-answer" },
        { kind: "deadline.clear", name: "renegotiation" },
        { kind: "media.answer", from: clientEnd, description: fact.description },
      );
    case "media.answered":
      return now.awaiting === "media-answer" && fact.from === clientEnd ? close(call) : ignored(call, fact);
    case "media.refused":
      return now.awaiting === "person" ? ignored(call, fact) : close(call);
    default:
      return ignored(call, fact);
  }
}
