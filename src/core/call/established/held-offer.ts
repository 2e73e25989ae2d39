// An offer that the trunk makes right after our ACK, while what it answered is still being worked in. No INVITE of ours is
// under way any more, so that 491 would be wrong (RFC 3261 s14.2): the offer waits until the call can take it.
import { toLeg } from "../ending/farewell.ts";
import type { Call, HeldOffer, Renegotiation } from "../model/call.ts";
import type { TimedFact } from "../model/fact.ts";
import type { CallOrder } from "../model/order.ts";
import { isRunning, trunkLegsOf } from "../model/queries.ts";
import { unchanged, type Step } from "../model/transition.ts";

/** A step in which such an offer waits its turn: in every phase `stepPhase` sees it only once it can be taken. */
export function stepWithHeldOffer(call: Call, fact: TimedFact, stepPhase: (call: Call, fact: TimedFact) => Step): Step {
  const offer = offerOf(fact);
  const { held } = call;
  // One waits at a time. The other leg of a bridged call is refused its own, where a second of the same leg replaces the first.
  const isFree = held === undefined || held.side === offer?.side;
  if (offer !== undefined && isFree && mustWait(call, offer)) return unchanged({ ...call, held: offer });
  if (held === undefined) return stepPhase(call, fact);
  const next = stepPhase({ ...call, held: undefined }, fact);
  if (mustWait(next.call, held)) return { ...next, call: { ...next.call, held } };
  if (!isRunning(next.call)) return { ...next, orders: [...refusedBeforeRecall(call, held, next), ...next.orders] };
  const taken = stepPhase(next.call, factOf(held, fact.atMs));
  return { call: taken.call, orders: [...next.orders, ...taken.orders] };
}

/** The far end that goes on in another call must not wait for an answer that nobody there knows of. */
function refusedBeforeRecall(call: Call, { side }: HeldOffer, { orders }: Step): readonly CallOrder[] {
  const [far] = trunkLegsOf(call);
  const goesOn = side !== "b" && orders.some(({ kind }) => kind === "transfer.recall");
  return far !== undefined && goesOn ? [toLeg(call, far, { kind: "sip.refuseReoffer", status: 491 })] : [];
}

function offerOf(fact: TimedFact): HeldOffer | undefined {
  const [side, report] = fact.kind === "leg.reported" ? [fact.side, fact.report] : [undefined, fact];
  if (report.kind === "sip.offered") return { side, offer: { kind: report.kind, description: report.description } };
  return report.kind === "sip.offerWanted" ? { side, offer: { kind: report.kind } } : undefined;
}

function factOf({ side, offer }: HeldOffer, atMs: number): TimedFact {
  return side === undefined ? { ...offer, atMs } : { kind: "leg.reported", side, report: offer, atMs };
}

/** What the trunk answered last is with the media engine, and nothing else of ours will be asked of that dialog. */
function mustWait({ direction, phase }: Call, { side }: HeldOffer): boolean {
  // Of a bridged call, and of no other, an offer says whose it is.
  if ((direction === "joined") !== (side !== undefined)) return false;
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
