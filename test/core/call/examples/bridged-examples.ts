// Two trunk legs that a transfer joins in the bridge, ready to be played: leg A is handed over, leg B is called or handed over.
import type { Handover } from "../../../../src/core/call/model/bridged-call.ts";
import type { CallFact, SipFact } from "../../../../src/core/call/model/fact.ts";
import type { LegName } from "../../../../src/core/call/model/trunk-leg.ts";
import { callId, sipCallId } from "../../../../src/core/ids.ts";
import { confirmedLeg, dialog, request, trunk } from "./examples.ts";
import { sipUri } from "../../address/sip-uri.ts";

export const bridged = callId("c-bridged");
export const legA = confirmedLeg(request.id, trunk, dialog);
export const dialogB = { ...dialog, sipCallId: sipCallId("def@example.org") };
export const other = confirmedLeg(callId("c-2"), { ...trunk, number: "+442079460103" }, dialogB);
export const common = {
  a: legA,
  leg: request.leg,
  notices: { failures: true, history: true },
  endsAtMs: 3_600_000,
  words: "Transferred.",
};
export const third = { ...trunk, number: "+442079460102", target: sipUri("sip:+442079460102@sip.example.org") };
export const toNumber: Handover = { ...common, target: { kind: "dialled", trunk: third } };
export const toLeg: Handover = { ...common, target: { kind: "leg", leg: other } };

export const on = (side: LegName, report: SipFact) => ({ kind: "leg.reported", side, report }) as const;
export const described = { kind: "media.described", end: "b", description: "for leg B" } as const;
export const legBAccepted = on("b", { kind: "sip.accepted", description: "B's", dialog: dialogB });
export const legBReanswered = on("b", { kind: "sip.reanswered", description: "B's" });
export const forLegA = { kind: "media.answered", from: "b", description: "for leg A" } as const;
export const legAAnswered = on("a", { kind: "sip.reanswered", description: "A's" });
export const complete = { kind: "media.answered", from: "a", description: "not needed" } as const;

/** Up to where the two talk. */
export const numberJoined: readonly CallFact[] = [described, legBAccepted, forLegA, legAAnswered, complete];
export const legJoined: readonly CallFact[] = [described, legBReanswered, forLegA, legAAnswered, complete];
