// The one door out: what each side is still owed when a call ends, and when the call may be forgotten.
// Every phase comes here to end; nothing else sends CANCEL, BYE, a final refusal or a release.
import { addressOf, type Call, type Common, type Ended, type Ending, type LiveCall, type Owed } from "../model/call.ts";
import type { RoomId } from "../../ids.ts";
import {
  causeOfBye,
  causeOfFailure,
  causeOfHangup,
  causeOfRejection,
  describeCause,
  finalStatusOf,
  type Cause,
} from "../model/cause.ts";
import type { CallOrder } from "../model/order.ts";
import type { TimedFact } from "../model/fact.ts";
import { farewell, farewellSignals, isFarewell, settleFarewell, trunkFarewell } from "./farewell.ts";
import { endNotices, transferNotices } from "./room-notices.ts";
import type { MatrixLeg } from "../model/matrix-leg.ts";
import { trunkEnd } from "../model/media-end.ts";
import { noMediaStats } from "../model/media-stats.ts";
import { recoverBridged } from "../bridged/ending-bridged.ts";
import { recallOf } from "../established/recall.ts";
import type { CallRecord } from "../model/record.ts";
import {
  answeredAtMsOf,
  answersPerson,
  causeOfLeaving,
  farewellsOf,
  hasPerson,
  isConnected,
  ownFinalStatus,
  owedToTrunk,
  personOf,
} from "./obligations.ts";
import { ignored, to, unchanged, type Step } from "../model/transition.ts";

/** 64*T1 of a CANCEL or BYE nobody answers (RFC 3261 s17.1.2.2), and a little for the rest. */
const endingDeadlineMs = 40_000;

/** Which sides have ended the call themselves and are owed nothing more. */
interface AlreadyGone {
  readonly person?: true;
  readonly trunk?: true;
  /** Our answer may or may not have reached the client. */
  readonly answer?: true;
  /** The person is not in the room any more, to read anything. */
  readonly left?: true;
  /** The call goes on as another one, which tells the room how that went. */
  readonly on?: true;
}

/** Ends a live call for a cause; `gone` names the side whose doing it was. */
export function end(call: LiveCall, cause: Cause, atMs: number, gone: AlreadyGone, sipStatus?: number): Step {
  const recall = recallOf(call, cause, gone.trunk === true);
  const trunk = gone.trunk || recall !== undefined ? "nothing" : owedToTrunk(call);
  const farewells = gone.person ? [] : farewellsOf(call, cause, gone);
  const ending: Ending = {
    ...common(call),
    outstanding: { ...call.outstanding, farewells: [] },
    phase: "ending",
    leg: call.phase === "arriving" || call.phase === "alerting" ? undefined : call.leg,
    address: addressOf(call),
    person: personOf(call),
    cause,
    sipStatus: sipStatus ?? ownFinalStatus(call, cause),
    invite: call.phase === "inviting" || call.phase === "early" ? call.invite : undefined,
    incoming: trunk === "final" && call.direction === "inbound" && "incoming" in call ? call.incoming : undefined,
    dialog: "dialog" in call ? call.dialog : undefined,
    ringingAtMs: "ringingAtMs" in call ? call.ringingAtMs : undefined,
    answeredAtMs: answeredAtMsOf(call),
    endedAtMs: atMs,
    owed: { trunk, media: "release", rooms: [...call.outstanding.farewells, ...farewells.map(({ kept }) => kept)] },
    media: noMediaStats,
  };
  return to(
    ending,
    ...trunkFarewell(trunk, cause),
    ...farewells.flatMap(({ now }) => farewellSignals(now)),
    ...(gone.left || gone.on ? [] : endNotices(call, cause, atMs)),
    ...transferNotices(call, cause),
    ...(recall === undefined
      ? []
      : ([
          { kind: "transfer.recall", recall },
          { kind: "media.handOver", end: trunkEnd },
        ] as const)),
    { kind: "media.release" },
    { kind: "deadline.clear", name: "answer" },
    { kind: "deadline.clear", name: "stage" },
    { kind: "deadline.clear", name: "duration" },
    { kind: "deadline.clear", name: "renegotiation" },
    { kind: "deadline.clear", name: "transfer" },
    { kind: "deadline.clear", name: "audio" },
    { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs },
  );
}

/** Ends a call before anything was done for it: only the client has to be told, with `words` for the room. */
export function refuse(call: Common, leg: MatrixLeg, cause: Cause, atMs: number, words: readonly CallOrder[]): Step {
  const reject = farewell(leg, "reject", cause);
  const ending: Ending = {
    ...call,
    phase: "ending",
    leg,
    address: leg,
    person: leg.person,
    cause,
    sipStatus: undefined,
    invite: undefined,
    incoming: undefined,
    dialog: undefined,
    ringingAtMs: undefined,
    answeredAtMs: undefined,
    endedAtMs: atMs,
    owed: { trunk: "nothing", media: "nothing", rooms: [reject] },
    media: noMediaStats,
  };
  return to(ending, ...farewellSignals(reject), ...words, {
    kind: "deadline.set",
    name: "ending",
    atMs: atMs + endingDeadlineMs,
  });
}

/**
 * Facts that end a live call. Undefined: the fact is none of those.
 * A final response ends it only while one is awaited, a BYE only where there is a dialog: else the trunk is still owed one.
 */
export function endIfOver(call: LiveCall, fact: TimedFact): Step | undefined {
  switch (fact.kind) {
    case "matrix.hungUp":
      if (!hasPerson(call)) return undefined;
      return end(call, causeOfPersonsHangup(call, fact.reason), fact.atMs, { person: true });
    case "matrix.left":
      if (!hasPerson(call)) return undefined;
      return end(call, causeOfLeaving(call), fact.atMs, { person: true, left: true });
    case "matrix.selected":
      // The client took another party's answer: for us the call is over (Matrix spec, m.call.select_answer).
      if (fact.ours || !answersPerson(call)) return undefined;
      return end(call, "answered-elsewhere", fact.atMs, { person: true });
    case "matrix.replaced":
      // Early media looks like an answer. A client that hands a call over is gone, and there is nobody to hand over.
      if (!hasPerson(call) || call.phase === "transferring") return undefined;
      return end(call, "transfer-failed", fact.atMs, {});
    case "media.failed":
      return end(call, "media-failed", fact.atMs, {});
    case "media.closed":
      // The person hears nothing more of the call, but the room and other devices do: ours is the hang-up that they see.
      if (!hasPerson(call)) return undefined;
      return end(call, causeOfHangup(undefined, isConnected(call), call.direction), fact.atMs, {});
    case "media.disconnected":
      return end(call, "connection-lost", fact.atMs, {});
    case "media.timedOut":
      return end(call, "media-silent", fact.atMs, {});
    case "media.lost":
      return end(call, "media-lost", fact.atMs, {});
    case "sip.rejected": {
      if (call.phase !== "inviting" && call.phase !== "early") return undefined;
      const cause = causeOfRejection(fact.status, fact.q850, call.ringingAtMs !== undefined);
      return end(call, cause, fact.atMs, { trunk: true }, fact.status);
    }
    case "sip.failed":
      if (call.phase !== "inviting" && call.phase !== "early") return undefined;
      return end(call, causeOfFailure(fact.fault), fact.atMs, { trunk: true });
    case "sip.hungUp":
      return trunkHungUp(call, fact.q850, fact.atMs);
    case "sip.cancelled":
      if (owedToTrunk(call) !== "final") return undefined;
      return end(call, fact.elsewhere ? "answered-elsewhere" : "missed", fact.atMs, { trunk: true }, 487);
    case "fault.thrown":
      return end(call, "fault", fact.atMs, {});
    case "bridge.stopped":
      return end(call, "restarted", fact.atMs, {});
    case "admin.ended":
      return end(call, "admin-ended", fact.atMs, {});
    default:
      return undefined;
  }
}

/** A client whose ICE fails in a call has lost a connection that there was. */
function causeOfPersonsHangup(call: LiveCall, reason: string | undefined): Cause {
  const cause = causeOfHangup(reason, isConnected(call), call.direction);
  return cause === "media-failed" && call.phase === "connected" && call.mediaUp ? "connection-lost" : cause;
}

/** A caller may also end an INVITE by BYE in the early dialog: it has its 487 (RFC 3261 s15.1.2). */
function trunkHungUp(call: LiveCall, q850: number | undefined, atMs: number): Step | undefined {
  switch (owedToTrunk(call)) {
    case "nothing":
    case "cancel":
      return undefined;
    case "final":
      return end(call, "missed", atMs, { trunk: true }, 487);
    case "bye":
      return end(call, causeOfBye(q850, call.direction), atMs, { trunk: true });
  }
}

/** A call that the store still lists after a restart: its media is gone with the process, the rest is still owed. */
export function recover(call: Call, atMs: number): Step {
  if (call.phase === "ended") return to(call);
  if (call.phase === "joining" || call.phase === "joined" || call.phase === "parting")
    return recoverBridged(call, atMs);
  const stopped = call.phase === "ending" ? to(call) : end(call, "restarted", atMs, {});
  const ending = stopped.call;
  if (ending.phase !== "ending") return stopped;
  const { trunk, orders } = trunkAgain(ending);
  const settled: Ending = { ...ending, owed: { ...ending.owed, trunk, media: "nothing" } };
  const notices = stopped.orders.filter((order) => order.kind === "matrix.notice");
  const deadline: CallOrder = { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs };
  return finishIfSettled(settled, [...orders, ...ending.owed.rooms.flatMap(farewellSignals), ...notices, deadline]);
}

/** The last order to the trunk, by what was stored: no transaction has outlived the process. */
function trunkAgain({ owed, dialog, invite, incoming, cause }: Ending): {
  readonly trunk: Owed["trunk"];
  readonly orders: readonly CallOrder[];
} {
  const bye: CallOrder = { kind: "sip.bye", q850: describeCause(cause).q850 };
  switch (owed.trunk) {
    case "nothing":
      break;
    case "final":
      if (incoming === undefined) break;
      return { trunk: "final", orders: [{ kind: "sip.dismiss", incoming, status: finalStatusOf(cause) }] };
    case "bye":
    case "cancel":
      if (dialog !== undefined) return { trunk: "bye", orders: [{ kind: "sip.resume", dialog }, bye] };
      if (invite !== undefined) return { trunk: "cancel", orders: [{ kind: "sip.abandon", invite }] };
  }
  return { trunk: "nothing", orders: [] };
}

export function stepEnding(call: Ending, fact: TimedFact): Step {
  switch (fact.kind) {
    case "sip.accepted":
      // The 200 crossed our CANCEL (RFC 3261 s15): the dialog exists and must be ended.
      if (call.owed.trunk !== "cancel") return ignored(call, fact);
      return to(
        { ...call, dialog: fact.dialog, owed: { ...call.owed, trunk: "bye" } },
        { kind: "sip.bye", q850: describeCause(call.cause).q850 },
      );
    case "sip.sent":
      return call.direction === "outbound" ? to({ ...call, invite: fact.invite }) : ignored(call, fact);
    case "sip.rejected":
    case "sip.failed":
      return call.owed.trunk === "cancel" ? trunkSettled(call) : ignored(call, fact);
    case "sip.cancelled":
      // It crossed our final response.
      return call.owed.trunk === "final" ? trunkSettled(call) : ignored(call, fact);
    case "sip.ended":
    case "sip.hungUp":
      return call.owed.trunk === "nothing" ? ignored(call, fact) : trunkSettled(call);
    case "matrix.told":
      if (fact.signal === "answer") return to(answerArrived(call));
      return isFarewell(fact.signal) ? roomTold(call, fact.room, "told") : unchanged(call);
    case "matrix.unreachable":
      if (!isFarewell(fact.signal)) return ignored(call, fact);
      return roomTold(call, fact.room, "lost");
    case "media.released":
      if (call.owed.media === "nothing") return ignored(call, fact);
      return finishIfSettled({ ...call, media: fact.stats, owed: { ...call.owed, media: "nothing" } }, []);
    case "deadline.passed":
      return fact.name === "ending" ? finish(call, []) : ignored(call, fact);
    default:
      return ignored(call, fact);
  }
}

function trunkSettled(call: Ending): Step {
  return finishIfSettled({ ...call, owed: { ...call.owed, trunk: "nothing" } }, []);
}

/** A second signal of one farewell finds nothing owed any more. */
function roomTold(call: Ending, room: RoomId, how: "told" | "lost"): Step {
  const rooms = settleFarewell(call.owed.rooms, room, how);
  return rooms === undefined ? unchanged(call) : finishIfSettled({ ...call, owed: { ...call.owed, rooms } }, []);
}

/** The homeserver has our answer: should the client have to be told once more, it takes a hang-up. */
function answerArrived(call: Ending): Ending {
  const rooms = call.owed.rooms.map((one) => (one.by === "either" ? ({ ...one, by: "hangup" } as const) : one));
  return { ...call, owed: { ...call.owed, rooms } };
}

function finishIfSettled(call: Ending, orders: readonly CallOrder[]): Step {
  const { trunk, media, rooms } = call.owed;
  const open = trunk !== "nothing" || media !== "nothing" || rooms.some(({ state }) => state === "owed");
  if (open) return to(call, ...orders);
  return finish(
    call,
    orders.filter((order) => order.kind !== "deadline.set"),
  );
}

function finish(call: Ending, orders: readonly CallOrder[]): Step {
  const { id, direction, leg, address, trunk, number, called, cause, owed } = call;
  const { startedAtMs, ringingAtMs, answeredAtMs, endedAtMs, maxDurationMs, notices } = call;
  const record: CallRecord = {
    id,
    direction,
    leg,
    room: address?.room,
    person: call.person,
    matrixCallId: address?.matrixCallId,
    trunk: trunk?.name,
    sipCallId: call.dialog?.sipCallId ?? call.invite?.sipCallId ?? call.incoming?.sipCallId,
    number,
    called,
    cause,
    result: describeCause(cause).result,
    sipStatus: call.sipStatus,
    startedAtMs,
    ringingAtMs,
    answeredAtMs,
    endedAtMs,
    media: call.media,
    unsettled: owed.trunk !== "nothing" || owed.media !== "nothing" || owed.rooms.length > 0,
  };
  const ended: Ended = {
    phase: "ended",
    id,
    direction,
    leg,
    trunk,
    number,
    startedAtMs,
    maxDurationMs,
    notices,
    record,
  };
  return to(ended, ...orders, { kind: "deadline.clear", name: "ending" }, { kind: "history.write", record });
}

/** The fields every phase has, without those of the phase that is left. */
export function common<Direction extends Common["direction"]>(
  call: Common & { readonly direction: Direction },
): Common & { readonly direction: Direction } {
  const { id, direction, trunk, number, called, startedAtMs, maxDurationMs, notices, shown, outstanding } = call;
  return { id, direction, trunk, number, called, startedAtMs, maxDurationMs, notices, shown, outstanding };
}
