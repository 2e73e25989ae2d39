// The end of two joined trunk legs: what each of them is still owed, and when the joint may be forgotten.
import { describeCause, type Cause } from "../model/cause.ts";
import type { CallEffect, SipOrder } from "../model/order.ts";
import type { CallEvent, SipFact } from "../model/fact.ts";
import type { Joined, Joining, Joint, JointSide, Parting, RightLeg } from "../model/bridged-call.ts";
import { notice, transferFailedLine } from "../ending/room-notices.ts";
import { noMediaStats } from "../model/media-stats.ts";
import { recallFromJoint } from "../established/recall.ts";
import type { CallRecord } from "../model/record.ts";
import { ignored, to, type Step } from "../model/transition.ts";

/** 64*T1 of a CANCEL or BYE nobody answers, and a little for the rest. */
const partingDeadlineMs = 40_000;

/** Ends a joint; `gone` names the side that has hung up itself. */
export function part(
  call: Joining | Joined,
  cause: Cause,
  atMs: number,
  gone: { readonly [side in JointSide]?: boolean },
  sipStatus?: number,
): Step {
  const right: RightLeg =
    call.phase === "joining" ? call.right : { ...call.right, dialled: undefined, invite: undefined };
  const { id, direction, left, leg, trunk, number, startedAtMs, maxDurationMs, notices, words } = call;
  const recall = call.phase === "joining" ? recallFromJoint(call, cause, gone.left === true) : undefined;
  const parting: Parting = {
    id,
    direction,
    left,
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
    right,
    ringingAtMs: call.ringingAtMs,
    answeredAtMs: call.phase === "joined" ? call.answeredAtMs : undefined,
    endedAtMs: atMs,
    owed: {
      left: gone.left === true || recall !== undefined ? "nothing" : "bye",
      right: gone.right === true ? "nothing" : owedToRight(call),
      media: "release",
    },
    media: noMediaStats,
  };
  return to(
    parting,
    ...farewells(parting),
    ...(recall === undefined ? [] : [{ kind: "media.handOver", side: "matrix" } as const]),
    { kind: "media.release" },
    ...(gone.left === true ? [] : failureWords(parting)),
    ...(recall === undefined ? [] : [{ kind: "transfer.recall", recall } as const]),
    { kind: "deadline.clear", name: "answer" },
    { kind: "deadline.clear", name: "duration" },
    { kind: "deadline.set", name: "ending", atMs: atMs + partingDeadlineMs },
  );
}

/** Nothing has gone out to a right leg before our offer to it is made. */
function owedToRight(call: Joining | Joined): Parting["owed"]["right"] {
  if (call.right.dialog !== undefined) return "bye";
  return call.phase === "joining" && call.awaiting === "right" ? "cancel" : "nothing";
}

function farewells({ left, right, owed, cause }: Parting): readonly CallEffect[] {
  const { q850 } = describeCause(cause);
  const effects: CallEffect[] = [];
  if (owed.left === "bye") effects.push({ kind: "leg.order", call: left.call, order: { kind: "sip.bye", q850 } });
  if (owed.right !== "nothing") {
    const order: SipOrder = owed.right === "bye" ? { kind: "sip.bye", q850 } : { kind: "sip.cancel", q850 };
    effects.push({ kind: "leg.order", call: right.call, order });
  }
  return effects;
}

/** Who transferred believes that the two talk: only if they never did is there something to tell. */
function failureWords({ answeredAtMs, cause, notices, leg }: Parting): readonly CallEffect[] {
  if (answeredAtMs !== undefined || !notices.failures) return [];
  return [notice(leg, transferFailedLine(cause))];
}

/** A joint that the store still lists after a restart. */
export function recoverJoint(call: Joint, atMs: number): Step {
  const parted = call.phase === "parting" ? to(call) : part(call, "restarted", atMs, {});
  if (parted.call.phase !== "parting") return parted;
  const parting = parted.call;
  const { left, right, owed, cause } = parting;
  const bye: SipOrder = { kind: "sip.bye", q850: describeCause(cause).q850 };
  const effects: CallEffect[] = [];
  if (owed.left === "bye") {
    effects.push({ kind: "leg.order", call: left.call, order: { kind: "sip.resume", dialog: left.dialog } });
    effects.push({ kind: "leg.order", call: left.call, order: bye });
  }
  let owedRight: Parting["owed"]["right"] = "nothing";
  if (owed.right !== "nothing" && right.dialog !== undefined) {
    owedRight = "bye";
    effects.push({ kind: "leg.order", call: right.call, order: { kind: "sip.resume", dialog: right.dialog } });
    effects.push({ kind: "leg.order", call: right.call, order: bye });
  } else if (owed.right === "cancel" && right.invite !== undefined) {
    owedRight = "cancel";
    effects.push({ kind: "leg.order", call: right.call, order: { kind: "sip.abandon", invite: right.invite } });
  }
  const settled: Parting = { ...parting, owed: { left: owed.left, right: owedRight, media: "nothing" } };
  const notices = parted.effects.filter((effect) => effect.kind === "matrix.notice");
  return finishIfSettled(settled, [
    ...effects,
    ...notices,
    { kind: "deadline.set", name: "ending", atMs: atMs + partingDeadlineMs },
  ]);
}

export function stepParting(call: Parting, event: CallEvent): Step {
  switch (event.kind) {
    case "leg.reported":
      return legReported(call, event.side, event.fact, event);
    case "media.released":
      if (call.owed.media === "nothing") return ignored(call, event);
      return finishIfSettled({ ...call, media: event.stats, owed: { ...call.owed, media: "nothing" } }, []);
    case "deadline.passed":
      return event.name === "ending" ? finish(call, []) : ignored(call, event);
    default:
      return ignored(call, event);
  }
}

function legReported(call: Parting, side: JointSide, fact: SipFact, event: CallEvent): Step {
  const { owed } = call;
  switch (fact.kind) {
    case "sip.accepted":
      // The 200 crossed our CANCEL (RFC 3261 s15).
      if (side === "left" || owed.right !== "cancel") return ignored(call, event);
      return to(
        { ...call, right: { ...call.right, dialog: fact.dialog }, owed: { ...owed, right: "bye" } },
        {
          kind: "leg.order",
          call: call.right.call,
          order: { kind: "sip.bye", q850: describeCause(call.cause).q850 },
        },
      );
    case "sip.sent":
      return side === "right" ? to({ ...call, right: { ...call.right, invite: fact.invite } }) : ignored(call, event);
    case "sip.rejected":
    case "sip.failed":
      if (side === "left" || owed.right !== "cancel") return ignored(call, event);
      return finishIfSettled({ ...call, owed: { ...owed, right: "nothing" } }, []);
    case "sip.ended":
    case "sip.hungUp":
      if (owed[side] === "nothing") return ignored(call, event);
      return finishIfSettled({ ...call, owed: { ...owed, [side]: "nothing" } }, []);
    default:
      return ignored(call, event);
  }
}

function finishIfSettled(call: Parting, effects: readonly CallEffect[]): Step {
  const { left, right, media } = call.owed;
  if (left !== "nothing" || right !== "nothing" || media !== "nothing") return to(call, ...effects);
  return finish(
    call,
    effects.filter((effect) => effect.kind !== "deadline.set"),
  );
}

function finish(call: Parting, effects: readonly CallEffect[]): Step {
  const { id, direction, left, right, leg, cause, sipStatus, owed, ...rest } = call;
  const record: CallRecord = {
    id,
    direction,
    leg,
    room: leg.room,
    person: leg.person,
    matrixCallId: leg.matrixCallId,
    trunk: left.trunk.name,
    sipCallId: left.dialog.sipCallId,
    number: left.trunk.number,
    called: right.trunk.number,
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
    ...effects,
    { kind: "deadline.clear", name: "ending" },
    { kind: "history.write", record },
  );
}
