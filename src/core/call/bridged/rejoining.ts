// The media session of two joined legs is gone with its worker, and both dialogs are up: the two are offered a new session,
// leg B first, as when they were joined. The engine goes on with their streams.
import type { CallIn } from "../model/call.ts";
import type { CallOrder } from "../model/order.ts";
import type { TimedFact } from "../model/fact.ts";
import type { Joined, BridgedRenegotiation } from "../model/bridged-call.ts";
import type { LegName } from "../model/trunk-leg.ts";
import { end } from "../ending/ending.ts";
import { amend, ignored, to, type Step } from "../model/transition.ts";
import type { MediaDescription } from "../../media-description.ts";

type Rejoining = Extract<BridgedRenegotiation, { by: "bridge" }>;

/** Whatever was being settled is settled by the new session, which a side that still waits is offered soon. */
export function rejoin(call: CallIn<Joined>, now: Exclude<BridgedRenegotiation, Rejoining>): Step {
  const waits = now.by !== "nobody" && now.awaiting !== "own-answer" && now.awaiting !== "own-media";
  const again: readonly CallOrder[] = waits
    ? [{ kind: "leg.order", call: call.phase[now.by].id, order: { kind: "sip.refuseReoffer", status: 491 } }]
    : [];
  const { outstanding } = call;
  const without = { ...call, outstanding: { ...outstanding, releases: outstanding.releases + 1 } };
  return to(
    awaiting(without, "description"),
    ...again,
    { kind: "media.release" },
    { kind: "media.describe", end: "b" },
  );
}

/** Without a new session the two would hear nothing for ever. */
export function stepRejoining(call: CallIn<Joined>, now: Rejoining, fact: TimedFact): Step {
  switch (fact.kind) {
    case "media.described":
      return now.awaiting === "description" ? offer(call, "b", fact.description) : ignored(call, fact);
    case "media.answered":
      if (now.awaiting === "b-media") return offer(call, "a", fact.description);
      return now.awaiting === "a-media" ? to(amend(call, { renegotiation: { by: "nobody" } })) : ignored(call, fact);
    case "media.refused":
      return end(call, "media-lost", fact.atMs, {});
    case "leg.reported": {
      const { side, report } = fact;
      if (side !== now.awaiting) return ignored(call, fact);
      if (report.kind === "sip.offerRefused") return end(call, "media-lost", fact.atMs, {});
      if (report.kind !== "sip.reanswered") return ignored(call, fact);
      return to(awaiting(call, `${side}-media`), { kind: "media.answer", from: side, description: report.description });
    }
    default:
      return ignored(call, fact);
  }
}

function offer(call: CallIn<Joined>, side: LegName, description: MediaDescription): Step {
  return to(awaiting(call, side), {
    kind: "leg.order",
    call: call.phase[side].id,
    order: { kind: "sip.reoffer", description },
  });
}

function awaiting(call: CallIn<Joined>, what: Rejoining["awaiting"]): CallIn<Joined> {
  return amend(call, { renegotiation: { by: "bridge", awaiting: what } });
}
