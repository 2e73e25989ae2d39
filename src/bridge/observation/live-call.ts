// Turns a call into what an admin's tools see of it.
import { isIn, type Call } from "../../core/call/model/call.ts";
import { addressOf, answeredAtMsOf, chargedTo, trunkLegsOf } from "../../core/call/model/queries.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import type { EndedCall, LiveCall, LivePhase } from "../../ports/admin/observed-call.ts";

export interface CallViewing {
  /** As log lines show a telephone number. */
  readonly shownNumber: (number: string) => string;
  /** From the process's clock to ms since the epoch. */
  readonly wallAheadMs: number;
}

/** `sinceMs` by the process's clock. */
export function viewCall(call: Call, sinceMs: number, { shownNumber, wallAheadMs }: CallViewing): LiveCall {
  const { phase, called } = call;
  // One that was transferred rings anew; of one with a PIN only the line was answered.
  const answeredAtMs = isIn(call, "picking-up", "keying", "arriving", "alerting", "accepting")
    ? undefined
    : answeredAtMsOf(phase);
  return {
    id: call.id,
    direction: call.direction,
    person: phase.kind === "ended" ? phase.record.person : chargedTo(call),
    room: phase.kind === "ended" ? phase.record.room : addressOf(call)?.room,
    number: shownNumber(call.number),
    called: called === undefined ? undefined : shownNumber(called),
    trunk: phase.kind === "ended" ? phase.record.trunk : trunkLegsOf(call)[0]?.name,
    phase: livePhaseOf(call),
    sinceMs: sinceMs + wallAheadMs,
    startedAtMs: call.startedAtMs + wallAheadMs,
    answeredAtMs: answeredAtMs === undefined ? undefined : answeredAtMs + wallAheadMs,
  };
}

export function viewRecord(record: CallRecord, shownNumber: CallViewing["shownNumber"]): EndedCall {
  const called = record.called === undefined ? undefined : shownNumber(record.called);
  // The ghost's user id holds the number.
  return { ...record, leg: undefined, number: shownNumber(record.number), called };
}

export function livePhaseOf({ phase }: Call): LivePhase {
  switch (phase.kind) {
    case "offering":
    case "picking-up":
    case "keying":
    case "arriving":
      return "beginning";
    case "inviting":
    case "alerting":
    case "joining":
    case "answering":
    case "accepting":
      return phase.ringingAtMs === undefined ? "beginning" : "ringing";
    case "early":
      return "ringing";
    case "connected":
    case "joined":
      return "connected";
    case "transferring":
      return "transferring";
    case "ending":
    case "ended":
      return "ending";
  }
}
