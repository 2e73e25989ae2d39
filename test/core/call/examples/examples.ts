// Ready-made calls and facts for the tests of core/call.
import { expect } from "vitest";
import type { Call } from "../../../../src/core/call/model/call.ts";
import type { SipDialogState, SipInviteState } from "../../../../src/core/call/model/dialog-state.ts";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import type { LegSignal } from "../../../../src/core/call/model/matrix-leg.ts";
import { beginOutbound, type OutboundRequest } from "../../../../src/core/call/outbound/outbound.ts";
import { recover, storedFormOf } from "../../../../src/core/call/recover.ts";
import { step, type Step } from "../../../../src/core/call/step.ts";
import type { ConfirmedLeg, DialledTrunk, TrunkSide } from "../../../../src/core/call/model/trunk-leg.ts";
import {
  callId,
  matrixCallId,
  deviceId,
  roomId,
  sipCallId,
  trunkName,
  type CallId,
  type UserId,
} from "../../../../src/core/ids.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";
import { sipUri } from "../../address/sip-uri.ts";
import { formatUri } from "../../../../src/core/address/uri.ts";

/** For expectations to which it does not matter where something is said. */
export const anyLeg: unknown = expect.anything();

export const request: OutboundRequest = {
  id: callId("c-1"),
  leg: {
    room: roomId("!room:example.org"),
    ghost: "@_sip_01818118181%40sip.example.org:example.org" as UserId,
    person: "@ann:example.org" as UserId,
    matrixCallId: matrixCallId("1795352762720ALbFZNvJadYrdRjy"),
    device: deviceId("KDRIZOWGWP"),
    own: deviceId("bridge1"),
    ...legacyClient("1"),
  },
  number: "+441818118181",
  description: "client offer",
  atMs: 1_000,
  answerByMs: 61_000,
  notices: { failures: true, history: false },
  alternatives: [],
  earlyMedia: "ring",
};

export const trunk: DialledTrunk = {
  name: trunkName("main"),
  target: sipUri("sip:+441818118181@sip.example.org"),
  number: "+441818118181",
  identity: {
    from: { user: "ann", host: undefined, displayName: undefined },
    asserted: [],
    preferred: undefined,
    privacy: [],
  },
  abilities: { infoDtmf: false, refer: true },
};

const localAddress = { host: "127.0.0.1", port: 5060 };

export const invite: SipInviteState = {
  trunk: trunk.name,
  sipCallId: sipCallId("abc@example.org"),
  localTag: "l",
  from: "<sip:ann@example.org>",
  to: "<sip:+441818118181@sip.example.org>",
  via: "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
  branch: "z9hG4bK1",
  requestUri: formatUri(trunk.target),
  routes: [],
  cseq: 1,
  localAddress,
};

export const dialog: SipDialogState = {
  trunk: trunk.name,
  sipCallId: invite.sipCallId,
  localTag: "l",
  remoteTag: "r",
  localUri: "sip:ann@example.org",
  remoteUri: formatUri(trunk.target),
  remoteTarget: "sip:gw@127.0.0.1:5070",
  routeSet: [],
  localCSeq: 1,
  remoteCSeq: undefined,
  secure: false,
  localAddress,
};

export const maxDurationMs = 3_600_000;

export function begin(changes: Partial<OutboundRequest> = {}): Step {
  return beginOutbound({ ...request, ...changes }, trunk, maxDurationMs);
}

/** Every order of a ladder, and the call it leads to. */
export interface Ladder {
  readonly call: Call;
  readonly orders: readonly CallOrder[];
}

/** Plays facts one after the other, a second apart. */
export function play(first: Step, ...facts: readonly CallFact[]): Ladder {
  let call = first.call;
  const orders = [...first.orders];
  let atMs = 2_000;
  for (const fact of facts) {
    const next = step(call, { ...fact, atMs });
    call = next.call;
    orders.push(...next.orders);
    atMs += 1_000;
  }
  return { call, orders };
}

export function kinds(orders: readonly CallOrder[]): readonly string[] {
  return orders.map((order) => order.kind).filter((kind) => !kind.startsWith("deadline."));
}

export const offered: Extract<CallFact, { kind: "media.offered" }> = {
  kind: "media.offered",
  from: "a",
  description: "trunk offer",
};
export const accepted: CallFact = { kind: "sip.accepted", description: "trunk answer", dialog };
export const answered: Extract<CallFact, { kind: "media.answered" }> = {
  kind: "media.answered",
  from: "b",
  description: "client answer",
};
export const released: CallFact = {
  kind: "media.released",
  stats: {
    codec: "PCMU",
    a: { packets: 50, bytes: 8_000, lost: 0, jitterMs: 1, lastHeardAtMs: 3_000 },
    b: { packets: 50, bytes: 8_000, lost: 0, jitterMs: 1, lastHeardAtMs: 3_000 },
  },
};

/** The homeserver has taken a signal of ours. */
export function told(signal: LegSignal["kind"], room = request.leg.room): CallFact {
  return { kind: "matrix.told", signal, room };
}

/** A call in which both talk. */
export function connected(): Step {
  const { call } = play(begin(), offered, { kind: "sip.ringing" }, accepted, answered);
  return { call, orders: [] };
}

/** A leg of a trunk in a dialog. */
export function confirmedLeg(id: CallId, { name, number, abilities }: TrunkSide, of: SipDialogState): ConfirmedLeg {
  return { state: "confirmed", id, name, number, abilities, dialog: of, answeredAtMs: 500 };
}

/** What a new process does for the call, by what the store gives back: what JSON keeps. */
export function afterRestart(call: Call, atMs: number): Step {
  const stored = storedFormOf(call);
  if (stored === undefined) return { call, orders: [] };
  return recover(JSON.parse(JSON.stringify(stored)) as typeof stored, atMs);
}
