// Transfers, ready to be played: whom they lead to, and how the client orders them.
import { owedTo, type DialledTrunk } from "../../../../src/core/call/model/trunk-leg.ts";
import { callId, sipCallId, type UserId } from "../../../../src/core/ids.ts";
import { confirmedLeg, connected, dialog, trunk, type Ladder } from "./examples.ts";
import { sipUri } from "../../address/sip-uri.ts";

export const target = "@_sip_%2B442079460102%40sip.example.org:example.org" as UserId;

export const third: DialledTrunk = {
  ...trunk,
  target: sipUri("sip:+442079460102@sip.example.org"),
  number: "+442079460102",
};

export const shown = { ghost: target, displayName: "+44 20 7946 0102" };

export const planned = { kind: "transfer.planned", trunk: third, shown, stays: false } as const;

export const blind = { kind: "matrix.replaced", order: { kind: "blind", target } } as const;

export const otherDialog = {
  ...dialog,
  sipCallId: sipCallId("def@example.org"),
  remoteUri: "sip:+442079460103@sip.example.org",
};

export const other = confirmedLeg(callId("c-2"), { ...trunk, number: "+442079460103" }, otherDialog);

export const consult = {
  kind: "matrix.replaced",
  order: { kind: "consult", other, name: "+44 20 7946 0103", stays: false },
} as const;

export function ending({ call }: Ladder): { readonly cause: string; readonly trunk: string | undefined } {
  if (call.phase.kind !== "ending") throw new Error(`the call is ${call.phase.kind}`);
  const [leg] = call.phase.trunks;
  return { cause: call.phase.cause, trunk: leg && owedTo(leg) };
}

/** Of a trunk that takes no REFER. */
export function withoutRefer() {
  const { call } = connected();
  if (call.phase.kind !== "connected") throw new Error("not connected");
  const { phase } = call;
  const trunk = { ...phase.trunk, abilities: { infoDtmf: false, refer: false } };
  return { call: { ...call, phase: { ...phase, trunk } }, orders: [] };
}
