// Transfers that reach beyond one call: where one leads, and joining two far ends in the bridge.
// What a single call does about a transfer is core/call's business.
import type { Call } from "../core/call/call.ts";
import type { CallEffect } from "../core/call/effect.ts";
import type { CallFact, Replacement, TransferOrder } from "../core/call/event.ts";
import type { CallId } from "../core/ids.ts";
import type { Log } from "../ports/telemetry.ts";

export type PlanEffect = Extract<CallEffect, { kind: "transfer.plan" }>;
export type JoinEffect = Extract<CallEffect, { kind: "transfer.join" }>;

/** The call that is transferred, and where facts about it go. */
export interface TransferredCall {
  readonly id: CallId;
  readonly call: Call;
  readonly log: Log;
  post(fact: CallFact): Promise<void>;
}

export interface Transfers {
  /** What the client's order means for the call; undefined where it means nothing (a consult with a call that is not there). */
  order(call: Call, replacement: Replacement): TransferOrder | undefined;
  /** `transfer.planned` or `transfer.barred`. */
  plan(call: TransferredCall, effect: PlanEffect): Promise<CallFact>;
  join(call: TransferredCall, effect: JoinEffect): void;
}

/** Where nothing can be transferred: the person is told so. */
export const noTransfers: Transfers = {
  order: (_call, replacement) =>
    replacement.kind === "blind" ? { kind: "blind", target: replacement.target } : undefined,
  plan: async () => ({ kind: "transfer.barred", cause: "no-route" }),
  join: ({ log }) => log.error("no call can be joined here"),
};
