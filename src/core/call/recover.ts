// What a restart has to do for a call. Media is gone with the process; the rest is still owed, and that is all that is stored.
import { end, endingDeadlineMs, finishIfSettled } from "./ending/ending.ts";
import { farewellSignals, toLeg, trunkFarewell } from "./ending/farewell.ts";
import { isIn, isLive, type Call, type CallIn, type Ending } from "./model/call.ts";
import { finalStatusOf, type Cause } from "./model/cause.ts";
import { noMediaStats } from "./model/media-stats.ts";
import type { CallOrder, SipOrder } from "./model/order.ts";
import { amend, type Step } from "./model/transition.ts";
import { over, type EndingLeg } from "./model/trunk-leg.ts";

/** A call as it would end if the process died now. */
export interface StoredCall {
  readonly call: CallIn<Ending>;
  /** It was going on: it ends at the restart. Otherwise it was ending, and its rooms had been told. */
  readonly interrupted: boolean;
  /** What its rooms have to be told then. */
  readonly notices: readonly Notice[];
}

type Notice = Extract<CallOrder, { kind: "matrix.notice" }>;

/** Undefined for a call that has ended. */
export function storedFormOf(call: Call): StoredCall | undefined {
  if (isIn(call, "ending")) return { call, interrupted: false, notices: [] };
  if (!isLive(call)) return undefined;
  const ended = end(call, "restarted", call.startedAtMs, {});
  return { call: ended.call, interrupted: true, notices: ended.orders.filter(isNotice) };
}

/** Whether a restart would do the same for the call, and keep the same of it: then it need not be saved again. */
export function endsAlike(one: StoredCall, other: StoredCall): boolean {
  return isSame(endOf(one), endOf(other));
}

function endOf({ call, interrupted, notices }: StoredCall): unknown {
  const { cause, leg, trunks, rooms } = call.phase;
  const sent = trunks.map((trunk) => (isUnsent(trunk) ? over(trunk) : trunk));
  return [interrupted, cause, leg, sent, rooms, call.outstanding.farewells, notices];
}

/** Most parts of two steps of a call are one object. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const fields = Object.entries(one);
  const others: Readonly<Record<string, unknown>> = { ...other };
  return fields.length === Object.keys(others).length && fields.every(([name, value]) => isSame(value, others[name]));
}

/** What has not gone out cannot be cancelled. */
function isUnsent(leg: EndingLeg): boolean {
  return leg.state === "inviting" && leg.invite === undefined;
}

function isNotice(order: CallOrder): order is Notice {
  return order.kind === "matrix.notice";
}

/** The first step of a call that the store still lists. */
export function recover({ call, interrupted, notices }: StoredCall, atMs: number): Step {
  const { trunks, cause, endedAtMs, rooms } = call.phase;
  const again = trunks.map((leg) => trunkAgain(leg, cause));
  const settled = amend(call, {
    trunks: again.map(({ leg }) => leg),
    media: { state: "released", stats: noMediaStats },
    endedAtMs: interrupted ? atMs : endedAtMs,
  });
  return finishIfSettled(settled, [
    ...again.flatMap(({ leg, orders }) => orders.map((order) => toLeg(call, leg, order))),
    ...rooms.flatMap(farewellSignals),
    ...notices,
    { kind: "deadline.set", name: "ending", atMs: atMs + endingDeadlineMs },
  ]);
}

/** The last order to the trunk, by what was stored: no transaction has outlived the process. */
function trunkAgain(leg: EndingLeg, cause: Cause): { readonly leg: EndingLeg; readonly orders: readonly SipOrder[] } {
  switch (leg.state) {
    case "incoming":
      return { leg, orders: [{ kind: "sip.dismiss", incoming: leg.incoming, status: finalStatusOf(cause) }] };
    case "confirmed":
      return { leg, orders: [{ kind: "sip.resume", dialog: leg.dialog }, ...trunkFarewell(leg, cause)] };
    case "inviting":
      if (leg.invite === undefined) return { leg: over(leg), orders: [] };
      return { leg, orders: [{ kind: "sip.abandon", invite: leg.invite }] };
    case "over":
      return { leg, orders: [] };
  }
}
