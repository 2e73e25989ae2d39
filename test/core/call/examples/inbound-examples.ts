// A call from the telephone, ready to be played: Ann and Bob are people, the office is a room.
import type { SipIncomingState } from "../../../../src/core/call/model/dialog-state.ts";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import type { SaidByClient } from "../../../../src/core/call/model/cause.ts";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { beginInbound, type InboundRequest } from "../../../../src/core/call/inbound/arriving.ts";
import type { LegSignal } from "../../../../src/core/call/model/matrix-leg.ts";
import type { RingTarget } from "../../../../src/core/number/plan/ring-stage.ts";
import type { Step } from "../../../../src/core/call/step.ts";
import { callId, matrixCallId, deviceId, roomId, type RoomId, type UserId } from "../../../../src/core/ids.ts";
import { legacyEvents } from "../../../../src/matrix/legs/legacy-events.ts";
import { dialog, maxDurationMs, play, told, trunk } from "./examples.ts";
import { sdpIn } from "../../../../src/core/media-description.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";

export const ann: RingTarget = { kind: "person", person: "@ann:example.org" as UserId };
export const bob: RingTarget = { kind: "person", person: "@bob:example.org" as UserId };
export const annsRoom = roomId("!ann:example.org");
export const bobsRoom = roomId("!bob:example.org");
export const officeRoom = roomId("!office:example.org");
export const office: RingTarget = { kind: "room", room: officeRoom };

export const incoming: SipIncomingState = {
  trunk: trunk.name,
  vias: ["SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK9"],
  from: "<sip:+15558675309@sip.example.org>;tag=r",
  to: "<sip:+441818118181@sip.example.org>;tag=l",
  sipCallId: dialog.sipCallId,
  cseq: 1,
  localAddress: dialog.localAddress,
};

export const inboundRequest: InboundRequest = {
  id: callId("c-2"),
  trunk: { name: trunk.name, number: "+15558675309", abilities: trunk.abilities },
  ghost: "@_sip_+15558675309:example.org" as UserId,
  ring: { matrixCallId: matrixCallId("zzzCall"), own: deviceId("bridge2"), form: legacyClient("1").form },
  number: "+15558675309",
  called: "+441818118181",
  dialog,
  incoming,
  description: "trunk offer",
  stages: [{ targets: [ann], ringMs: 30_000 }],
  atMs: 1_000,
  maxDurationMs,
  notices: { failures: true, history: true },
  announce: [],
  earlyProgress: false,
};

export function arrive(changes: Partial<InboundRequest> = {}): Step {
  return beginInbound({ ...inboundRequest, ...changes });
}

export const offeredToRooms: CallFact = { kind: "media.offered", from: "b", description: "client offer" };
export const toldRinging = (room: RoomId): CallFact => told("invite", room);

export function found(target: RingTarget, room: RoomId): CallFact {
  return { kind: "matrix.roomFound", target, room, ghost: inboundRequest.ghost };
}

export function answers(room: RoomId, person: RingTarget, device: string | null = "PHONE"): CallFact {
  return {
    kind: "matrix.answered",
    room,
    person: person.kind === "person" ? person.person : ("@cleo:example.org" as UserId),
    device: device === null ? undefined : deviceId(device),
    ...legacyClient(device === null ? "0" : "1"),
    description: "client answer",
  };
}

export function declines(room: RoomId, person: RingTarget, said?: SaidByClient): CallFact {
  const who = person.kind === "person" ? person.person : ("@cleo:example.org" as UserId);
  return { kind: "matrix.declined", room, person: who, said };
}

export const answeredByClient: CallFact = { kind: "media.answered", from: "a", description: "trunk answer" };
export const stageOver: CallFact = { kind: "deadline.passed", name: "stage" };

/** Up to the ringing of Ann's room. */
export const annRings: readonly CallFact[] = [offeredToRooms, found(ann, annsRoom), toldRinging(annsRoom)];
/** Ann and Bob ring together. */
export const together = { stages: [{ targets: [ann, bob], ringMs: 30_000 }] } as const;
export const bothRing: readonly CallFact[] = [
  offeredToRooms,
  found(ann, annsRoom),
  found(bob, bobsRoom),
  toldRinging(annsRoom),
  toldRinging(bobsRoom),
];

export const glare: Extract<CallFact, { kind: "matrix.glareDetected" }> = {
  kind: "matrix.glareDetected",
  leg: {
    room: annsRoom,
    ghost: inboundRequest.ghost,
    matrixCallId: matrixCallId("1795352762720Ann"),
    own: deviceId("bridge3"),
    ...legacyClient("1"),
    person: "@ann:example.org" as UserId,
    device: deviceId("LAPTOP"),
  },
  description: "her own offer",
};

/** A call that Ann has taken. */
export function talking(): Step {
  const { call } = play(arrive(), ...annRings, answers(annsRoom, ann), answeredByClient);
  return { call, orders: [] };
}

/** What was said in a room: the kinds of signals, the reasons of hang-ups and the lines. */
export function heardIn(room: RoomId, orders: readonly CallOrder[]): readonly string[] {
  return orders.flatMap((order) => {
    if (order.kind === "matrix.notice") return order.leg.room === room ? [order.text] : [];
    return order.kind === "matrix.signal" && order.leg.room === room ? [spoken(order.signal)] : [];
  });
}

function spoken(signal: LegSignal): string {
  if (signal.kind !== "hangup") return signal.kind;
  const [event] = legacyEvents({ ...glare.leg }, signal) ?? [];
  return `hangup ${String(event?.content["reason"])}`;
}

/** What the trunk was told. */
export function heardByTrunk(orders: readonly CallOrder[]): readonly string[] {
  return orders.flatMap((order) => {
    switch (order.kind) {
      case "sip.ring":
        return [`${order.status}`];
      case "sip.accept":
        return [`200 ${sdpIn(order.description)}`];
      case "sip.reject":
        return [`${order.status} (${order.q850 ?? "-"})`];
      case "sip.dismiss":
        return [`late ${order.status}`];
      case "sip.bye":
        return ["BYE"];
      case "sip.cancel":
        return ["CANCEL"];
      case "sip.invite":
        return [`INVITE ${order.trunk}`];
      default:
        return [];
    }
  });
}
