// Events, calls and records for tests of stores.
import type { CallCommon } from "../../src/core/call/model/call.ts";
import type { MatrixLeg } from "../../src/core/call/model/matrix-leg.ts";
import type { TrunkSide } from "../../src/core/call/model/trunk-leg.ts";
import type { StoredCall } from "../../src/core/call/recover.ts";
import { noMediaStats } from "../../src/core/call/model/media-stats.ts";
import type { CallRecord } from "../../src/core/call/model/record.ts";
import {
  callId,
  eventId,
  matrixCallId,
  deviceId,
  roomId,
  trunkName,
  type NumberKey,
  type UserId,
} from "../../src/core/ids.ts";
import type { InboxEntry } from "../../src/ports/store.ts";
import { incoming, incomingDialog } from "../fakes/arrivals.ts";
import { legacyClient } from "../../src/matrix/legs/legacy-form.ts";

export const ghost = "@_sip_01818118181%40sip.example.org:example.org" as UserId;
export const person = "@alice:example.org" as UserId;
export const room = roomId("!room:example.org");
export const number = "01818118181" as NumberKey;

export function inboxEntry(id: string, receivedAtMs = 1_000): InboxEntry {
  return { eventId: eventId(id), room, receivedAtMs, json: JSON.stringify({ event_id: id }) };
}

export const leg = (id: string): MatrixLeg => ({
  room,
  ghost,
  person,
  matrixCallId: matrixCallId(`matrix-${id}`),
  device: deviceId("DEVICE"),
  own: deviceId("bridge"),
  ...legacyClient("1"),
});
const trunk: TrunkSide = {
  name: trunkName("main"),
  number: "01818118181",
  abilities: { infoDtmf: false, refer: true },
};

/** A call in which people talk, as it is stored. */
export function storedCall(id: string): StoredCall {
  const { room: where, matrixCallId: matrixCall, own, form } = leg(id);
  const address = { room: where, ghost, matrixCallId: matrixCall, own, form };
  const common: CallCommon = {
    id: callId(id),
    direction: "outbound",
    number: "01818118181",
    called: undefined,
    startedAtMs: 1_000,
    maxDurationMs: 3_600_000,
    notices: { failures: true, history: true },
    shown: undefined,
    outstanding: { releases: 0, farewells: [] },
    held: undefined,
  };
  return {
    interrupted: true,
    notices: [{ kind: "matrix.notice", leg: { room, ghost }, text: "The call ended because the bridge restarted." }],
    call: {
      ...common,
      phase: {
        kind: "ending",
        leg: leg(id),
        address,
        person,
        cause: "restarted",
        sipStatus: undefined,
        trunks: [{ ...trunk, state: "confirmed", id: callId(id), dialog: incomingDialog, answeredAtMs: 1_500 }],
        ringingAtMs: 1_200,
        answeredAtMs: 1_500,
        endedAtMs: 2_000,
        media: { state: "released", stats: noMediaStats },
        rooms: [{ leg: address, by: "hangup", state: "owed", cause: "restarted" }],
      },
    },
  };
}

export function recordOf(id: string, endedAtMs: number): CallRecord {
  return {
    id: callId(id),
    direction: "outbound",
    leg: leg(id),
    room,
    person,
    matrixCallId: leg(id).matrixCallId,
    trunk: trunk.name,
    sipCallId: undefined,
    number: trunk.number,
    called: undefined,
    cause: "busy",
    result: "callee",
    sipStatus: 486,
    startedAtMs: 1_000,
    ringingAtMs: undefined,
    answeredAtMs: undefined,
    endedAtMs,
    media: noMediaStats,
    unsettled: false,
  };
}

/** A call of a trunk: no room rings yet. */
export function arrivingCall(id: string): StoredCall {
  const { call } = storedCall(id);
  const rest = { leg: undefined, address: undefined, person: undefined, rooms: [] };
  const unanswered = { ...trunk, state: "incoming", id: callId(id), dialog: incomingDialog, incoming } as const;
  const phase = { ...call.phase, ...rest, trunks: [unanswered], answeredAtMs: undefined };
  return { interrupted: true, notices: [], call: { ...call, direction: "inbound", called: "+441632960001", phase } };
}
