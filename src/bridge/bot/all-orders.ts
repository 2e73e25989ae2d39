// Every order that the bot knows, in the order of `help`.
import { allowOrder } from "./orders/admin/allow.ts";
import { callsOrder, hangUpOrder } from "./orders/admin/calls.ts";
import { consoleOrder, type ConsoleLinks } from "./orders/admin/console-link.ts";
import { explainOrder } from "./orders/admin/explain.ts";
import type { AdminOrdersParts } from "./orders/admin/parts.ts";
import { statusOrder } from "./orders/admin/status.ts";
import { stopOrders } from "./orders/admin/stop.ts";
import { trunksOrder } from "./orders/admin/trunks.ts";
import { blockOrders, type BlockOrdersParts } from "./orders/people/block.ts";
import { callOrder, inviteOrder, keypadOrder, transferOrder, type Dialling } from "./orders/people/call.ts";
import { doNotDisturbOrder, type Quiet } from "./orders/people/do-not-disturb.ts";
import { helpOrder } from "./orders/people/help.ts";
import { historyOrders } from "./orders/people/history.ts";
import { ringOrder, type RingOrderParts } from "./orders/people/ring.ts";
import type { NumberWords } from "./orders/numbers.ts";
import type { Order } from "./orders/order.ts";

export interface OrdersParts extends AdminOrdersParts, RingOrderParts {
  readonly consoleLogins: ConsoleLinks;
  readonly quiet: Quiet;
  readonly blocks: BlockOrdersParts["blocks"];
  readonly numbers: Pick<NumberWords, "named" | "shown">;
}

/** `dialling`: asked when the first order is given. */
export function createOrders(parts: OrdersParts, dialling: () => Dialling): readonly Order[] {
  const all: readonly Order[] = [
    callOrder(dialling),
    inviteOrder(dialling),
    keypadOrder,
    transferOrder,
    ...historyOrders(parts),
    ...blockOrders(parts),
    doNotDisturbOrder(parts),
    ringOrder(parts),
    helpOrder(() => all),
    statusOrder(parts),
    callsOrder(parts),
    hangUpOrder(parts),
    ...stopOrders(parts),
    trunksOrder(parts),
    allowOrder(parts),
    explainOrder(parts),
    consoleOrder(parts),
  ];
  return all;
}
