// Rooms ring for a call from the telephone: all of one stage together, stage after stage, until somebody takes it,
// nobody is left or the caller gives up.
import { trunkEnd } from "../../media-end.ts";
import type { RoomId } from "../../ids.ts";
import { accept, takeGlare } from "./accepting.ts";
import type { Alerting, Arriving, CallIn, Refusal } from "../model/call.ts";
import { describeCause, type Cause, type SaidByClient } from "../model/cause.ts";
import { stepEarlyDialog } from "./early-dialog.ts";
import type { CallOrder } from "../model/order.ts";
import { end } from "../ending/ending.ts";
import type { TimedFact } from "../model/fact.ts";
import { farewell, farewellSignals, owing } from "../ending/farewell.ts";
import { notice } from "../ending/room-notices.ts";
import type { LegAddress, RingingLeg } from "../model/matrix-leg.ts";
import type { RingTarget } from "../../number/plan/ring-stage.ts";
import type { Notices } from "../model/notices.ts";
import { legAddress } from "../model/queries.ts";
import { isOpen, isRinging, sameTarget, wasRung } from "../model/ringing.ts";
import { amend, enter, ignored, to, unchanged, type Step } from "../model/transition.ts";
import type { MediaDescription } from "../../media-description.ts";

/** Clients drop an invite that has not long to live, and a push takes its time (Matrix spec, m.call.invite). */
const leastLifetimeMs = 90_000;

/** From the INVITE to the first room that rings: callers and trunks give up on a silent callee. */
const firstRingMs = 5_000;
/** Where making the offer took long itself. */
const leastFindingMs = 2_000;

/** The offer for the rooms is made. */
export function beginAlerting(call: CallIn<Arriving>, description: MediaDescription, atMs: number): Step {
  const { origin, trunk, ghost, ring, stages, announce } = call.phase;
  const alerting = enter<Alerting>(call, {
    kind: "alerting",
    origin,
    trunk,
    ghost,
    ring,
    description,
    legs: [],
    stages,
    stage: -1,
    refusal: undefined,
    announce,
    ringingAtMs: undefined,
  });
  return nextStage(alerting, atMs, [firstRing(call, atMs)]);
}

/** A caller hears nothing until the first room rings. One who was put through before has the time of the stages. */
function firstRing({ phase, startedAtMs }: CallIn<Arriving>, atMs: number): CallOrder {
  if (phase.trunk.state === "confirmed") return { kind: "deadline.clear", name: "answer" };
  const untilMs = Math.max(startedAtMs + firstRingMs, atMs + leastFindingMs);
  return { kind: "deadline.set", name: "answer", atMs: untilMs };
}

export function stepAlerting(call: CallIn<Alerting>, fact: TimedFact): Step {
  switch (fact.kind) {
    case "matrix.roomFound":
      return roomFound(call, fact);
    case "matrix.roomMissing": {
      const leg = call.phase.legs.find(({ target, state }) => state === "finding" && sameTarget(target, fact.target));
      if (leg === undefined) return ignored(call, fact);
      const missing = put(call, leg, "unreachable");
      return goOn(fact.busy ? refusedAs(missing, "busy") : missing, fact.atMs, []);
    }
    case "matrix.told":
      return fact.signal === "invite" ? rings(call, fact) : unchanged(call);
    case "matrix.unreachable":
      return inviteLost(call, fact);
    case "matrix.answered": {
      const leg = call.phase.legs.filter(isRinging).find(({ room }) => room === fact.room);
      const isCalled = leg?.target.kind === "room" || leg?.target.person === fact.person;
      return leg === undefined || !isCalled ? ignored(call, fact) : accept(call, fact);
    }
    case "matrix.declined":
      return declined(call, fact);
    case "matrix.glareDetected":
      return takeGlare(call, fact);
    case "deadline.passed":
      if (fact.name === "answer") return nobodyRings(call, fact);
      return fact.name === "stage" ? nextStage(call, fact.atMs, []) : ignored(call, fact);
    default:
      return stepEarlyDialog(call, fact);
  }
}

/** The homeserver is away, or hangs: the trunk may do better elsewhere, and is not to wait until the caller gives up. */
function nobodyRings(call: CallIn<Alerting>, fact: TimedFact): Step {
  if (call.phase.ringingAtMs !== undefined || call.phase.trunk.state === "confirmed") return ignored(call, fact);
  return end(call, "homeserver-away", fact.atMs, {});
}

/**
 * Whoever is in the next stage too goes on ringing. A room that was hung up is not rung again: to its clients the call,
 * known by its id, is over.
 */
function nextStage(call: CallIn<Alerting>, atMs: number, before: readonly CallOrder[]): Step {
  const index = call.phase.stage + 1;
  const stage = call.phase.stages[index];
  if (stage === undefined) {
    const ended = end(call, causeOfSilence(call.phase), atMs, {});
    return to(ended.call, ...before, ...ended.orders);
  }
  const isOver = (leg: RingingLeg): boolean =>
    isOpen(leg) && !stage.targets.some((target) => sameTarget(target, leg.target));
  const farewells = call.phase.legs
    .filter(isRinging)
    .filter(isOver)
    .map((leg) => farewell(legAddress(call.phase, leg), "hangup", "no-answer"));
  const legs = call.phase.legs.map((leg): RingingLeg => (isOver(leg) ? { ...leg, state: "stopped" } : leg));
  const fresh: RingTarget[] = [];
  for (const target of stage.targets) {
    const isKnown = legs.some((leg) => sameTarget(leg.target, target)) || fresh.some((one) => sameTarget(one, target));
    if (!isKnown) fresh.push(target);
  }
  const next = amend(owing(call, farewells), {
    stage: index,
    legs: [...legs, ...fresh.map((target) => newLeg(call.phase, target))],
  });
  return goOn(next, atMs, [
    ...before,
    ...farewells.flatMap(farewellSignals),
    { kind: "deadline.set", name: "stage", atMs: atMs + stage.ringMs },
    ...fresh.map((target): CallOrder => {
      const room = roomOf(target);
      const { ghost } = call.phase;
      return room === undefined ? { kind: "matrix.findRoom", target, ghost } : inviteTo(next, target, { room, ghost });
    }),
  ]);
}

/** The room of a person who is known to be in it. Rooms of the configuration have to be entered first. */
function roomOf(target: RingTarget): RoomId | undefined {
  return target.kind === "person" ? target.room : undefined;
}

function newLeg({ ghost }: Alerting, target: RingTarget): RingingLeg {
  const room = roomOf(target);
  return { target, room, ghost, state: room === undefined ? "finding" : "inviting" };
}

/** With nobody left to come, the next stage has its turn at once. */
function goOn(call: CallIn<Alerting>, atMs: number, orders: readonly CallOrder[]): Step {
  return call.phase.legs.some(isOpen) ? to(call, ...orders) : nextStage(call, atMs, orders);
}

/** What the caller is told when the last stage is over. */
function causeOfSilence({ legs, refusal }: Alerting): Cause {
  if (legs.some(wasRung)) return "no-answer";
  return refusal ?? "unavailable";
}

function roomFound(call: CallIn<Alerting>, fact: Extract<TimedFact, { kind: "matrix.roomFound" }>): Step {
  const { target, room, ghost } = fact;
  const leg = call.phase.legs.find((one) => one.state === "finding" && sameTarget(one.target, target));
  if (leg === undefined) return ignored(call, fact);
  // Two targets with one room: it rings once.
  if (call.phase.legs.some((one) => one.room === room)) return goOn(put(call, leg, "unreachable"), fact.atMs, []);
  const inviting: RingingLeg = { ...leg, state: "inviting", room, ghost };
  return to(
    amend(call, { legs: call.phase.legs.map((one) => (one === leg ? inviting : one)) }),
    inviteTo(call, target, fact),
  );
}

function inviteTo(call: CallIn<Alerting>, target: RingTarget, place: Pick<LegAddress, "room" | "ghost">): CallOrder {
  return {
    kind: "matrix.signal",
    leg: legAddress(call.phase, place),
    signal: {
      kind: "invite",
      description: call.phase.description,
      lifetimeMs: Math.max(leastLifetimeMs, ringMsOf(target, call.phase)),
      invitee: target.kind === "person" ? target.person : undefined,
    },
  };
}

/** From this stage on, as long as each next one has the target too. */
function ringMsOf(target: RingTarget, { stages, stage }: Alerting): number {
  let ringMs = 0;
  for (const one of stages.slice(stage)) {
    if (!one.targets.some((other) => sameTarget(other, target))) break;
    ringMs += one.ringMs;
  }
  return ringMs;
}

function rings(call: CallIn<Alerting>, fact: Extract<TimedFact, { kind: "matrix.told" }>): Step {
  const leg = call.phase.legs.filter(isRinging).find(({ room, state }) => room === fact.room && state === "inviting");
  // It was hung up in the meantime.
  if (leg === undefined) return unchanged(call);
  const address = legAddress(call.phase, leg);
  return to(
    amend(put(call, leg, "ringing"), { ringingAtMs: call.phase.ringingAtMs ?? fact.atMs }),
    ...(call.phase.ringingAtMs === undefined ? heardRinging(call.phase) : []),
    ...call.phase.announce.map((line) => notice(address, line)),
  );
}

/** Whoever calls hears it ring: by their own telephone, or, where we picked up for the PIN, by us. */
function heardRinging({ trunk, origin }: Alerting): readonly CallOrder[] {
  if (trunk.state === "incoming")
    return [
      { kind: "sip.ring", status: 180 },
      { kind: "deadline.clear", name: "answer" },
    ];
  return origin.kind === "admitted" ? [{ kind: "media.ring", end: trunkEnd }] : [];
}

/** Whether the invite arrived all the same is not known: a hang-up keeps it from ringing for nobody. */
function inviteLost(call: CallIn<Alerting>, fact: Extract<TimedFact, { kind: "matrix.unreachable" }>): Step {
  const leg = call.phase.legs.filter(isRinging).find(({ room, state }) => room === fact.room && state === "inviting");
  if (fact.signal !== "invite" || leg === undefined) return unchanged(call);
  const hangup = farewell(legAddress(call.phase, leg), "hangup", "unavailable");
  return goOn(put(owing(call, [hangup]), leg, "unreachable"), fact.atMs, farewellSignals(hangup));
}

/** In a room anybody may answer, so that one who declines speaks for themselves only. */
function declined(call: CallIn<Alerting>, fact: Extract<TimedFact, { kind: "matrix.declined" }>): Step {
  const leg = call.phase.legs.filter(isRinging).find(({ room }) => room === fact.room);
  if (leg === undefined) return ignored(call, fact);
  if (leg.target.kind === "room") return unchanged(call);
  if (leg.target.person !== fact.person) return ignored(call, fact);
  // One device has rung long enough: another of theirs may ring on, and the stage has its own time.
  if (fact.said === "no-answer") return unchanged(call);
  const how = refusalOf(fact.said);
  const text = refusalLine(how, call.notices);
  const line = text === undefined ? [] : [notice(legAddress(call.phase, leg), text)];
  return goOn(refusedAs(put(call, leg, "declined"), how), fact.atMs, line);
}

/** Of several refusals the caller is told the one that counts most. */
function refusedAs(call: CallIn<Alerting>, how: Refusal): CallIn<Alerting> {
  const before = call.phase.refusal;
  const refusal = before === "declined" || (before === "busy" && how !== "declined") ? before : how;
  return amend(call, { refusal });
}

/** A client that could not pick up is no person who does not want to. */
function refusalOf(said: SaidByClient | undefined): Refusal {
  return said === "busy" || said === "callee-media-failed" ? said : "declined";
}

/** A client that declines shows so by itself. */
function refusalLine(how: Refusal, { failures, history }: Notices): string | undefined {
  return how === "callee-media-failed" && (failures || history) ? describeCause(how).words : undefined;
}

function put(call: CallIn<Alerting>, leg: RingingLeg, state: RingingLeg["state"]): CallIn<Alerting> {
  return amend(call, { legs: call.phase.legs.map((one) => (one === leg ? { ...leg, state } : one)) });
}
