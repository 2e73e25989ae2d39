// What a client is told about its leg, as the events that say so (Matrix VoIP module, versions 0 and 1; MSC2747, MSC3086).
// No `sdp_stream_metadata`: a bridge without video that sends it makes clients offer video upgrades it cannot take.
import { describeCause, type Cause } from "../../core/call/model/cause.ts";
import type { LegAddress, LegSignal, ShownIdentity } from "../../core/call/model/matrix-leg.ts";
import { sdpIn } from "../../core/media-description.ts";
import { versionIn, type VoipVersion } from "./legacy-form.ts";

export interface OutgoingEvent {
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Of an answer inside the call; clients do not act on it, the specification requires it. */
const answerLifetimeMs = 60_000;

/** What we can do in every call: clients show their dial pad and their transfer button by it. */
const capabilities = { "m.call.dtmf": true, "m.call.transferee": true };

type Reference = Readonly<Record<string, unknown>>;

function referenceOf(leg: LegAddress, version: VoipVersion): Reference {
  return version === "0"
    ? { call_id: leg.matrixCallId, version: 0 }
    : { call_id: leg.matrixCallId, version: "1", party_id: leg.own };
}

/** Causes for which a call that was never answered is declined; for all others save the busy ones it has failed. */
const declines: ReadonlySet<Cause> = new Set<Cause>([
  "caller-hung-up",
  "callee-hung-up",
  "transferred",
  "missed",
  "crossed",
  "caller-cancelled",
  "caller-left",
  "declined",
  "answered-elsewhere",
]);
const busy: ReadonlySet<Cause> = new Set<Cause>(["room-in-call", "busy"]);

/** `reason` on m.call.reject is what Element reads: none is "declined", `user_busy` is "busy", others are "failed". */
function rejectReason(cause: Cause): string | undefined {
  if (declines.has(cause)) return undefined;
  return busy.has(cause) ? "user_busy" : "unknown_error";
}

/** `answered_elsewhere` is not in the specification: clients that know it show it, and others would show a missed call. */
function hangupReason(cause: Cause): string {
  switch (cause) {
    case "media-failed":
    case "connection-lost":
      return "ice_failed";
    case "no-answer":
      return "invite_timeout";
    case "answered-elsewhere":
      return "answered_elsewhere";
    case "missed":
      return "user_hangup";
    default:
      return describeCause(cause).result === "success" ? "user_hangup" : "unknown_error";
  }
}

function reject(reference: Reference, version: VoipVersion, cause: Cause): OutgoingEvent {
  const said = rejectReason(cause);
  const content = { ...reference, ...(said === undefined ? {} : { reason: said }) };
  // Version 0 knows no reject. Only to it a hang-up before the answer means something.
  return { type: version === "0" ? "m.call.hangup" : "m.call.reject", content };
}

/** Under both names: clients know the one or the other, and taking the same twice changes nothing (MSC3086). */
function identified(reference: Reference, { ghost, displayName }: ShownIdentity): readonly OutgoingEvent[] {
  const asserted_identity = { ...(ghost === undefined ? {} : { id: ghost }), display_name: displayName };
  const content = { ...reference, asserted_identity };
  return [
    { type: "m.call.asserted_identity", content },
    { type: "org.matrix.call.asserted_identity", content },
  ];
}

/** In the order of sending; none where it need not be said. undefined: version 0 has no way to say it. */
export function legacyEvents(leg: LegAddress, signal: LegSignal): readonly OutgoingEvent[] | undefined {
  const version = versionIn(leg.form) ?? "1";
  const reference = referenceOf(leg, version);
  switch (signal.kind) {
    case "invite": {
      const { description, lifetimeMs, invitee } = signal;
      const content = {
        ...reference,
        lifetime: lifetimeMs,
        offer: { type: "offer", sdp: sdpIn(description) },
        capabilities,
        ...(invitee === undefined ? {} : { invitee }),
      };
      return [{ type: "m.call.invite", content }];
    }
    case "select":
      // Version 0 takes the first answer for the only one.
      if (version === "0") return [];
      return [{ type: "m.call.select_answer", content: { ...reference, selected_party_id: signal.device } }];
    case "answer":
      return [
        {
          type: "m.call.answer",
          content: { ...reference, answer: { type: "answer", sdp: sdpIn(signal.description) }, capabilities },
        },
      ];
    case "reject":
      return [reject(reference, version, signal.cause)];
    case "hangup":
      return [{ type: "m.call.hangup", content: { ...reference, reason: hangupReason(signal.cause) } }];
    case "identity":
      return version === "0" ? [] : identified(reference, signal.identity);
    case "reanswer":
    case "reoffer": {
      if (version === "0") return undefined;
      const offers = signal.kind === "reoffer";
      const content = {
        ...reference,
        description: { type: offers ? "offer" : "answer", sdp: sdpIn(signal.description) },
        lifetime: offers ? signal.lifetimeMs : answerLifetimeMs,
      };
      return [{ type: "m.call.negotiate", content }];
    }
  }
}
