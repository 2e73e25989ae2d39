// What a side is told when its part of a call is over: the signals of a farewell, and the trunk's last order.
import type { CallCommon, Farewell } from "../model/call.ts";
import { describeCause, finalStatusOf, type Cause } from "../model/cause.ts";
import type { LegAddress, LegSignal } from "../model/matrix-leg.ts";
import type { CallOrder, SipOrder } from "../model/order.ts";
import { owedTo, type TrunkLeg } from "../model/trunk-leg.ts";

/** The farewell that a leg is owed, and its signals. */
export function farewell(leg: LegAddress, by: Farewell["by"], cause: Cause): Farewell {
  const { room, ghost, matrixCallId, own, form } = leg;
  return { leg: { room, ghost, matrixCallId, own, form }, by, state: "owed", cause };
}

/** The call, in which these are owed now. */
export function owing<C extends CallCommon>(call: C, farewells: readonly Farewell[]): C {
  const { outstanding } = call;
  return { ...call, outstanding: { ...outstanding, farewells: [...outstanding.farewells, ...farewells] } };
}

export function farewellSignals({ leg, by, cause }: Farewell): readonly CallOrder[] {
  const reject: CallOrder = { kind: "matrix.signal", leg, signal: { kind: "reject", cause } };
  const hangup: CallOrder = { kind: "matrix.signal", leg, signal: { kind: "hangup", cause } };
  if (by === "reject") return [reject];
  return by === "hangup" ? [hangup] : [reject, hangup];
}

export function isFarewell(signal: LegSignal["kind"]): boolean {
  return signal === "reject" || signal === "hangup";
}

/** A room's signals keep their order, so that what comes back belongs to its oldest farewell. Undefined: none is owed. */
export function settleFarewell(
  farewells: readonly Farewell[],
  room: LegAddress["room"],
  how: "told" | "lost",
): readonly Farewell[] | undefined {
  const first = farewells.find(({ leg, state }) => leg.room === room && state === "owed");
  if (first === undefined) return undefined;
  return farewells.flatMap((one) => (one !== first ? [one] : how === "lost" ? [{ ...one, state: "lost" }] : []));
}

/** Only of what holds for every call alike: a trunk sends us nothing at all meanwhile (RFC 3261 s21.5.4). */
function retryAfterS(cause: Cause): number | undefined {
  if (cause === "draining" || cause === "trunk-paused") return 30;
  return cause === "homeserver-away" ? 5 : undefined;
}

/** Of a bridged call an order says to which leg it goes. */
export function toLeg({ direction }: Pick<CallCommon, "direction">, { id }: TrunkLeg, order: SipOrder): CallOrder {
  return direction === "joined" ? { kind: "leg.order", call: id, order } : order;
}

/** What a leg is owed, as orders. */
export function trunkFarewell(leg: TrunkLeg, cause: Cause): readonly SipOrder[] {
  const { q850 } = describeCause(cause);
  switch (owedTo(leg)) {
    case "nothing":
      return [];
    case "cancel":
      return [{ kind: "sip.cancel", q850 }];
    case "final":
      return [{ kind: "sip.reject", status: finalStatusOf(cause), q850, retryAfterS: retryAfterS(cause) }];
    case "bye":
      return [{ kind: "sip.bye", q850 }];
  }
}
