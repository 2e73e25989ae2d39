// The media session of two joined legs is gone with its worker, and both dialogs are up: the two are offered a new session,
// the right leg first, as when they were joined. The engine goes on with their streams.
import type { CallEffect } from "../model/order.ts";
import type { CallEvent } from "../model/fact.ts";
import type { Joined, JointRenegotiation, JointSide } from "../model/bridged-call.ts";
import { part } from "./ending-bridged.ts";
import { ignored, to, type Step } from "../model/transition.ts";

type Rejoining = Extract<JointRenegotiation, { by: "bridge" }>;

/** Whatever was being settled is settled by the new session, which a side that still waits is offered soon. */
export function rejoin(call: Joined, now: Exclude<JointRenegotiation, Rejoining>): Step {
  const waits = now.by !== "nobody" && now.awaiting !== "own-answer" && now.awaiting !== "own-media";
  const again: readonly CallEffect[] = waits
    ? [{ kind: "leg.order", call: call[now.by].call, order: { kind: "sip.refuseReoffer", status: 491 } }]
    : [];
  return to(
    awaiting(call, "description"),
    ...again,
    { kind: "media.release" },
    { kind: "media.describe", side: "trunk" },
  );
}

/** Without a new session the two would hear nothing for ever. */
export function stepRejoining(call: Joined, now: Rejoining, event: CallEvent): Step {
  switch (event.kind) {
    case "media.described":
      return now.awaiting === "description" ? offer(call, "right", event.sdp) : ignored(call, event);
    case "media.answered":
      if (now.awaiting === "right-media") return offer(call, "left", event.sdp);
      return now.awaiting === "left-media" ? to({ ...call, renegotiation: { by: "nobody" } }) : ignored(call, event);
    case "media.refused":
      return part(call, "media-lost", event.atMs, {});
    case "leg.reported": {
      const { side, fact } = event;
      if (side !== now.awaiting) return ignored(call, event);
      if (fact.kind === "sip.offerRefused") return part(call, "media-lost", event.atMs, {});
      if (fact.kind !== "sip.reanswered") return ignored(call, event);
      const from = side === "right" ? "trunk" : "matrix";
      return to(awaiting(call, `${side}-media`), { kind: "media.answer", from, sdp: fact.sdp });
    }
    default:
      return ignored(call, event);
  }
}

function offer(call: Joined, side: JointSide, sdp: string): Step {
  return to(awaiting(call, side), {
    kind: "leg.order",
    call: call[side].call,
    order: { kind: "sip.reoffer", sdp },
  });
}

function awaiting(call: Joined, what: Rejoining["awaiting"]): Joined {
  return { ...call, renegotiation: { by: "bridge", awaiting: what } };
}
