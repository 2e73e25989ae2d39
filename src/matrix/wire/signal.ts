// What a client is told about its leg, as the event that says so (Matrix VoIP module, versions 0 and 1).
// No `sdp_stream_metadata`: a bridge without video that sends it makes clients offer video upgrades it cannot take.
import type { LegSignal, MatrixLeg } from "../../core/call/matrix-leg.ts";

export interface OutgoingEvent {
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Of an answer inside the call; clients do not act on it, the specification requires it. */
const answerLifetimeMs = 60_000;

function reference(leg: MatrixLeg): Readonly<Record<string, unknown>> {
  return leg.version === "0"
    ? { call_id: leg.matrixCallId, version: 0 }
    : { call_id: leg.matrixCallId, version: "1", party_id: leg.ownParty };
}

/** `reason` on m.call.reject is what Element reads: none is "declined", `user_busy` is "busy", others are "failed". */
const rejectReason = { declined: undefined, busy: "user_busy", failed: "unknown_error" } as const;

function reject(leg: MatrixLeg, reason: keyof typeof rejectReason): OutgoingEvent {
  const said = rejectReason[reason];
  const content = { ...reference(leg), ...(said === undefined ? {} : { reason: said }) };
  // Version 0 knows no reject. Only to it a hang-up before the answer means something.
  return { type: leg.version === "0" ? "m.call.hangup" : "m.call.reject", content };
}

/** undefined: version 0 has no way to say it. */
export function eventOf(leg: MatrixLeg, signal: LegSignal): OutgoingEvent | undefined {
  const common = reference(leg);
  switch (signal.kind) {
    case "answer":
      return {
        type: "m.call.answer",
        content: {
          ...common,
          answer: { type: "answer", sdp: signal.sdp },
          capabilities: { "m.call.dtmf": true, "m.call.transferee": false },
        },
      };
    case "reject":
      return reject(leg, signal.reason);
    case "hangup":
      return { type: "m.call.hangup", content: { ...common, reason: signal.reason } };
    case "reanswer":
    case "reoffer": {
      if (leg.version === "0") return undefined;
      const offers = signal.kind === "reoffer";
      return {
        type: "m.call.negotiate",
        content: {
          ...common,
          description: { type: offers ? "offer" : "answer", sdp: signal.sdp },
          lifetime: offers ? signal.lifetimeMs : answerLifetimeMs,
        },
      };
    }
  }
}
