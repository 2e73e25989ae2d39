// An offer that the trunk makes right after our ACK, while what it answered is still being worked in. No INVITE of ours is
// under way any more, so that 491 would be wrong (RFC 3261 s14.2): the offer waits until the call can take it.
import type { Call, HeldOffer, Renegotiation } from "../model/call.ts";
import type { TimedFact } from "../model/fact.ts";
import { isRunning } from "../model/queries.ts";
import { unchanged, type Step } from "../model/transition.ts";

/** A step in which such an offer waits its turn: in every phase `stepPhase` sees it only once it can be taken. */
export function stepWithHeldOffer(call: Call, fact: TimedFact, stepPhase: (call: Call, fact: TimedFact) => Step): Step {
  const offer = offerOf(fact);
  if (offer !== undefined && mustWait(call, offer)) return unchanged({ ...call, held: offer });
  const { held } = call;
  if (held === undefined) return stepPhase(call, fact);
  const next = stepPhase({ ...call, held: undefined }, fact);
  if (mustWait(next.call, held)) return { ...next, call: { ...next.call, held } };
  if (!isRunning(next.call)) return next;
  const taken = stepPhase(next.call, factOf(held, fact.atMs));
  return { call: taken.call, orders: [...next.orders, ...taken.orders] };
}

function offerOf(fact: TimedFact): HeldOffer | undefined {
  const [side, report] = fact.kind === "leg.reported" ? [fact.side, fact.report] : [undefined, fact];
  if (report.kind === "sip.offered") return { side, offer: { kind: report.kind, sdp: report.sdp } };
  return report.kind === "sip.offerWanted" ? { side, offer: { kind: report.kind } } : undefined;
}

function factOf({ side, offer }: HeldOffer, atMs: number): TimedFact {
  return side === undefined ? { ...offer, atMs } : { kind: "leg.reported", side, report: offer, atMs };
}

/** What the trunk answered last is with the media engine, and nothing else of ours will be asked of that dialog. */
function mustWait({ phase }: Call, { side }: HeldOffer): boolean {
  switch (phase.kind) {
    case "answering":
      return true;
    case "accepting":
      return phase.acceptance.kind === "late-glare" && phase.acceptance.awaiting === "reply";
    case "connected":
      return waitsForMedia(phase.renegotiation);
    case "joining":
      return side === "b" ? phase.awaiting.startsWith("a") : phase.awaiting === "a-answer";
    case "joined": {
      const now = phase.renegotiation;
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
