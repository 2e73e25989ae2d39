// An offer that the trunk makes right after our ACK, while what it answered is still being worked in. No INVITE of ours is
// under way any more, so that 491 would be wrong (RFC 3261 s14.2): the offer waits until the call can take it.
import type { Call, Renegotiation } from "../model/call.ts";
import type { CallEvent } from "../model/fact.ts";
import { unchanged, type Step } from "../model/transition.ts";
import type { HeldOffer } from "../model/trunk-offer.ts";

/** A step in which such an offer waits its turn: in every phase `stepPhase` sees it only once it can be taken. */
export function stepWithHeldOffer(
  call: Call,
  event: CallEvent,
  stepPhase: (call: Call, event: CallEvent) => Step,
): Step {
  const offer = offerOf(event);
  if (offer !== undefined && mustWait(call, offer)) return unchanged({ ...call, held: offer } as Call);
  const held = "held" in call ? call.held : undefined;
  if (held === undefined) return stepPhase(call, event);
  const next = stepPhase({ ...call, held: undefined } as Call, event);
  if (mustWait(next.call, held)) return { ...next, call: { ...next.call, held } as Call };
  if (isOver(next.call)) return next;
  const taken = stepPhase(next.call, eventOf(held, event.atMs));
  return { call: taken.call, effects: [...next.effects, ...taken.effects] };
}

function offerOf(event: CallEvent): HeldOffer | undefined {
  const [side, fact] = event.kind === "leg.reported" ? [event.side, event.fact] : [undefined, event];
  if (fact.kind === "sip.offered") return { side, fact: { kind: fact.kind, sdp: fact.sdp } };
  return fact.kind === "sip.offerWanted" ? { side, fact: { kind: fact.kind } } : undefined;
}

function eventOf({ side, fact }: HeldOffer, atMs: number): CallEvent {
  return side === undefined ? { ...fact, atMs } : { kind: "leg.reported", side, fact, atMs };
}

/** What the trunk answered last is with the media engine, and nothing else of ours will be asked of that dialog. */
function mustWait(call: Call, { side }: HeldOffer): boolean {
  switch (call.phase) {
    case "answering":
      return true;
    case "accepting":
      return call.awaiting === "reply";
    case "connected":
      return waitsForMedia(call.renegotiation);
    case "joining":
      return side === "right" ? call.awaiting.startsWith("left") : call.awaiting === "left-answer";
    case "joined": {
      const now = call.renegotiation;
      if (now.by === "nobody") return false;
      if (now.by === side) return now.awaiting === "own-media";
      return now.awaiting !== "media" && now.awaiting !== "other";
    }
    default:
      return false;
  }
}

function waitsForMedia(now: Renegotiation): boolean {
  if (now.by === "hold") return now.awaiting !== "person";
  return now.by !== "nobody" && now.by !== "trunk" && now.awaiting === "media-answer";
}

function isOver({ phase }: Call): boolean {
  return phase === "ending" || phase === "ended" || phase === "parting";
}
