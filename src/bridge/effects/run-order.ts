// Carries out a call's orders through the ports and turns the results into facts. Decides nothing. Not here: media,
// transfers, and the rooms of calls that ring.
import type { Call } from "../../core/call/model/call.ts";
import type { CallOrder, SipOrder } from "../../core/call/model/order.ts";
import type { CallFact, SipFact } from "../../core/call/model/fact.ts";
import { lateNotice } from "../../core/call/ending/room-notices.ts";
import type { CallId, UserId } from "../../core/ids.ts";
import { isRunning, legOf, trunkLegsOf } from "../../core/call/model/queries.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { SipTrunks } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { mediaOrders, type MediaLegs, type MediaOrder, type MediaParts } from "./media-orders.ts";
import type { OrderContext } from "./order-context.ts";
import type { PinGuard } from "../admission/pin-guard.ts";
import type { RingingRooms } from "../rooms/ringing-rooms.ts";
import type { Conversations } from "../rooms/conversations.ts";
import type { FirstCalls } from "../first-calls/first-calls.ts";

/** What concerns more than one call. */
interface TransferOrders {
  plan(call: CallId, order: Extract<CallOrder, { kind: "transfer.plan" }>): CallFact;
  join(order: Extract<CallOrder, { kind: "transfer.join" }>): void;
  recall(order: Extract<CallOrder, { kind: "transfer.recall" }>): void;
  identify(order: Extract<CallOrder, { kind: "identity.resolve" }>): CallFact;
}

/** The trunk legs that calls have. */
export interface LegOrders extends MediaLegs {
  /** Carries out an order on the leg that the call has now; what it brings at once. */
  order(call: CallId, order: SipOrder): SipFact | undefined;
}

export interface RunOrderParts extends MediaParts {
  readonly homeserver: Homeserver;
  readonly sip: SipTrunks;
  readonly ringingRooms: RingingRooms;
  readonly firstCalls: FirstCalls;
  readonly conversations: Pick<Conversations, "ghostFor">;
  readonly sameNumber: (one: UserId, other: UserId) => boolean;
  readonly transfers: TransferOrders;
  readonly pins: Pick<PinGuard, "check">;
}

/** Orders that go through a port; the runner itself keeps deadlines, notes and history. */
type PortOrder = Exclude<CallOrder, { kind: `deadline.${string}` | "history.write" | `note.${string}` }>;

/** Carries out one order; the fact it brings, if it brings one. */
export type RunOrder = (order: PortOrder) => Promise<CallFact | undefined>;

export function createRunOrder(context: OrderContext, parts: RunOrderParts, legs: LegOrders): RunOrder {
  const { id } = context;
  const media = mediaOrders(context, parts, legs);
  return async (order) => {
    if (isMediaOrder(order)) return media(order);
    if (isSipOrder(order)) return legs.order(id, order);
    switch (order.kind) {
      case "matrix.findRoom":
        return findRoom(order, context, parts);
      case "pin.check":
        return { kind: "pin.checked", verdict: parts.pins.check(order) };
      case "transfer.plan":
        return asPersonKnows(parts.transfers.plan(id, order), context.call, parts);
      case "transfer.join":
        parts.transfers.join(order);
        return undefined;
      case "transfer.recall":
        parts.transfers.recall(order);
        return undefined;
      case "identity.resolve":
        return asPersonKnows(parts.transfers.identify(order), context.call, parts);
      case "leg.order":
        legs.order(order.call, order.order);
        return undefined;
      default:
        return tellPerson(order, parts, context.log);
    }
  };
}

async function findRoom(
  { target, ghost }: Extract<PortOrder, { kind: "matrix.findRoom" }>,
  context: OrderContext,
  parts: RunOrderParts,
): Promise<CallFact> {
  const found = await parts.ringingRooms.find(target, ghost, trunkLegsOf(context.call)[0]?.name, context.id);
  const text = lateNotice(context.call);
  if (found.kind === "matrix.roomFound" && text !== undefined)
    await tellPerson({ kind: "matrix.notice", leg: found, text }, parts, context.log);
  // It may have ended before the number came into the room.
  if (!isRunning(context.call)) await parts.firstCalls.over(context.id);
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
  const known = sameNumber(leg.ghost, ghost) ? leg.ghost : (await conversations.ghostFor(leg.person, ghost)).user;
  return { ...fact, shown: { ...fact.shown, ghost: known } };
}

type TellingOrder = Extract<PortOrder, { kind: "matrix.signal" | "matrix.notice" | "matrix.tile" }>;

function isMediaOrder(order: PortOrder): order is MediaOrder {
  return order.kind.startsWith("media.");
}
function isSipOrder(order: PortOrder): order is SipOrder {
  return order.kind.startsWith("sip.");
}

async function tellPerson(
  order: TellingOrder,
  { homeserver, firstCalls }: Pick<RunOrderParts, "homeserver" | "firstCalls">,
  log: Log,
): Promise<CallFact | undefined> {
  try {
    if (order.kind === "matrix.notice") {
      await homeserver.notice(order.leg.room, order.leg.ghost, await firstCalls.wordsFor(order.leg, order.text));
      return undefined;
    }
    if (order.kind === "matrix.tile") {
      const words = await firstCalls.wordsFor(order.leg, order.text);
      const isSeen =
        words === order.text && firstCalls.wasSeen(order.leg.room) && homeserver.showsOutcome(order.leg.form);
      if (!isSeen) await homeserver.notice(order.leg.room, order.leg.ghost, words);
      return undefined;
    }
    if (!firstCalls.holds(order.leg, order.signal)) await homeserver.signal(order.leg, order.signal);
    return { kind: "matrix.told", signal: order.signal.kind, room: order.leg.room };
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    log.warn("could not tell a person", { order: order.kind, code: error.code, error });
    // A notice is a courtesy.
    if (order.kind !== "matrix.signal") return undefined;
    return { kind: "matrix.unreachable", signal: order.signal.kind, room: order.leg.room, message: error.message };
  }
}
