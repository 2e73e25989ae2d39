// Carries out a call's orders through the ports and turns the results into facts. Decides nothing. Not here: media,
// transfers, and the rooms of calls that ring.
import type { Call } from "../../core/call/model/call.ts";
import type { CallEffect, SipOrder } from "../../core/call/model/order.ts";
import type { CallFact } from "../../core/call/model/fact.ts";
import { lateWords } from "../../core/call/ending/room-notices.ts";
import type { UserId } from "../../core/ids.ts";
import { legOf } from "../../core/call/model/queries.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { SipTrunks } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { mediaOrders, type MediaEffect, type MediaParts } from "./media-orders.ts";
import type { OrderContext } from "./order-context.ts";
import type { RingingRooms } from "../rooms/ringing-rooms.ts";
import type { Conversations } from "../rooms/conversations.ts";
import type { FirstCalls } from "../first-calls/first-calls.ts";
import type { Transfers } from "../calls/transfers.ts";
import type { TrunkLegs } from "../calls/trunk-legs.ts";

export interface RunOrderParts extends MediaParts {
  readonly homeserver: Homeserver;
  readonly sip: SipTrunks;
  readonly ringingRooms: RingingRooms;
  readonly firstCalls: FirstCalls;
  readonly conversations: Pick<Conversations, "ghostFor">;
  readonly sameNumber: (one: UserId, other: UserId) => boolean;
  readonly transfers: Transfers;
}

/** Orders that go through a port; the runner itself keeps deadlines, notes and history. */
type PortEffect = Exclude<CallEffect, { kind: `deadline.${string}` | "history.write" | `note.${string}` }>;

/** Carries out one order; the fact it brings, if it brings one. */
export type RunOrder = (effect: PortEffect) => Promise<CallFact | undefined>;

export function createRunOrder(context: OrderContext, parts: RunOrderParts, legs: TrunkLegs): RunOrder {
  const { id } = context;
  const media = mediaOrders(context, parts, legs);
  return async (effect) => {
    if (isMediaEffect(effect)) return media(effect);
    if (isSipEffect(effect)) return legs.order(id, effect);
    switch (effect.kind) {
      case "matrix.findRoom":
        return findRoom(effect, context, parts);
      case "transfer.plan":
        return asPersonKnows(parts.transfers.plan(id, effect), context.call, parts);
      case "transfer.join":
        parts.transfers.join(effect);
        return undefined;
      case "transfer.recall":
        parts.transfers.recall(effect);
        return undefined;
      case "identity.resolve":
        return asPersonKnows(parts.transfers.identify(effect), context.call, parts);
      case "leg.order":
        legs.order(effect.call, effect.order);
        return undefined;
      default:
        return tellPerson(effect, parts, context.log);
    }
  };
}

async function findRoom(
  { target, ghost }: Extract<PortEffect, { kind: "matrix.findRoom" }>,
  context: OrderContext,
  parts: RunOrderParts,
): Promise<CallFact> {
  const found = await parts.ringingRooms.find(target, ghost, context.call.trunk?.name, context.id);
  const text = lateWords(context.call);
  if (found.kind === "matrix.roomFound" && text !== undefined)
    await tellPerson({ kind: "matrix.notice", leg: found, text }, parts, context.log);
  // It may have ended before the number came into the room.
  const { phase } = context.call;
  if (phase === "ending" || phase === "ended") await parts.firstCalls.over(context.id);
  return found;
}

/** Of a number's ghosts, the one that the person has spoken with: their client shows its name and picture. */
async function asPersonKnows(
  fact: CallFact,
  call: Call,
  { conversations, sameNumber }: RunOrderParts,
): Promise<CallFact> {
  const leg = legOf(call);
  if ((fact.kind !== "transfer.planned" && fact.kind !== "identity.resolved") || leg === undefined) return fact;
  const { ghost } = fact.shown;
  if (ghost === undefined) return fact;
  const known = sameNumber(leg.ghost, ghost) ? leg.ghost : await conversations.ghostFor(leg.person, ghost);
  return { ...fact, shown: { ...fact.shown, ghost: known } };
}

type TellingEffect = Extract<PortEffect, { kind: "matrix.signal" | "matrix.notice" | "matrix.tile" }>;

function isMediaEffect(effect: PortEffect): effect is MediaEffect {
  return effect.kind.startsWith("media.");
}
function isSipEffect(effect: PortEffect): effect is SipOrder {
  return effect.kind.startsWith("sip.");
}

async function tellPerson(
  effect: TellingEffect,
  { homeserver, firstCalls }: Pick<RunOrderParts, "homeserver" | "firstCalls">,
  log: Log,
): Promise<CallFact | undefined> {
  try {
    if (effect.kind === "matrix.notice") {
      await homeserver.notice(effect.leg.room, effect.leg.ghost, await firstCalls.wordsFor(effect.leg, effect.text));
      return undefined;
    }
    if (effect.kind === "matrix.tile") {
      const words = await firstCalls.wordsFor(effect.leg, effect.text);
      const isSeen = words === effect.text && firstCalls.wasSeen(effect.leg.room);
      if (!isSeen) await homeserver.notice(effect.leg.room, effect.leg.ghost, words);
      return undefined;
    }
    if (!firstCalls.holds(effect.leg, effect.signal)) await homeserver.signal(effect.leg, effect.signal);
    return { kind: "matrix.told", signal: effect.signal.kind, room: effect.leg.room };
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    log.warn("could not tell a person", { order: effect.kind, code: error.code, error });
    // A notice is a courtesy.
    if (effect.kind !== "matrix.signal") return undefined;
    return { kind: "matrix.unreachable", signal: effect.signal.kind, room: effect.leg.room, message: error.message };
  }
}
