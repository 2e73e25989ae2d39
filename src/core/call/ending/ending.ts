// The one door out: what each side is still owed when a call ends, and when the call may be forgotten.
// Every phase comes here to end, bridged calls too; nothing else sends CANCEL, BYE, a final refusal or a release.
import type { CallCommon, CallIn, Ended, Ending, LiveCall } from "../model/call.ts";
import type { RoomId } from "../../ids.ts";
import {
  causeOfBye,
  causeOfFailure,
  causeOfHangup,
  causeOfRejection,
  describeCause,
  type Cause,
  type SaidByClient,
} from "../model/cause.ts";
import type { SipFact, TimedFact } from "../model/fact.ts";
import type { MatrixLeg } from "../model/matrix-leg.ts";
import { trunkEnd } from "../../media-end.ts";
import { noMediaStats } from "../model/media-stats.ts";
import type { CallOrder } from "../model/order.ts";
import { addressOf, answeredAtMsOf, chargedLegOf, trunkLegsOf } from "../model/queries.ts";
import type { CallRecord } from "../model/record.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import {
  confirmed,
  over,
  owedTo,
  sipCallIdOf,
  type EndingLeg,
  type LegName,
  type TrunkLeg,
} from "../model/trunk-leg.ts";
import { farewell, farewellSignals, isFarewell, settleFarewell, toLeg, trunkFarewell } from "./farewell.ts";
import {
  answersPerson,
  causeOfLeaving,
  farewellsOf,
  hasPerson,
  isConnected,
  owedToTrunk,
  ownFinalStatus,
  personOf,
  ringingAtMsOf,
} from "./obligations.ts";
import { recallOf } from "./recall.ts";
import { endNotices, transferNotices } from "./room-notices.ts";

/** 64*T1 of a CANCEL or BYE nobody answers (RFC 3261 s17.1.2.2), and a little for the rest. */
export const endingDeadlineMs = 40_000;

const liveDeadlines = ["answer", "keys", "stage", "duration", "renegotiation", "transfer", "audio"] as const;

/** Which sides have ended the call themselves and are owed nothing more. */
interface AlreadyGone {
  readonly person?: true;
  /** The trunk; of a bridged call leg A. */
  readonly trunk?: true;
  readonly legB?: true;
  /** Our answer may or may not have reached the client. */
  readonly answer?: true;
  /** The person is not in the room any more, to read anything. */
  readonly left?: true;
  /** The call goes on as another one, which tells the room how that went. */
  readonly on?: true;
}

/** The step that ends a call. */
interface EndingStep extends Step {
  readonly call: CallIn<Ending>;
}

/** Ends a live call for a cause; `gone` names the side whose doing it was. `words`: instead of those of the cause. */
export function end(
  call: LiveCall,
  cause: Cause,
  atMs: number,
  gone: AlreadyGone,
  sipStatus?: number,
  words?: string,
): EndingStep {
  const { phase } = call;
  const isGone = gone.trunk === true;
  const recall = recallOf(call, cause, isGone);
  const [first, second] = trunkLegsOf(call);
  const trunks = [
    ...(first === undefined ? [] : [leftOf(first, isGone || recall !== undefined)]),
    ...(second === undefined ? [] : [leftOf(second, gone.legB === true)]),
  ];
  const farewells = gone.person ? [] : farewellsOf(call, cause, gone);
  const ending: Ending = {
    kind: "ending",
    leg: chargedLegOf(call),
    address: addressOf(call),
    person: personOf(phase),
    cause,
    sipStatus: sipStatus ?? ownFinalStatus(call, cause),
    trunks,
    ringingAtMs: ringingAtMsOf(phase),
    answeredAtMs: answeredAtMsOf(phase),
    endedAtMs: atMs,
    media: { state: "open" },
    rooms: [...call.outstanding.farewells, ...farewells.map(({ kept }) => kept)],
  };
  const next = enter({ ...call, outstanding: { ...call.outstanding, farewells: [] }, held: undefined }, ending);
  const orders: readonly CallOrder[] = [
    ...trunks.flatMap((leg) => trunkFarewell(leg, cause).map((order) => toLeg(call, leg, order))),
    ...farewells.flatMap(({ now }) => farewellSignals(now)),
    ...(gone.left || gone.on ? [] : endNotices(call, cause, atMs, words)),
    ...transferNotices(call, cause, isGone),
    ...(recall === undefined
      ? []
      : ([
          { kind: "transfer.recall", recall },
          { kind: "media.handOver", end: call.direction === "joined" ? "a" : trunkEnd },
        ] as const)),
    { kind: "media.release" },
    ...liveDeadlines.map((name) => ({ kind: "deadline.clear", name }) as const),
    { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs },
  ];
  return { call: next, orders };
}

/** A trunk that was not told of the call, or will be told no more, has nothing to end. */
function leftOf(leg: TrunkLeg, isGone: boolean): EndingLeg {
  return isGone || leg.state === "unsent" ? over(leg) : leg;
}

/** Ends a call before anything was done for it: only the client has to be told, with `words` for the room. */
export function refuse(
  call: CallCommon,
  leg: MatrixLeg,
  cause: Cause,
  atMs: number,
  words: readonly CallOrder[],
): Step {
  const reject = farewell(leg, "reject", cause);
  const ending = enter<Ending>(call, {
    kind: "ending",
    leg,
    address: leg,
    person: leg.person,
    cause,
    sipStatus: undefined,
    trunks: [],
    ringingAtMs: undefined,
    answeredAtMs: undefined,
    endedAtMs: atMs,
    media: { state: "released", stats: noMediaStats },
    rooms: [reject],
  });
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
      return end(call, causeOfPersonsHangup(call, fact.said), fact.atMs, { person: true });
    case "matrix.left":
      if (!hasPerson(call)) return undefined;
      return end(call, causeOfLeaving(call), fact.atMs, { person: true, left: true });
    case "matrix.selected":
      // The client took another device's answer: for us the call is over (Matrix spec, m.call.select_answer).
      if (fact.ours || !answersPerson(call)) return undefined;
      return end(call, "answered-elsewhere", fact.atMs, { person: true });
    case "matrix.replaced":
      // Early media looks like an answer. A client that hands a call over is gone, and there is nobody to hand over.
      if (!hasPerson(call) || call.phase.kind === "transferring") return undefined;
      return end(call, "transfer-failed", fact.atMs, {});
    case "media.failed":
      return end(call, "media-failed", fact.atMs, {});
    case "media.closed":
      // The person hears nothing more of the call, but the room and other devices do: ours is the hang-up that they see.
      if (!hasPerson(call)) return undefined;
      return end(call, causeOfHangup(undefined, isConnected(call), sideOf(call)), fact.atMs, {});
    case "media.disconnected":
      return end(call, "connection-lost", fact.atMs, {});
    case "media.timedOut":
      return end(call, "media-silent", fact.atMs, {});
    case "media.lost":
      return end(call, "media-lost", fact.atMs, {});
    case "sip.rejected": {
      if (owedToTrunk(call) !== "cancel") return undefined;
      const cause = causeOfRejection(fact.status, fact.q850, ringingAtMsOf(call.phase) !== undefined);
      return end(call, cause, fact.atMs, { trunk: true }, fact.status);
    }
    case "sip.failed":
      if (owedToTrunk(call) !== "cancel") return undefined;
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
    case "limit.reached":
      return end(call, "limit-reached", fact.atMs, {}, undefined, fact.words);
    default:
      return undefined;
  }
}

/** A client whose ICE fails in a call has lost a connection that there was. */
function causeOfPersonsHangup(call: LiveCall, said: SaidByClient | undefined): Cause {
  const cause = causeOfHangup(said, isConnected(call), sideOf(call));
  return cause === "media-failed" && call.phase.kind === "connected" && call.phase.mediaUp ? "connection-lost" : cause;
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
      return end(call, isWaiting(call) ? "missed" : causeOfBye(q850, sideOf(call)), atMs, { trunk: true });
  }
}

/** The line was answered for a PIN, and nobody in Matrix has taken the call. */
function isWaiting({ phase }: LiveCall): boolean {
  switch (phase.kind) {
    case "picking-up":
    case "keying":
      return true;
    case "arriving":
    case "alerting":
    case "accepting":
      return phase.origin.kind === "admitted";
    default:
      return false;
  }
}

/** Which side the person is on: a bridged call is one of the person's who transferred. */
function sideOf({ direction }: LiveCall): "outbound" | "inbound" {
  return direction === "inbound" ? "inbound" : "outbound";
}

export function stepEnding(call: CallIn<Ending>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "leg.reported":
      return legReported(call, fact.side, fact.report, fact);
    case "sip.accepted":
    case "sip.sent":
    case "sip.rejected":
    case "sip.failed":
    case "sip.cancelled":
    case "sip.ended":
    case "sip.hungUp":
      return legReported(call, "a", fact, fact);
    case "matrix.told":
      if (fact.signal === "answer") return to(answerArrived(call));
      return isFarewell(fact.signal) ? roomTold(call, fact.room, "told") : unchanged(call);
    case "matrix.unreachable":
      if (!isFarewell(fact.signal)) return ignored(call, fact);
      return roomTold(call, fact.room, "lost");
    case "media.released":
      if (call.phase.media.state === "released") return ignored(call, fact);
      return finishIfSettled(amend(call, { media: { state: "released", stats: fact.stats } }), []);
    case "deadline.passed":
      return fact.name === "ending" ? finish(call, []) : ignored(call, fact);
    default:
      return ignored(call, fact);
  }
}

function legReported(call: CallIn<Ending>, side: LegName, report: SipFact, fact: TimedFact): Step {
  const { trunks, cause } = call.phase;
  const leg = trunks[side === "a" ? 0 : 1];
  if (leg === undefined) return ignored(call, fact);
  const put = (next: EndingLeg): CallIn<Ending> =>
    amend(call, { trunks: trunks.map((one) => (one === leg ? next : one)) });
  switch (report.kind) {
    case "sip.accepted": {
      // The 200 crossed our CANCEL (RFC 3261 s15): the dialog exists and must be ended.
      if (leg.state !== "inviting") return ignored(call, fact);
      const next = confirmed(leg, report.dialog, fact.atMs);
      return to(put(next), ...trunkFarewell(next, cause).map((order) => toLeg(call, next, order)));
    }
    case "sip.sent":
      return leg.state === "inviting" ? to(put({ ...leg, invite: report.invite })) : ignored(call, fact);
    case "sip.rejected":
    case "sip.failed":
      return leg.state === "inviting" ? finishIfSettled(put(over(leg)), []) : ignored(call, fact);
    case "sip.cancelled":
      // It crossed our final response.
      return leg.state === "incoming" ? finishIfSettled(put(over(leg)), []) : ignored(call, fact);
    case "sip.ended":
    case "sip.hungUp":
      return owedTo(leg) === "nothing" ? ignored(call, fact) : finishIfSettled(put(over(leg)), []);
    default:
      return ignored(call, fact);
  }
}

/** A second signal of one farewell finds nothing owed any more. */
function roomTold(call: CallIn<Ending>, room: RoomId, how: "told" | "lost"): Step {
  const rooms = settleFarewell(call.phase.rooms, room, how);
  return rooms === undefined ? unchanged(call) : finishIfSettled(amend(call, { rooms }), []);
}

/** The homeserver has our answer: should the client have to be told once more, it takes a hang-up. */
function answerArrived(call: CallIn<Ending>): CallIn<Ending> {
  const rooms = call.phase.rooms.map((one) => (one.by === "either" ? ({ ...one, by: "hangup" } as const) : one));
  return amend(call, { rooms });
}

/** `orders` go out either way. */
export function finishIfSettled(call: CallIn<Ending>, orders: readonly CallOrder[]): Step {
  const { trunks, media, rooms } = call.phase;
  const isOpen = media.state === "open" || trunks.some(isOwed) || rooms.some(({ state }) => state === "owed");
  if (isOpen) return to(call, ...orders);
  return finish(
    call,
    orders.filter((order) => order.kind !== "deadline.set"),
  );
}

function isOwed(leg: TrunkLeg): boolean {
  return owedTo(leg) !== "nothing";
}

function finish(call: CallIn<Ending>, orders: readonly CallOrder[]): Step {
  const { id, direction, number, called, badge, startedAtMs } = call;
  const { leg, address, person, trunks, cause, sipStatus, ringingAtMs, answeredAtMs, endedAtMs, media } = call.phase;
  const [trunk] = trunks;
  const record: CallRecord = {
    id,
    direction,
    leg,
    room: address?.room,
    person,
    matrixCallId: address?.matrixCallId,
    trunk: trunk?.name,
    sipCallId: trunk && sipCallIdOf(trunk),
    number,
    called,
    badge,
    cause,
    result: describeCause(cause).result,
    sipStatus,
    startedAtMs,
    ringingAtMs,
    answeredAtMs,
    endedAtMs,
    media: media.state === "released" ? media.stats : noMediaStats,
    unsettled: trunks.some(isOwed) || media.state === "open" || call.phase.rooms.length > 0,
  };
  return to(
    enter<Ended>(call, { kind: "ended", record }),
    ...orders,
    { kind: "deadline.clear", name: "ending" },
    { kind: "history.write", record },
  );
}
