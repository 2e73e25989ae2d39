// The telephone's hold, or its end, as the client is shown it: an offer of ours to the client, after the trunk has had its
// answer. The trunk never waits for it, and whatever the trunk wants meanwhile goes first.
import type { Connected, Renegotiation } from "../model/call.ts";
import type { CallEvent } from "../model/fact.ts";
import { canRenegotiate } from "../model/matrix-leg.ts";
import { close } from "./renegotiation.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";

/** A client answers within a second or two, or not at all. */
const showLifetimeMs = 10_000;

/** The media engine says so again where the call is busy with something else. */
export function showHold(call: Connected): Step {
  if (!canRenegotiate(call.leg) || call.renegotiation.by !== "nobody") return unchanged(call);
  return to(
    { ...call, renegotiation: { by: "hold", awaiting: "media", queued: undefined } },
    { kind: "media.describe", side: "matrix" },
  );
}

export function stepHold(call: Connected, now: Extract<Renegotiation, { by: "hold" }>, event: CallEvent): Step {
  switch (event.kind) {
    case "media.described":
      if (now.awaiting !== "media" || event.side !== "matrix") return ignored(call, event);
      // A client that called ignores an offer that crosses its own. One that was called takes its own back.
      if (now.queued !== undefined && call.inviter === "person") return close(call);
      return to(
        { ...call, renegotiation: { by: "hold", awaiting: "person", queued: undefined } },
        {
          kind: "matrix.signal",
          leg: call.leg,
          signal: { kind: "reoffer", sdp: event.sdp, lifetimeMs: showLifetimeMs },
        },
        { kind: "deadline.set", name: "renegotiation", atMs: event.atMs + showLifetimeMs },
      );
    case "matrix.reanswered":
      if (now.awaiting !== "person") return ignored(call, event);
      return to(
        { ...call, renegotiation: { ...now, awaiting: "media-answer" } },
        { kind: "deadline.clear", name: "renegotiation" },
        { kind: "media.answer", from: "matrix", sdp: event.sdp },
      );
    case "media.answered":
      return now.awaiting === "media-answer" && event.from === "matrix" ? close(call) : ignored(call, event);
    case "media.refused":
      return now.awaiting === "person" ? ignored(call, event) : close(call);
    default:
      return ignored(call, event);
  }
}
