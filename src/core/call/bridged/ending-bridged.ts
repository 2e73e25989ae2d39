// The end of two joined trunk legs: what each of them is still owed, and when the call may be forgotten.
import { describeCause, type Cause } from "../model/cause.ts";
import type { CallOrder, SipOrder } from "../model/order.ts";
import type { TimedFact, SipFact } from "../model/fact.ts";
import type { Joined, Joining, BridgedCall, Parting, LegB } from "../model/bridged-call.ts";
import type { LegName } from "../model/trunk-leg.ts";
import { notice, transferFailedLine } from "../ending/room-notices.ts";
import { noMediaStats } from "../model/media-stats.ts";
import { recallFromBridged } from "../established/recall.ts";
import type { CallRecord } from "../model/record.ts";
import { ignored, to, type Step } from "../model/transition.ts";

/** 64*T1 of a CANCEL or BYE nobody answers, and a little for the rest. */
const partingDeadlineMs = 40_000;

/** Ends a bridged call; `gone` names the side that has hung up itself. */
export function part(
  call: Joining | Joined,
  cause: Cause,
  atMs: number,
  gone: { readonly [side in LegName]?: boolean },
  sipStatus?: number,
): Step {
  const b: LegB = call.phase === "joining" ? call.b : { ...call.b, dialled: undefined, invite: undefined };
  const { id, direction, a, leg, trunk, number, startedAtMs, maxDurationMs, notices, words } = call;
  const recall = call.phase === "joining" ? recallFromBridged(call, cause, gone.a === true) : undefined;
  const parting: Parting = {
    id,
    direction,
    a,
    leg,
    trunk,
    number,
    startedAtMs,
    maxDurationMs,
    notices,
    words,
    phase: "parting",
    cause,
    sipStatus,
    b,
    ringingAtMs: call.ringingAtMs,
    answeredAtMs: call.phase === "joined" ? call.answeredAtMs : undefined,
    endedAtMs: atMs,
    owed: {
      a: gone.a === true || recall !== undefined ? "nothing" : "bye",
      b: gone.b === true ? "nothing" : owedToLegB(call),
      media: "release",
    },
    media: noMediaStats,
  };
  return to(
    parting,
    ...farewells(parting),
    ...(recall === undefined ? [] : [{ kind: "media.handOver", end: "a" } as const]),
    { kind: "media.release" },
    ...(gone.a === true ? [] : failureNotices(parting)),
    ...(recall === undefined ? [] : [{ kind: "transfer.recall", recall } as const]),
    { kind: "deadline.clear", name: "answer" },
    { kind: "deadline.clear", name: "duration" },
    { kind: "deadline.set", name: "ending", atMs: atMs + partingDeadlineMs },
  );
}

/** Nothing has gone out to leg B before our offer to it is made. */
function owedToLegB(call: Joining | Joined): Parting["owed"]["b"] {
  if (call.b.dialog !== undefined) return "bye";
  return call.phase === "joining" && call.awaiting === "b" ? "cancel" : "nothing";
}

function farewells({ a, b, owed, cause }: Parting): readonly CallOrder[] {
  const { q850 } = describeCause(cause);
  const orders: CallOrder[] = [];
  if (owed.a === "bye") orders.push({ kind: "leg.order", call: a.call, order: { kind: "sip.bye", q850 } });
  if (owed.b !== "nothing") {
    const order: SipOrder = owed.b === "bye" ? { kind: "sip.bye", q850 } : { kind: "sip.cancel", q850 };
    orders.push({ kind: "leg.order", call: b.call, order });
  }
  return orders;
}

/** Who transferred believes that the two talk: only if they never did is there something to tell. */
function failureNotices({ answeredAtMs, cause, notices, leg }: Parting): readonly CallOrder[] {
  if (answeredAtMs !== undefined || !notices.failures) return [];
  return [notice(leg, transferFailedLine(cause))];
}

/** A bridged call that the store still lists after a restart. */
export function recoverBridged(call: BridgedCall, atMs: number): Step {
  const parted = call.phase === "parting" ? to(call) : part(call, "restarted", atMs, {});
  if (parted.call.phase !== "parting") return parted;
  const parting = parted.call;
  const { a, b, owed, cause } = parting;
  const bye: SipOrder = { kind: "sip.bye", q850: describeCause(cause).q850 };
  const orders: CallOrder[] = [];
  if (owed.a === "bye") {
    orders.push({ kind: "leg.order", call: a.call, order: { kind: "sip.resume", dialog: a.dialog } });
    orders.push({ kind: "leg.order", call: a.call, order: bye });
  }
  let owedB: Parting["owed"]["b"] = "nothing";
  if (owed.b !== "nothing" && b.dialog !== undefined) {
    owedB = "bye";
    orders.push({ kind: "leg.order", call: b.call, order: { kind: "sip.resume", dialog: b.dialog } });
    orders.push({ kind: "leg.order", call: b.call, order: bye });
  } else if (owed.b === "cancel" && b.invite !== undefined) {
    owedB = "cancel";
    orders.push({ kind: "leg.order", call: b.call, order: { kind: "sip.abandon", invite: b.invite } });
  }
  const settled: Parting = { ...parting, owed: { a: owed.a, b: owedB, media: "nothing" } };
  const notices = parted.orders.filter((order) => order.kind === "matrix.notice");
  return finishIfSettled(settled, [
    ...orders,
    ...notices,
    { kind: "deadline.set", name: "ending", atMs: atMs + partingDeadlineMs },
  ]);
}

export function stepParting(call: Parting, fact: TimedFact): Step {
  switch (fact.kind) {
    case "leg.reported":
      return legReported(call, fact.side, fact.report, fact);
    case "media.released":
      if (call.owed.media === "nothing") return ignored(call, fact);
      return finishIfSettled({ ...call, media: fact.stats, owed: { ...call.owed, media: "nothing" } }, []);
    case "deadline.passed":
      return fact.name === "ending" ? finish(call, []) : ignored(call, fact);
    default:
      return ignored(call, fact);
  }
}

function legReported(call: Parting, side: LegName, report: SipFact, fact: TimedFact): Step {
  const { owed } = call;
  switch (report.kind) {
    case "sip.accepted":
      // The 200 crossed our CANCEL (RFC 3261 s15).
      if (side === "a" || owed.b !== "cancel") return ignored(call, fact);
      return to(
        { ...call, b: { ...call.b, dialog: report.dialog }, owed: { ...owed, b: "bye" } },
        {
          kind: "leg.order",
          call: call.b.call,
          order: { kind: "sip.bye", q850: describeCause(call.cause).q850 },
        },
      );
    case "sip.sent":
      return side === "b" ? to({ ...call, b: { ...call.b, invite: report.invite } }) : ignored(call, fact);
    case "sip.rejected":
    case "sip.failed":
      if (side === "a" || owed.b !== "cancel") return ignored(call, fact);
      return finishIfSettled({ ...call, owed: { ...owed, b: "nothing" } }, []);
    case "sip.ended":
    case "sip.hungUp":
      if (owed[side] === "nothing") return ignored(call, fact);
      return finishIfSettled({ ...call, owed: { ...owed, [side]: "nothing" } }, []);
    default:
      return ignored(call, fact);
  }
}

function finishIfSettled(call: Parting, orders: readonly CallOrder[]): Step {
  const { a, b, media } = call.owed;
  if (a !== "nothing" || b !== "nothing" || media !== "nothing") return to(call, ...orders);
  return finish(
    call,
    orders.filter((order) => order.kind !== "deadline.set"),
  );
}

function finish(call: Parting, orders: readonly CallOrder[]): Step {
  const { id, direction, a, b, leg, cause, sipStatus, owed, ...rest } = call;
  const record: CallRecord = {
    id,
    direction,
    leg,
    room: leg.room,
    person: leg.person,
    matrixCallId: leg.matrixCallId,
    trunk: a.trunk.name,
    sipCallId: a.dialog.sipCallId,
    number: a.trunk.number,
    called: b.trunk.number,
    cause,
    result: describeCause(cause).result,
    sipStatus,
    startedAtMs: rest.startedAtMs,
    ringingAtMs: rest.ringingAtMs,
    answeredAtMs: rest.answeredAtMs,
    endedAtMs: rest.endedAtMs,
    media: rest.media,
    unsettled: Object.values(owed).some((one) => one !== "nothing"),
  };
  const { trunk, number, startedAtMs, maxDurationMs, notices } = rest;
  return to(
    { phase: "ended", id, direction, leg, trunk, number, startedAtMs, maxDurationMs, notices, record },
    ...orders,
    { kind: "deadline.clear", name: "ending" },
    { kind: "history.write", record },
  );
}
